//! What tests say and expect: a playground on either database, driven by the lines of a session, with real processes underneath.
//!
//! It speaks through the terminal room and believes nothing else: what the room shows, what the services answer over HTTP, and what the
//! program's own offline verification says. What it does not do: it never reaches into the bot.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The databases on which every scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// The embedded one.
    Sqlite,
    /// A real server.
    Postgres,
}

/// A playground of its own: data folder, database, services.
pub struct Playground {
    program: PathBuf,
    folder: tempfile::TempDir,
    database: Option<String>,
}

/// What a session showed.
pub struct Transcript {
    /// Standard output.
    pub text: String,
    /// Standard error.
    pub errors: String,
    /// Whether every command went well.
    pub well: bool,
    /// Whether the process was killed.
    pub killed: bool,
}

impl Playground {
    /// A fresh one. `program` is the binary under test.
    pub fn new(program: &str, database: Database) -> Self {
        let folder = tempfile::tempdir().expect("no temporary folder");
        let database = (database == Database::Postgres).then(andon_test_postgres::database);
        Self { program: program.into(), folder, database }
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .arg("--data")
            .arg(self.data())
            .env_remove("ANDON_DATABASE_URL")
            .env("ANDON_LOG", "error");
        if let Some(url) = &self.database {
            command.env("ANDON_DATABASE_URL", url);
        }
        command
    }

    /// Says lines, one after the other, and returns what was shown.
    pub fn say(&self, lines: &[&str]) -> Transcript {
        self.say_until(lines, "")
    }

    /// As [`Playground::say`], and the process ends itself at a point of the pipeline.
    pub fn say_until(&self, lines: &[&str], point: &str) -> Transcript {
        let mut command = self.command(&["playground"]);
        command.env("ANDON_TEST_KILL_AT", point).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program cannot be run");
        let mut input = child.stdin.take().expect("its input is piped");
        // A process that ended itself no longer reads.
        let _ = input.write_all((lines.join("\n") + "\n").as_bytes());
        drop(input);
        let output = child.wait_with_output().expect("the program is gone");
        let killed = output.status.code().is_none();
        Transcript {
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
            well: output.status.success(),
            killed,
        }
    }

    /// Says the same line every second, in one session, until the text was shown.
    ///
    /// # Panics
    /// It was not shown within two minutes; the transcript is printed.
    pub fn repeat_until(&self, line: &str, text: &str) -> Transcript {
        let shown = tempfile::NamedTempFile::new().expect("no temporary file");
        let mut command = self.command(&["playground"]);
        command.stdin(Stdio::piped()).stdout(shown.reopen().expect("it was just made")).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the program cannot be run");
        let mut input = child.stdin.take().expect("its input is piped");
        for _ in 0..120 {
            writeln!(input, "{line}").expect("the program is gone");
            std::thread::sleep(std::time::Duration::from_secs(1));
            if std::fs::read_to_string(shown.path()).is_ok_and(|shown| shown.contains(text)) {
                break;
            }
        }
        drop(input);
        let well = child.wait().expect("the program is gone").success();
        let shown = std::fs::read_to_string(shown.path()).expect("it was just written");
        let transcript = Transcript { text: shown, errors: String::new(), well, killed: false };
        transcript.expect(text);
        transcript
    }

    /// Runs another command of the program on the same data.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        if self.database.is_some() && arguments.first() == Some(&"audit") && arguments.get(1) != Some(&"key") {
            command.args(["--database", self.database.as_deref().unwrap_or_default()]);
        }
        command.output().expect("the program cannot be run")
    }

    /// Verifies the trail offline, with the key that lay there at first pinned.
    pub fn verify(&self) -> (String, Option<i32>) {
        let key = self.data().join("pinned.key");
        if !key.exists() {
            std::fs::write(&key, self.run(&["audit", "key"]).stdout).expect("the key cannot be kept");
        }
        let output = self.run(&["audit", "verify", "--key", &key.display().to_string()]);
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        // Where nothing was started there is nothing to stop.
        let _ = self.command(&["playground", "--down"]).output();
    }
}

impl Transcript {
    /// Fails unless the text was shown.
    ///
    /// # Panics
    /// It was not; the whole transcript is printed.
    pub fn expect(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text:?} was not shown:\n{}\n{}", self.text, self.errors);
        self
    }

    /// Fails if the text was shown.
    ///
    /// # Panics
    /// It was; the whole transcript is printed.
    pub fn expect_not(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} was shown:\n{}", self.text);
        self
    }

    /// Fails unless the text was shown this often.
    ///
    /// # Panics
    /// It was not; the whole transcript is printed.
    pub fn expect_times(&self, text: &str, times: usize) -> &Self {
        let found = self.text.matches(text).count();
        assert_eq!(found, times, "{text:?} was shown {found} times, not {times}:\n{}\n{}", self.text, self.errors);
        self
    }

    /// Where a service answers, as `status` showed it.
    ///
    /// # Panics
    /// `status` did not show it.
    pub fn address(&self, target: &str) -> String {
        let line =
            self.text.lines().rev().find(|line| line.trim_start().starts_with(target) && line.contains("http://"));
        let line = line.unwrap_or_else(|| panic!("no address of {target}:\n{}", self.text));
        let start = line.find("http://").expect("looked for above");
        line[start..].split([',', ' ']).next().unwrap_or_default().to_owned()
    }

    /// The process that serves a target, as `status` showed it.
    ///
    /// # Panics
    /// `status` did not show it.
    pub fn pid(&self, target: &str) -> String {
        let line = self.text.lines().rev().find(|line| line.trim_start().starts_with(target) && line.contains("pid "));
        let line = line.unwrap_or_else(|| panic!("no pid of {target}:\n{}", self.text));
        line.rsplit("pid ").next().unwrap_or_default().trim().to_owned()
    }
}

/// `GET path` over plain HTTP; the body.
///
/// # Panics
/// Nothing answers.
pub fn get(address: &str, path: &str) -> String {
    use std::io::Read as _;
    let host = address.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(host).unwrap_or_else(|error| panic!("{address}: {error}"));
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("it closed at once");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it broke off");
    answer.split_once("\r\n\r\n").map_or(answer.clone(), |(_, body)| body.to_owned())
}

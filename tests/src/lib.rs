//! What tests say and expect: a playground on either database, driven by the lines of a session, with real processes underneath.
//!
//! It speaks through the terminal room and believes what the room shows, what the services answer over HTTP, and what the program's own
//! offline verification says. It looks into the database only behind the back of a bot that is dead ([`Raw`]). What it does not do: it never
//! reaches into the bot.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

mod database;
mod deadline;
mod life;
mod outside;
mod scene;
mod session;
mod slack;

pub use database::Raw;
pub use scene::{Chat, Database, Scene};
pub use session::Session;
pub use slack::{SlackBot, Watch, text_elements, words};

/// A playground of its own: data folder, database, services.
pub struct Playground {
    program: PathBuf,
    folder: tempfile::TempDir,
    database: Option<String>,
    /// Where it is in Slack.
    workspace: Option<slack::Workspace>,
}

/// What a session showed.
pub struct Transcript {
    /// Standard output.
    pub text: String,
    /// Standard error.
    pub errors: String,
    /// Whether every command went well.
    pub well: bool,
}

impl Playground {
    /// A fresh one. `program` is the binary under test.
    pub fn new(program: &str, scene: impl Into<Scene>) -> Self {
        let Scene { database, chat } = scene.into();
        let folder = tempfile::tempdir().expect("no temporary folder");
        let database = (database == Database::Postgres).then(andon_test_postgres::database);
        Self { program: program.into(), folder, database, workspace: slack::Workspace::new(chat) }
    }

    /// A fresh one that has more in it: TOML that is added to its configuration, in which `$ARTIFACTS` is the folder of its artifacts.
    ///
    /// # Panics
    /// The data folder cannot be written.
    pub fn with(program: &str, scene: impl Into<Scene>, more: &str) -> Self {
        let playground = Self::new(program, scene);
        let artifacts = playground.data().join("artifacts");
        let more = more.replace("$ARTIFACTS", &artifacts.display().to_string());
        std::fs::write(playground.configuration(), format!("\n{more}")).expect("the configuration cannot be written");
        playground
    }

    fn configuration(&self) -> PathBuf {
        self.data().join("more.toml")
    }

    /// What is added to its configuration.
    fn more(&self) -> String {
        std::fs::read_to_string(self.configuration()).unwrap_or_default()
    }

    /// Whether its chat has a pace of its own.
    fn is_paced(&self) -> bool {
        self.workspace.is_some()
    }

    fn program(&self) -> &Path {
        &self.program
    }

    /// The Slack that it is in, where it is in one.
    ///
    /// # Panics
    /// It is in none.
    pub fn slack(&self) -> &andon_fake_slack::Slack {
        &self.workspace.as_ref().expect("it is in no Slack").slack
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Opens the bot for people to speak in its rooms.
    pub fn open(&self) -> Session<'_> {
        Session::open(self)
    }

    /// Moves the time of the bot forward, also while it runs.
    ///
    /// # Panics
    /// The clock cannot be set.
    pub fn fast_forward(&self, by: Duration) {
        fast_forward(&self.clock(), self.workspace.as_ref().map(|workspace| &workspace.slack), by);
    }

    fn clock(&self) -> PathBuf {
        self.data().join("clock")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .arg("--data")
            .arg(self.data())
            .env_remove("ANDON_DATABASE_URL")
            .env("ANDON_TEST_CLOCK", self.clock())
            .env("ANDON_TEST_CONFIGURATION", self.configuration())
            .env("ANDON_LOG", "error");
        if let Some(url) = &self.database {
            command.env("ANDON_DATABASE_URL", url);
        }
        command
    }

    /// Says lines, one after the other, and returns what was shown. Once they are said the trail verifies, and no record is open.
    ///
    /// # Panics
    /// The bot did not open, or its trail does not hold.
    pub fn say(&self, lines: &[&str]) -> Transcript {
        let transcript = self.try_to_say(lines);
        self.expect_trail();
        transcript
    }

    /// As [`Playground::say`], where the bot may refuse to open.
    ///
    /// # Panics
    /// The program cannot be run.
    pub fn try_to_say(&self, lines: &[&str]) -> Transcript {
        if self.workspace.is_some() {
            return self.say_in_slack(lines);
        }
        let mut command = self.command(&["playground"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program cannot be run");
        let mut input = child.stdin.take().expect("its input is piped");
        // A process that refused to start reads nothing.
        let _ = input.write_all((lines.join("\n") + "\n").as_bytes());
        drop(input);
        let output = child.wait_with_output().expect("the program is gone");
        Transcript {
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
            well: output.status.success(),
        }
    }

    fn say_in_slack(&self, lines: &[&str]) -> Transcript {
        let (mut child, mut input, shown) = life::start(self, None);
        writeln!(input, "{}", lines.join("\n")).expect("somebody sits there");
        drop(input);
        let text: String = shown.iter().map(|line| line + "\n").collect();
        let ended = child.wait().expect("the program is gone");
        let failed = text.lines().any(|line| line.trim_start_matches(['└', ' ']).starts_with('✗'));
        Transcript { well: ended.success() && !failed, text, errors: String::new() }
    }

    /// Runs another command of the program on the same data.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        if self.database.is_some() && arguments.first() == Some(&"audit") && arguments.get(1) != Some(&"key") {
            command.args(["--database", self.database.as_deref().unwrap_or_default()]);
        }
        command.output().expect("the program cannot be run")
    }

    /// Fails unless the trail verifies and nothing in it is open.
    ///
    /// # Panics
    /// See there.
    pub fn expect_trail(&self) {
        let (report, code) = self.verify();
        assert_eq!(code, Some(0), "{report}");
        assert!(!report.contains("open "), "{report}");
    }

    /// The records that `audit search` finds, newest first.
    ///
    /// # Panics
    /// The trail cannot be read.
    pub fn records(&self, search: &[&str]) -> Vec<serde_json::Value> {
        let output = self.run(&[&["audit", "search"], search].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found = String::from_utf8_lossy(&output.stdout);
        found.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
    }

    /// Verifies the trail offline, with the key that lay there at first pinned. What the program says to hold must hold as well for a
    /// verifier that shares no code with it.
    ///
    /// # Panics
    /// The two do not agree.
    pub fn verify(&self) -> (String, Option<i32>) {
        let key = self.data().join("pinned.key");
        if !key.exists() {
            std::fs::write(&key, self.run(&["audit", "key"]).stdout).expect("the key cannot be kept");
        }
        let output = self.run(&["audit", "verify", "--key", &key.display().to_string()]);
        let (report, code) = (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code());
        if code == Some(0) {
            let file = self.data().join("andon.db").display().to_string();
            let trail = andon_test_verifier::read(self.database.as_deref().unwrap_or(&file));
            let pinned = std::fs::read_to_string(&key).expect("it was written above");
            let problems = andon_test_verifier::verify(&trail.expect("the trail cannot be read"), &pinned);
            assert!(problems.is_empty(), "the second verifier does not agree:\n{problems:#?}\n{report}");
        }
        (report, code)
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        // Where nothing was started there is nothing to stop.
        let _ = self.command(&["keeper", "--down"]).output();
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
}

/// Moves the time of a bot forward by its clock, and then that of the Slack that it is in: what Slack signs at the new time must not be of
/// the bot's future. The bot reads the old time or the new one, never half a number.
fn fast_forward(clock: &Path, slack: Option<&andon_fake_slack::Slack>, by: Duration) {
    let before: u64 = std::fs::read_to_string(clock).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let beside = clock.with_extension(format!("new-{:?}", std::thread::current().id()));
    std::fs::write(&beside, (before + by.as_secs()).to_string()).expect("the clock cannot be set");
    std::fs::rename(&beside, clock).expect("the clock cannot be set");
    if let Some(slack) = slack {
        slack.fast_forward(by);
    }
}

/// Where a service answers, as `status` showed it.
///
/// # Panics
/// `status` did not show it.
pub fn address(status: &str, target: &str) -> String {
    let line = status.lines().rev().find(|line| line.trim_start().starts_with(target) && line.contains("http://"));
    let line = line.unwrap_or_else(|| panic!("no address of {target}:\n{status}"));
    let start = line.find("http://").expect("looked for above");
    line[start..].split([',', ' ']).next().unwrap_or_default().to_owned()
}

/// Says something to whoever reads the suite's output, whether or not the test that says it passes: the test runner keeps back only what
/// is printed by its macros.
pub fn tell(text: &str) {
    // Where nobody listens nobody is told.
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Waits until something holds.
///
/// # Panics
/// It does not within a minute.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = deadline::Deadline::within(Duration::from_secs(60));
    while !holds() {
        assert!(!deadline.has_passed(), "it did not come about that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port on loopback that nobody listens on, below those that systems give to whoever asks for any: until the bot has it, only another
/// test that draws the same could take it. The bot says the address of its configuration and no other, so that the system cannot choose.
///
/// # Panics
/// There is none.
pub fn free_port() -> u16 {
    use std::hash::{BuildHasher as _, RandomState};
    let drawn = RandomState::new();
    let mut ports = (0..1_000_u16).map(|place| 20_000 + u16::try_from(drawn.hash_one(place) % 12_000).unwrap_or(0));
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(free).expect("no port is free")
}

/// `GET path` over plain HTTP; the body.
///
/// # Panics
/// Nothing answers.
pub fn get(address: &str, path: &str) -> String {
    ask(address, path).1
}

/// `GET path` over plain HTTP; the status and the body.
///
/// # Panics
/// Nothing answers, or not over HTTP.
pub fn ask(address: &str, path: &str) -> (u16, String) {
    use std::io::Read as _;
    let host = address.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(host).unwrap_or_else(|error| panic!("{address}: {error}"));
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("it closed at once");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it broke off");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer:\n{answer}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no status:\n{head}")), body.to_owned())
}

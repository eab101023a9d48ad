//! The bot as an operator meets it: its configuration, its health, and what a signal does.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use andon_tests::{Database, Raw, Scene, ask, free_port, get, until};
use rustix::process::{Pid, Signal, kill_process};

use crate::{PROGRAM, both};

// Nobody speaks here: it is about the process, its signals and its HTTP server.
both! {
    a_changed_configuration_comes_into_force_only_when_it_is_right,
    readiness_tells_what_the_configuration_risks,
    a_database_that_cannot_be_read_is_told,
    a_trail_that_cannot_be_signed_is_told,
    a_database_is_brought_to_this_version_before_the_bot_is_started,
}

const RIGHT: &str = r#"
[people.ana]
identities = ["console:ana"]
[teams.makers]
members = ["ana"]
[environments.staging]
production = false
[services.api]
owners = ["makers"]
[services.api.environments.staging]
deployer = "local"
artifacts = "artifacts/api"
[aliases]
".deploy" = "deploy"
"#;

/// A bot of its own: configuration, data, database.
struct Bot {
    folder: tempfile::TempDir,
    database: Option<String>,
    port: u16,
}

impl Bot {
    fn new(database: Database, text: &str) -> Self {
        let database = (database == Database::Postgres).then(andon_test_postgres::database);
        let bot = Self { folder: tempfile::tempdir().unwrap(), database, port: free_port() };
        bot.configure(text);
        bot
    }

    fn configure(&self, text: &str) {
        std::fs::write(self.config(), text).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("andon.toml")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        // Started elsewhere than where the configuration lies.
        command.args(arguments).current_dir(Path::new("/")).env("ANDON_LOG", "error");
        command.env("ANDON_CONFIG", self.config()).env("ANDON_DATA", self.data());
        command.env("ANDON_LISTEN", format!("127.0.0.1:{}", self.port)).env_remove("ANDON_DATABASE_URL");
        if let Some(url) = &self.database {
            command.env("ANDON_DATABASE_URL", url);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts it and waits until it answers.
    fn serve(&self) -> Running {
        self.start(&mut self.command(&["serve"]))
    }

    fn start(&self, command: &mut Command) -> Running {
        let log = std::fs::File::create(self.log_file()).unwrap();
        let child = command.stderr(log).spawn().unwrap();
        until("the bot is healthy", || self.run(&["healthcheck"]).status.success());
        Running(child)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What it has said to its operator so far.
    fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap()
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn loads(&self) -> usize {
        let mut arguments = vec!["audit", "search"];
        if let Some(url) = &self.database {
            arguments.extend(["--database", url]);
        }
        let output = self.run(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).matches(r#""kind":"configuration_loaded""#).count()
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // Where the bot never came so far there is no keeper to be stopped.
        let _ = self.command(&["keeper", "--down", "--data"]).arg(self.data()).output();
    }
}

/// A process that ends in good order when the test does.
struct Running(Child);

impl Running {
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        // A test that fails must not wait for it.
        let _ = self.0.wait();
    }
}

fn a_changed_configuration_comes_into_force_only_when_it_is_right(scene: Scene) {
    let bot = Bot::new(scene.database, RIGHT);
    let running = bot.serve();
    until("the first load is on record", || bot.loads() == 1);
    bot.configure(&RIGHT.replace("owners = [\"makers\"]", "owners = [\"nobody\"]"));
    running.signal(Signal::HUP);
    until("the wrong one is told", || bot.log().contains("the old one stays"));
    assert_eq!(bot.loads(), 1, "a wrong configuration came into force");
    bot.configure(&format!("{RIGHT}\n[environments.prod]\n"));
    running.signal(Signal::HUP);
    until("the right one is on record", || bot.loads() == 2);
    assert_eq!(get(&bot.address(), "/healthz"), "ok\n");
    drop(running);
    assert_eq!((bot.loads(), bot.log().matches("the old one stays").count()), (2, 1));
}

fn readiness_tells_what_the_configuration_risks(scene: Scene) {
    let bot = Bot::new(scene.database, RIGHT);
    let running = bot.serve();
    until("the bot is ready", || get(&bot.address(), "/readyz").contains(r#""ready":true"#));
    assert!(get(&bot.address(), "/readyz").contains("api/staging runs as the bot's own user"));
    drop(running);
    // These services are nobody's playground.
    let refused = bot.command(&["playground", "--down", "--data"]).arg(bot.data()).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("holds no playground's data"), "{said}");
    // Nor is anything written beside the data before a playground is refused.
    let refused = bot.command(&["playground", "--data"]).arg(bot.data()).stdin(Stdio::null()).output().unwrap();
    assert!(!refused.status.success());
    assert!(!bot.data().join("artifacts").exists() && !bot.data().join("demo-bin").exists());
}

fn a_database_that_cannot_be_read_is_told(scene: Scene) {
    let bot = Bot::new(scene.database, RIGHT);
    let _running = bot.serve();
    until("the bot is ready", || ask(&bot.address(), "/readyz").0 == 200);
    let raw = Raw::new(bot.database.as_deref(), &bot.data());
    raw.meddle("alter table invocations rename to gone");
    let (status, body) = ask(&bot.address(), "/readyz");
    assert!(status == 503 && body.contains("the database cannot be read"), "{status} {body}");
    // It lives on, and is ready as soon as it can be.
    assert_eq!(get(&bot.address(), "/healthz"), "ok\n");
    raw.meddle("alter table gone rename to invocations");
    until("the bot is ready again", || ask(&bot.address(), "/readyz").0 == 200);
}

fn a_trail_that_cannot_be_signed_is_told(scene: Scene) {
    let bot = Bot::new(scene.database, RIGHT);
    let running = bot.serve();
    until("the bot is ready", || ask(&bot.address(), "/readyz").0 == 200);
    // Where the next checkpoint would be written stands a folder; a reload is something to be signed.
    let in_the_way = bot.data().join("anchor").join("checkpoint.new");
    until("the place is taken", || std::fs::create_dir(&in_the_way).is_ok());
    bot.configure(&format!("{RIGHT}\n[environments.prod]\n"));
    running.signal(Signal::HUP);
    until("it is told", || {
        let (status, body) = ask(&bot.address(), "/readyz");
        status == 503 && body.contains("the audit trail cannot be signed")
    });
    std::fs::remove_dir(&in_the_way).unwrap();
    until("the bot is ready again", || ask(&bot.address(), "/readyz").0 == 200);
}

fn a_database_is_brought_to_this_version_before_the_bot_is_started(scene: Scene) {
    let bot = Bot::new(scene.database, RIGHT);
    std::fs::create_dir(bot.data()).unwrap();
    for _ in 0..2 {
        let output = bot.run(&["migrate"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("The database is at migration "), "{said}{output:?}");
    }
    let _running = bot.serve();
    until("the first load is on record", || bot.loads() == 1);
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut bot = Bot::new(Database::Sqlite, RIGHT);
    bot.port = taken.local_addr().unwrap().port();
    let output = bot.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(&format!("cannot listen on 127.0.0.1:{}", bot.port)), "{said}");
}

#[test]
fn the_log_is_json_and_the_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bot = Bot::new(Database::Sqlite, RIGHT);
    drop(bot.start(bot.command(&["serve", "--json"]).env("ANDON_LOG", "info")));
    let log = bot.log();
    // What the configuration risks is said before there is a log.
    let lines = log.lines().filter(|line| !line.starts_with("warning: "));
    let lines: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().any(|line| line["fields"]["message"] == "andon is open"), "{log}");
    let mode = |path: &str| std::fs::metadata(bot.data().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("key"), mode("key/signing.key")), (0o700, 0o600));
}

/// A keeper knows only its own folder: a bot beside it would start the same operation once more.
#[test]
fn a_second_place_for_the_same_local_targets_is_refused() {
    let bot = Bot::new(Database::Postgres, RIGHT);
    let running = bot.serve();
    let other = bot.folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    for part in ["key", "anchor"] {
        let copied = Command::new("cp").arg("-a").arg(bot.data().join(part)).arg(&other).status().unwrap();
        assert!(copied.success());
    }
    let listen = format!("127.0.0.1:{}", free_port());
    let refused = |settings: &str| {
        bot.configure(&RIGHT.replace("deployer = \"local\"", &format!("deployer = \"local\"\n{settings}")));
        let output = bot.command(&["serve", "--data"]).arg(&other).env("ANDON_LISTEN", &listen).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = refused("");
    assert!(said.contains("what is deployed locally runs at") && said.contains("only one of them"), "{said}");
    let said = refused("runs_on = \"elsewhere.example\"");
    assert!(said.contains("api/staging runs on \"elsewhere.example\""), "{said}");
    assert!(!other.join("keeper.sock").exists());
    drop(running);
    let keeper = bot.command(&["keeper", "--down", "--data"]).arg(bot.data()).output().unwrap();
    assert!(keeper.status.success(), "{}", String::from_utf8_lossy(&keeper.stderr));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let text = RIGHT.replace(r#"owners = ["makers"]"#, r#"owners = ["maker"]"#);
    let bot = Bot::new(Database::Sqlite, &text);
    std::fs::create_dir(bot.folder.path().join("policies")).unwrap();
    std::fs::write(bot.folder.path().join("policies/ours.cedar"), "permit (").unwrap();
    let output = bot.run(&["config", "check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("andon.toml:9:") && said.contains("ours.cedar"), "{said}");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (right, wrong, place, hint) in [
        (r#"".deploy" = "deploy""#, r#"".deploy" = "delpoy""#, "andon.toml:14:13: ", "did you mean `deploy`?"),
        (r#"artifacts = "artifacts/api""#, "artifacts = \"a\"\nkeep = \"many\"", "andon.toml:13:8: ", "`keep`"),
        (
            r#"artifacts = "artifacts/api""#,
            "artifacts = \"a\"\nhealth = \"/is it\"",
            "andon.toml:13:10: ",
            "without spaces",
        ),
        (r#"artifacts = "artifacts/api""#, "artefacts = \"a\"", "andon.toml:12:1: ", "did you mean `artifacts`?"),
        (r#"owners = ["makers"]"#, r#"owners = ["maker"]"#, "andon.toml:9:", "makers"),
    ] {
        let bot = Bot::new(Database::Sqlite, &RIGHT.replace(right, wrong));
        let output = bot.run(&["config", "check"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(place) && said.contains(hint), "{wrong}:\n{said}");
    }
    let right = Bot::new(Database::Sqlite, RIGHT).run(&["config", "check"]);
    let said = String::from_utf8_lossy(&right.stderr).into_owned();
    assert!(right.status.success() && said.contains("runs as the bot's own user"), "{said}");
}

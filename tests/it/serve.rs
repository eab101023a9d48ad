//! The bot as an operator meets it: its configuration, its health, and what a signal does.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use andon_tests::{Database, free_port, get, until};
use rustix::process::{Pid, Signal, kill_process};

use crate::{PROGRAM, both};

both! { a_changed_configuration_comes_into_force_only_when_it_is_right, readiness_tells_what_the_configuration_risks }

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
        let child = self.command(&["serve"]).stderr(Stdio::null()).spawn().unwrap();
        until("the bot is healthy", || self.run(&["healthcheck"]).status.success());
        Running(child)
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

fn a_changed_configuration_comes_into_force_only_when_it_is_right(database: Database) {
    let bot = Bot::new(database, RIGHT);
    let running = bot.serve();
    until("the first load is on record", || bot.loads() == 1);
    bot.configure(&RIGHT.replace("owners = [\"makers\"]", "owners = [\"nobody\"]"));
    running.signal(Signal::HUP);
    bot.configure(&format!("{RIGHT}\n[environments.prod]\n"));
    // The wrong one was told and dropped, whichever of the two texts the first signal met.
    running.signal(Signal::HUP);
    until("the right one is on record", || bot.loads() >= 2);
    assert_eq!(get(&format!("http://127.0.0.1:{}", bot.port), "/healthz"), "ok\n");
    drop(running);
    assert!(bot.loads() <= 3);
    let keeper = bot.command(&["keeper", "--down", "--data"]).arg(bot.data()).output().unwrap();
    assert!(keeper.status.success(), "{}", String::from_utf8_lossy(&keeper.stderr));
}

fn readiness_tells_what_the_configuration_risks(database: Database) {
    let bot = Bot::new(database, RIGHT);
    let running = bot.serve();
    let address = format!("http://127.0.0.1:{}", bot.port);
    until("the bot is ready", || get(&address, "/readyz").contains(r#""ready":true"#));
    assert!(get(&address, "/readyz").contains("api/staging runs as the bot's own user"));
    drop(running);
    let keeper = bot.command(&["keeper", "--down", "--data"]).arg(bot.data()).output().unwrap();
    assert!(keeper.status.success(), "{}", String::from_utf8_lossy(&keeper.stderr));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (right, wrong, place, hint) in [
        (r#"".deploy" = "deploy""#, r#"".deploy" = "delpoy""#, "andon.toml:14:13: ", "did you mean `deploy`?"),
        (r#"artifacts = "artifacts/api""#, "artifacts = \"a\"\nkeep = \"many\"", "andon.toml:13:8: ", "`keep`"),
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

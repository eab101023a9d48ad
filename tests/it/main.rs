//! The whole bot, as a person meets it: one test binary, every scenario on both databases.

mod commands;
mod crash;
mod gates;
mod platforms;
mod rooms;
mod serve;
mod slack;
mod states;
mod story;
mod trail;

/// The binary under test, just built.
const PROGRAM: &str = env!("CARGO_BIN_EXE_andon-under-test");

/// Runs scenarios on both databases: `both! { name, … }` makes a test `sqlite::name` and a test `postgres::name` of each.
macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(andon_tests::Database::Sqlite.into()); })*
        }
        mod postgres {
            $(#[test] fn $name() { super::$name(andon_tests::Database::Postgres.into()); })*
        }
    };
}
pub(crate) use both;

/// Runs scenarios on both databases in the terminal room, and in Slack over both of its ways in.
macro_rules! everywhere {
    ($($name:ident),* $(,)?) => {
        crate::both! { $($name),* }
        mod slack_socket {
            $(#[test] fn $name() { super::$name((andon_tests::Database::Sqlite, andon_tests::Chat::SlackSocket).into()); })*
        }
        mod slack_http {
            $(#[test] fn $name() { super::$name((andon_tests::Database::Sqlite, andon_tests::Chat::SlackHttp).into()); })*
        }
    };
}
pub(crate) use everywhere;

/// Every scenario runs on both databases: one that runs on a single one would tell half of a story.
#[test]
fn both_databases_have_the_same_scenarios() {
    let tests = std::env::current_exe().expect("this test binary");
    let listed =
        std::process::Command::new(tests).args(["--list", "--format", "terse"]).output().expect("it lists its tests");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let on = |database: &str| -> Vec<String> {
        let scenarios = listed.lines().filter(|line| line.contains(database));
        scenarios.map(|line| line.replace(database, "")).collect()
    };
    let (sqlite, postgres) = (on("sqlite::"), on("postgres::"));
    andon_tests::tell(&format!("scenarios in rooms: {} on SQLite, {} on PostgreSQL", sqlite.len(), postgres.len()));
    assert_eq!(sqlite, postgres);
    assert!(!sqlite.is_empty());
}

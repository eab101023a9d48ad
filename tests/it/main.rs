//! The whole bot, as a person meets it: one test binary, every scenario on both databases.

mod commands;
mod crash;
mod story;
mod trail;

/// The binary under test, just built.
const PROGRAM: &str = env!("CARGO_BIN_EXE_andon-under-test");

/// Runs scenarios on both databases: `both! { name, … }` makes a test `sqlite::name` and a test `postgres::name` of each.
macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(andon_tests::Database::Sqlite); })*
        }
        mod postgres {
            $(#[test] fn $name() { super::$name(andon_tests::Database::Postgres); })*
        }
    };
}
pub(crate) use both;

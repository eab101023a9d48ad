//! What any database under the store has to keep to: one suite, run on real SQLite and on real PostgreSQL.

mod accept;
mod damage;
mod given;
mod handing;
mod holding;
mod leases;
mod locks;
mod migrations;
mod opening;
mod operations;
mod outbox;
mod trail;
mod world;

/// Runs a module's tests on both databases: `both! { name, … }` makes a test `sqlite::name` and a test `postgres::name` of each.
macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { crate::world::run(crate::world::Database::Sqlite, super::$name); })*
        }
        mod postgres {
            $(#[test] fn $name() { crate::world::run(crate::world::Database::Postgres, super::$name); })*
        }
    };
}
pub(crate) use both;

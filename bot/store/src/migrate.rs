//! Migrations: the same numbers and names for both databases.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, name, SQLite's text, PostgreSQL's text.
type Step = (i64, &'static str, &'static str, &'static str);

macro_rules! step {
    ($number:literal, $name:literal, $file:literal) => {
        (
            $number,
            $name,
            include_str!(concat!("../../../migrations/sqlite/", $file)),
            include_str!(concat!("../../../migrations/postgres/", $file)),
        )
    };
}

const STEPS: &[Step] = &[
    step!(1, "trail", "0001_trail.sql"),
    step!(2, "invocations", "0002_invocations.sql"),
    step!(3, "operations", "0003_operations.sql"),
    step!(4, "locks", "0004_locks.sql"),
    step!(5, "outbox", "0005_outbox.sql"),
    step!(6, "rooms_of_holds", "0006_rooms_of_holds.sql"),
    step!(7, "watched_targets", "0007_watched_targets.sql"),
    step!(8, "unreplaced", "0008_unreplaced.sql"),
    step!(9, "lanes", "0009_lanes.sql"),
    step!(10, "waiting_records", "0010_waiting_records.sql"),
    step!(11, "chats", "0011_chats.sql"),
];

/// The newest migration of this program.
pub fn newest() -> i64 {
    STEPS.iter().map(|(number, ..)| *number).max().unwrap_or(0)
}

/// The migrations up to `last`, for one of the databases.
pub(crate) fn migrator(postgres: bool, last: i64) -> Migrator {
    let steps = STEPS.iter().filter(|(number, ..)| *number <= last).map(|(number, name, sqlite, other)| {
        let sql = if postgres { *other } else { *sqlite };
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(steps.collect())
}

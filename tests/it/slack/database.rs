//! Scenarios in Slack on PostgreSQL. `everywhere!` runs all of them there on SQLite: what is said is the same on both databases, and the
//! terminal room shows that. These few run what is between Slack and the database (acknowledgements, outbox, cards, leases after a kill)
//! on the server as well, at a price that the suite can pay.

use andon_tests::{Chat, Database};

/// `on_postgres! { file::name, … }` makes a test of each scenario, over Socket Mode.
macro_rules! on_postgres {
    ($($file:ident::$name:ident),* $(,)?) => {
        $(#[test] fn $name() { crate::$file::$name((Database::Postgres, Chat::SlackSocket).into()); })*
    };
}

on_postgres! {
    commands::every_command_is_denied_to_a_stranger_and_recorded,
    crash::a_second_kill_changes_nothing,
    crash::services_outlive_the_bot,
    gates::nobody_approves_their_own_change,
    rooms::a_request_nobody_approves_expires,
    rooms::a_restart_forgets_nothing,
    rooms::two_people_have_to_agree_where_two_are_needed,
    rooms::what_ends_by_itself_is_told,
    states::the_story_ends_right_in_whatever_state_the_bot_is_killed,
    story::a_plan_that_the_world_has_left_behind_is_not_started,
    story::an_end_in_the_middle_of_a_run_loses_nothing,
    story::an_operation_is_denied_or_cancelled_for_good,
    story::deploys_and_rolls_back,
}

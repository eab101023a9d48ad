//! The checks of this package, on the repository itself.

use std::sync::LazyLock;

use andon_test_house::files::{self, SourceFile};
use andon_test_house::{arrows, budgets, paths, tidiness};

static FILES: LazyLock<Vec<SourceFile>> =
    LazyLock::new(|| files::all(&files::root()).unwrap_or_else(|error| panic!("cannot read the repository: {error}")));

#[track_caller]
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn text(path: &str) -> &'static str {
    let file = FILES.iter().find(|file| file.path == path);
    &file.unwrap_or_else(|| panic!("{path} is missing")).text
}

#[test]
fn crates_depend_only_on_what_they_may() -> Result<(), arrows::WorkspaceError> {
    let crates = arrows::crates(&files::root())?;
    let declares =
        |name, to| crates.iter().any(|each| each.name == name && each.edges.iter().any(|edge| edge.to == to));
    assert!(declares("andon-store", "sqlx") && declares("andon", "andon-core"), "the manifests were not read");
    assert_none(arrows::misplaced(&crates));
    assert_none(arrows::forbidden(&crates));
    Ok(())
}

#[test]
fn the_lock_file_holds_no_banned_library() {
    assert_none(arrows::banned(text("Cargo.lock")));
}

#[test]
fn documents_name_paths_that_exist() {
    assert_none(paths::dangling(&FILES));
}

#[test]
fn files_stay_within_their_budgets() {
    assert_none(budgets::too_long(&FILES));
}

#[test]
fn sources_hold_nothing_unfinished_or_switched_off() {
    assert_none(budgets::unwanted(&FILES));
}

#[test]
fn migrations_come_in_pairs() {
    assert_none(tidiness::unpaired_migrations(&FILES));
}

#[test]
fn no_file_names_somebodys_machine() {
    assert_none(tidiness::foreign_paths(&FILES));
}

#[test]
fn every_crate_says_what_it_is_for() {
    assert_none(tidiness::without_purpose(&FILES));
}

//! What messages become in Slack.

mod hostile;
pub(crate) mod limits;
mod looks;
pub(crate) mod messages;
pub(crate) mod properties;

use andon_core::PersonId;

/// The people of a workspace in which Ben has no account.
pub(crate) fn people(person: &PersonId) -> Option<String> {
    (person.as_str() != "ben").then(|| format!("U0{}", person.as_str().to_uppercase()))
}

fn person(name: &str) -> PersonId {
    name.parse().expect("a name")
}

//! All names that the configuration gives, collected before anything is read, so that a reference is checked where it stands.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use andon_core::{EnvironmentName, PersonId, ServiceName, TeamName};

use super::problem::Mismatch;
use super::tree::{Node, Table, Value};
use super::value;

/// The names of everything that can be referred to.
pub(super) struct Names {
    pub(super) people: BTreeSet<PersonId>,
    pub(super) machines: BTreeSet<String>,
    pub(super) teams: BTreeSet<TeamName>,
    pub(super) environments: BTreeSet<EnvironmentName>,
    pub(super) services: BTreeSet<ServiceName>,
}

impl Names {
    /// Collects the names from the whole configuration. Those that are no names are left out; reading their sections tells why.
    pub(super) fn of(root: &Table) -> Self {
        Self {
            people: named(root, "people"),
            machines: named(root, "machines"),
            teams: named(root, "teams"),
            environments: named(root, "environments"),
            services: named(root, "services"),
        }
    }
}

fn named<T: FromStr + Ord>(root: &Table, section: &str) -> BTreeSet<T> {
    match root.get(section).map(|entry| &entry.node.value) {
        Some(Value::Table(table)) => table.keys().filter_map(|key| key.parse().ok()).collect(),
        _ => BTreeSet::new(),
    }
}

/// Reads a reference to one of `names`.
pub(super) fn known<T: FromStr + Ord + Display>(kind: &str, names: &BTreeSet<T>, node: &Node) -> Result<T, Mismatch> {
    let typed = value::text(node)?;
    known_text(kind, names, &typed)
}

/// See [`known`].
pub(super) fn known_text<T: FromStr + Ord + Display>(
    kind: &str,
    names: &BTreeSet<T>,
    typed: &str,
) -> Result<T, Mismatch> {
    typed.parse().ok().filter(|name| names.contains(name)).ok_or_else(|| {
        let names: Vec<String> = names.iter().map(T::to_string).collect();
        let message = format!("there is no {kind} {}", value::quoted(typed));
        Mismatch::unknown(message, typed, names.iter().map(String::as_str))
    })
}

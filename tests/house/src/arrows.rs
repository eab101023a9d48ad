//! The arrows between crates: a crate depends only on the floors below it, and each heavy library has one owner.
//!
//! Read from the manifests, so a dependency counts from the moment it is declared. Development dependencies obey the same rules, except
//! that they may name test packages; packages under `tests/` may name anything, but the second verifier of the trail nothing of ours.

use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};
use thiserror::Error;

/// The floors, from the lowest up, each with the folder of its crate.
const FLOORS: &[(&str, &str)] = &[
    ("andon-core", "bot/core"),
    ("andon-trail", "bot/trail"),
    ("andon-store", "bot/store"),
    ("andon-engine", "bot/engine"),
    ("andon-commands", "commands"),
    ("andon", "bot/app"),
];

/// The folder of the verifier that is written from the documentation alone.
const VERIFIER: &str = "tests/verifier";

/// Libraries that only some folders may name, and why. A name also covers the library's own parts, such as `sqlx-core`.
const OWNED: &[(&str, &[&str], &str)] = &[
    ("sqlx", &["bot/store"], "SQL stays in one crate, so that two copies of a query cannot drift apart"),
    ("slack-morphism", &["adapters/slack"], "the house does not know which platform is speaking"),
    ("serenity", &["adapters/discord"], "the house does not know which platform is speaking"),
    ("rustyline", &["adapters/console"], "the house does not know which platform is speaking"),
    ("cedar-policy", &["bot/engine"], "there is one gate for every way in"),
    ("tlog_tiles", &["bot/trail", "bot/store"], "the record's tree is what an auditor reads, in one place"),
];

/// Libraries that may not be anywhere in the lock file, and why.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "TLS is rustls with ring: no system library to keep in step"),
    ("native-tls", "TLS is rustls with ring: no system library to keep in step"),
    ("aws-lc-rs", "TLS is rustls with ring: one provider, no second C build"),
    ("aws-lc-sys", "TLS is rustls with ring: one provider, no second C build"),
];

/// A crate of the workspace with what its manifest names.
#[derive(Clone, Debug)]
pub struct Crate {
    /// The package's name.
    pub name: String,
    /// Its folder, from the root of the repository.
    pub folder: String,
    /// Its dependencies.
    pub edges: Vec<Edge>,
}

/// A dependency as declared.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The name of the package depended on.
    pub to: String,
    /// Whether only tests, examples and benchmarks have it.
    pub development: bool,
}

/// Why the workspace could not be read.
#[derive(Debug, Error)]
pub enum WorkspaceError {
    /// `cargo metadata` failed.
    #[error("cargo metadata failed")]
    Metadata(#[from] cargo_metadata::Error),
    /// A member lies outside the repository.
    #[error("{0} lies outside the repository")]
    Outside(String),
}

/// The crates of the workspace at `root`, by `cargo metadata` without touching the network.
///
/// # Errors
/// When `cargo metadata` fails or a member lies outside `root`.
pub fn crates(root: &Path) -> Result<Vec<Crate>, WorkspaceError> {
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let read = |package: &cargo_metadata::Package| {
        let manifest = package.manifest_path.strip_prefix(&metadata.workspace_root);
        let folder = manifest.ok().and_then(|path| path.parent());
        Ok(Crate {
            name: package.name.to_string(),
            folder: folder.ok_or_else(|| WorkspaceError::Outside(package.name.to_string()))?.to_string(),
            edges: package.dependencies.iter().map(edge).collect(),
        })
    };
    metadata.packages.iter().map(read).collect()
}

fn edge(dependency: &cargo_metadata::Dependency) -> Edge {
    Edge { to: dependency.name.clone(), development: dependency.kind == DependencyKind::Development }
}

/// Where a crate stands in the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Floor(usize),
    Adapter,
    Tests,
}

const CORE: Place = Place::Floor(0);
const APP: Place = Place::Floor(FLOORS.len() - 1);

fn place(folder: &str) -> Option<Place> {
    match folder.split('/').next() {
        Some("tests") => Some(Place::Tests),
        Some("adapters") => Some(Place::Adapter),
        _ => FLOORS.iter().position(|(_, floor)| *floor == folder).map(Place::Floor),
    }
}

/// Complaints about edges that the house forbids, and about crates that have no place in it.
pub fn forbidden(crates: &[Crate]) -> Vec<String> {
    let mut complaints = Vec::new();
    for each in crates {
        let Some(from) = place(&each.folder) else {
            complaints.push(format!("{} has no floor: {} is not in the house's plan", each.name, each.folder));
            continue;
        };
        let reasons = each.edges.iter().filter_map(|edge| {
            let reason = inside(from, &each.folder, edge, crates).or_else(|| outside(from, &each.folder, &edge.to))?;
            let kind = if edge.development { " for its tests" } else { "" };
            Some(format!("{} depends on {}{kind}: {reason}", each.name, edge.to))
        });
        complaints.extend(reasons);
    }
    complaints
}

/// Why an edge to a crate of ours is forbidden.
fn inside(from: Place, folder: &str, edge: &Edge, crates: &[Crate]) -> Option<&'static str> {
    let to = crates.iter().find(|other| other.name == edge.to).and_then(|other| place(&other.folder))?;
    if folder == VERIFIER {
        return Some("the second verifier shares no code with what it verifies");
    }
    match (from, to) {
        (Place::Tests, _) => None,
        (_, Place::Tests) if edge.development => None,
        (_, Place::Tests) => Some("what only tests need is not part of the bot"),
        (Place::Adapter, to) if to == CORE => None,
        (Place::Adapter, _) => Some("an adapter knows andon-core and nothing else of the house"),
        (from, Place::Adapter) if from == APP => None,
        (_, Place::Adapter) => Some("only the app knows which adapters there are"),
        (Place::Floor(from), Place::Floor(to)) if to < from => None,
        (Place::Floor(_), Place::Floor(_)) => Some("a crate depends only on the floors below it"),
    }
}

/// Why an edge to a library is forbidden.
fn outside(from: Place, folder: &str, to: &str) -> Option<&'static str> {
    let part_of = |library: &str| to.strip_prefix(library).is_some_and(|part| part.is_empty() || part.starts_with('-'));
    let (_, owners, reason) = OWNED.iter().find(|(library, ..)| part_of(library))?;
    (from != Place::Tests && !owners.contains(&folder)).then_some(reason)
}

/// Complaints about libraries in the text of `Cargo.lock` that may not be there at all.
pub fn banned(lock: &str) -> Vec<String> {
    let locked = |library: &str| lock.lines().any(|line| line == format!("name = \"{library}\""));
    let found = BANNED.iter().filter(|(library, _)| locked(library));
    found.map(|(library, reason)| format!("Cargo.lock holds {library}: {reason}")).collect()
}

/// Complaints about floors whose crate has gone or has another name.
pub fn misplaced(crates: &[Crate]) -> Vec<String> {
    let stands = |name: &str, folder: &str| crates.iter().any(|each| each.name == name && each.folder == folder);
    let gone = FLOORS.iter().filter(|(name, folder)| !stands(name, folder));
    gone.map(|(name, folder)| format!("{name} does not stand in {folder}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Crate, Edge, FLOORS, banned, forbidden, misplaced};

    /// A whole house in which one crate, by name or folder, has one more edge.
    fn house(from: &str, to: &str, development: bool) -> Vec<Crate> {
        let others = [
            ("andon-slack", "adapters/slack"),
            ("andon-deployers", "adapters/deployers"),
            ("andon-tests", "tests"),
            ("andon-test-postgres", "tests/postgres"),
            ("andon-test-verifier", "tests/verifier"),
        ];
        let edges = |name: &str| if name == from { vec![Edge { to: to.to_owned(), development }] } else { Vec::new() };
        let all = FLOORS.iter().chain(&others);
        all.map(|(name, folder)| Crate { name: (*name).into(), folder: (*folder).into(), edges: edges(name) }).collect()
    }

    fn complaints(from: &str, to: &str) -> Vec<String> {
        forbidden(&house(from, to, false))
    }

    #[test]
    fn arrows_point_down() {
        for (index, (upper, _)) in FLOORS.iter().enumerate() {
            for (lower, _) in &FLOORS[..index] {
                assert!(complaints(upper, lower).is_empty(), "{upper} may depend on {lower}");
                assert_eq!(complaints(lower, upper).len(), 1, "{lower} may not depend on {upper}");
            }
        }
    }

    #[test]
    fn adapters_know_only_the_core() {
        assert!(complaints("andon-slack", "andon-core").is_empty());
        assert!(complaints("andon", "andon-slack").is_empty());
        for (from, to) in [
            ("andon-slack", "andon-engine"),
            ("andon-slack", "andon-deployers"),
            ("andon-commands", "andon-deployers"),
            ("andon-engine", "andon-slack"),
        ] {
            assert_eq!(complaints(from, to).len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn libraries_have_owners() {
        for (from, to) in [
            ("andon-store", "sqlx"),
            ("andon-engine", "cedar-policy"),
            ("andon-trail", "tlog_tiles"),
            ("andon-slack", "slack-morphism"),
            ("andon-tests", "sqlx"),
            ("andon-commands", "serde"),
        ] {
            assert!(complaints(from, to).is_empty(), "{from} -> {to}");
        }
        for (from, to) in [
            ("andon-engine", "sqlx"),
            ("andon-engine", "sqlx-core"),
            ("andon-commands", "cedar-policy"),
            ("andon-core", "tlog_tiles"),
            ("andon-deployers", "slack-morphism"),
            ("andon-commands", "serenity"),
            ("andon", "rustyline"),
        ] {
            assert_eq!(complaints(from, to).len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn only_tests_may_need_test_packages() {
        assert!(forbidden(&house("andon-store", "andon-test-postgres", true)).is_empty());
        assert!(complaints("andon-tests", "andon-slack").is_empty());
        assert_eq!(
            complaints("andon-store", "andon-test-postgres"),
            ["andon-store depends on andon-test-postgres: what only tests need is not part of the bot"]
        );
        assert_eq!(
            forbidden(&house("andon-core", "andon-store", true)),
            ["andon-core depends on andon-store for its tests: a crate depends only on the floors below it"]
        );
    }

    #[test]
    fn the_second_verifier_knows_nothing_of_the_house() {
        for to in ["andon-core", "andon-trail", "andon-store", "andon", "andon-test-postgres"] {
            for development in [false, true] {
                assert_eq!(forbidden(&house("andon-test-verifier", to, development)).len(), 1, "{to}");
            }
        }
        assert!(complaints("andon-test-verifier", "sqlx").is_empty());
        assert!(complaints("andon-tests", "andon-test-verifier").is_empty());
    }

    #[test]
    fn a_crate_without_a_floor_is_noticed() {
        let attic = Crate { name: "andon-attic".into(), folder: "bot/attic".into(), edges: Vec::new() };
        assert_eq!(forbidden(&[attic]), ["andon-attic has no floor: bot/attic is not in the house's plan"]);
        let mut house = house("", "", false);
        assert!(misplaced(&house).is_empty());
        house.remove(0);
        assert_eq!(misplaced(&house), ["andon-core does not stand in bot/core"]);
    }

    #[test]
    fn a_banned_library_is_found_in_the_lock_file() {
        assert!(banned("[[package]]\nname = \"ring\"\nversion = \"0.17.0\"\n").is_empty());
        assert_eq!(banned("[[package]]\nname = \"openssl-sys\"\n").len(), 1);
        assert!(banned("dependencies = [\n \"native-tls-shim\",\n]").is_empty());
    }
}

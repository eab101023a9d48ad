//! The playground's built-in configuration: two services, two environments, three people.

use std::collections::BTreeMap;
use std::path::Path;

use andon_core::Identity;

/// All but the people's accounts and the place of the artifacts.
const WORLD: &str = r#"# The playground. `andon serve` reads a file like this one.

[teams.makers]
members = ["ana", "ben"]

[environments.staging]
production = false

[environments.prod]
after = "staging"

[services.hello]
owners = ["makers"]

[services.shop]
owners = ["makers"]
"#;

/// The people. Ana and Ben are makers; Cy is in no team, and reads only.
pub const PEOPLE: [&str; 3] = ["ana", "ben", "cy"];

/// The services.
pub const SERVICES: [&str; 2] = ["hello", "shop"];

/// The configuration as TOML. Each of [`PEOPLE`] has an account of their own name at each of `places`, such as `console:`, and those that
/// are theirs in `cast`; the local deployer finds the artifacts of a service in the folder of its name in `artifacts`, whose path is UTF-8.
pub fn text(artifacts: &Path, places: &[&str], cast: &BTreeMap<Identity, &str>) -> String {
    let mut text = WORLD.to_owned();
    for person in PEOPLE {
        let played = cast.iter().filter(|(_, played)| **played == person).map(|(account, _)| account.to_string());
        let accounts = places.iter().map(|place| format!("{place}{person}")).chain(played);
        let accounts: Vec<String> = accounts.map(|account| quoted(&account)).collect();
        text += &format!("\n[people.{person}]\nidentities = [{}]\n", accounts.join(", "));
    }
    for service in SERVICES {
        let artifacts = quoted(&artifacts.join(service).to_string_lossy());
        for (environment, approvals) in [("staging", 0), ("prod", 1)] {
            text += &format!(
                "\n[services.{service}.environments.{environment}]\ndeployer = \"local\"\nartifacts = {artifacts}\napprovals = {approvals}\nready_within = \"5s\"\n"
            );
        }
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

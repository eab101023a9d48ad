mod broken;
mod files;
mod hostile;
mod right;

use serde::Deserialize;

use super::{Deployers, Loaded, Problem, load_text};

/// What a deployer reads its keys with, like the real ones.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read matters")]
struct LocalConfig {
    artifacts: String,
    health: Option<String>,
    keep: Option<u8>,
}

fn check(deployer: &str, settings: toml::Table) -> Result<(), String> {
    assert_eq!(deployer, "local");
    let config: LocalConfig = settings.try_into().map_err(|error: toml::de::Error| error.to_string())?;
    match config.health {
        Some(health) if !health.starts_with('/') => Err(format!("health = {health:?} must begin with /")),
        _ => Ok(()),
    }
}

const LOCAL: Deployers<'static> = Deployers { names: &["local"], check: &check };

fn loaded(text: &str) -> Result<Loaded, String> {
    load_text("andon.toml", text, &LOCAL).map_err(|problems| rendered(&problems))
}

fn rendered(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Something of everything, and nothing wrong.
const WHOLE: &str = r#"
[bot]
name = "andon"
ops_room = "console:ops"

[trail]
origin = "andon.example.org/prod"
public_key = "andon.example.org/prod+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

[defaults]
approval_expires = "45m"
lock_expires = "1h 30m"
freeze_expires = "2 days"

[server]
listen = "127.0.0.1:8080"

[redaction]
patterns = ["CUST-\\d+", "token=[a-z]{6,}"]

[people.ana]
time_zone = "Europe/Berlin"
identities = ["console:ana", "os:ana", "chat:T1/U1"]
[people.ben]
identities = ["console:ben"]
[people.cy]

[machines.ci]
token = { env = "ANDON_CI_TOKEN" }
identities = ["hook:ci"]

[teams.payments]
members = ["ana", "ben"]
[teams.sre]
members = ["cy"]

[environments.staging]
production = false
[environments.prod]
aliases = ["live"]
after = "staging"

[services.api]
owners = ["payments"]
deployers = ["payments", "machine:ci"]
approvers = ["sre"]
depends_on = ["db"]
[services.api.environments.staging]
deployer = "local"
artifacts = "artifacts/api"
[services.api.environments.prod]
deployer = "local"
artifacts = "artifacts/api"
health = "/healthz"
approvals = 1

[services.db]
owners = ["sre"]

[[rooms]]
room = "chat:T1/C1"
services = ["api", "db"]

[aliases]
".deploy" = "deploy"
"#;

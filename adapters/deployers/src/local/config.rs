//! What the configuration says of a target that is deployed locally.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::keeper::user_ids;

/// The longest that a release may take to be ready or to end.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// The keys of `[services.X.environments.Y]` with `deployer = "local"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder that holds the versions: a folder or a `.tar.gz` file each, with an optional `<version>.sha256` beside it that holds the
    /// digest that it must have.
    pub artifacts: PathBuf,
    /// The path that answers 200 where the service is ready.
    #[serde(default = "health")]
    pub health: String,
    /// Where the service is reached: a loopback address; port 0 takes a free one at first and keeps it.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// Releases that are kept for going back: the last so many, the live one and the one before in any case.
    #[serde(default = "keep")]
    pub keep: usize,
    /// The time within which a new release must be ready, as text: `"30s"`.
    #[serde(default = "ready_within", with = "duration")]
    pub ready_within: SignedDuration,
    /// The time that requests under way on an old release get to finish, as text: `"10s"`. After it, or as soon as there are none, the old
    /// release is told to end and gets this time once more before it is killed.
    #[serde(default = "stop_within", with = "duration")]
    pub stop_within: SignedDuration,
    /// The operating-system user that the service runs as; the keeper must then run as root, and this user must be able to enter the folders
    /// above the release. Without it the service runs as the bot's own user: see [`runs_as_own_user`].
    #[serde(default)]
    pub run_as: Option<String>,
    /// More variables for the service; it gets nothing else of the bot's environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The name of the host on which the keeper of this target runs. Needed only where the bot moves to another host with the same
    /// PostgreSQL: the host that is named takes over what is deployed locally, and no other host serves it.
    #[serde(default)]
    pub runs_on: Option<String>,
}

/// What the keeper tells every service by itself.
const TOLD: [&str; 5] = ["PATH", "PORT", "SERVICE", "ENVIRONMENT", "VERSION"];

fn health() -> String {
    "/healthz".to_owned()
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

const fn keep() -> usize {
    5
}

const fn ready_within() -> SignedDuration {
    SignedDuration::from_secs(30)
}

const fn stop_within() -> SignedDuration {
    SignedDuration::from_secs(10)
}

impl Config {
    /// What is wrong with it, beyond the types of its keys.
    ///
    /// # Errors
    /// One sentence.
    pub fn check(&self) -> Result<(), String> {
        if !self.listen.ip().is_loopback() {
            return Err(format!("listen = \"{}\" is not a loopback address", self.listen));
        }
        if !self.health.starts_with('/') {
            return Err(format!("health = {:?} must begin with /", self.health));
        }
        if !self.health.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(format!("health = {:?} must be a path as a URL writes it, without spaces", self.health));
        }
        for (name, value) in &self.environment {
            if TOLD.contains(&name.as_str()) {
                return Err(format!("environment.{name} cannot be set: the keeper tells it to every service"));
            }
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return Err(format!(
                    "environment holds {name:?}, which is no name of a variable, or a value with a zero byte"
                ));
            }
        }
        for (key, value) in [("ready_within", self.ready_within), ("stop_within", self.stop_within)] {
            if value <= SignedDuration::ZERO || value > LONGEST {
                return Err(format!("{key} = \"{value:#}\" must be above nothing and at most 24h"));
            }
        }
        Ok(())
    }
}

/// Whether services of this target run as the same operating-system user as this process, who could then read and change whatever the bot
/// can: where `run_as` is not set, or names that very user. A user that there is not counts as another one; starting it is refused.
pub fn runs_as_own_user(config: &Config) -> bool {
    let own = rustix::process::getuid().as_raw();
    config.run_as.as_ref().is_none_or(|name| user_ids(name).is_ok_and(|(user, _)| user == own))
}

/// Whether this host knows the user that services of this target run as.
pub fn knows_user(config: &Config) -> bool {
    config.run_as.as_ref().is_none_or(|name| user_ids(name).is_ok())
}

/// Durations as text, and as nothing else.
mod duration {
    use jiff::SignedDuration;
    use serde::de::{Deserializer, Error, Unexpected, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(duration: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{duration:#}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
        deserializer.deserialize_any(Text).and_then(|text| {
            text.parse().map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &"a duration such as \"30s\""))
        })
    }

    struct Text;

    impl Visitor<'_> for Text {
        type Value = String;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a duration such as \"30s\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(text.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Config, String> {
        toml::from_str(&format!("artifacts = \"/a\"\n{line}")).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn durations_are_text_and_nothing_else() {
        let config = read("ready_within = \"1m 30s\"\nstop_within = \"500ms\"").unwrap();
        assert_eq!(config.ready_within, SignedDuration::from_secs(90));
        assert_eq!(config.stop_within, SignedDuration::from_millis(500));
        for wrong in ["30", "1.5", "\"30\"", "\"soon\"", "true"] {
            let error = read(&format!("ready_within = {wrong}")).unwrap_err();
            assert!(error.contains("a duration such as \"30s\""), "{wrong}: {error}");
        }
    }

    #[test]
    fn durations_have_bounds() {
        for wrong in ["0s", "-5s", "25h"] {
            let error = read(&format!("stop_within = \"{wrong}\"")).unwrap().check().unwrap_err();
            assert!(error.starts_with("stop_within"), "{wrong}: {error}");
        }
        read("").unwrap().check().unwrap();
    }

    #[test]
    fn what_a_service_could_not_be_run_with_is_refused_by_its_key() {
        for (line, key) in [
            ("health = \"/is it\"", "health"),
            ("health = \"healthz\"", "health"),
            ("environment = { PATH = \"/mine\" }", "environment.PATH"),
            ("environment = { PORT = \"80\" }", "environment.PORT"),
            ("environment = { \"A=B\" = \"x\" }", "environment"),
            ("listen = \"0.0.0.0:80\"", "listen"),
        ] {
            let error = read(line).unwrap().check().unwrap_err();
            assert!(error.starts_with(key), "{line}: {error}");
        }
        read("health = \"/is?it=so\"\nenvironment = { LEVEL = \"a b\" }").unwrap().check().unwrap();
    }

    #[test]
    fn what_the_keeper_is_told_is_what_was_configured() {
        let config = read("ready_within = \"90s\"").unwrap();
        let told = serde_json::to_string(&config).unwrap();
        assert!(told.contains("\"1m 30s\""), "{told}");
        assert_eq!(serde_json::from_str::<Config>(&told).unwrap(), config);
    }

    #[test]
    fn a_service_without_a_user_of_its_own_is_known() {
        assert!(runs_as_own_user(&read("").unwrap()));
        let own = rustix::process::getuid().as_raw();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let mut seen = [false, false];
        for fields in passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(|fields| fields.len() > 3) {
            let same = fields[2] == own.to_string();
            seen[usize::from(same)] = true;
            assert_eq!(runs_as_own_user(&read(&format!("run_as = {:?}", fields[0])).unwrap()), same, "{}", fields[0]);
        }
        assert!(seen[0], "every machine has users besides me");
        assert!(!runs_as_own_user(&read("run_as = \"no such user\"").unwrap()));
    }
}

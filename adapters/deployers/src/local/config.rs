//! What the configuration says of a target that is deployed locally.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use andon_core::Digest;
use serde::{Deserialize, Serialize};

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
    /// Releases that are kept for going back.
    #[serde(default = "keep")]
    pub keep: usize,
    /// Seconds within which a new release must be ready.
    #[serde(default = "ready_within")]
    pub ready_within: u64,
    /// Seconds within which an old release must end before it is killed.
    #[serde(default = "stop_within")]
    pub stop_within: u64,
    /// The operating-system user that the service runs as.
    #[serde(default)]
    pub run_as: Option<String>,
    /// More variables for the service; it gets nothing else of the bot's environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

fn health() -> String {
    "/healthz".to_owned()
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

const fn keep() -> usize {
    5
}

const fn ready_within() -> u64 {
    30
}

const fn stop_within() -> u64 {
    10
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
        Ok(())
    }

    /// The digest of all of it.
    pub fn digest(&self) -> Digest {
        Digest::of(serde_json::to_vec(self).unwrap_or_default())
    }
}

//! What the keeper writes down, before what it tells is done: small JSON files, replaced as a whole.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use andon_core::ports::{Effect, Lookup};
use andon_core::{Artifact, OperationId, Target};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::private;
use super::process::Identity;
use crate::local::Config;

/// What serves on a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Current {
    pub(super) artifact: Artifact,
    pub(super) operation: OperationId,
    pub(super) release: PathBuf,
    pub(super) process: Identity,
    pub(super) port: u16,
    pub(super) since: Timestamp,
    pub(super) config: Config,
    /// The configured patterns of secrets.
    #[serde(default)]
    pub(super) redaction: Vec<String>,
    /// Where its pipes lie.
    pub(super) pipes: PathBuf,
    /// When it was started again lately.
    #[serde(default)]
    pub(super) restarts: Vec<Timestamp>,
    /// How it ended the last time.
    #[serde(default)]
    pub(super) ended: Option<String>,
    /// What served, seen healthy, just before.
    pub(super) previous: Option<Artifact>,
}

/// How far an order has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OrderState {
    pub(super) effect: Effect,
    /// The instance that it started.
    pub(super) process: Option<Identity>,
    /// The instance that served before, which is to end after the switch.
    #[serde(default)]
    pub(super) leaving: Option<Identity>,
    /// Why nobody can tell what became of it.
    pub(super) lost: Option<String>,
}

impl OrderState {
    /// Whether nothing more will come of it.
    pub(super) const fn ended(&self) -> bool {
        self.lost.is_some() || !matches!(self.effect, Effect::Running { .. })
    }
}

/// The folder of a target.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn of(data: &Path, target: &Target) -> io::Result<Self> {
        let folder = data.join("keeper").join(target.service.as_str()).join(target.environment.as_str());
        private::folder(&folder.join("operations"))?;
        Ok(Self(folder))
    }

    pub(super) fn current(&self) -> io::Result<Option<Current>> {
        read(&self.0.join("current.json"))
    }

    pub(super) fn set_current(&self, current: &Current) -> io::Result<()> {
        write(&self.0.join("current.json"), current)
    }

    pub(super) fn clear_current(&self) -> io::Result<()> {
        match fs::remove_file(self.0.join("current.json")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The port of the proxy, once it was chosen.
    pub(super) fn port(&self) -> Option<u16> {
        read(&self.0.join("port.json")).ok().flatten()
    }

    pub(super) fn set_port(&self, port: u16) -> io::Result<()> {
        write(&self.0.join("port.json"), &port)
    }

    /// Claims an operation: exactly one caller ever makes its folder.
    pub(super) fn claim(&self, operation: OperationId) -> io::Result<bool> {
        match fs::create_dir(self.operation(operation)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn order(&self, operation: OperationId) -> io::Result<Option<OrderState>> {
        read(&self.operation(operation).join("state.json"))
    }

    /// The newest fence under which an operation was asked for.
    pub(super) fn fence(&self, operation: OperationId) -> io::Result<Option<i64>> {
        read(&self.operation(operation).join("fence.json"))
    }

    pub(super) fn set_fence(&self, operation: OperationId, fence: i64) -> io::Result<()> {
        write(&self.operation(operation).join("fence.json"), &fence)
    }

    pub(super) fn set_order(&self, operation: OperationId, state: &OrderState) -> io::Result<()> {
        write(&self.operation(operation).join("state.json"), state)
    }

    /// What became of an operation.
    pub(super) fn lookup(&self, operation: OperationId) -> Lookup {
        if !self.operation(operation).exists() {
            return Lookup::NotStarted;
        }
        match self.order(operation) {
            Ok(Some(OrderState { lost: Some(reason), .. })) => Lookup::CannotTell { reason },
            Ok(Some(state)) => Lookup::Found(state.effect),
            Ok(None) => Lookup::CannotTell { reason: "the keeper ended before it wrote anything down".to_owned() },
            Err(error) => Lookup::CannotTell { reason: format!("what the keeper wrote down is unreadable: {error}") },
        }
    }

    /// The operations that were under way when the keeper ended.
    pub(super) fn unfinished(&self) -> io::Result<Vec<(OperationId, OrderState)>> {
        let mut unfinished = Vec::new();
        for entry in fs::read_dir(self.0.join("operations"))? {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            if let Ok(Some(state)) = self.order(id)
                && !state.ended()
            {
                unfinished.push((id, state));
            }
        }
        Ok(unfinished)
    }

    /// Where the pipes of a new instance lie.
    pub(super) fn pipes(&self, operation: OperationId, now: Timestamp) -> PathBuf {
        self.0.join("pipes").join(format!("{operation}-{}", now.as_nanosecond()))
    }

    fn operation(&self, operation: OperationId) -> PathBuf {
        self.0.join("operations").join(operation.to_string())
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = private::options().write(true).truncate(true).open(&fresh)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

//! The local deployer: artifacts are folders or archives on this host, releases are unpacked once and never changed, and the keeper runs
//! them. What is live is what the keeper sees running, never what anybody remembers.

mod archive;
pub mod artifact;
mod config;
mod manifest;

use std::collections::BTreeMap;
use std::path::PathBuf;

use andon_core::ports::{Available, Deployer, DeployerError, Live, Lookup, Order};
use andon_core::{Artifact, Fault, OperationId, Target, Version};
use async_trait::async_trait;
use jiff::Timestamp;

use crate::keeper::{KeeperClient, Request, Response, TargetSpec};
use artifact::ArtifactError;
pub use config::{Config, knows_user, runs_as_own_user};
pub use manifest::MANIFEST;
pub(crate) use manifest::Manifest;

/// The most versions that are listed.
const LISTED: usize = 100;

/// Deploys to this host.
pub struct LocalDeployer {
    targets: BTreeMap<Target, Config>,
    releases: PathBuf,
    keeper: KeeperClient,
    redaction: Vec<String>,
}

impl LocalDeployer {
    /// A deployer of these targets; releases are unpacked under `releases`.
    pub fn new(targets: BTreeMap<Target, Config>, releases: PathBuf, keeper: KeeperClient) -> Self {
        Self { targets, releases, keeper, redaction: Vec::new() }
    }

    /// The same one, whose keeper takes what these patterns find out of the services' logs too.
    #[must_use]
    pub fn with_redaction(mut self, patterns: Vec<String>) -> Self {
        self.redaction = patterns;
        self
    }

    fn config(&self, target: &Target) -> Result<&Config, DeployerError> {
        self.targets
            .get(target)
            .ok_or_else(|| DeployerError::Faulted(Fault::new(format!("{target} is not deployed locally"))))
    }

    fn spec(&self, target: &Target) -> Result<TargetSpec, DeployerError> {
        let config = self.config(target)?;
        Ok(TargetSpec { target: target.clone(), config: config.clone(), redaction: self.redaction.clone() })
    }

    async fn ask(&self, request: Request) -> Result<Response, DeployerError> {
        match self.keeper.ask(&request).await {
            Ok(Response::Moved { reason }) => Err(DeployerError::Moved(reason)),
            Ok(Response::Fenced) => Err(DeployerError::Fenced),
            Ok(Response::Broken { reason }) => Err(DeployerError::Faulted(Fault::new(reason))),
            Ok(response) => Ok(response),
            Err(error) => Err(DeployerError::Unreachable(Box::new(error))),
        }
    }
}

fn unexpected(response: &Response) -> DeployerError {
    DeployerError::Faulted(Fault::new(format!("the keeper answered something else: {response:?}")))
}

fn refused(version: &Version, config: &Config, error: ArtifactError) -> DeployerError {
    match error {
        ArtifactError::Missing => {
            let available = artifact::versions(&config.artifacts).unwrap_or_default();
            let available = available.into_iter().take(LISTED).map(|(version, _)| version).collect();
            DeployerError::NoSuchVersion { version: version.clone(), available }
        }
        other => DeployerError::BadArtifact(format!("{version}: {other}")),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, DeployerError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| DeployerError::Faulted(Fault::new(error)))
}

#[async_trait]
impl Deployer for LocalDeployer {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn versions(&self, target: &Target) -> Result<Vec<Available>, DeployerError> {
        let folder = self.config(target)?.artifacts.clone();
        let found = blocking(move || artifact::versions(&folder))
            .await?
            .map_err(|error| DeployerError::Faulted(Fault::new(error)))?;
        Ok(found
            .into_iter()
            .take(LISTED)
            .map(|(version, made)| Available { version, digest: None, made: Timestamp::try_from(made).ok() })
            .collect())
    }

    async fn resolve(&self, target: &Target, version: &Version) -> Result<Artifact, DeployerError> {
        let config = self.config(target)?.clone();
        let version = version.clone();
        blocking(move || {
            artifact::resolve(&config.artifacts, &version).map_err(|error| refused(&version, &config, error))
        })
        .await?
    }

    async fn live(&self, target: &Target) -> Result<Live, DeployerError> {
        match self.ask(Request::Live { spec: self.spec(target)? }).await? {
            Response::Live { live } => Ok(live),
            other => Err(unexpected(&other)),
        }
    }

    async fn start(&self, order: &Order) -> Result<(), DeployerError> {
        let spec = self.spec(&order.target)?;
        let (config, artifact) = (spec.config.clone(), order.artifact.clone());
        let releases = self.releases.join(order.target.service.as_str()).join(order.target.environment.as_str());
        let release = blocking(move || {
            artifact::unpack(&config.artifacts, &artifact, &releases)
                .map_err(|error| refused(&artifact.version, &config, error))
        });
        let release = release.await??;
        match self.ask(Request::Start { spec, order: order.clone(), release }).await? {
            Response::Taken => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn lookup(&self, target: &Target, operation: OperationId) -> Result<Lookup, DeployerError> {
        match self.ask(Request::Lookup { target: target.clone(), operation }).await? {
            Response::Lookup { lookup } => Ok(lookup),
            other => Err(unexpected(&other)),
        }
    }

    async fn cancel(&self, target: &Target, operation: OperationId) -> Result<(), DeployerError> {
        match self.ask(Request::Cancel { target: target.clone(), operation }).await? {
            // That it was too late is seen by looking it up, as the port says.
            Response::Taken | Response::TooLate { .. } => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

//! What a command sees while it works: who asks, where, under which configuration.

use std::sync::Arc;

use andon_core::ports::{Deployer, DeployerError};
use andon_core::{
    Catalog, Environment, EnvironmentName, Failure, Fault, PersonId, Refusal, Room, Service, ServiceName, Speaker,
    Target, closest,
};
use andon_store::{InvocationRow, Reader};
use jiff::Timestamp;

use crate::command::Flags;
use crate::house::{Configuration, House};

/// The most choices that a refusal lists.
const CHOICES: usize = 20;

/// The context of one invocation, or of one operation on behalf of its asker.
#[derive(Clone)]
pub struct Work {
    pub(crate) house: Arc<House>,
    pub(crate) configuration: Arc<Configuration>,
    /// Who asks.
    pub speaker: Speaker,
    /// Where.
    pub room: Room,
    /// The flags that all changes share.
    pub flags: Flags,
    /// When this was begun, by the house's clock.
    pub now: Timestamp,
}

impl Work {
    pub(crate) fn new(house: &Arc<House>, speaker: Speaker, room: Room, flags: Flags) -> Self {
        Self {
            configuration: house.configuration(),
            now: house.clock.now(),
            house: Arc::clone(house),
            speaker,
            room,
            flags,
        }
    }

    /// The work of a stored invocation. Only what an unlinked account said has none.
    pub(crate) fn of(house: &Arc<House>, invocation: &InvocationRow) -> Result<Self, Fault> {
        let speaker =
            invocation.speaker.clone().ok_or_else(|| Fault::new("an invocation without a person was accepted"))?;
        let flags = match &invocation.command {
            Some(command) => serde_json::from_value(command.flags.clone()).map_err(Fault::new)?,
            None => Flags::default(),
        };
        Ok(Self::new(house, speaker, invocation.said.room.clone(), flags))
    }

    /// The person who asks.
    pub fn asker(&self) -> &PersonId {
        &self.speaker.person
    }

    /// People, services and environments.
    pub fn catalog(&self) -> &Catalog {
        &self.configuration.catalog
    }

    /// The engine's parts.
    pub fn house(&self) -> &Arc<House> {
        &self.house
    }

    /// The configuration under which this is decided.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// A connection to read from.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn reader(&self) -> Result<Reader, Failure> {
        Ok(self.house.store.read().await?)
    }

    /// Tells the log, once, what broke where the answer goes on without it and says so.
    pub fn goes_on_without(&self, what: &str, fault: &Fault) {
        tracing::error!(error = %fault.chain(), "{what} cannot be read");
    }

    /// A service by name.
    ///
    /// # Errors
    /// Refused with the nearest name and all choices.
    pub fn service(&self, name: &ServiceName) -> Result<&Service, Refusal> {
        let services = &self.catalog().services;
        services.get(name).ok_or_else(|| unknown("service", name.as_str(), services.keys().map(ServiceName::as_str)))
    }

    /// An environment by name or alias.
    ///
    /// # Errors
    /// Refused with the nearest name and all choices.
    pub fn environment(&self, name: &EnvironmentName) -> Result<&Environment, Refusal> {
        self.catalog().environment(name).ok_or_else(|| {
            unknown("environment", name.as_str(), self.catalog().environments.keys().map(EnvironmentName::as_str))
        })
    }

    /// A target by the names that were typed; aliases of environments are resolved.
    ///
    /// # Errors
    /// Refused where either does not exist, or the service is not deployed there.
    pub fn target(&self, service: &ServiceName, environment: &EnvironmentName) -> Result<Target, Refusal> {
        self.service(service)?;
        let environment = self.environment(environment)?.name.clone();
        let target = Target { service: service.clone(), environment };
        self.configuration.deployer(&target)?;
        Ok(target)
    }

    /// The deployer of a target.
    ///
    /// # Errors
    /// Refused where the service is not deployed there.
    pub fn deployer(&self, target: &Target) -> Result<&Arc<dyn Deployer>, Refusal> {
        self.configuration.deployer(target)
    }
}

/// "There is no service helo": with the nearest name and the choices, or the first of them where they are many.
pub fn unknown<'a>(kind: &str, typed: &str, choices: impl Iterator<Item = &'a str> + Clone) -> Refusal {
    let fact = format!("There is no {kind} {typed}");
    let near = closest(typed, choices.clone());
    let some: Vec<_> = choices.take(CHOICES + 1).collect();
    let more = if some.len() > CHOICES { ", …" } else { "" };
    let some = some[..some.len().min(CHOICES)].join(", ");
    match near {
        Some(near) => Refusal::new(fact, format!("did you mean {near}? There are: {some}{more}")),
        None => Refusal::new(fact, format!("choose one of: {some}{more}")),
    }
}

/// What a deployer's error means for the room.
pub fn from_deployer(error: DeployerError) -> Failure {
    match error {
        DeployerError::NoSuchVersion { version, available } => {
            let names = available.iter().map(andon_core::Version::as_str);
            unknown("version", version.as_str(), names).into()
        }
        DeployerError::BadArtifact(reason) => {
            let fact = andon_core::Line::new().text("That artifact is refused: ").outside(&reason);
            Refusal::new(fact, "have it built again; nothing was changed").into()
        }
        DeployerError::Moved(reason) => {
            let fact = andon_core::Line::new().text("The target has changed meanwhile: ").outside(&reason);
            Refusal::new(fact, "look at `status` and ask again").into()
        }
        DeployerError::Unreachable(source) => {
            // Says nothing about what was asked for: whoever asked tries again, and what was approved waits.
            let told = Refusal::new("The deployer cannot be reached", "try again; `status` tells when it is back");
            Fault::passing(source, told).into()
        }
        other @ (DeployerError::Fenced | DeployerError::Faulted(_)) => Fault::new(other).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployer_that_cannot_be_reached_refuses_nothing() {
        let failure = from_deployer(DeployerError::Unreachable("no route".into()));
        let Failure::Faulted(fault) = failure else { panic!("{failure:?}") };
        assert_eq!(fault.chain(), "no route");
        assert_eq!(fault.told().map(|told| told.fact.plain()).as_deref(), Some("The deployer cannot be reached"));
        assert!(matches!(from_deployer(DeployerError::BadArtifact("a link".to_owned())), Failure::Refused(_)));
    }

    #[test]
    fn choices_are_few() {
        let names: Vec<_> = (0..500).map(|number| format!("service-{number}")).collect();
        for typed in ["service-7x", "database"] {
            let refusal = unknown("service", typed, names.iter().map(String::as_str));
            assert!(refusal.next_step.plain().len() < 400, "{}", refusal.next_step.plain());
        }
    }
}

//! What the configuration says of the world: people, teams, services, environments, rooms. Plain data, loaded by the binary.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::{
    Account, Digest, EnvironmentName, Identity, Person, PersonId, Room, ServiceName, Speaker, Target, TeamName,
};

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its members.
    pub members: Vec<PersonId>,
}

/// A machine account: may ask, never approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its name in the configuration.
    pub name: String,
    /// Accounts that are this machine.
    pub identities: Vec<Identity>,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Other names for it.
    pub aliases: Vec<EnvironmentName>,
    /// Whether policies treat it as production. True unless declared otherwise.
    pub production: bool,
    /// The environment that comes before it.
    pub after: Option<EnvironmentName>,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// Teams that own it: they unlock it and review bypasses.
    pub owners: Vec<TeamName>,
    /// Teams that may deploy it; the owners where nothing is said.
    pub deployers: Vec<TeamName>,
    /// Machines that may ask for deploys.
    pub deployer_machines: Vec<String>,
    /// Teams that may approve its changes; the owners where nothing is said.
    pub approvers: Vec<TeamName>,
    /// Services that it needs.
    pub depends_on: Vec<ServiceName>,
    /// Where it can be deployed, and how.
    pub targets: BTreeMap<EnvironmentName, TargetSettings>,
}

/// How a service is deployed to one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSettings {
    /// The name of the deployer.
    pub deployer: String,
    /// How many approvals a change needs at least.
    pub approvals: u32,
    /// The digest of everything that the configuration says of this target.
    pub digest: Digest,
}

/// Where cards and requests of services appear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRoute {
    /// The room.
    pub room: Room,
    /// The services whose cards appear there.
    pub services: Vec<ServiceName>,
}

/// How long things last unless somebody says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// A request for approval.
    pub approval_expires: SignedDuration,
    /// A lock.
    pub lock_expires: SignedDuration,
    /// A freeze.
    pub freeze_expires: SignedDuration,
}

impl Default for Defaults {
    /// 30 minutes, 2 hours, 4 hours.
    fn default() -> Self {
        Self {
            approval_expires: SignedDuration::from_mins(30),
            lock_expires: SignedDuration::from_hours(2),
            freeze_expires: SignedDuration::from_hours(4),
        }
    }
}

/// Everything that the configuration says of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// People by key.
    pub people: BTreeMap<PersonId, Person>,
    /// Machines by name.
    pub machines: BTreeMap<String, Machine>,
    /// Teams by key.
    pub teams: BTreeMap<TeamName, Team>,
    /// Environments by name.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// Services by name.
    pub services: BTreeMap<ServiceName, Service>,
    /// Rooms of services.
    pub rooms: Vec<RoomRoute>,
    /// Old verbs and what they stand for.
    pub aliases: BTreeMap<String, String>,
    /// How long things last.
    pub defaults: Defaults,
    /// Workspaces, as `platform:workspace`, whose accounts are people's by their confirmed e-mail addresses.
    pub email_workspaces: Vec<String>,
    /// Where checkpoints are posted.
    pub anchor_rooms: Vec<Room>,
    /// Where the bot speaks of itself.
    pub ops_room: Option<Room>,
    /// The digest of the configuration's text.
    pub version: Digest,
    /// The configuration's text itself, kept by digest in the trail.
    pub text: String,
}

impl Catalog {
    /// The person that an account belongs to.
    pub fn speaker(&self, identity: &Identity) -> Option<Speaker> {
        self.people
            .values()
            .find(|person| person.identities.contains(identity))
            .map(|person| Speaker { person: person.id.clone(), identity: identity.clone() })
    }

    /// The person whose account this is by its confirmed e-mail address: only in a workspace that is listed for it, never a guest.
    pub fn by_email(&self, identity: &Identity, account: &Account) -> Option<Speaker> {
        let workspace = format!("{}:{}", identity.platform, identity.workspace.as_deref()?);
        let email = account.email.as_ref().filter(|_| account.active && !account.guest)?;
        let theirs = |person: &&Person| person.email.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(email));
        self.email_workspaces
            .contains(&workspace)
            .then(|| self.people.values().find(theirs))
            .flatten()
            .map(|person| Speaker { person: person.id.clone(), identity: identity.clone() })
    }

    /// The environment called `name`, by its name or an alias.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&Environment> {
        self.environments
            .get(name)
            .or_else(|| self.environments.values().find(|environment| environment.aliases.contains(name)))
    }

    /// The settings of a target, where the service is deployed there.
    pub fn target(&self, target: &Target) -> Option<&TargetSettings> {
        self.services.get(&target.service)?.targets.get(&target.environment)
    }

    /// Every service in every environment that it is deployed to.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        self.services.values().flat_map(|service| {
            let environments = service.targets.keys();
            environments.map(|environment| Target { service: service.name.clone(), environment: environment.clone() })
        })
    }

    /// Every member of any of `teams`, each once.
    pub fn members<'a>(&'a self, teams: impl IntoIterator<Item = &'a TeamName>) -> Vec<&'a PersonId> {
        let mut members: Vec<_> =
            teams.into_iter().filter_map(|team| self.teams.get(team)).flat_map(|team| &team.members).collect();
        members.sort();
        members.dedup();
        members
    }
}

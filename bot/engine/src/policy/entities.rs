//! The part of the catalog that one question is about, as Cedar entities. Whatever the catalog does not know becomes no entity.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use andon_core::{Catalog, Environment, EnvironmentName, PersonId, Room, Service, ServiceName, Target, TeamName};
use cedar_policy::{
    Entities, Entity, EntityAttrEvaluationError, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema,
    entities_errors::EntitiesError,
};
use thiserror::Error;

use super::{Principal, Resource};

/// Why no entity stands for something. Each completes the sentence "it needs …".
#[derive(Debug, Error)]
pub(super) enum NoEntity {
    /// The configuration has no such thing.
    #[error("a {kind} that the configuration knows, and {name} is none")]
    Unknown { kind: &'static str, name: String },
    /// An operation that changes nothing has nobody whose it is.
    #[error("an operation with at least one target")]
    WithoutTarget,
    /// A lease over something that cannot be locked or frozen.
    #[error("a lock or freeze over a target, a service, an environment or everything")]
    NotLeased,
    /// Cedar refused what was made of the catalog.
    #[error("entities that fit the policies' schema")]
    Misfit(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<EntityAttrEvaluationError> for NoEntity {
    fn from(error: EntityAttrEvaluationError) -> Self {
        Self::Misfit(Box::new(error))
    }
}

impl From<EntitiesError> for NoEntity {
    fn from(error: EntitiesError) -> Self {
        Self::Misfit(Box::new(error))
    }
}

type Attributes<const N: usize> = [(&'static str, RestrictedExpression); N];

/// Collects the entities of a question.
pub(super) struct World<'a> {
    catalog: &'a Catalog,
    entities: BTreeMap<EntityUid, Entity>,
}

impl<'a> World<'a> {
    pub(super) const fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, entities: BTreeMap::new() }
    }

    /// Everything collected, with the actions and their groups.
    pub(super) fn entities(self, schema: &Schema) -> Result<Entities, NoEntity> {
        Ok(Entities::from_entities(self.entities.into_values(), Some(schema))?)
    }

    /// Adds who asks, in their teams.
    pub(super) fn principal(&mut self, principal: Principal<'_>) -> Result<EntityUid, NoEntity> {
        match principal {
            Principal::Person(person) => self.person(person),
            Principal::Machine(name) => self.machine(name),
        }
    }

    /// Adds what is asked about, with all that it lies in: one entity for each that must be permitted.
    pub(super) fn resource(&mut self, resource: &Resource) -> Result<Vec<EntityUid>, NoEntity> {
        let one = match resource {
            Resource::Target(target) => self.target(target)?,
            Resource::Service(name) => self.service(name)?,
            Resource::Environment(name) => self.environment(name)?,
            Resource::Operation { number, targets, asked_by } => {
                if targets.is_empty() {
                    return Err(NoEntity::WithoutTarget);
                }
                return targets.iter().map(|target| self.operation(number.0, target, asked_by)).collect();
            }
            Resource::Lease { over, owner } => self.lease(over, owner)?,
            Resource::Room(room) => self.add(uid("Room", &room_name(room)), [], [])?,
            Resource::Trail => self.add(uid("Trail", "trail"), [], [])?,
            Resource::House => {
                let owners = teams(self.owners(|_| true));
                self.add(uid("House", "house"), [("owners", owners)], [])?
            }
        };
        Ok(vec![one])
    }

    /// Adds what a policy names, so that it can look into it. What the catalog does not know stays away: a policy that looks into it
    /// cannot be evaluated, and whoever asked is refused.
    pub(super) fn literal(&mut self, literal: &EntityUid) {
        let name: &str = literal.id().unescaped();
        let _ = match literal.type_name().basename() {
            "Target" => name.parse().ok().map(|target| self.target(&target)),
            "Service" => name.parse().ok().map(|service| self.service(&service)),
            "Environment" => name.parse().ok().map(|environment| self.environment(&environment)),
            "Person" => name.parse().ok().map(|person| self.person(&person)),
            "House" => Some(self.resource(&Resource::House).map(|_| literal.clone())),
            _ => None,
        };
    }

    fn person(&mut self, id: &PersonId) -> Result<EntityUid, NoEntity> {
        if !self.catalog.people.contains_key(id) {
            return Err(unknown("person", id));
        }
        let teams = self.catalog.teams.iter().filter(|(_, team)| team.members.contains(id));
        let parents: Vec<_> = teams.map(|(name, _)| uid("Team", name.as_str())).collect();
        self.add(uid("Person", id.as_str()), [], parents)
    }

    fn machine(&mut self, name: &str) -> Result<EntityUid, NoEntity> {
        if !self.catalog.machines.contains_key(name) {
            return Err(unknown("machine", name));
        }
        self.add(uid("Machine", name), [], [])
    }

    fn service(&mut self, name: &ServiceName) -> Result<EntityUid, NoEntity> {
        let service = self.catalog.services.get(name).ok_or_else(|| unknown("service", name))?;
        let machines = service.deployer_machines.iter().map(|machine| reference(uid("Machine", machine)));
        let attributes = [
            ("owners", teams(&service.owners)),
            ("deployers", teams(deployers(service))),
            ("approvers", teams(or_owners(&service.approvers, service))),
            ("machines", RestrictedExpression::new_set(machines)),
        ];
        self.add(uid("Service", name.as_str()), attributes, [])
    }

    fn environment(&mut self, name: &EnvironmentName) -> Result<EntityUid, NoEntity> {
        let environment = self.known_environment(name)?;
        let owners = self.owners_in(environment);
        let attributes =
            [("production", RestrictedExpression::new_bool(environment.production)), ("owners", teams(owners))];
        self.add(uid("Environment", environment.name.as_str()), attributes, [])
    }

    fn target(&mut self, target: &Target) -> Result<EntityUid, NoEntity> {
        let settings = self.catalog.target(target).ok_or_else(|| unknown("target", target))?;
        let service = self.service(&target.service)?;
        let environment = self.environment(&target.environment)?;
        let attributes = [
            ("service", reference(service.clone())),
            ("environment", reference(environment.clone())),
            ("approvals", RestrictedExpression::new_long(settings.approvals.into())),
        ];
        self.add(uid("Target", &target.to_string()), attributes, [service, environment])
    }

    fn operation(&mut self, number: i64, target: &Target, asked_by: &PersonId) -> Result<EntityUid, NoEntity> {
        let parent = self.target(target)?;
        let attributes = [
            ("number", RestrictedExpression::new_long(number)),
            ("asked_by", reference(uid("Person", asked_by.as_str()))),
            ("target", reference(parent.clone())),
            ("service", reference(self.service(&target.service)?)),
            ("environment", reference(self.environment(&target.environment)?)),
        ];
        self.add(uid("Operation", &format!("op-{number} {target}")), attributes, [parent])
    }

    fn lease(&mut self, over: &Resource, owner: &PersonId) -> Result<EntityUid, NoEntity> {
        // Checks that it exists, and names it.
        let leased = self.resource(over)?;
        let owners = match over {
            Resource::Target(Target { service, .. }) | Resource::Service(service) => {
                self.owners(|candidate| candidate.name == *service)
            }
            Resource::Environment(name) => self.owners_in(self.known_environment(name)?),
            Resource::House => self.owners(|_| true),
            Resource::Operation { .. } | Resource::Lease { .. } | Resource::Room(_) | Resource::Trail => {
                return Err(NoEntity::NotLeased);
            }
        };
        let name = leased.first().map(ToString::to_string).unwrap_or_default();
        let attributes = [("owner", reference(uid("Person", owner.as_str()))), ("owners", teams(owners))];
        self.add(uid("Lease", &format!("{owner} {name}")), attributes, [])
    }

    fn known_environment(&self, name: &EnvironmentName) -> Result<&'a Environment, NoEntity> {
        self.catalog.environment(name).ok_or_else(|| unknown("environment", name))
    }

    fn owners_in(&self, environment: &Environment) -> BTreeSet<&'a TeamName> {
        self.owners(|service| service.targets.contains_key(&environment.name))
    }

    /// The teams that own any of the services that `under` accepts.
    fn owners(&self, under: impl Fn(&Service) -> bool) -> BTreeSet<&'a TeamName> {
        self.catalog.services.values().filter(|service| under(service)).flat_map(|service| &service.owners).collect()
    }

    fn add<const N: usize>(
        &mut self,
        uid: EntityUid,
        attributes: Attributes<N>,
        parents: impl IntoIterator<Item = EntityUid>,
    ) -> Result<EntityUid, NoEntity> {
        let attributes: HashMap<_, _> = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let parents: HashSet<_> = parents.into_iter().collect();
        self.entities.insert(uid.clone(), Entity::new(uid.clone(), attributes, parents)?);
        Ok(uid)
    }
}

/// The entity of type `kind` called `name`.
pub(super) fn uid(kind: &'static str, name: &str) -> EntityUid {
    let kind: EntityTypeName = kind
        .parse()
        .unwrap_or_else(|error| unreachable!("{kind} is written in this module, as an identifier: {error}"));
    EntityUid::from_type_name_and_id(kind, EntityId::new(name))
}

/// A room as policies name it: a thread is under the same rules as its channel.
pub(super) fn room_name(room: &Room) -> String {
    room.without_thread().to_string()
}

fn deployers(service: &Service) -> &[TeamName] {
    // Where only machines are named, people were left out on purpose.
    if service.deployer_machines.is_empty() { or_owners(&service.deployers, service) } else { &service.deployers }
}

fn or_owners<'s>(named: &'s [TeamName], service: &'s Service) -> &'s [TeamName] {
    if named.is_empty() { &service.owners } else { named }
}

fn teams<'t>(names: impl IntoIterator<Item = &'t TeamName>) -> RestrictedExpression {
    RestrictedExpression::new_set(names.into_iter().map(|name| reference(uid("Team", name.as_str()))))
}

fn reference(uid: EntityUid) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid)
}

fn unknown(kind: &'static str, name: impl ToString) -> NoEntity {
    NoEntity::Unknown { kind, name: name.to_string() }
}

//! Reads services and their targets.

use std::collections::{BTreeMap, BTreeSet};

use andon_core::{Digest, PersonId, Service, ServiceName, Target, TargetSettings, Team, TeamName, closest};

use super::names::{Names, known, known_text};
use super::problem::{Mismatch, Placed, Position, Problems};
use super::section::Section;
use super::tree::{Node, Table, to_toml};
use super::world::{named, no_circle, values};
use super::{Deployers, value};

/// The most services of a configuration.
pub const MOST_SERVICES: usize = 5_000;

/// How a target is deployed, for the deployer that does it.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetConfig {
    /// The name of the deployer.
    pub deployer: String,
    /// The deployer's own keys, checked by it.
    pub settings: toml::Table,
    /// Where the target's section begins.
    pub position: Position,
}

/// What services are read with.
pub(super) struct Reader<'a> {
    pub(super) names: &'a Names,
    pub(super) teams: &'a BTreeMap<TeamName, Team>,
    pub(super) deployers: &'a Deployers<'a>,
    pub(super) problems: &'a mut Problems,
    pub(super) warnings: &'a mut Problems,
    /// The targets read so far.
    pub(super) targets: BTreeMap<Target, TargetConfig>,
}

#[derive(PartialEq)]
enum Deploying {
    Team(TeamName),
    Machine(String),
}

impl Reader<'_> {
    /// Reads `[services.*]`.
    pub(super) fn services(&mut self, root: &mut Section) -> BTreeMap<ServiceName, Service> {
        let position = root.position.clone();
        let sections = root.sections("services", self.problems);
        if sections.len() > MOST_SERVICES {
            self.problems.add(&position, format!("there are {} services; at most {MOST_SERVICES}", sections.len()));
            return BTreeMap::new();
        }
        let mut depends_at = BTreeMap::new();
        let read = sections.into_iter().filter_map(|(key, section)| self.service(&key, section, &mut depends_at));
        let services: BTreeMap<ServiceName, Service> = read.map(|service| (service.name.clone(), service)).collect();
        let edges = services.values().map(|service| (service.name.clone(), service.depends_on.clone())).collect();
        no_circle("depends_on", &edges, &depends_at, self.problems);
        services
    }

    fn service(
        &mut self,
        key: &str,
        mut section: Section,
        depends_at: &mut BTreeMap<(ServiceName, ServiceName), Position>,
    ) -> Option<Service> {
        let names = self.names;
        let name = named::<ServiceName>(key, &section.position, self.problems)?;
        section.must_hold("owners", self.problems);
        let owners = section.filled_list("owners", self.problems, &|node| known("team", &names.teams, node));
        let owners = values(owners.unwrap_or_default());
        let deployers = section.filled_list("deployers", self.problems, &|node| deploying(names, node));
        let approvers = section.filled_list("approvers", self.problems, &|node| approving(names, node));
        let depends_on = section.list("depends_on", self.problems, &|node| known("service", &names.services, node));
        let depends_on = depends_on.unwrap_or_default();
        for other in &depends_on {
            depends_at.insert((name.clone(), other.value.clone()), other.position.clone());
        }
        let (deployers, deployer_machines) = deployers.map_or_else(|| (owners.clone(), Vec::new()), parted);
        let mut service = Service {
            approvers: approvers.map_or_else(|| owners.clone(), values),
            name,
            owners,
            deployers,
            deployer_machines,
            depends_on: values(depends_on),
            targets: BTreeMap::new(),
        };
        for (key, target) in section.sections("environments", self.problems) {
            self.target(&key, target, &mut service);
        }
        section.finish(self.problems);
        Some(service)
    }

    fn target(&mut self, key: &str, mut section: Section, service: &mut Service) {
        let known_environment = known_text("environment", &self.names.environments, key);
        let digest = Digest::of(format!("andon target v1\n{}/{key}\n{}", service.name, section.canonical()));
        let deployers = self.deployers;
        let deployer = section.required("deployer", self.problems, &|node| deployer_name(deployers, node));
        let approvals = section.optional("approvals", self.problems, &value::count);
        if let Some(approvals) = &approvals {
            self.warn_of_too_few_approvers(approvals, service);
        }
        let position = section.position.clone();
        let settings = section.rest();
        let deployer = deployer.map(|deployer| deployer.value);
        if let Some(deployer) = &deployer {
            self.check_settings(deployer, &settings, &position);
        }
        match (known_environment, deployer) {
            (Err(mismatch), _) => self.problems.add(&position, mismatch),
            (Ok(_), None) => {}
            (Ok(environment), Some(deployer)) => {
                let approvals = approvals.map_or(0, |approvals| approvals.value);
                let kept = TargetSettings { deployer: deployer.clone(), approvals, digest };
                service.targets.insert(environment.clone(), kept);
                let settings = TargetConfig { deployer, settings: to_toml(&settings), position };
                self.targets.insert(Target { service: service.name.clone(), environment }, settings);
            }
        }
    }

    fn check_settings(&mut self, deployer: &str, settings: &Table, position: &Position) {
        let Err(error) = (self.deployers.check)(deployer, to_toml(settings)) else { return };
        let message = error.split_whitespace().collect::<Vec<_>>().join(" ");
        // Serde puts keys in back quotes: the odd one first, then the known ones.
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let begins = message.split_whitespace().next();
        let named = begins.into_iter().chain(quoted.iter().copied());
        let culprit = named.filter_map(|path| path.split('.').next()).find_map(|key| settings.get_key_value(key));
        let near = culprit.and_then(|(key, _)| closest(key, quoted.iter().copied().filter(|known| known != key)));
        let hint = near.map(|near| format!("did you mean `{near}`?"));
        let place = match culprit {
            Some((_, entry)) if message.contains("unknown") => &entry.key,
            Some((_, entry)) => &entry.node.position,
            None => position,
        };
        self.problems.add(place, Mismatch { message, hint });
    }

    /// Nobody approves their own change: the asker does not count, unless somebody else could ask.
    fn warn_of_too_few_approvers(&mut self, approvals: &Placed<u32>, service: &Service) {
        let approvers = self.members(&service.approvers);
        let someone_else_asks =
            !service.deployer_machines.is_empty() || !self.members(&service.deployers).is_subset(&approvers);
        let possible = if someone_else_asks { approvers.len() } else { approvers.len().saturating_sub(1) };
        if usize::try_from(approvals.value).is_ok_and(|wanted| wanted > possible) {
            let possible = u32::try_from(possible).unwrap_or(u32::MAX);
            let message =
                format!("{} can get at most {}, but needs {}", service.name, counted(possible), approvals.value);
            let teams: Vec<&str> = service.approvers.iter().map(TeamName::as_str).collect();
            let hint =
                format!("nobody approves their own change; its approvers are the members of: {}", teams.join(", "));
            self.warnings.add(&approvals.position, Mismatch::new(message).hint(hint));
        }
    }

    fn members(&self, teams: &[TeamName]) -> BTreeSet<&PersonId> {
        teams.iter().filter_map(|team| self.teams.get(team)).flat_map(|team| &team.members).collect()
    }
}

fn counted(approvals: u32) -> String {
    if approvals == 1 { "1 approval".to_owned() } else { format!("{approvals} approvals") }
}

fn deploying(names: &Names, node: &Node) -> Result<Deploying, Mismatch> {
    match value::text(node)?.strip_prefix("machine:") {
        Some(machine) => known_text("machine", &names.machines, machine).map(Deploying::Machine),
        None => known("team", &names.teams, node).map(Deploying::Team),
    }
}

fn approving(names: &Names, node: &Node) -> Result<TeamName, Mismatch> {
    match value::text(node)?.starts_with("machine:") {
        true => Err("machines may ask, never approve".into()),
        false => known("team", &names.teams, node),
    }
}

fn parted(deploying: Vec<Placed<Deploying>>) -> (Vec<TeamName>, Vec<String>) {
    let (mut teams, mut machines) = (Vec::new(), Vec::new());
    for one in deploying {
        match one.value {
            Deploying::Team(team) => teams.push(team),
            Deploying::Machine(machine) => machines.push(machine),
        }
    }
    (teams, machines)
}

fn deployer_name(deployers: &Deployers<'_>, node: &Node) -> Result<String, Mismatch> {
    let name = value::text(node)?;
    match deployers.names.contains(&name.as_str()) {
        true => Ok(name),
        false => {
            let message = format!("there is no deployer {}", value::quoted(&name));
            Err(Mismatch::unknown(message, &name, deployers.names.iter().copied()))
        }
    }
}

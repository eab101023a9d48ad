//! Reads people, machines, teams and environments.

use std::collections::BTreeMap;

use andon_core::{Environment, EnvironmentName, Identity, Machine, Person, PersonId, Team, TeamName};
use jiff::tz::TimeZone;

use super::graph;
use super::names::{Names, known};
use super::problem::{Mismatch, Placed, Position, Problems};
use super::section::Section;
use super::tree::{Node, Value};
use super::value;

/// The names of environment variables that hold the tokens of machines, by machine.
pub(super) type Tokens = BTreeMap<String, Placed<String>>;

/// Whose each account is: it belongs to one person or machine.
#[derive(Default)]
pub(super) struct Accounts {
    identities: BTreeMap<Identity, Placed<String>>,
    emails: BTreeMap<String, Placed<String>>,
}

impl Accounts {
    fn read(&mut self, owner: &str, section: &mut Section, problems: &mut Problems) -> Vec<Identity> {
        let read = section.list("identities", problems, &value::parsed::<Identity>).unwrap_or_default();
        for Placed { value: identity, position } in &read {
            match self.identities.get(identity) {
                Some(first) => {
                    let message =
                        format!("`{identity}` is {} already; an identity belongs to one of them", first.value);
                    problems
                        .add(position, Mismatch::new(message).hint(format!("the other one is at {}", first.position)));
                }
                None => {
                    let owner = Placed { value: owner.to_owned(), position: position.clone() };
                    self.identities.insert(identity.clone(), owner);
                }
            }
        }
        values(read)
    }

    /// An address is one person's, in whatever capitals.
    fn take_email(&mut self, owner: &str, email: &Placed<String>, problems: &mut Problems) {
        let place = Placed { value: owner.to_owned(), position: email.position.clone() };
        if let Some(first) = self.emails.insert(email.value.to_ascii_lowercase(), place) {
            let message = format!("this address is the person {}'s already", first.value);
            problems
                .add(&email.position, Mismatch::new(message).hint(format!("the other one is at {}", first.position)));
        }
    }
}

fn email(node: &Node) -> Result<String, Mismatch> {
    let text = value::line(node)?;
    let right = text
        .split_once('@')
        .is_some_and(|(name, place)| !name.is_empty() && place.contains('.') && !place.contains('@'));
    if right && !text.contains(char::is_whitespace) { Ok(text) } else { Err("expected an e-mail address".into()) }
}

/// Reads `[people.*]`. Their teams are not known yet.
pub(super) fn people(
    root: &mut Section,
    accounts: &mut Accounts,
    problems: &mut Problems,
) -> BTreeMap<PersonId, Person> {
    let mut people = BTreeMap::new();
    for (key, mut section) in root.sections("people", problems) {
        let id = named::<PersonId>(&key, &section.position, problems);
        let time_zone = section.optional("time_zone", problems, &value::time_zone).map(|zone| zone.value);
        let identities = accounts.read(&format!("the person {key}"), &mut section, problems);
        let email = section.optional("email", problems, &email);
        if let Some(email) = &email {
            accounts.take_email(&key, email, problems);
        }
        section.finish(problems);
        if let Some(id) = id {
            let time_zone = time_zone.unwrap_or(TimeZone::UTC);
            let email = email.map(|email| email.value);
            people.insert(id.clone(), Person { id, time_zone, identities, email, teams: Vec::new() });
        }
    }
    people
}

/// Reads `[machines.*]` and where their tokens are found.
pub(super) fn machines(
    root: &mut Section,
    accounts: &mut Accounts,
    problems: &mut Problems,
) -> (BTreeMap<String, Machine>, Tokens) {
    let (mut machines, mut tokens) = (BTreeMap::new(), Tokens::new());
    for (name, mut section) in root.sections("machines", problems) {
        if name.parse::<TeamName>().is_err() {
            let message =
                "machine names hold only a-z, 0-9, - and _, begin with a letter or a digit and have at most 40";
            problems.add(&section.position, message);
        }
        let identities = accounts.read(&format!("the machine {name}"), &mut section, problems);
        if let Some(token) = token(&mut section, problems) {
            tokens.insert(name.clone(), token);
        }
        section.finish(problems);
        machines.insert(name.clone(), Machine { name, identities });
    }
    (machines, tokens)
}

fn token(section: &mut Section, problems: &mut Problems) -> Option<Placed<String>> {
    let entry = section.take("token")?;
    if !matches!(entry.node.value, Value::Table(_)) {
        let message = "a token does not stand in the configuration";
        problems.add(&entry.node.position, Mismatch::new(message).hint("name a variable: token = { env = \"NAME\" }"));
        return None;
    }
    let mut token = Section::of(&format!("{}.token", section.path), entry.key, entry.node, problems)?;
    let variable = token.required("env", problems, &value::variable);
    token.finish(problems);
    variable
}

/// Reads `[teams.*]`, and tells `people` which they are in.
pub(super) fn teams(
    root: &mut Section,
    names: &Names,
    people: &mut BTreeMap<PersonId, Person>,
    problems: &mut Problems,
) -> BTreeMap<TeamName, Team> {
    let mut teams = BTreeMap::new();
    for (key, mut section) in root.sections("teams", problems) {
        let name = named::<TeamName>(&key, &section.position, problems);
        let members = section.required_list("members", problems, &|node| known("person", &names.people, node));
        section.finish(problems);
        let Some(name) = name else { continue };
        let members = values(members);
        for person in &members {
            if let Some(person) = people.get_mut(person) {
                person.teams.push(name.clone());
            }
        }
        teams.insert(name, Team { members });
    }
    teams
}

/// Reads `[environments.*]`.
pub(super) fn environments(
    root: &mut Section,
    names: &Names,
    problems: &mut Problems,
) -> BTreeMap<EnvironmentName, Environment> {
    let (mut environments, mut after_at, mut taken) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let sections = root.sections("environments", problems);
    for (key, section) in &sections {
        if let Some(name) = named::<EnvironmentName>(key, &section.position, problems) {
            taken.insert(name, section.position.clone());
        }
    }
    for (key, mut section) in sections {
        let production = section.optional("production", problems, &value::boolean);
        let aliases = section.list("aliases", problems, &value::parsed::<EnvironmentName>).unwrap_or_default();
        for alias in &aliases {
            match taken.get(&alias.value) {
                Some(first) => {
                    let message = format!("`{}` names an environment already", alias.value);
                    problems.add(&alias.position, Mismatch::new(message).hint(format!("the other one is at {first}")));
                }
                None => drop(taken.insert(alias.value.clone(), alias.position.clone())),
            }
        }
        let after = section.optional("after", problems, &|node| known("environment", &names.environments, node));
        section.finish(problems);
        let Ok(name) = key.parse::<EnvironmentName>() else { continue };
        if let Some(after) = &after {
            after_at.insert((name.clone(), after.value.clone()), after.position.clone());
        }
        environments.insert(
            name.clone(),
            Environment {
                name,
                aliases: values(aliases),
                production: production.is_none_or(|production| production.value),
                after: after.map(|after| after.value),
            },
        );
    }
    let edges =
        environments.iter().map(|(name, environment)| (name.clone(), environment.after.iter().cloned().collect()));
    no_circle("after", &edges.collect(), &after_at, problems);
    environments
}

/// A problem where the arrows called `key` lead back to where they began; `places` says where each stands.
pub(super) fn no_circle<N: Ord + Clone + ToString>(
    key: &str,
    edges: &BTreeMap<N, Vec<N>>,
    places: &BTreeMap<(N, N), Position>,
    problems: &mut Problems,
) {
    let Some(circle) = graph::circle(edges) else { return };
    let names: Vec<String> = circle.iter().map(|name| name.to_string()).collect();
    if let [from, to, ..] = circle[..]
        && let Some(position) = places.get(&(from.clone(), to.clone()))
    {
        problems.add(position, format!("`{key}` goes in a circle: {}", names.join(" → ")));
    }
}

/// Reads the key of a section as the name that it is.
pub(super) fn named<T: std::str::FromStr<Err: ToString>>(
    key: &str,
    position: &Position,
    problems: &mut Problems,
) -> Option<T> {
    key.parse().map_err(|error: T::Err| problems.add(position, error.to_string())).ok()
}

/// The values without their places.
pub(super) fn values<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.value).collect()
}

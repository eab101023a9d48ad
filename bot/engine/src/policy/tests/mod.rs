//! A small world, and what the policies say of it.

mod default;
mod fail_closed;
mod load;
mod schema;

use std::collections::BTreeMap;

use andon_core::{
    ArgumentKind, ArgumentSpec, Catalog, CommandSpec, Defaults, Digest, EffectKind, Environment, Machine,
    OperationNumber, Person, Room, Service, Target, TargetSettings, Team,
};
use serde_json::Value;

use super::{Answer, DEFAULT, Policies, Principal, Question, Resource};

const READS: [&str; 10] =
    ["status", "history", "versions", "whoami", "can", "why", "help", "audit search", "audit show", "audit verify"];
const ACTS: [&str; 8] = ["lock", "unlock", "freeze", "thaw", "approve", "deny", "cancel", "settle"];
const OPERATIONS: [&str; 2] = ["deploy", "rollback"];

/// Every person of the catalog.
const PEOPLE: [&str; 6] = ["ana", "ben", "cy", "dee", "eve", "fay"];

fn argument(name: &str, kind: ArgumentKind) -> ArgumentSpec {
    ArgumentSpec { name: name.to_owned(), positional: false, required: false, rest: false, kind, help: String::new() }
}

fn command(path: &str, effect: EffectKind) -> CommandSpec {
    CommandSpec {
        path: path.split(' ').map(str::to_owned).collect(),
        about: String::new(),
        details: String::new(),
        examples: Vec::new(),
        effect,
        answers_unrecorded: false,
        arguments: vec![
            argument("service", ArgumentKind::Text(None)),
            argument("strategy", ArgumentKind::Choice(vec!["rolling".to_owned(), "canary".to_owned()])),
            argument("at-most", ArgumentKind::Integer),
            argument("again", ArgumentKind::Flag),
        ],
    }
}

fn commands() -> Vec<CommandSpec> {
    let reads = READS.map(|path| command(path, EffectKind::Read));
    let acts = ACTS.map(|path| command(path, EffectKind::Act));
    let operations = OPERATIONS.map(|path| command(path, EffectKind::Operation));
    reads.into_iter().chain(acts).chain(operations).collect()
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn names<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> Vec<T> {
    texts.iter().map(|text| name(text)).collect()
}

fn service(of: &str, owners: &[&str], deployers: &[&str], machines: &[&str], approvers: &[&str]) -> Service {
    let settings = |approvals| TargetSettings { deployer: "local".to_owned(), approvals, digest: Digest::of("") };
    Service {
        name: name(of),
        owners: names(owners),
        deployers: names(deployers),
        deployer_machines: machines.iter().map(ToString::to_string).collect(),
        approvers: names(approvers),
        depends_on: Vec::new(),
        targets: BTreeMap::from([(name("staging"), settings(0)), (name("prod"), settings(1))]),
    }
}

fn environment(of: &str, production: bool, aliases: &[&str]) -> Environment {
    Environment { name: name(of), aliases: names(aliases), production, after: None }
}

/// The playground's people and services, and beside them a service with teams for everything (`api`), one that only a machine deploys
/// (`batch`), and one whose team does not exist (`ghost`).
fn catalog() -> Catalog {
    let teams: [(&str, &[&str]); 4] =
        [("makers", &["ana", "ben"]), ("shippers", &["dee"]), ("judges", &["eve"]), ("keepers", &["fay"])];
    let person = |id: &&str| Person {
        id: name(id),
        time_zone: jiff::tz::TimeZone::UTC,
        identities: Vec::new(),
        email: None,
        teams: teams.iter().filter(|(_, members)| members.contains(id)).map(|(team, _)| name(team)).collect(),
    };
    let services = [
        service("hello", &["makers"], &[], &[], &[]),
        service("shop", &["makers"], &[], &[], &[]),
        service("api", &["keepers"], &["shippers"], &["ci"], &["judges"]),
        service("batch", &["keepers"], &[], &["ci"], &[]),
        service("ghost", &["vanished"], &[], &[], &[]),
    ];
    let machine = |id: &str| (id.to_owned(), Machine { name: id.to_owned(), identities: Vec::new() });
    Catalog {
        people: PEOPLE.iter().map(|id| (name(id), person(id))).collect(),
        machines: BTreeMap::from([machine("ci"), machine("robot")]),
        teams: teams.iter().map(|(team, members)| (name(team), Team { members: names(members) })).collect(),
        environments: BTreeMap::from([
            (name("staging"), environment("staging", false, &[])),
            (name("prod"), environment("prod", true, &["live"])),
        ]),
        services: services.into_iter().map(|service| (service.name.clone(), service)).collect(),
        rooms: Vec::new(),
        aliases: BTreeMap::new(),
        defaults: Defaults::default(),
        email_workspaces: Vec::new(),
        anchor_rooms: Vec::new(),
        ops_room: None,
        version: Digest::of(""),
        text: String::new(),
    }
}

fn file(text: &str) -> (String, String) {
    ("team.cedar".to_owned(), text.to_owned())
}

/// The default policies, and `more` beside them.
fn default_and(more: &str) -> Policies {
    Policies::load(&[(DEFAULT.0.to_owned(), DEFAULT.1.to_owned()), file(more)], &commands()).unwrap()
}

fn only(text: &str) -> Policies {
    Policies::load(&[file(text)], &commands()).unwrap()
}

fn room() -> Room {
    name("slack:T1/C1#99")
}

/// A question without arguments, plan, reason or broken glass.
fn question<'a>(principal: Principal<'a>, action: &'a str, resources: &'a [Resource], room: &'a Room) -> Question<'a> {
    Question {
        principal,
        action,
        resources,
        platform: "slack",
        room,
        arguments: &Value::Null,
        break_glass: false,
        has_reason: false,
        plan: None,
    }
}

/// Asks for `who`: a person, or `machine:name`.
fn ask(policies: &Policies, who: &str, action: &str, resources: &[Resource]) -> Answer {
    ask_with(policies, who, action, resources, |question| question)
}

fn ask_with(
    policies: &Policies,
    who: &str,
    action: &str,
    resources: &[Resource],
    change: impl for<'a> FnOnce(Question<'a>) -> Question<'a>,
) -> Answer {
    let (person, room) = (who.parse(), room());
    let principal = match who.strip_prefix("machine:") {
        Some(machine) => Principal::Machine(machine),
        None => Principal::Person(person.as_ref().unwrap()),
    };
    policies.ask(&catalog(), &change(question(principal, action, resources, &room)))
}

fn target(text: &str) -> Resource {
    Resource::Target(name(text))
}

fn operation(asked_by: &str, targets: &[&str]) -> Resource {
    Resource::Operation { number: OperationNumber(412), targets: names::<Target>(targets), asked_by: name(asked_by) }
}

fn lease(owner: &str, over: Resource) -> Resource {
    Resource::Lease { over: Box::new(over), owner: name(owner) }
}

fn all(answer: &Answer) -> (bool, &[String]) {
    match answer {
        Answer::Permitted(permit) => (true, &permit.policies),
        Answer::Refused(denial) => (false, &denial.policies),
    }
}

fn permitted(answer: &Answer) -> bool {
    all(answer).0
}

fn approvals(answer: &Answer) -> u32 {
    match answer {
        Answer::Permitted(permit) => permit.approvals,
        Answer::Refused(denial) => panic!("refused: {denial:?}"),
    }
}

fn needs(answer: &Answer) -> Vec<&str> {
    match answer {
        Answer::Permitted(permit) => panic!("permitted: {permit:?}"),
        Answer::Refused(denial) => denial.needs.iter().map(String::as_str).collect(),
    }
}

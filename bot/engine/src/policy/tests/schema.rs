//! The schema made from the commands.

use std::str::FromStr as _;

use super::*;

#[test]
fn every_command_has_an_action_in_the_group_of_its_effect() {
    let text = Policies::schema(&commands());
    let schema = cedar_policy::Schema::from_str(&text).unwrap();
    let actions = schema.action_entities().unwrap();
    let uid = |name: &str| super::super::entities::uid("Action", name);
    for command in commands() {
        let group = match command.effect {
            EffectKind::Read => "read",
            EffectKind::Act => "act",
            EffectKind::Operation => "operate",
        };
        let name = command.path.join(" ");
        assert!(actions.is_ancestor_of(&uid(group), &uid(&name)), "{name} is not in {group}");
    }
    assert!(actions.get(&uid("break_glass")).is_some());
}

#[test]
fn approving_is_an_action_even_without_its_command() {
    assert!(Policies::schema(&[]).contains("action \"approve\" appliesTo"));
    assert!(Policies::schema(&commands()).contains("action \"approve\" in [act] appliesTo"));
}

#[test]
fn a_command_that_cannot_be_an_action_is_told() {
    let found = Policies::load(&[], &[command("read", EffectKind::Read)]).unwrap_err();
    assert_eq!(found[0].file, "schema");
}

#[test]
fn the_schema_of_two_commands() {
    let commands = [command("audit search", EffectKind::Read), command("deploy", EffectKind::Operation)];
    insta::assert_snapshot!(Policies::schema(&commands), @r#"
    entity Team;
    entity Person in [Team];
    entity Machine;

    // `owners`: the teams that own the service.
    // `deployers`, `approvers`: the teams that were named, or the owners where none was.
    // `machines`: the machine accounts among the deployers.
    entity Service = { owners: Set<Team>, deployers: Set<Team>, approvers: Set<Team>, machines: Set<Machine> };

    // `production`: true unless the configuration says otherwise.
    // `owners`: the teams that own any service that runs there.
    entity Environment = { production: Bool, owners: Set<Team> };

    // A service in an environment, named like api/prod.
    // `approvals`: how many the configuration asks for at least.
    entity Target in [Service, Environment] = { service: Service, environment: Environment, approvals: Long };

    // One target of an operation. An operation with several is asked about once for each.
    entity Operation in [Target] = {
      number: Long, asked_by: Person, target: Target, service: Service, environment: Environment
    };

    // A lock or a freeze that somebody holds.
    // `owner`: who holds it. `owners`: the teams that own any service under it.
    entity Lease = { owner: Person, owners: Set<Team> };

    entity Room;
    entity Trail;

    // Andon itself.
    // `owners`: the teams that own any service.
    entity House = { owners: Set<Team> };

    // `from`, `to`: of each step, as the card shows them.
    // `reversible`: there is a command that undoes it.
    type Plan = { steps: Long, from: Set<String>, to: Set<String>, reversible: Bool };

    action read, act, operate;

    action "approve" appliesTo {
      principal: [Person, Machine],
      resource: [Target, Service, Environment, Operation, Lease, Room, Trail, House],
      context: {
        platform: String, room: String, break_glass: Bool, has_reason: Bool, plan?: Plan,
        arguments: {}
      }
    };

    action "audit search" in [read] appliesTo {
      principal: [Person, Machine],
      resource: [Target, Service, Environment, Operation, Lease, Room, Trail, House],
      context: {
        platform: String, room: String, break_glass: Bool, has_reason: Bool, plan?: Plan,
        arguments: { "again"?: Bool, "at_most"?: Long, "service"?: String, "strategy"?: String }
      }
    };

    action "break_glass" appliesTo {
      principal: [Person, Machine],
      resource: [Target, Service, Environment, Operation, Lease, Room, Trail, House],
      context: {
        platform: String, room: String, break_glass: Bool, has_reason: Bool, plan?: Plan,
        arguments: {}
      }
    };

    action "deploy" in [operate] appliesTo {
      principal: [Person, Machine],
      resource: [Target, Service, Environment, Operation, Lease, Room, Trail, House],
      context: {
        platform: String, room: String, break_glass: Bool, has_reason: Bool, plan?: Plan,
        arguments: { "again"?: Bool, "at_most"?: Long, "service"?: String, "strategy"?: String }
      }
    };
    "#);
}

#[test]
fn policies_are_shared_between_tasks() {
    fn shared<T: Send + Sync>() {}
    shared::<Policies>();
}

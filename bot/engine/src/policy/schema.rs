//! The Cedar schema, made from the commands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use andon_core::{ArgumentKind, CommandSpec, EffectKind};

/// The actions that exist whether or not a command has their name: being one of those who may approve, and breaking the glass.
const BARE: [&str; 2] = ["approve", "break_glass"];

/// Everything but the actions.
const WORLD: &str = r"entity Team;
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
";

/// What applies to every action: a policy says for itself which resources it is about.
const APPLIES: &str = "principal: [Person, Machine],
  resource: [Target, Service, Environment, Operation, Lease, Room, Trail, House],";

/// An action.
#[derive(Default)]
pub(super) struct Action {
    /// The effect of its command; none for those that have no command.
    pub(super) effect: Option<EffectKind>,
    /// The arguments of its command by name.
    pub(super) arguments: BTreeMap<String, ArgumentKind>,
}

/// All actions by name.
pub(super) struct Actions(BTreeMap<String, Action>);

impl Actions {
    /// One for each command, and the bare ones.
    pub(super) fn of(commands: &[CommandSpec]) -> Self {
        let bare = BARE.into_iter().map(|name| (name.to_owned(), Action::default()));
        let of_commands = commands.iter().map(|command| (command.path.join(" "), Action::of(command)));
        Self(bare.chain(of_commands).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Action> {
        self.0.get(name)
    }

    /// The schema text. It does not depend on the order of the commands.
    pub(super) fn schema(&self) -> String {
        let mut text = WORLD.to_owned();
        for (name, action) in &self.0 {
            let group = action.effect.map(group).map(|group| format!(" in [{group}]")).unwrap_or_default();
            let arguments = action.declarations();
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\naction {name:?}{group} appliesTo {{
  {APPLIES}
  context: {{
    platform: String, room: String, break_glass: Bool, has_reason: Bool, plan?: Plan,
    arguments: {{{arguments}}}
  }}
}};
"
            );
        }
        text
    }
}

impl Action {
    fn of(command: &CommandSpec) -> Self {
        let arguments = command.arguments.iter().map(|argument| (attribute(&argument.name), argument.kind.clone()));
        Self { effect: Some(command.effect), arguments: arguments.collect() }
    }

    fn declarations(&self) -> String {
        let declared: Vec<_> =
            self.arguments.iter().map(|(name, kind)| format!("{name:?}?: {}", type_of(kind))).collect();
        if declared.is_empty() { String::new() } else { format!(" {} ", declared.join(", ")) }
    }
}

/// The name by which policies know an argument.
pub(super) fn attribute(name: &str) -> String {
    name.replace('-', "_")
}

const fn group(effect: EffectKind) -> &'static str {
    match effect {
        EffectKind::Read => "read",
        EffectKind::Act => "act",
        EffectKind::Operation => "operate",
    }
}

const fn type_of(kind: &ArgumentKind) -> &'static str {
    match kind {
        ArgumentKind::Flag => "Bool",
        ArgumentKind::Integer => "Long",
        ArgumentKind::Choice(_) | ArgumentKind::Text(_) => "String",
    }
}

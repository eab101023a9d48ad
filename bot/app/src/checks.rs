//! What only the whole program can say of a configuration: it knows the commands, and who it runs as.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use andon_commands::COMMANDS;
use andon_core::{Target, closest};
use andon_deployers::local;
use andon_engine::Grammar;
use anyhow::Result;

use crate::config::{Loaded, Problem};
use crate::wiring;

/// Aliases stand for commands.
///
/// Gives those that do not, each with its place.
pub(crate) fn aliases(loaded: &Loaded) -> Vec<String> {
    let grammar = Grammar::new(COMMANDS);
    let is_command = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        grammar
            .specs()
            .iter()
            .any(|spec| words.len() >= spec.path.len() && spec.path.iter().zip(&words).all(|(a, b)| a == b))
    };
    let wrong = loaded.aliases.iter().filter(|(_, line)| !is_command(&line.value));
    wrong
        .map(|(alias, line)| {
            let verb = line.value.split_whitespace().next().unwrap_or_default();
            let near = closest(verb, grammar.specs().iter().filter_map(|spec| spec.path.first()).map(String::as_str));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            Problem::new(&line.position, format!("`{alias}` stands for no command: there is no `{verb}`"), hint)
                .to_string()
        })
        .collect()
}

/// Two services cannot be reached at one address. Gives the later ones, each with its place.
///
/// # Errors
/// The folder of a configuration file is gone.
pub(crate) fn addresses(loaded: &Loaded) -> Result<Vec<String>> {
    let mut taken: BTreeMap<SocketAddr, Target> = BTreeMap::new();
    let mut problems = Vec::new();
    for (target, config) in wiring::local_targets(loaded)? {
        if config.listen.port() == 0 {
            continue;
        }
        match taken.get(&config.listen) {
            Some(first) => {
                let message = format!("{target} listens on {}, and so does {first}", config.listen);
                problems.push(Problem::new(&loaded.targets[&target].position, message, None).to_string());
            }
            None => drop(taken.insert(config.listen, target)),
        }
    }
    Ok(problems)
}

/// What is risky, or odd on this host: services that run as the bot's own user could read its key and database, and change them.
///
/// # Errors
/// The folder of a configuration file is gone.
pub(crate) fn warnings(loaded: &Loaded) -> Result<Vec<String>> {
    let told = wiring::local_targets(loaded)?.into_iter().filter_map(|(target, config)| {
        if local::runs_as_own_user(&config) {
            let what = "runs as the bot's own user, and can read its key and database; set `run_as` to another one";
            return Some(format!("{target} {what}"));
        }
        let position = &loaded.targets[&target].position;
        let name = config.run_as.as_ref().filter(|_| !local::knows_user(&config))?;
        Some(format!("{position}: {target} has `run_as = {name:?}`, and this host knows no such user"))
    });
    Ok(told.collect())
}

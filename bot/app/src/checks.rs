//! What only the whole program can say of a configuration: it knows the commands, and who it runs as.

use andon_commands::COMMANDS;
use andon_core::closest;
use andon_deployers::local;
use andon_engine::Grammar;
use anyhow::Result;

use crate::config::{Loaded, Problem};
use crate::wiring;

/// Aliases stand for commands.
///
/// # Errors
/// Those that do not, each with its place.
pub(crate) fn aliases(loaded: &Loaded) -> Result<(), Vec<String>> {
    let grammar = Grammar::new(COMMANDS);
    let is_command = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        grammar
            .specs()
            .iter()
            .any(|spec| words.len() >= spec.path.len() && spec.path.iter().zip(&words).all(|(a, b)| a == b))
    };
    let wrong = loaded.aliases.iter().filter(|(_, line)| !is_command(&line.value));
    let problems: Vec<String> = wrong
        .map(|(alias, line)| {
            let verb = line.value.split_whitespace().next().unwrap_or_default();
            let near = closest(verb, grammar.specs().iter().filter_map(|spec| spec.path.first()).map(String::as_str));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            Problem::new(&line.position, format!("`{alias}` stands for no command: there is no `{verb}`"), hint)
                .to_string()
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Services that run as the bot's own user could read its key and database, and change them.
///
/// # Errors
/// The folder of a configuration file is gone.
pub(crate) fn as_own_user(loaded: &Loaded) -> Result<Vec<String>> {
    let targets = wiring::local_targets(loaded)?;
    let own = targets.into_iter().filter(|(_, config)| local::runs_as_own_user(config));
    Ok(own
        .map(|(target, _)| {
            format!(
                "{target} runs as the bot's own user, and can read its key and database; set `run_as` to another one"
            )
        })
        .collect())
}

//! Reads `[slack]`: the section that switches Slack on.

use andon_commands::COMMANDS;
use andon_slack::{Config, Mode};

use super::problem::{Mismatch, Problems};
use super::section::Section;
use super::settings::one;
use super::tree::Node;
use super::value;
use super::world::values;

/// Reads `[slack]`, and the workspaces whose accounts are people's by their e-mail addresses.
pub(super) fn slack(root: &mut Section, problems: &mut Problems) -> (Option<Config>, Vec<String>) {
    let Some(mut section) = one(root, "slack", problems) else { return (None, Vec::new()) };
    let mode = section.optional("mode", problems, &mode).map_or(Mode::Socket, |mode| mode.value);
    section.must_hold("workspaces", problems);
    let workspaces = section.filled_list("workspaces", problems, &workspace).unwrap_or_default();
    let matched = section.list("match_email", problems, &workspace).unwrap_or_default();
    for workspace in &matched {
        if workspaces.iter().all(|served| served.value != workspace.value) {
            problems.add(&workspace.position, "this is none of the `workspaces`");
        }
    }
    let slash_commands = values(section.list("slash_commands", problems, &command).unwrap_or_default());
    let reconcile = section.optional("reconcile", problems, &value::boolean).is_none_or(|reconcile| reconcile.value);
    section.finish(problems);
    let matches_email = !matched.is_empty();
    let by_email = values(matched).into_iter().map(|workspace| format!("slack:{workspace}")).collect();
    (Some(Config { mode, workspaces: values(workspaces), matches_email, reconcile, slash_commands }), by_email)
}

fn mode(node: &Node) -> Result<Mode, Mismatch> {
    match value::line(node)?.as_str() {
        "socket" => Ok(Mode::Socket),
        "http" => Ok(Mode::Http),
        other => Err(Mismatch::unknown("expected \"socket\" or \"http\"".to_owned(), other, ["socket", "http"])),
    }
}

/// Slack's ids of workspaces begin with T, of organisations with E.
fn workspace(node: &Node) -> Result<String, Mismatch> {
    let id = value::line(node)?;
    let is_id =
        id.len() >= 3 && id.starts_with(['T', 'E']) && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if is_id { Ok(id) } else { Err("expected the id of a workspace, such as \"T0001\"".into()) }
}

/// The first word of a command, which becomes a slash command of its own.
fn command(node: &Node) -> Result<String, Mismatch> {
    let word = value::line(node)?;
    let mut words: Vec<_> = COMMANDS.iter().filter_map(|entry| entry.path.first().copied()).collect();
    words.dedup();
    if words.contains(&word.as_str()) {
        return Ok(word);
    }
    let message = "expected the first word of a command, such as \"deploy\"".to_owned();
    Err(Mismatch::unknown(message, &word, words))
}

//! The configuration: TOML files in, what the house knows of the world out.
//!
//! Reads a file or a folder of files, checks every key, value and reference, and reports as many problems as it can in one run, each with
//! file, line and column. Limits: a file of 1 MiB, 200 files, 5 000 services, lists of 1 000 items.
//!
//! What it does not do: it holds no secrets (they come by [`secret`] from environment variables or files, and what looks like one is
//! refused here), it does not look into policies, it does not know the commands that aliases expand to, and the keys of a deployer are
//! checked by that deployer.

mod graph;
mod names;
pub mod playground;
mod problem;
mod secret;
mod section;
mod services;
mod settings;
mod slack;
mod source;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod value;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use andon_core::{Catalog, Digest, Redactor, Target};

use names::Names;
use problem::Problems;
use section::Section;
use source::{Lines, Source};

pub use problem::{Placed, Position, Problem};
pub use secret::{Secret, SecretError, secret};
pub use services::{MOST_SERVICES, TargetConfig};
pub use settings::BotSettings;
pub use source::{LARGEST_FILE, MOST_FILES};

/// The deployers that targets may name, and how each checks its own keys.
pub struct Deployers<'a> {
    /// Their names.
    pub names: &'a [&'a str],
    /// Checks the keys of a target for the deployer of this name. An error is placed at the key of the target that it begins with, or at
    /// the first that it puts in back quotes; else at the target.
    pub check: &'a dyn Fn(&str, toml::Table) -> Result<(), String>,
}

/// A configuration without problems.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What it says of the world. Its `text` is what was read, redacted; its `version` is the digest of that.
    pub catalog: Catalog,
    /// How each target is deployed, for its deployer.
    pub targets: BTreeMap<Target, TargetConfig>,
    /// What it says of the bot.
    pub bot: BotSettings,
    /// Old verbs, what they stand for, and where that is said. The same as in `catalog`, with places.
    pub aliases: BTreeMap<String, Placed<String>>,
    /// For each machine with a token the name to ask [`secret`] for.
    pub machine_tokens: BTreeMap<String, Placed<String>>,
    /// What is odd, but not wrong.
    pub warnings: Vec<Problem>,
}

/// Loads the configuration at `path`: a file, or a folder whose `*.toml` are merged by section; and `policies/*.cedar` beside the file or
/// in the folder.
///
/// # Errors
/// Everything that is wrong with it, in the order of the files.
pub fn load(path: &Path, deployers: &Deployers<'_>) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let sources = source::configuration(path, &mut problems);
    let policies = source::policies(path, &mut problems);
    let mut loaded = build(&sources, deployers, problems)?;
    loaded.bot.policies = policies;
    Ok(loaded)
}

/// The policy files beside the configuration at `path`, as far as they can be read: [`load`] says what is wrong with the others.
pub fn policies(path: &Path) -> Vec<(String, String)> {
    source::policies(path, &mut Problems::default())
}

/// Loads a configuration that stands in no file; `name` is what problems call it.
///
/// # Errors
/// See [`load`].
pub fn load_text(name: &str, text: &str, deployers: &Deployers<'_>) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let source = Source { name: name.into(), text: text.to_owned() };
    if text.len() as u64 > LARGEST_FILE {
        problems.add(&Position::whole(&source.name), "the file is larger than 1 MiB");
    }
    build(&[source], deployers, problems)
}

fn build(sources: &[Source], deployers: &Deployers<'_>, mut problems: Problems) -> Result<Loaded, Vec<Problem>> {
    // With a file missing, half of all references would look wrong.
    if !problems.is_empty() {
        return Err(problems.into_sorted(&KNOWN));
    }
    let Some(table) = tree::merged(sources, &mut problems) else {
        return Err(problems.into_sorted(&KNOWN));
    };
    let mut root = Section::root(table, Position::whole(&all_files(sources)));
    let redaction = settings::redaction(&mut root, &mut problems);
    let redactor = redactor(&redaction);
    settings::refuse_secrets(root.left(), &redactor, &mut problems);
    let mut warnings = Problems::default();
    warn_of_comments(sources, &redactor, &mut warnings);
    let mut loaded = read(root, deployers, &mut problems, &mut warnings);
    if !problems.is_empty() {
        return Err(problems.into_sorted(&redactor));
    }
    loaded.catalog.text = redactor.redact(&joined(sources));
    loaded.catalog.version = Digest::of(&loaded.catalog.text);
    loaded.bot.redaction = redaction;
    loaded.warnings = warnings.into_sorted(&redactor);
    Ok(loaded)
}

/// Knows the secrets that are known without configuration. Made once: it takes longer than everything else here.
static KNOWN: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// Knows the secrets of `patterns` too, each of which compiles.
fn redactor(patterns: &[String]) -> Redactor {
    match patterns {
        [] => KNOWN.clone(),
        _ => Redactor::new(patterns).unwrap_or_else(|_| KNOWN.clone()),
    }
}

/// Reads everything but `[redaction]`; text, version and warnings are still to come.
fn read(mut root: Section, deployers: &Deployers<'_>, problems: &mut Problems, warnings: &mut Problems) -> Loaded {
    let names = Names::of(root.left());
    let (mut bot, settings::BotRooms { ops_room, anchor_rooms }) = settings::bot(&mut root, problems);
    let defaults = settings::defaults(&mut root, problems);
    let mut accounts = world::Accounts::default();
    let mut people = world::people(&mut root, &mut accounts, problems);
    let (machines, machine_tokens) = world::machines(&mut root, &mut accounts, problems);
    let teams = world::teams(&mut root, &names, &mut people, problems);
    let environments = world::environments(&mut root, &names, problems);
    let targets = BTreeMap::new();
    let mut reader = services::Reader { names: &names, teams: &teams, deployers, problems, warnings, targets };
    let services = reader.services(&mut root);
    let targets = reader.targets;
    let (slack, email_workspaces) = slack::slack(&mut root, problems);
    let rooms = settings::rooms(&mut root, &names, problems);
    let aliases = settings::aliases(&mut root, problems);
    root.finish(problems);
    bot.slack = slack;

    let catalog = Catalog {
        people,
        machines,
        teams,
        environments,
        services,
        rooms,
        aliases: aliases.iter().map(|(alias, line)| (alias.clone(), line.value.clone())).collect(),
        defaults,
        email_workspaces,
        anchor_rooms,
        ops_room,
        version: Digest::of(""),
        text: String::new(),
    };
    Loaded { catalog, targets, bot, aliases, machine_tokens, warnings: Vec::new() }
}

/// What problems of the whole configuration are said of.
fn all_files(sources: &[Source]) -> Arc<str> {
    match sources {
        [only] => Arc::clone(&only.name),
        _ => "the configuration".into(),
    }
}

/// The texts of all files, each under its name where there are several.
fn joined(sources: &[Source]) -> String {
    let file_name = |source: &Source| source.name.rsplit('/').next().unwrap_or_default().to_owned();
    match sources {
        [only] => only.text.clone(),
        several => several.iter().map(|source| format!("# {}\n{}\n", file_name(source), source.text)).collect(),
    }
}

/// Values that look like secrets are refused; comments are not, since they are prose, but the text is kept.
fn warn_of_comments(sources: &[Source], redactor: &Redactor, warnings: &mut Problems) {
    for source in sources {
        let lines = Lines::new(&source.name, &source.text);
        for (index, line) in source.text.lines().enumerate() {
            if line.trim_start().starts_with('#') && redactor.finds(line) {
                let message = "this comment looks as if it held a secret; the record keeps it redacted";
                warnings.add(&lines.position(lines.line_start(index + 1)), message);
            }
        }
    }
}

//! One grammar, made by clap from the registry.

use std::sync::{Mutex, PoisonError};

use andon_core::CommandSpec;
use clap::{ArgMatches, Args, FromArgMatches};

use super::{Asked, spec};
use crate::command::{Entry, Flags, Run};

/// The grammar of all commands of a registry.
pub struct Grammar {
    commands: &'static [Entry],
    /// Parsing wants it for itself, and leaves it as it was: a copy for each line would cost more than the parsing.
    root: Mutex<clap::Command>,
    specs: Vec<CommandSpec>,
}

impl Grammar {
    /// The grammar of `commands`.
    pub fn new(commands: &'static [Entry]) -> Self {
        let mut root =
            commands.iter().fold(bare("andon").no_binary_name(true), |root, entry| plant(root, entry.path, entry));
        root.build();
        let specs = commands.iter().map(|entry| spec::of(entry, &leaf(entry))).collect();
        Self { commands, root: Mutex::new(root), specs }
    }

    /// All commands as plain data, in the registry's order.
    pub fn specs(&self) -> &[CommandSpec] {
        &self.specs
    }

    /// The registry.
    pub fn commands(&self) -> &'static [Entry] {
        self.commands
    }

    /// The entry at `path`.
    pub fn entry(&self, path: &[String]) -> Option<&'static Entry> {
        self.commands.iter().find(|entry| entry.path.iter().eq(path.iter()))
    }

    /// Understands words. The command's own words may be capitalised, as phones do.
    ///
    /// # Errors
    /// Whatever clap says, unrendered.
    pub(crate) fn understand(&self, mut words: Vec<String>) -> Result<Asked, clap::Error> {
        let mut root = self.root.lock().unwrap_or_else(PoisonError::into_inner);
        let depth = depth(&root, &words);
        for word in &mut words[..depth] {
            word.make_ascii_lowercase();
        }
        let matches = root.try_get_matches_from_mut(words)?;
        drop(root);
        let mut matches = &matches;
        let mut path = Vec::new();
        while let Some((name, inner)) = matches.subcommand() {
            path.push(name.to_owned());
            matches = inner;
        }
        let entry = self.entry(&path).unwrap_or_else(|| unreachable!("the grammar was made from the registry"));
        Ok(Asked { entry, arguments: (entry.arguments)(matches)?, flags: flags(entry, matches)?, alias: None })
    }
}

/// How many of the first words name the command.
fn depth(root: &clap::Command, words: &[String]) -> usize {
    let mut here = root;
    let mut depth = 0;
    for word in words {
        depth += 1;
        match here.find_subcommand(word.to_ascii_lowercase()) {
            Some(inner) if inner.has_subcommands() => here = inner,
            _ => break,
        }
    }
    depth
}

fn flags(entry: &Entry, matches: &ArgMatches) -> Result<Flags, clap::Error> {
    match entry.run {
        Run::Read { .. } => Ok(Flags::default()),
        _ => {
            let flags = Flags::from_arg_matches(matches)?;
            // What says nothing is no reason.
            let reason = flags.reason.filter(|reason| reason.chars().any(char::is_alphanumeric));
            Ok(Flags { reason, ..flags })
        }
    }
}

fn bare(name: &'static str) -> clap::Command {
    clap::Command::new(name).disable_help_flag(true).disable_help_subcommand(true).disable_version_flag(true)
}

/// The command of an entry, with its arguments.
fn leaf(entry: &Entry) -> clap::Command {
    let name = entry.path.last().unwrap_or_else(|| unreachable!("a command has a name"));
    let command = (entry.grammar)(bare(name));
    match entry.run {
        Run::Read { .. } => command,
        // The doc comment of the flags must not become the command's.
        _ => {
            let (about, long) = (command.get_about().cloned(), command.get_long_about().cloned());
            Flags::augment_args(command).about(about.unwrap_or_default()).long_about(long.unwrap_or_default())
        }
    }
}

/// Puts an entry into the tree at `path`, making the groups on the way.
fn plant(parent: clap::Command, path: &[&'static str], entry: &Entry) -> clap::Command {
    match path {
        [_] => parent.subcommand_required(true).subcommand(leaf(entry)),
        [group, rest @ ..] => {
            let parent = parent.subcommand_required(true);
            if parent.find_subcommand(group).is_some() {
                parent.mut_subcommand(group, |inner| plant(inner, rest, entry))
            } else {
                parent.subcommand(plant(bare(group), rest, entry))
            }
        }
        [] => parent,
    }
}

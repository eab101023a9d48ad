//! `docs/commands.md` is generated from the registry, and checked to be what the registry would generate.

use andon_commands::COMMANDS;
use andon_core::{CommandSpec, EffectKind};
use andon_engine::Grammar;

fn section(spec: &CommandSpec) -> String {
    let effect = match spec.effect {
        EffectKind::Read if spec.answers_unrecorded => "Answers, also when the audit trail cannot be written.",
        EffectKind::Read => "Answers.",
        EffectKind::Act => "Changes Andon's own database, at once.",
        EffectKind::Operation => "Durable work outside.",
    };
    let mut text = format!("## {}\n\n{}. {effect}\n\n", spec.path.join(" "), spec.about);
    let details = spec.details.strip_prefix(&spec.about).unwrap_or(&spec.details).trim();
    if !details.is_empty() {
        text.push_str(&format!("{details}\n\n"));
    }
    for argument in &spec.arguments {
        let name = if argument.positional { format!("<{}>", argument.name) } else { format!("--{}", argument.name) };
        let needed = if argument.required { ", needed" } else { "" };
        text.push_str(&format!("- `{name}`{needed}: {}\n", argument.help));
    }
    format!("{text}\n```text\n{}\n```\n", spec.examples.join("\n"))
}

#[test]
fn the_document_is_what_the_registry_says() {
    let grammar = Grammar::new(COMMANDS);
    let sections: Vec<_> = grammar.specs().iter().map(section).collect();
    let wanted =
        format!("# Commands\n\nGenerated from the registry in `commands/src/lib.rs`.\n\n{}", sections.join("\n"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/commands.md");
    if std::env::var_os("ANDON_WRITE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/commands.md is stale; write it anew with ANDON_WRITE_DOCS=1 cargo test -p andon-commands"
    );
}

#[test]
fn every_example_is_understood_and_every_label_is_told() {
    let grammar = Grammar::new(COMMANDS);
    for spec in grammar.specs() {
        assert!(!spec.about.is_empty() && !spec.examples.is_empty(), "{:?} has no words", spec.path);
        for argument in &spec.arguments {
            assert!(!argument.help.is_empty(), "{:?}: {} has no words", spec.path, argument.name);
        }
        for example in &spec.examples {
            let heard = grammar.hear(example).unwrap_or_else(|refusal| panic!("{example}: {}", refusal.fact.plain()));
            assert_eq!(heard.map(|(name, _)| name), Some(spec.path.join(" ")), "{example}");
        }
    }
}

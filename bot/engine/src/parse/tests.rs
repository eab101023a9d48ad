//! What must hold of every text, with a small grammar of one read and one act.

use std::collections::BTreeMap;

use andon_core::{Catalog, Defaults, Digest, Failure, Message, Plan, Redactor};
use andon_store::Transaction;
use clap::Args;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::repair::{self, Heard, MAX_CHARACTERS};
use super::{Asked, Grammar, Parsed, parse};
use crate::command::{Act, Applied, Command, Entry, Read, act, read};
use crate::policy::Resource;
use crate::work::Work;

/// Look at something
#[derive(Args, Serialize, Deserialize)]
struct Look {
    /// At what
    at: Option<String>,
    /// How many
    #[arg(long, default_value_t = 3)]
    count: u32,
}

/// Put something somewhere
#[derive(Args, Serialize, Deserialize)]
struct Put {
    /// What
    #[arg(required = true)]
    what: Vec<String>,
    /// Where
    #[arg(long)]
    env: String,
}

impl Command for Look {
    const PATH: &'static [&'static str] = &["look"];
    const EXAMPLES: &'static [&'static str] = &["look"];

    async fn resources(&self, _: &Work) -> Result<Vec<Resource>, Failure> {
        unreachable!("nothing runs here")
    }
}

impl Read for Look {
    async fn answer(&self, _: &Work) -> Result<Message, Failure> {
        unreachable!("nothing runs here")
    }
}

impl Command for Put {
    const PATH: &'static [&'static str] = &["put", "down"];
    const EXAMPLES: &'static [&'static str] = &["put down it --env there"];

    async fn resources(&self, _: &Work) -> Result<Vec<Resource>, Failure> {
        unreachable!("nothing runs here")
    }
}

impl Act for Put {
    async fn plan(&self, _: &Work) -> Result<Plan, Failure> {
        unreachable!("nothing runs here")
    }

    async fn apply(&self, _: &Plan, _: &Work, _: &mut Transaction<'_>) -> Result<Applied, Failure> {
        unreachable!("nothing runs here")
    }
}

static COMMANDS: &[Entry] = &[read::<Look>(), act::<Put>()];

/// One grammar for all cases; clap builds it slowly.
struct Room {
    grammar: Grammar,
    catalog: Catalog,
    redactor: Redactor,
}

thread_local! {
    static ROOM: Room = Room { grammar: Grammar::new(COMMANDS), catalog: catalog(), redactor: Redactor::default() };
}

fn catalog() -> Catalog {
    let aliases = [("drop", "put down --env 'the floor'"), ("odd", "look \"open")];
    let aliases: BTreeMap<_, _> = aliases.map(|(alias, line)| (alias.to_owned(), line.to_owned())).into();
    Catalog {
        people: BTreeMap::new(),
        machines: BTreeMap::new(),
        teams: BTreeMap::new(),
        environments: BTreeMap::new(),
        services: BTreeMap::new(),
        rooms: Vec::new(),
        aliases,
        defaults: Defaults::default(),
        email_workspaces: Vec::new(),
        anchor_rooms: Vec::new(),
        ops_room: None,
        version: Digest::of(""),
        text: String::new(),
    }
}

fn heard(text: &str) -> Parsed {
    ROOM.with(|room| parse(&room.grammar, &room.catalog, &room.redactor, text))
}

/// The words of a command's text as a person could type them again; nothing for texts that are none.
fn again(text: &str) -> Option<(Vec<String>, String)> {
    let Ok(Heard::Words(words)) = repair::words(text) else { return None };
    // All in quotes: outside of them a long dash before a letter is an option.
    let quoted = |word: &String| format!("'{}'", word.replace('\'', "'\\''"));
    let line = words.iter().map(quoted).collect::<Vec<_>>().join(" ");
    // Joined, a word may hold what marks a code block or a quotation for the whole text, and quotes make a text longer.
    let quotes = line.lines().any(|line| line.trim_start().starts_with('>'));
    (!line.contains("```") && !quotes && line.chars().count() <= MAX_CHARACTERS).then_some((words, line))
}

fn said(asked: &Asked) -> (&'static [&'static str], String, Option<String>) {
    (asked.entry.path, asked.arguments.to_string(), asked.alias.clone())
}

/// Arbitrary texts, texts of what is special to the parser, and texts near a command.
fn texts() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "look",
            "Look",
            "put",
            "down",
            "drop",
            "odd",
            "--env",
            "—env",
            "--env=x",
            "--count",
            "--reason",
            "--dry-run",
            "--help",
            "-h",
            "--",
            "-",
            "=",
            "7",
            "99999999999",
            "“a b”",
            "it’s",
            "'",
            "\"",
            "`",
            "```",
            ">",
            "#",
            "\\",
            "\u{200b}",
            "\u{202e}",
            "\n",
            "\0",
            "\u{1b}[2J",
            "password=hunter2",
            "{}",
            "%s",
            "$HOME",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ];
    let line = prop::collection::vec(word, 0..10).prop_map(|words| words.join(" "));
    prop_oneof![2 => line, 1 => any::<String>(), 1 => "[ab '\"`\\\\#>—–…“’\n\u{a0}\u{200b}-]{0,40}"]
}

proptest! {
    #[test]
    fn the_parser_never_panics(text in texts()) {
        if let Parsed::Refused(refusal) = heard(&text) {
            // What is refused is told in one line, without what could mislead.
            let told = format!("{}{}", refusal.fact.plain(), refusal.next_step.plain());
            prop_assert!(!told.chars().any(|letter| letter.is_control() && letter != '\n'), "{told:?}");
        }
    }

    #[test]
    fn what_was_repaired_is_heard_the_same_when_repaired_again(text in texts()) {
        if let Some((words, line)) = again(&text) {
            prop_assert_eq!(repair::words(&line), Ok(Heard::Words(words)), "{}", line);
            match (heard(&text), heard(&line)) {
                (Parsed::Command(one), Parsed::Command(other)) => prop_assert_eq!(said(&one), said(&other)),
                (Parsed::Refused(_), Parsed::Refused(_)) | (Parsed::NotACommand, Parsed::NotACommand) => {}
                _ => prop_assert!(false, "{text:?} and {line:?} are heard differently"),
            }
        }
    }

    #[test]
    fn an_act_with_a_secret_is_refused(before in "[a-z ]{0,8}", after in "[a-z ]{0,8}") {
        let text = format!("put down '{before} password=hunter22 {after}' --env x");
        prop_assert!(matches!(heard(&text), Parsed::Refused(_)));
    }
}

#[test]
fn the_small_grammar_is_one() {
    let Parsed::Command(asked) = heard("Look “over there” —count 4") else { panic!("not understood") };
    assert_eq!(said(&asked), (&["look"][..], r#"{"at":"over there","count":4}"#.to_owned(), None));
    let Parsed::Command(asked) = heard("drop it") else { panic!("not understood") };
    assert_eq!(said(&asked).2.as_deref(), Some("drop"));
}

#[test]
fn a_secret_is_never_repeated() {
    let token = format!("ghp_{}", "a".repeat(36));
    let disguised =
        [token.clone(), token.replace("_a", "_\u{200b}a"), token.replace("aa", "a\"\"a"), token.replace("aa", "\\aa")];
    for token in disguised {
        // An act that is not understood, a command that there is none of, a read, and one that could not even be split.
        for line in ["put down it {} --wher x", "frobnicate {}", "look {}", "put down 'it {} --env x"] {
            let text = line.replace("{}", &token);
            let Parsed::Refused(refusal) = heard(&text) else { panic!("{text} was taken") };
            assert!(refusal.fact.plain().starts_with("That holds a secret"), "{text}: {refusal:?}");
        }
    }
}

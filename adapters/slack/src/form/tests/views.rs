//! Views as they look.

use andon_core::{Action, ArgumentKind, Block, Line, Message, Style};
use proptest::prelude::*;
use slack_morphism::prelude::SlackView;

use super::{can, command, deploy, limits, text, values};
use crate::form::{
    Metadata, Place, argument_of, command_of, errors, form, preview, reason, reason_form, suggestions, waiting,
};
use crate::render::tests::messages;
use crate::render::tests::people;
use crate::render::tests::properties::{message, text as any_text};

fn place() -> Place {
    "slack:T1/C1#17.5".parse().expect("a room")
}

#[test]
fn a_form_has_an_input_for_each_argument() {
    let given = values([("service", "hello"), ("again", "true"), ("strategy", "canary"), ("percent", "5")]);
    let view = form(&deploy(), &given, &place());
    limits::check(&view);
    insta::assert_snapshot!(view.pretty());
}

#[test]
fn the_rest_of_a_line_is_text() {
    let view = form(&can(), &values([]), &place());
    limits::check(&view);
    insta::assert_snapshot!(view.pretty());
}

#[test]
fn a_reason_is_asked_for() {
    let view = reason_form("deny op-2", "Deny", &place());
    limits::check(&view);
    insta::assert_snapshot!(view.pretty());
    assert_eq!(reason(&serde_json::json!({ "reason": { "reason": { "value": "no" } } })), "no");
    assert_eq!(reason(&serde_json::json!({})), "");
}

#[test]
fn a_preview_says_the_first_primary_line() {
    let view = preview(&messages::waiting(), &people, &place(), "form-1");
    limits::check(&view);
    insta::assert_snapshot!(view.pretty());
}

#[test]
fn a_preview_without_a_next_step_has_no_button() {
    for message in [messages::done(), messages::refusal(), messages::help()] {
        let view = preview(&message, &people, &place(), "form-1");
        limits::check(&view);
        assert!(view.json().get("submit").is_none());
    }
    limits::check(&waiting("form-1"));
}

#[test]
fn a_preview_without_room_says_so() {
    let message = Message::new("Found 500").block(Block::List(vec![Line::from("x".repeat(100)); 500]));
    let view = preview(&message, &people, &place(), "form-1");
    limits::check(&view);
    let blocks = view.json()["blocks"].as_array().cloned().expect("blocks");
    let last = blocks.last().map(ToString::to_string).unwrap_or_default();
    assert!(last.contains("of 501 lines are shown."), "{last}");
}

#[test]
fn a_line_that_cannot_be_remembered_cannot_be_submitted() {
    let line = "x".repeat(3_000);
    let message = Message::new("Deploy?").action(Action {
        label: "Deploy".into(),
        style: Style::Primary,
        line: line.clone(),
        ask: andon_core::Ask::Nothing,
    });
    let view = preview(&message, &people, &place(), "form-1");
    limits::check(&view);
    assert!(view.json().get("submit").is_none());
    let view = reason_form(&line, "Deny", &place());
    limits::check(&view);
    let metadata = view.json()["private_metadata"].as_str().and_then(Metadata::read).expect("metadata");
    assert_eq!((metadata.line.as_str(), metadata.place), ("", place()));
}

#[test]
fn ids_name_commands_and_arguments() {
    assert_eq!(command_of("form:audit search"), Some(vec!["audit".to_owned(), "search".to_owned()]));
    assert_eq!(command_of("preview"), None);
    assert_eq!(argument_of("argument:env"), Some("env"));
    assert_eq!(argument_of("act:0"), None);
}

#[test]
fn a_refusal_stands_under_its_field() {
    let error = |field| errors(&messages::refusal(), &deploy(), field).expect("it has fields")["errors"].clone();
    let words = "Refused: There is no service “helo ⏎ <!here>”. Next: did you mean hello?";
    assert_eq!(error(Some("env")), serde_json::json!({ "env": words }));
    assert_eq!(error(None), serde_json::json!({ "service": words }));
    assert_eq!(error(Some("dry-run")), serde_json::json!({ "service": words }));
    let long = errors(&Message::new("x".repeat(200)), &deploy(), None).expect("it has fields");
    assert_eq!(long["errors"]["service"].as_str().map(|text| text.chars().count()), Some(150));
    let whoami = command("whoami", andon_core::EffectKind::Read, Vec::new());
    assert_eq!(errors(&messages::refusal(), &whoami, None), None);
}

#[test]
fn suggestions_are_what_slack_takes() {
    let wide = "w".repeat(100);
    let response = suggestions(&["v1".to_owned(), String::new(), "x".repeat(151), wide.clone()]);
    let json = serde_json::to_value(response).expect("a response is JSON");
    let text = |text: &str| serde_json::json!({ "type": "plain_text", "text": text, "emoji": false });
    let cut = format!("{}…", "w".repeat(74));
    let options = serde_json::json!([{ "text": text("v1"), "value": "v1" }, { "text": text(&cut), "value": wide }]);
    assert_eq!(json, serde_json::json!({ "options": options }));
    let many = suggestions(&vec!["v".to_owned(); 101]);
    assert_eq!(serde_json::to_value(many).expect("JSON")["options"].as_array().map(Vec::len), Some(100));
}

fn any_kind() -> impl Strategy<Value = ArgumentKind> {
    prop_oneof![
        Just(ArgumentKind::Flag),
        Just(ArgumentKind::Integer),
        Just(text()),
        Just(super::one_of(andon_core::Completion::Services)),
        prop::collection::vec(any_text(), 0..120).prop_map(ArgumentKind::Choice),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_form_is_one_that_slack_takes(kind in any_kind(), help in any_text(), given in any_text(), positional: bool) {
        let first = super::ArgumentSpec { positional, help, ..super::argument("first", kind.clone()) };
        let chosen = match &kind {
            ArgumentKind::Choice(choices) => choices.first().cloned().unwrap_or_default(),
            _ => given.clone(),
        };
        let spec = command("audit search", andon_core::EffectKind::Act, vec![first]);
        limits::check(&form(&spec, &values([("first", &chosen), ("other", &given)]), &place()));
    }

    #[test]
    fn every_preview_is_one_that_slack_takes(message in message()) {
        limits::check(&preview(&message, &people, &place(), "form-1"));
    }
}

/// Views as JSON.
pub(super) trait SlackJson {
    /// As a value.
    fn json(&self) -> serde_json::Value;

    /// As text for people.
    fn pretty(&self) -> String;
}

impl SlackJson for SlackView {
    fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("a view is JSON")
    }

    fn pretty(&self) -> String {
        // Not by way of a value, whose order is that of whatever features other crates ask for.
        serde_json::to_string_pretty(self).expect("a view is JSON")
    }
}

//! A plan's digest: of all that it changes, and of nothing else.

use andon_core::{Change, Digest, Finding, Gate, GateState, Line, Plan, Step};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn digests() -> impl Strategy<Value = Digest> {
    any::<[u8; 4]>().prop_map(Digest::of)
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("\\PC{0,8}")
}

fn step() -> impl Strategy<Value = Step> {
    let names = ("[a-z]{1,5}/[a-z]{1,5}", some_text(), some_text());
    let rest = (prop::collection::vec(digests(), 0..3), some_text(), prop::option::of(digests()));
    (names, rest).prop_map(|((target, from, to), (artifacts, generation, configuration))| Step {
        target,
        from,
        to,
        artifacts,
        generation,
        configuration,
    })
}

fn argument() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::collection::vec("[a-z]{0,4}", 0..3).prop_map(Value::from),
    ]
}

fn arguments() -> impl Strategy<Value = Vec<(String, Value)>> {
    prop::collection::btree_map("[a-zé😀ﬀ]{1,5}", argument(), 0..6).prop_map(|members| members.into_iter().collect())
}

fn change() -> impl Strategy<Value = Change> {
    let parts =
        (prop::collection::vec("[a-z]{1,6}", 1..3), arguments(), prop::collection::vec(step(), 0..4), some_text());
    parts.prop_map(|(command, arguments, steps, undo)| Change { command, arguments: object(arguments), steps, undo })
}

fn object(members: Vec<(String, Value)>) -> Value {
    Value::Object(members.into_iter().collect::<Map<_, _>>())
}

fn digest(change: &Change) -> Digest {
    change.digest().unwrap()
}

/// The change with each of its parts changed, one at a time.
fn altered(change: &Change) -> Vec<(&'static str, Change)> {
    let mut all = Vec::new();
    let mut alter = |part, how: &dyn Fn(&mut Change)| {
        let mut other = change.clone();
        how(&mut other);
        all.push((part, other));
    };
    let longer = |text: &Option<String>| Some(format!("{}!", text.clone().unwrap_or_default()));
    alter("command", &|change| change.command.push("now".into()));
    alter("arguments", &|change| change.arguments["another"] = json!(1));
    alter("undo", &|change| change.undo = longer(&change.undo));
    alter("one more step", &|change| {
        let artifacts = Vec::new();
        let step =
            Step { target: "a/b".into(), from: None, to: None, artifacts, generation: None, configuration: None };
        change.steps.push(step);
    });
    if change.steps.is_empty() {
        return all;
    }
    alter("one step less", &|change| drop(change.steps.pop()));
    alter("target", &|change| change.steps[0].target.push('x'));
    alter("from", &|change| change.steps[0].from = longer(&change.steps[0].from));
    alter("to", &|change| change.steps[0].to = longer(&change.steps[0].to));
    alter("artifacts", &|change| change.steps[0].artifacts.push(Digest::of("another")));
    alter("generation", &|change| change.steps[0].generation = longer(&change.steps[0].generation));
    alter("configuration", &|change| change.steps[0].configuration = Some(Digest::of("another")));
    if change.steps[0] != change.steps[change.steps.len() - 1] {
        alter("order of steps", &|change| change.steps.reverse());
    }
    all
}

proptest! {
    #[test]
    fn every_part_of_a_change_is_in_its_digest(change in change()) {
        for (part, other) in altered(&change) {
            prop_assert_ne!(digest(&change), digest(&other), "{}", part);
        }
    }

    #[test]
    fn a_text_is_never_taken_for_its_neighbour(change in change()) {
        let mut from = change.clone();
        from.steps.push(Step { target: "a/b".into(), from: Some("x".into()), to: None, artifacts: vec![], generation: None, configuration: None });
        let mut to = change;
        to.steps.push(Step { target: "a/b".into(), from: None, to: Some("x".into()), artifacts: vec![], generation: None, configuration: None });
        prop_assert_ne!(digest(&from), digest(&to));
    }

    #[test]
    fn the_order_of_members_is_not(change in change(), members in arguments().prop_shuffle()) {
        let mut shuffled = change.clone();
        let mut sorted = members.clone();
        sorted.sort_by(|left, right| left.0.cmp(&right.0));
        shuffled.arguments = object(members);
        let sorted = Change { arguments: object(sorted), ..change };
        prop_assert_eq!(digest(&shuffled), digest(&sorted));
        // Nor is how it was kept in between.
        let text = serde_json::to_string(&shuffled).unwrap();
        prop_assert_eq!(digest(&serde_json::from_str(&text).unwrap()), digest(&sorted));
    }

    #[test]
    fn absent_parts_are_left_out_as_in_a_record(mut change in change()) {
        let before = digest(&change);
        change.arguments["absent"] = Value::Null;
        prop_assert_eq!(digest(&change), before);
    }

    #[test]
    fn findings_and_summary_are_not(change in change(), words in "\\PC{0,20}") {
        let plain = Plan { summary: Line::new(), change: change.clone(), findings: Vec::new() };
        let note = Finding::Note { name: words.clone(), value: Line::new().outside(&words) };
        let gate = Finding::Gate { gate: Gate::Lock, state: GateState::Closed, reason: Line::from(&*words) };
        let found = Plan { summary: Line::from(words), change: change.clone(), findings: vec![note, gate] };
        prop_assert_eq!(found.digest().unwrap(), plain.digest().unwrap());
        prop_assert_eq!(plain.digest().unwrap(), digest(&change));
    }
}

/// A digest once given stays: approvals and records name it.
#[test]
fn the_digest_of_a_known_change() {
    let change = Change {
        command: vec!["deploy".into()],
        arguments: json!({ "version": "v2", "service": "hello", "again": null }),
        steps: vec![Step {
            target: "hello/prod".into(),
            from: None,
            to: Some("v2".into()),
            artifacts: vec![],
            generation: Some("7".into()),
            configuration: None,
        }],
        undo: None,
    };
    let canonical = concat!(
        r#"{"arguments":{"service":"hello","version":"v2"},"command":["deploy"],"#,
        r#""steps":[{"artifacts":[],"generation":"7","target":"hello/prod","to":"v2"}]}"#
    );
    assert_eq!(digest(&change), Digest::of(format!("andon plan v1\n{canonical}")));
}

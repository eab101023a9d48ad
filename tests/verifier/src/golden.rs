//! A trail that the bot wrote once, in the playground: deploys that were approved, denied, withdrawn and refused, a lock and a freeze. What
//! was written stays readable, so this file never changes.

use serde_json::Value;

use crate::{Disclosure, Leaf, Problem, Trail, verify};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn golden() -> (Trail, String) {
    let golden: Value = serde_json::from_str(include_str!("../fixture/playground.json")).unwrap();
    let disclosure = |value: &Value| Disclosure {
        path: text(&value["path"]),
        salt: hex::decode(text(&value["salt"])).unwrap(),
        value: text(&value["value"]),
    };
    let leaf = |value: &Value| Leaf {
        bytes: text(&value["leaf"]).into_bytes(),
        disclosures: value["disclosures"].as_array().unwrap().iter().map(disclosure).collect(),
    };
    let leaves = golden["leaves"].as_array().unwrap().iter().map(leaf).collect();
    let checkpoints = golden["checkpoints"].as_array().unwrap().iter().map(text).collect();
    (Trail { leaves, checkpoints, texts: Vec::new() }, text(&golden["key"]))
}

#[test]
fn a_trail_that_the_bot_wrote_holds() {
    let (trail, key) = golden();
    assert_eq!(verify(&trail, &key), Vec::<Problem>::new());
    let told: String = trail.leaves.iter().map(|leaf| String::from_utf8_lossy(&leaf.bytes).into_owned()).collect();
    for kind in ["asked", "planned", "approved", "started", "finished"] {
        assert!(told.contains(&format!("\"kind\":\"{kind}\"")), "{kind}");
    }
}

#[test]
fn every_record_of_it_counts() {
    let (trail, key) = golden();
    for number in 0..trail.leaves.len() {
        let mut cut = trail.clone();
        cut.leaves.remove(number);
        assert!(!verify(&cut, &key).is_empty(), "#{number}");
    }
}

/// What every record of a kind must say, for whoever has to judge it years later: what, when, who, where, by which rules, with what end.
const MUST_SAY: &[(&str, &[&str])] = &[
    ("opened", &["/details/pid"]),
    ("configuration_loaded", &["/details/configuration", "/details/policies"]),
    ("asked", &[SAID, DECIDED]),
    ("answered", &[SAID, ENDED]),
    ("denied", &[SAID, ENDED]),
    ("planned", &[SAID, DECIDED, PLANNED, "/targets/0"]),
    ("applied", &[SAID, DECIDED, PLANNED, ENDED, "/targets/0"]),
    ("approved", &[SAID, DECIDED, AGREED, ENDED, OF_AN_OPERATION]),
    ("objected", &[SAID, DECIDED, AGREED, ENDED, OF_AN_OPERATION]),
    ("cancelled", &[SAID, DECIDED, ENDED, OF_AN_OPERATION]),
    ("started", &[DECIDED, PLANNED, DONE, BY_THE_BOT, OF_AN_OPERATION]),
    (
        "finished",
        &[DONE, ENDED, BY_THE_BOT, OF_AN_OPERATION, "/effect/started", "/effect/ended", "/effect/observed/commitment"],
    ),
    ("closed", &[]),
];

const ALWAYS: &str = "/schema /origin /id /kind /andon /drill /targets /details /when/recorded /when/clock";
const SAID: &str = "/when/happened /when/received /invocation /who/number /who/person/commitment /who/identity/commitment \
    /who/platform /who/teams /who/proof /place/platform /place/room/commitment /said/raw/commitment /said/command /said/arguments";
const DECIDED: &str = "/decision/allowed /decision/policies /decision/policy_version /decision/configuration \
    /decision/approvals_needed /decision/gates";
const PLANNED: &str = "/plan/digest /plan/change/command /plan/change/arguments /plan/change/steps/0/target /plan/risk";
const AGREED: &str = "/approval/digest /approval/eligible_by /approval/shown/commitment /approval/shown_at /approval/answered_at \
    /approval/step_up /approval/count /approval/needed";
const DONE: &str = "/effect/backend /effect/key /effect/attempt /effect/fence";
const ENDED: &str = "/outcome/state /outcome/text/commitment";
const BY_THE_BOT: &str = "/who/identity/commitment /who/proof /who/on_behalf_of";
const OF_AN_OPERATION: &str =
    "/operation /operation_number /invocation /parent /targets/0/service /targets/0/environment";

#[test]
fn every_record_says_what_its_kind_must() {
    let (trail, _) = golden();
    let mut kinds = std::collections::BTreeSet::new();
    for (number, leaf) in trail.leaves.iter().enumerate() {
        let record: Value = serde_json::from_slice(&leaf.bytes).unwrap();
        let kind = text(&record["kind"]);
        let (_, must) = MUST_SAY.iter().find(|(known, _)| *known == kind).unwrap_or_else(|| panic!("{kind}"));
        for place in std::iter::once(&ALWAYS).chain(*must).flat_map(|places| places.split_whitespace()) {
            assert!(record.pointer(place).is_some(), "#{number}, {kind}, does not say {place}");
        }
        kinds.insert(kind);
    }
    let known = MUST_SAY.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    assert_eq!(kinds, known, "a kind that is not in this trail is not tested");
}

#[test]
fn what_becomes_of_an_operation_names_the_record_of_its_plan() {
    let (trail, _) = golden();
    let mut planned = std::collections::BTreeMap::new();
    for leaf in &trail.leaves {
        let record: Value = serde_json::from_slice(&leaf.bytes).unwrap();
        match record["operation"].as_str().map(str::to_owned) {
            Some(operation) if record["kind"] == "planned" => {
                planned.insert(operation, text(&record["id"]));
            }
            Some(operation) => assert_eq!(Some(&text(&record["parent"])), planned.get(&operation)),
            None => assert!(record.get("parent").is_none()),
        }
    }
    assert!(planned.len() > 1);
}

#[test]
fn details_are_those_that_the_document_names() {
    let document = include_str!("../../../docs/record.md");
    for leaf in &golden().0.leaves {
        let record: Value = serde_json::from_slice(&leaf.bytes).unwrap();
        let kind = text(&record["kind"]);
        for name in record["details"].as_object().unwrap().keys() {
            assert!(document.contains(&format!("| `{kind}` | `details.{name}` |")), "{kind}: details.{name}");
        }
    }
}

//! A trail that the bot wrote once: two deploys in the playground, the second one approved by somebody else. What was written stays
//! readable, so this file never changes.

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

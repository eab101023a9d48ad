//! The stories that records can tell, and those that contradict themselves, rule by rule of `docs/record.md`.

use andon_core::{Digest, Entropy, RecordId};
use andon_trail::{Leaf, Report, SigningKey, Verdict, Verifier, sign, tree};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{entropy, naive};

const OPERATION: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn leaf(members: Value, entropy: &dyn Entropy) -> Vec<u8> {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let mut record = json!({
        "schema": 1, "origin": "trail.test", "id": RecordId::new(at, entropy), "when": { "recorded": at },
        "operation": OPERATION,
    });
    record.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    serde_json_canonicalizer::to_vec(&record).unwrap()
}

fn plan(version: &str) -> Value {
    let change = json!({ "command": ["deploy"], "arguments": { "version": version }, "steps": [] });
    let bytes = serde_json_canonicalizer::to_vec(&change).unwrap();
    let digest = Digest::from_bytes(Sha256::digest([&b"andon plan v1\n"[..], &bytes].concat()).into());
    json!({ "digest": digest, "change": change, "risk": "normal" })
}

fn planned(needed: u64) -> Value {
    let decision = json!({ "allowed": true, "approvals_needed": needed, "gates": [] });
    json!({ "kind": "planned", "who": { "number": 1 }, "decision": decision, "plan": plan("v2") })
}

fn approved(by: i64, version: &str) -> Value {
    let approval = json!({ "digest": plan(version)["digest"] });
    json!({ "kind": "approved", "who": { "number": by }, "approval": approval })
}

fn started(version: &str) -> Value {
    json!({ "kind": "started", "who": { "on_behalf_of": 1 }, "plan": plan(version) })
}

fn ended(kind: &str, state: &str) -> Value {
    json!({ "kind": kind, "outcome": { "state": state } })
}

fn verify(records: Vec<Value>) -> Report {
    let entropy = entropy();
    let leaves: Vec<_> = records.into_iter().map(|record| leaf(record, &entropy)).collect();
    let key = SigningKey::generate("trail.test", &entropy).unwrap();
    let mut verifier = Verifier::new(Some(key.verifier_key().clone()), None);
    for (number, bytes) in (0..).zip(&leaves) {
        let hash = tree::leaf_hash(bytes);
        verifier.leaf(&Leaf { number, bytes, hash, index: None, disclosures: &[], texts: &[] });
    }
    let root = Digest::from_bytes(naive(&leaves));
    verifier.checkpoint(&sign(&key, leaves.len() as u64, root).unwrap().note);
    verifier.finish()
}

#[test]
fn stories_that_can_be_told() {
    let succeeded = || ended("finished", "succeeded");
    let mut exempt = planned(1);
    exempt["decision"]["gates"] = json!([{ "gate": "approval", "state": "exempt" }]);
    for records in [
        vec![planned(0), started("v2"), succeeded()],
        vec![planned(2), approved(2, "v2"), approved(3, "v2"), started("v2"), succeeded()],
        vec![exempt, started("v2"), succeeded()],
        vec![
            planned(0),
            started("v2"),
            ended("resumed", ""),
            ended("cancelled", "applied"),
            ended("finished", "cancelled"),
        ],
        vec![planned(0), started("v2"), ended("finished", "unknown"), ended("settled", "applied")],
        vec![planned(0), ended("finished", "failed")],
        vec![planned(1), ended("objected", "applied")],
        vec![planned(1), ended("expired", "expired")],
        vec![planned(1), ended("cancelled", "applied")],
        vec![planned(0), started("v2"), succeeded(), ended("observed", "gone")],
    ] {
        let report = verify(records);
        assert_eq!((report.verdict, report.open, report.problems), (Verdict::Holds, Vec::new(), Vec::new()));
    }
}

#[test]
fn an_operation_without_an_end_is_open_and_no_fault() {
    let report = verify(vec![planned(0), started("v2")]);
    assert_eq!((report.verdict, report.open), (Verdict::Holds, vec![OPERATION.to_owned()]));
}

#[test]
fn stories_that_contradict_themselves() {
    let succeeded = || ended("finished", "succeeded");
    let mut denied = planned(0);
    denied["decision"]["allowed"] = json!(false);
    let mut silent = planned(0);
    silent["decision"].as_object_mut().unwrap().remove("approvals_needed");
    let mut other = started("v2");
    other["who"]["on_behalf_of"] = json!(2);
    let mut nobody = approved(2, "v2");
    nobody["who"].as_object_mut().unwrap().clear();
    let mut forged = planned(0);
    forged["plan"]["change"]["arguments"]["version"] = json!("v3");
    let unapproved = "it starts an operation without the approvals that it needs";
    for (records, problem) in [
        (vec![started("v2"), succeeded()], "it starts what was never planned"),
        (vec![approved(2, "v2")], "it approves what was never planned"),
        (vec![ended("expired", "expired")], "it ends what was never planned"),
        (vec![denied], "it plans an operation without being allowed to"),
        (vec![planned(0), planned(0)], "it plans an operation a second time"),
        (vec![planned(0), succeeded(), planned(0)], "it plans an operation that has started or ended"),
        (vec![planned(1), started("v2"), succeeded()], unapproved),
        (vec![planned(2), approved(2, "v2"), started("v2"), succeeded()], unapproved),
        (vec![planned(2), approved(2, "v2"), approved(2, "v2"), started("v2"), succeeded()], unapproved),
        (vec![silent, started("v2"), succeeded()], unapproved),
        (vec![planned(0), approved(1, "v2")], "it is an approval by the asker, or by nobody"),
        (vec![planned(0), nobody], "it is an approval by the asker, or by nobody"),
        (vec![planned(0), approved(2, "v3")], "it approves another plan than its operation's"),
        (vec![planned(0), started("v2"), approved(2, "v2")], "it approves an operation that has started or ended"),
        (vec![planned(0), started("v3"), succeeded()], "it starts another plan than its operation's"),
        (vec![planned(0), other, succeeded()], "it starts an operation for somebody else than its asker"),
        (vec![planned(1), ended("objected", ""), started("v2"), succeeded()], unapproved),
        (
            vec![planned(0), ended("cancelled", ""), started("v2"), succeeded()],
            "it starts an operation a second time, or after its end",
        ),
        (vec![planned(0), started("v2"), started("v2")], "it starts an operation a second time, or after its end"),
        (
            vec![planned(0), started("v2"), ended("expired", "")],
            "it ends an operation as if nothing had been started or ended",
        ),
        (vec![planned(0), started("v2"), succeeded(), succeeded()], "it finishes an operation a second time"),
        (vec![planned(0), succeeded()], "it finishes what was never started"),
        (vec![planned(0), ended("resumed", "")], "it resumes what is not running"),
        (
            vec![planned(0), started("v2"), succeeded(), ended("settled", "")],
            "it settles an operation whose end was not unknown",
        ),
        (vec![forged], "the digest of its plan is not that of the change"),
    ] {
        let report = verify(records);
        assert_eq!(report.verdict, Verdict::Broken, "{problem}");
        assert!(report.problems.iter().any(|found| found.ends_with(problem)), "{problem}: {:?}", report.problems);
    }
}

#[test]
fn texts_must_be_kept_and_be_what_their_digests_say() {
    let loaded = json!({ "kind": "configuration_loaded", "details": { "policies": Digest::of("rules") } });
    let entropy = entropy();
    let bytes = leaf(loaded, &entropy);
    let key = SigningKey::generate("trail.test", &entropy).unwrap();
    let problems = |kept: &[&str]| {
        let mut verifier = Verifier::new(Some(key.verifier_key().clone()), None);
        let hash = tree::leaf_hash(&bytes);
        verifier.leaf(&Leaf { number: 0, bytes: &bytes, hash, index: None, disclosures: &[], texts: &[] });
        verifier.checkpoint(&sign(&key, 1, hash).unwrap().note);
        kept.iter().for_each(|text| verifier.text(Digest::of("rules"), text));
        verifier.finish().problems
    };
    assert_eq!(problems(&["rules"]), Vec::<String>::new());
    assert!(problems(&[])[0].ends_with("that it names is not kept"));
    assert!(problems(&["other rules"])[0].ends_with("has another digest"));
}

//! A small trail made by hand, and everything that can be done to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Disclosure, Kind, Leaf, Text, Trail, canonical, root, sha256, verify};

const ORIGIN: &str = "example.org/andon";
const SALT: &[u8; 16] = b"sixteen bytes ok";

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn key_id(origin: &str, signer: &SigningKey) -> Vec<u8> {
    let public = signer.verifying_key();
    Sha256::digest([origin.as_bytes(), b"\n\x01", public.as_bytes()].concat())[..4].to_vec()
}

fn verifier_key(origin: &str, signer: &SigningKey) -> String {
    let public = STANDARD.encode([&[1][..], signer.verifying_key().as_bytes()].concat());
    format!("{origin}+{}+{public}", hex::encode(key_id(origin, signer)))
}

fn pinned() -> String {
    verifier_key(ORIGIN, &signer(1))
}

fn note(origin: &str, signer: &SigningKey, leaves: &[Leaf]) -> String {
    let root = STANDARD.encode(hex::decode(root(leaves)).unwrap());
    let text = format!("{origin}\n{}\n{root}\n", leaves.len());
    let signature = [&key_id(origin, signer)[..], &signer.sign(text.as_bytes()).to_bytes()].concat();
    format!("{text}\n— {origin} {}\n", STANDARD.encode(signature))
}

fn id(number: usize) -> String {
    format!("01ARZ3NDEKTSV4RRFFQ69G{number:04}")
}

fn leaf(number: usize, members: Value) -> Leaf {
    let mut record =
        json!({ "schema": 1, "origin": ORIGIN, "id": id(number), "when": { "recorded": "2026-11-24T00:00:00Z" } });
    record.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    Leaf { bytes: canonical::text_of(&record).unwrap().into_bytes(), disclosures: Vec::new() }
}

fn plan(version: &str) -> Value {
    let change = json!({ "command": ["deploy"], "arguments": { "version": version }, "steps": [] });
    let digest = sha256(format!("andon plan v1\n{}", canonical::text_of(&change).unwrap()).as_bytes());
    json!({ "digest": digest, "change": change, "risk": "normal" })
}

fn planned(needed: u64) -> Value {
    let decision = json!({ "allowed": true, "approvals_needed": needed, "gates": [] });
    json!({ "kind": "planned", "operation": id(900), "who": { "number": 1 }, "decision": decision, "plan": plan("v2") })
}

fn approved(by: i64, version: &str) -> Value {
    let approval = json!({ "digest": plan(version)["digest"] });
    json!({ "kind": "approved", "operation": id(900), "who": { "number": by }, "approval": approval })
}

fn started(version: &str) -> Value {
    json!({ "kind": "started", "operation": id(900), "who": { "on_behalf_of": 1 }, "plan": plan(version) })
}

fn ended(kind: &str, state: &str) -> Value {
    json!({ "kind": kind, "operation": id(900), "outcome": { "state": state } })
}

fn asked() -> Leaf {
    let committed = sha256(&[&SALT[..], b"deploy hello v2"].concat());
    let mut asked =
        leaf(0, json!({ "kind": "asked", "said": { "raw": { "commitment": committed }, "command": ["deploy"] } }));
    asked.disclosures =
        vec![Disclosure { path: "/said/raw".into(), salt: SALT.to_vec(), value: "deploy hello v2".into() }];
    asked
}

/// A trail of these records, signed when it was half as long and at its end.
fn trail_of(records: Vec<Value>) -> Trail {
    let mut leaves = vec![asked()];
    leaves.extend((1..).zip(records).map(|(number, record)| leaf(number, record)));
    let half = leaves.len() / 2;
    let checkpoints = vec![note(ORIGIN, &signer(1), &leaves[..half]), note(ORIGIN, &signer(1), &leaves)];
    Trail { leaves, checkpoints, texts: Vec::new() }
}

fn whole() -> Trail {
    trail_of(vec![planned(1), approved(2, "v2"), started("v2"), ended("finished", "succeeded")])
}

fn kinds(trail: &Trail, key: &str) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = verify(trail, key).into_iter().map(|problem| problem.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// What a story told by these records has against it, in words.
fn story(records: Vec<Value>) -> Vec<String> {
    let problems = verify(&trail_of(records), &pinned());
    assert!(problems.iter().all(|problem| matches!(problem.kind, Kind::Story | Kind::Open)), "{problems:?}");
    problems.iter().map(|problem| problem.text.replace(&id(900), "X")).collect()
}

#[test]
fn a_whole_trail_holds() {
    assert_eq!(verify(&whole(), &pinned()), []);
    assert_eq!(verify(&Trail::default(), &pinned()), []);
    assert_eq!(kinds(&Trail { checkpoints: Vec::new(), ..whole() }, &pinned()), [Kind::Uncovered]);
}

#[test]
fn every_changed_byte_is_found() {
    let whole = whole();
    for number in 0..whole.leaves.len() {
        for place in 0..whole.leaves[number].bytes.len() {
            let mut trail = whole.clone();
            trail.leaves[number].bytes[place] ^= 1;
            assert!(kinds(&trail, &pinned()).contains(&Kind::History), "leaf {number}, byte {place}");
        }
    }
}

#[test]
fn reordering_cutting_and_inserting_are_found() {
    let mut reordered = whole();
    reordered.leaves.swap(3, 4);
    assert!(kinds(&reordered, &pinned()).contains(&Kind::History));
    let mut cut = whole();
    cut.leaves.pop();
    assert!(kinds(&cut, &pinned()).contains(&Kind::History));
    let mut missing = whole();
    missing.leaves.remove(0);
    assert!(kinds(&missing, &pinned()).contains(&Kind::History));
    let mut twice = whole();
    twice.leaves.insert(1, twice.leaves[0].clone());
    assert_eq!(kinds(&twice, &pinned()), [Kind::History, Kind::Uncovered, Kind::Leaf]);
    let mut longer = whole();
    longer.leaves.push(leaf(9, json!({ "kind": "closed" })));
    assert_eq!(kinds(&longer, &pinned()), [Kind::Uncovered]);
}

#[test]
fn a_fork_is_found_even_where_the_same_key_signed_it() {
    let mut fork = whole();
    let other = trail_of(vec![planned(0), started("v2"), ended("finished", "failed"), json!({ "kind": "closed" })]);
    fork.checkpoints.push(other.checkpoints[1].clone());
    let problems = verify(&fork, &pinned());
    assert!(problems.iter().any(|problem| problem.text.contains("a fork")), "{problems:?}");
}

#[test]
fn a_trail_that_another_key_signed_anew_is_refused() {
    let other = signer(2);
    let mut forged = whole();
    forged.checkpoints = vec![note(ORIGIN, &other, &forged.leaves)];
    assert_eq!(kinds(&forged, &pinned()), [Kind::Checkpoint, Kind::Uncovered]);
    assert_eq!(verify(&forged, &verifier_key(ORIGIN, &other)), []);
    // The same name and id in front of a signature by another key.
    let stolen = note(ORIGIN, &other, &forged.leaves);
    let (text, line) = stolen.rsplit_once(' ').unwrap();
    let mut signature = STANDARD.decode(line.trim()).unwrap();
    signature[..4].copy_from_slice(&key_id(ORIGIN, &signer(1)));
    forged.checkpoints = vec![format!("{text} {}\n", STANDARD.encode(signature))];
    assert_eq!(kinds(&forged, &pinned()), [Kind::Checkpoint, Kind::Uncovered]);
}

#[test]
fn a_checkpoint_of_another_trail_is_refused() {
    let mut foreign = whole();
    foreign.checkpoints = vec![note("example.org/other", &signer(1), &foreign.leaves)];
    assert_eq!(kinds(&foreign, &pinned()), [Kind::Checkpoint, Kind::Uncovered]);
    let other = verifier_key("example.org/other", &signer(1));
    assert_eq!(kinds(&foreign, &other), [Kind::Leaf]);
}

#[test]
fn every_changed_byte_of_a_checkpoint_is_found() {
    let whole = whole();
    let last = whole.checkpoints[1].as_bytes();
    for place in 0..last.len() {
        let mut bytes = last.to_vec();
        bytes[place] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let trail = Trail { checkpoints: vec![changed], ..whole.clone() };
        assert!(kinds(&trail, &pinned()).contains(&Kind::Checkpoint), "byte {place}");
    }
    for text in ["", "\n\n", "x\n\n— y z\n", &whole.checkpoints[1][..80]] {
        let trail = Trail { checkpoints: vec![text.to_owned()], ..whole.clone() };
        assert_eq!(kinds(&trail, &pinned()), [Kind::Checkpoint, Kind::Uncovered], "{text:?}");
    }
}

#[test]
fn a_key_that_is_none_is_refused() {
    let good = pinned();
    let (start, _) = good.rsplit_once('+').unwrap();
    for key in ["", "andon", "a+b+c", start, &good[1..], &good.replace("example", "exemple"), &format!("{start}+AAAA")]
    {
        assert_eq!(kinds(&whole(), key), [Kind::Key], "{key}");
    }
    assert_eq!(verify(&whole(), &format!("  {good}\n")), []);
}

#[test]
fn leaves_that_are_no_records_of_this_trail_are_found() {
    for (name, value) in [
        ("schema", json!(2)),
        ("origin", json!("example.org/other")),
        ("kind", json!("invented")),
        ("id", json!("812")),
        ("when", json!({})),
        ("details", json!({ "text": "x".repeat(16 * 1024) })),
    ] {
        let trail = trail_of(vec![json!({ "kind": "closed", name: value })]);
        assert_eq!(kinds(&trail, &pinned()), [Kind::Leaf], "{name}");
    }
    let mut spaced = whole();
    spaced.leaves[0].bytes.push(b' ');
    spaced.checkpoints = vec![note(ORIGIN, &signer(1), &spaced.leaves)];
    assert_eq!(kinds(&spaced, &pinned()), [Kind::Leaf]);
}

#[test]
fn disclosures_must_be_what_was_committed_to_and_may_be_erased() {
    let mut erased = whole();
    erased.leaves[0].disclosures.clear();
    assert_eq!(verify(&erased, &pinned()), []);
    let changes: [fn(&mut Disclosure); 4] = [
        |disclosure| disclosure.value.push('!'),
        |disclosure| disclosure.salt[0] ^= 1,
        |disclosure| disclosure.path = "/said/reason".to_owned(),
        // The same bytes, cut elsewhere.
        |disclosure| disclosure.value.insert(0, char::from(disclosure.salt.pop().unwrap())),
    ];
    for change in changes {
        let mut trail = whole();
        change(&mut trail.leaves[0].disclosures[0]);
        assert_eq!(kinds(&trail, &pinned()), [Kind::Disclosure]);
    }
}

#[test]
fn what_is_kept_beside_is_put_back() {
    let body = canonical::text_of(&plan("v2")["change"]).unwrap();
    let mut record = planned(0);
    record["plan"]["change"] = json!({ "sha256": sha256(body.as_bytes()) });
    let mut trail = trail_of(vec![record.clone()]);
    assert_eq!(kinds(&trail, &pinned()), [Kind::Disclosure, Kind::Plan]);
    trail.texts = vec![Text { digest: sha256(body.as_bytes()), body: body.clone() }];
    assert_eq!(verify(&trail, &pinned()), []);
    trail.texts[0].body = body.replace("v2", "v3");
    assert_eq!(kinds(&trail, &pinned()), [Kind::Disclosure, Kind::Plan]);
}

#[test]
fn what_is_disclosed_of_a_text_is_held_against_that_text() {
    let committed = sha256(&[&SALT[..], b"pid 7"].concat());
    let body = canonical::text_of(&json!({ "evidence": { "commitment": committed } })).unwrap();
    let mut trail = trail_of(vec![json!({ "kind": "observed", "details": { "sha256": sha256(body.as_bytes()) } })]);
    trail.texts = vec![Text { digest: sha256(body.as_bytes()), body }];
    trail.leaves[1].disclosures =
        vec![Disclosure { path: "/details/evidence".into(), salt: SALT.to_vec(), value: "pid 7".into() }];
    assert_eq!(verify(&trail, &pinned()), []);
    trail.leaves[1].disclosures[0].value = "pid 8".into();
    assert_eq!(kinds(&trail, &pinned()), [Kind::Disclosure]);
}

#[test]
fn a_plan_whose_digest_is_not_of_its_change_is_found() {
    let mut record = planned(0);
    record["plan"]["change"]["arguments"]["version"] = json!("v3");
    assert_eq!(kinds(&trail_of(vec![record]), &pinned()), [Kind::Plan]);
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
    ] {
        assert_eq!(story(records), Vec::<String>::new());
    }
}

#[test]
fn stories_that_contradict_themselves() {
    let succeeded = || ended("finished", "succeeded");
    let mut denied = planned(0);
    denied["decision"]["allowed"] = json!(false);
    let mut other = started("v2");
    other["who"]["on_behalf_of"] = json!(2);
    for (records, problem) in [
        (vec![started("v2"), succeeded()], "X was started and never planned"),
        (vec![approved(2, "v2")], "X was approved and never planned"),
        (vec![ended("expired", "expired")], "X was ended and never planned"),
        (vec![denied], "X was planned without being allowed"),
        (vec![planned(0), planned(0)], "X was planned a second time, or after its end"),
        (vec![planned(1), started("v2"), succeeded()], "X was started without the approvals that it needed"),
        (vec![planned(0), approved(1, "v2")], "X was approved by its asker"),
        (vec![planned(0), approved(2, "v3")], "X was approved by somebody who named another plan"),
        (
            vec![planned(2), approved(2, "v2"), approved(2, "v2"), started("v2"), succeeded()],
            "X was started without the approvals that it needed",
        ),
        (vec![planned(0), started("v3"), succeeded()], "X was started with another plan than its own"),
        (vec![planned(0), other, succeeded()], "X was started on behalf of somebody other than its asker"),
        (
            vec![planned(1), ended("objected", ""), started("v2"), succeeded()],
            "X was started without the approvals that it needed",
        ),
        (
            vec![planned(0), ended("cancelled", ""), started("v2"), succeeded()],
            "X was started a second time, or after its end",
        ),
        (vec![planned(0), started("v2"), ended("expired", "")], "X was ended as if it had not started"),
        (vec![planned(0), started("v2"), succeeded(), succeeded()], "X finished a second time"),
        (vec![planned(0), succeeded()], "X finished and was never started"),
        (vec![planned(0), ended("resumed", "")], "X was resumed and was not open"),
        (
            vec![planned(0), started("v2"), succeeded(), ended("settled", "")],
            "X was settled, and its end was not unknown",
        ),
        (vec![planned(0), started("v2")], "X was started and has no end"),
    ] {
        let told = story(records);
        assert!(told.contains(&format!("operation {problem}")), "{problem}: {told:?}");
    }
}

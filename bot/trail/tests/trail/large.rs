//! Records that are larger than a leaf may be: what moves beside it stays committed to, and stays disclosed.

use andon_core::{Decision, Digest, GateFacts, GateState, Private, Record, Redactor};
use andon_trail::{LEAF_LIMIT, Leaf, SealError, Sealed, SigningKey, Verdict, Verifier, open, seal, sign, tree, whole};
use serde_json::{Value, json};

use crate::{entropy, full};

fn sealed(record: &Record) -> Sealed {
    seal(record, &Redactor::default(), &entropy()).unwrap()
}

/// What stands in the leaf itself.
fn leaf(sealed: &Sealed) -> Value {
    serde_json::from_slice(&sealed.leaf).unwrap()
}

fn moved(sealed: &Sealed) -> Vec<&'static str> {
    let leaf = leaf(sealed);
    let places = ["/plan/change", "/plan/source", "/details", "/said/arguments", "/decision/gates", "/targets"];
    places
        .into_iter()
        .filter(|place| leaf.pointer(place).is_some_and(|member| member.get("sha256").is_some()))
        .collect()
}

/// A record whose plan has as many steps as make its leaf `bytes` long, if nothing moves.
fn of_size(bytes: usize) -> Record {
    let mut record = full::record();
    let undo = |record: &mut Record, text: String| {
        if let Some(plan) = &mut record.plan {
            plan.change.undo = Some(text);
        }
    };
    undo(&mut record, String::new());
    let rest = sealed(&record).leaf.len();
    undo(&mut record, "x".repeat(bytes - rest));
    record
}

fn decision(record: &mut Record) -> &mut Decision {
    record.decision.as_mut().unwrap()
}

#[test]
fn nothing_moves_up_to_the_limit_and_one_byte_more_moves_the_plan() {
    let fits = sealed(&of_size(LEAF_LIMIT));
    assert_eq!((fits.leaf.len(), moved(&fits), fits.texts.len()), (LEAF_LIMIT, Vec::new(), 0));
    let large = sealed(&of_size(LEAF_LIMIT + 1));
    assert_eq!((moved(&large), large.texts.len()), (vec!["/plan/change"], 1));
    assert!(large.leaf.len() < LEAF_LIMIT);
    assert_eq!(whole(&large.leaf, &large.texts).unwrap()["plan"]["change"]["command"], json!(["deploy"]));
}

#[test]
fn what_moves_stays_disclosed() {
    let mut record = full::record();
    let filler: Vec<String> = (0..500).map(|place| format!("{place:060}")).collect();
    record.details = json!({ "evidence": Private::new("pid 7"), "filler": filler });
    let saw = |place| GateFacts {
        gate: "lock".to_owned(),
        state: GateState::Passed,
        saw: Private::new(format!("{place} locks")),
    };
    decision(&mut record).gates = (0..400).map(saw).collect();
    let sealed = sealed(&record);
    assert_eq!(moved(&sealed), ["/plan/change", "/plan/source", "/details", "/decision/gates"]);
    let opened = open(&sealed.leaf, &sealed.texts, &sealed.disclosures).unwrap();
    assert_eq!(opened["details"]["evidence"], "pid 7");
    assert_eq!(opened["plan"]["source"]["authors"][0]["name"], "Ben");
    assert_eq!(opened["decision"]["gates"][399]["saw"], "399 locks");
    assert!(!sealed.texts.iter().any(|(_, text)| text.contains("pid 7") || text.contains("Ben")));
    let without = open(&sealed.leaf, &sealed.texts[1..], &sealed.disclosures);
    assert!(matches!(without, Err(SealError::Text(_))), "{without:?}");
    let mut other = sealed.texts.clone();
    other[1].1 = other[1].1.replace("passed", "failed");
    assert!(matches!(whole(&sealed.leaf, &other), Err(SealError::Text(_))));
    let mut told = sealed.disclosures.clone();
    told.iter_mut().filter(|told| told.path == "/details/evidence").for_each(|told| told.value = "pid 8".to_owned());
    assert!(matches!(open(&sealed.leaf, &sealed.texts, &told), Err(SealError::Commitment(_))));
}

#[test]
fn a_record_about_five_hundred_targets_is_kept_searched_and_verified() {
    let mut record = full::record();
    record.targets = (0..500).map(|place| full::target(&format!("a-service-with-a-long-name-{place}"))).collect();
    let sealed = sealed(&record);
    assert!(sealed.leaf.len() <= LEAF_LIMIT && moved(&sealed).contains(&"/targets"));
    assert_eq!(sealed.index.targets, record.targets);
    assert_eq!(verify(&sealed, &sealed.texts), Vec::<String>::new());
    let problems = verify(&sealed, &[]);
    assert!(problems.iter().any(|problem| problem.contains("is not kept beside it")), "{problems:?}");
}

#[test]
fn what_cannot_move_and_is_too_large_is_refused() {
    let mut record = full::record();
    decision(&mut record).policies = vec!["x".repeat(LEAF_LIMIT)];
    let refused = seal(&record, &Redactor::default(), &entropy());
    assert!(matches!(refused, Err(SealError::TooLarge(size)) if size > LEAF_LIMIT), "{refused:?}");
    // A private value of any size is one commitment.
    decision(&mut record).policies.clear();
    record.details = json!({ "evidence": Private::new("x".repeat(LEAF_LIMIT)) });
    assert_eq!(moved(&sealed(&record)), Vec::<&str>::new());
}

fn verify(sealed: &Sealed, texts: &[(Digest, String)]) -> Vec<String> {
    let key = SigningKey::generate("trail.test", &entropy()).unwrap();
    let mut verifier = Verifier::new(Some(key.verifier_key().clone()), None);
    for text in ["policies", "configuration"] {
        verifier.text(Digest::of(text), text);
    }
    let (bytes, hash, index, disclosures) =
        (&sealed.leaf[..], sealed.leaf_hash, Some(&sealed.index), &sealed.disclosures[..]);
    verifier.leaf(&Leaf { number: 0, bytes, hash, index, disclosures, texts });
    verifier.checkpoint(&sign(&key, 1, tree::leaf_hash(&sealed.leaf)).unwrap().note);
    let report = verifier.finish();
    assert_eq!(report.verdict == Verdict::Holds, report.problems.is_empty());
    report.problems
}

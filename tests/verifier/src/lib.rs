//! A verifier of the audit trail that shares no code with its writer: written from `docs/record.md` alone, on public libraries. What the
//! bot's own `audit verify` and this one agree on does not hang on a mistake that both ends of one crate make alike.
//!
//! [`read`] takes a [`Trail`] out of a database, [`verify`] says what does not hold of it.

mod canonical;
#[cfg(test)]
mod golden;
mod leaf;
mod note;
mod read;
mod story;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use read::read;

use crate::note::{Checkpoint, Key};
use crate::story::Story;

/// All that is known of a trail.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The leaves in the order of their numbers, the first one being number 0.
    pub leaves: Vec<Leaf>,
    /// Signed notes, in any order: those kept with the trail, and those kept elsewhere.
    pub checkpoints: Vec<String>,
    /// What is kept beside leaves by digest.
    pub texts: Vec<Text>,
}

/// A leaf with what is disclosed of it.
#[derive(Clone, Debug, Default)]
pub struct Leaf {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Values behind its commitments: any of them, not necessarily all.
    pub disclosures: Vec<Disclosure>,
}

/// A value behind a commitment.
#[derive(Clone, Debug)]
pub struct Disclosure {
    /// Where in the record, with its texts put back, as a JSON pointer.
    pub path: String,
    /// The salt.
    pub salt: Vec<u8>,
    /// The value.
    pub value: String,
}

/// What was too large for a leaf.
#[derive(Clone, Debug)]
pub struct Text {
    /// The digest by which it is kept, in hex.
    pub digest: String,
    /// The text.
    pub body: String,
}

/// What kind of thing does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The pinned key is none.
    Key,
    /// A checkpoint is none, or another key signed it, or it is of another trail.
    Checkpoint,
    /// A checkpoint and the leaves say different things: changed, reordered, cut or forked.
    History,
    /// Leaves under no checkpoint.
    Uncovered,
    /// A leaf is not a record of this trail in canonical form.
    Leaf,
    /// A disclosed value or a text is not what was committed to, or a text is missing.
    Disclosure,
    /// A plan's digest is not the digest of its change.
    Plan,
    /// Records contradict each other.
    Story,
    /// An operation was started and has no end: no fault of the trail, but nothing that may be left so.
    Open,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub kind: Kind,
    /// The number of the record, where it is about one.
    pub number: Option<u64>,
    /// In words.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{:?}: #{number}: {}", self.kind, self.text),
            None => write!(f, "{:?}: {}", self.kind, self.text),
        }
    }
}

/// Checks everything that can be checked of a trail whose signer must be `pinned`, a verifier key of the signed-note form. A trail that
/// holds has no problem.
pub fn verify(trail: &Trail, pinned: &str) -> Vec<Problem> {
    let mut problems = Problems::default();
    let key = match Key::parse(pinned) {
        Ok(key) => key,
        Err(text) => {
            problems.add(Kind::Key, None, text);
            return problems.0;
        }
    };
    check_history(trail, &key, &mut problems);
    check_records(trail, &key, &mut problems);
    problems.0
}

/// The root of the tree over `leaves`, in lower-case hex.
pub fn root(leaves: &[Leaf]) -> String {
    let hashes: Vec<_> = leaves.iter().map(|leaf| tree::leaf_hash(&leaf.bytes)).collect();
    hex::encode(tree::root(&hashes))
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, kind: Kind, number: Option<u64>, text: impl Into<String>) {
        self.0.push(Problem { kind, number, text: text.into() });
    }
}

/// Holds every checkpoint against the leaves.
fn check_history(trail: &Trail, key: &Key, problems: &mut Problems) {
    let hashes: Vec<_> = trail.leaves.iter().map(|leaf| tree::leaf_hash(&leaf.bytes)).collect();
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    for text in &trail.checkpoints {
        match key.open(text) {
            Ok(checkpoint) => checkpoints.push(checkpoint),
            Err(text) => problems.add(Kind::Checkpoint, None, text),
        }
    }
    for checkpoint in &checkpoints {
        let size = checkpoint.size;
        match usize::try_from(size).ok().and_then(|size| hashes.get(..size)) {
            None => {
                let text =
                    format!("a checkpoint covers {size} records, and there are {}: the trail was cut", hashes.len());
                problems.add(Kind::History, None, text);
            }
            Some(covered) if tree::root(covered) != checkpoint.root => {
                problems.add(Kind::History, None, format!("the checkpoint of size {size} has another root"));
            }
            Some(_) => {}
        }
        if checkpoints.iter().any(|other| other.size == size && other.root < checkpoint.root) {
            problems.add(Kind::History, None, format!("two checkpoints of size {size} have different roots: a fork"));
        }
    }
    let covered = checkpoints.iter().map(|checkpoint| checkpoint.size).max().unwrap_or(0);
    let leaves = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
    if covered < leaves {
        problems.add(Kind::Uncovered, None, format!("{} records are under no checkpoint", leaves - covered));
    }
}

/// Reads every record, and the story that they tell together.
fn check_records(trail: &Trail, key: &Key, problems: &mut Problems) {
    let texts = texts(trail, problems);
    let (mut story, mut ids) = (Story::default(), BTreeSet::new());
    for (number, leaf) in (0..).zip(&trail.leaves) {
        let number = Some(number);
        let record = match canonical::parse(&leaf.bytes) {
            Ok(record) => record,
            Err(text) => {
                problems.add(Kind::Leaf, number, text);
                continue;
            }
        };
        if leaf.bytes.len() > leaf::LIMIT {
            problems.add(Kind::Leaf, number, format!("it has more than {} bytes", leaf::LIMIT));
        }
        for text in leaf::form(&record, key.name()) {
            problems.add(Kind::Leaf, number, text);
        }
        if record["id"].as_str().is_some_and(|id| !ids.insert(id.to_owned())) {
            problems.add(Kind::Leaf, number, "another record has the same id");
        }
        let record = match texts.put_back(record) {
            Ok(record) => record,
            Err((record, text)) => {
                problems.add(Kind::Disclosure, number, text);
                record
            }
        };
        for text in leaf::disclosures(&record, &leaf.disclosures) {
            problems.add(Kind::Disclosure, number, text);
        }
        if let Some(text) = leaf::plan(&record) {
            problems.add(Kind::Plan, number, text);
        }
        for text in story.follow(&record) {
            problems.add(Kind::Story, number, text);
        }
    }
    for operation in story.open() {
        problems.add(Kind::Open, None, format!("operation {operation} was started and has no end"));
    }
}

/// Texts by their digests.
struct Texts<'a>(BTreeMap<&'a str, &'a str>);

fn texts<'a>(trail: &'a Trail, problems: &mut Problems) -> Texts<'a> {
    let mut texts = BTreeMap::new();
    for text in &trail.texts {
        if sha256(text.body.as_bytes()) == text.digest {
            texts.insert(text.digest.as_str(), text.body.as_str());
        } else {
            problems.add(Kind::Disclosure, None, format!("the text {} has another digest", text.digest));
        }
    }
    Texts(texts)
}

impl Texts<'_> {
    /// The record with what is kept beside it in its places. Where a text is not there, the record as far as it goes, and why.
    fn put_back(&self, mut record: Value) -> Result<Value, (Value, String)> {
        for place in leaf::MOVABLE {
            let Some(member) = record.pointer_mut(place) else { continue };
            let Some(digest) = leaf::sole(member, "sha256") else { continue };
            let text = self.0.get(digest).and_then(|text| canonical::parse(text.as_bytes()).ok());
            let Some(text) = text else {
                let problem = format!("what {place} names by digest is not there, or is not canonical JSON");
                return Err((record, problem));
            };
            *member = text;
        }
        Ok(record)
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;

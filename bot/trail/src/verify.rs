//! Verification of a whole trail, leaf by leaf, by whoever holds it and trusts nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use andon_core::Digest;
use serde_json::Value;

use crate::checkpoint::{self, SignedCheckpoint};
use crate::key::VerifierKey;
use crate::seal::{self, Disclosure, Index};
use crate::story::Story;
use crate::tree;

/// How many problems are listed; more are counted.
const LISTED: usize = 50;

/// A leaf with all that is kept beside it.
pub struct Leaf<'a> {
    /// Its number.
    pub number: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its hash, as kept.
    pub hash: Digest,
    /// What it is searched by, as kept.
    pub index: Option<&'a Index>,
    /// What is disclosed of it.
    pub disclosures: &'a [Disclosure],
    /// The texts that it names by digest.
    pub texts: &'a [(Digest, String)],
}

/// Checks a trail. Feed all leaves in the order of their numbers, all checkpoints and texts in any order, then [`Verifier::finish`].
pub struct Verifier {
    pinned: Option<VerifierKey>,
    beside: Option<VerifierKey>,
    next: u64,
    hashes: BTreeMap<u64, Digest>,
    checkpoints: Vec<SignedCheckpoint>,
    anchors: Vec<SignedCheckpoint>,
    unnumbered: u64,
    story: Story,
    texts: BTreeSet<Digest>,
    /// Texts that records name, each with the first record that does.
    named: BTreeMap<Digest, u64>,
    problems: Vec<String>,
    unlisted: usize,
}

/// What verification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it holds, and the signer is the pinned one.
    Holds,
    /// It is consistent with itself; nobody said which key the signer must have.
    SignerUnverified,
    /// Something does not hold.
    Broken,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// How many leaves were checked.
    pub leaves: u64,
    /// How many records have no number yet.
    pub unnumbered: u64,
    /// How many records have a number and lie under no checkpoint yet: nobody has signed them.
    pub uncovered: u64,
    /// The largest checkpoint: size and root.
    pub checkpoint: Option<(u64, Digest)>,
    /// The largest size that an anchor outside the database vouches for.
    pub anchored: Option<u64>,
    /// Operations that were started and have no end yet: no fault of the trail, but something to look at.
    pub open: Vec<String>,
    /// What does not hold.
    pub problems: Vec<String>,
}

impl Verifier {
    /// A verifier that trusts checkpoints of `pinned`; without one, checkpoints are held against the key found `beside` the trail, and the
    /// verdict says that the signer is not verified.
    pub fn new(pinned: Option<VerifierKey>, beside: Option<VerifierKey>) -> Self {
        Self {
            pinned,
            beside,
            next: 0,
            hashes: BTreeMap::new(),
            checkpoints: Vec::new(),
            anchors: Vec::new(),
            unnumbered: 0,
            story: Story::default(),
            texts: BTreeSet::new(),
            named: BTreeMap::new(),
            problems: Vec::new(),
            unlisted: 0,
        }
    }

    fn problem(&mut self, text: String) {
        if self.problems.len() < LISTED {
            self.problems.push(text);
        } else {
            self.unlisted += 1;
        }
    }

    /// Takes the next leaf.
    pub fn leaf(&mut self, leaf: &Leaf<'_>) {
        let number = leaf.number;
        if number != self.next {
            self.problem(format!("#{}: the record is missing; #{number} follows", self.next));
        }
        self.next = number.saturating_add(1);
        let hash = tree::leaf_hash(leaf.bytes);
        if hash != leaf.hash {
            self.problem(format!("#{number}: its bytes do not have the hash that is kept"));
        }
        match tree::hashes_to_append(number, hash, &self.hashes) {
            Ok(hashes) => self.hashes.extend((tree::first_position(number)..).zip(hashes)),
            Err(error) => self.problem(format!("#{number}: the tree cannot be built: {error}")),
        }
        match content(leaf) {
            Ok((record, problems)) => {
                for problem in problems.into_iter().chain(self.foreign(&record)) {
                    self.problem(format!("#{number}: {problem}"));
                }
                for problem in self.story.follow(&record) {
                    self.problem(format!("#{number}: it {problem}"));
                }
                for digest in named(&record) {
                    self.named.entry(digest).or_insert(number);
                }
            }
            Err(problem) => self.problem(format!("#{number}: {problem}")),
        }
    }

    /// Takes a text that is kept by its digest.
    pub fn text(&mut self, digest: Digest, body: &str) {
        if Digest::of(body) != digest {
            self.problem(format!("the text {digest} has another digest"));
        }
        self.texts.insert(digest);
    }

    fn foreign(&self, record: &Value) -> Option<String> {
        let key = self.pinned.as_ref().or(self.beside.as_ref())?;
        let origin = record.pointer("/origin").and_then(Value::as_str).unwrap_or_default();
        (origin != key.origin()).then(|| format!("it belongs to the trail {origin:?}, not to {:?}", key.origin()))
    }

    /// Takes a checkpoint that was kept with the trail.
    pub fn checkpoint(&mut self, note: &str) {
        if let Some(checkpoint) = self.open(note, "a checkpoint") {
            self.checkpoints.push(checkpoint);
        }
    }

    /// Takes a checkpoint that was kept elsewhere.
    pub fn anchor(&mut self, note: &str) {
        if let Some(checkpoint) = self.open(note, "an anchor") {
            self.anchors.push(checkpoint);
        }
    }

    fn open(&mut self, note: &str, what: &str) -> Option<SignedCheckpoint> {
        let opened = match self.pinned.as_ref().or(self.beside.as_ref()) {
            Some(key) => checkpoint::open_checkpoint(note, key),
            None => checkpoint::read_unverified(note),
        };
        match opened {
            Ok(checkpoint) => Some(checkpoint),
            Err(error) => {
                self.problem(format!("{what} is refused: {error}"));
                None
            }
        }
    }

    /// Says how many records wait for a number.
    pub fn unnumbered(&mut self, count: u64) {
        self.unnumbered = count;
    }

    /// Holds checkpoints and anchors against the leaves, and reports.
    pub fn finish(mut self) -> Report {
        let signed: Vec<_> = self.checkpoints.iter().chain(&self.anchors).cloned().collect();
        for checkpoint in &signed {
            if let Some(problem) = self.against_leaves(checkpoint) {
                self.problem(problem);
            }
        }
        for (digest, number) in std::mem::take(&mut self.named) {
            if !self.texts.contains(&digest) {
                self.problem(format!("#{number}: the text {digest} that it names is not kept"));
            }
        }
        let largest = self.checkpoints.iter().max_by_key(|checkpoint| checkpoint.size);
        let checkpoint = largest.map(|checkpoint| (checkpoint.size, checkpoint.root));
        let uncovered = self.next.saturating_sub(checkpoint.map_or(0, |(size, _)| size));
        if checkpoint.is_none() && uncovered > 0 {
            self.problem(format!("{uncovered} records are under no checkpoint"));
        }
        if self.unlisted > 0 {
            self.problems.push(format!("and {} more problems", self.unlisted));
        }
        let verdict = match (self.problems.is_empty(), &self.pinned) {
            (false, _) => Verdict::Broken,
            (true, Some(_)) => Verdict::Holds,
            (true, None) => Verdict::SignerUnverified,
        };
        Report {
            verdict,
            leaves: self.next,
            unnumbered: self.unnumbered,
            uncovered,
            checkpoint,
            anchored: self.anchors.iter().map(|anchor| anchor.size).max(),
            open: self.story.open(),
            problems: self.problems,
        }
    }

    fn against_leaves(&self, checkpoint: &SignedCheckpoint) -> Option<String> {
        let size = checkpoint.size;
        if size > self.next {
            return Some(format!(
                "a checkpoint covers {size} records, and only {} are here: the trail was cut",
                self.next
            ));
        }
        match tree::root(size, &self.hashes) {
            Ok(root) if root == checkpoint.root => None,
            Ok(_) => {
                Some(format!("the checkpoint of size {size} has another root: records below #{size} were changed"))
            }
            Err(error) => Some(format!("the checkpoint of size {size} cannot be checked: {error}")),
        }
    }
}

/// The record of a leaf with its texts in their places, and what is wrong with it by itself; or why it is none.
fn content(leaf: &Leaf<'_>) -> Result<(Value, Vec<String>), String> {
    let value: Value = serde_json::from_slice(leaf.bytes).map_err(|error| format!("it is not JSON: {error}"))?;
    let mut problems = Vec::new();
    if canonical(&value).as_deref() != Some(leaf.bytes) {
        problems.push("its bytes are not canonical".to_owned());
    }
    let record = match seal::whole(leaf.bytes, leaf.texts) {
        Ok(record) => record,
        Err(error) => {
            problems.push(error.to_string());
            value
        }
    };
    if record.pointer("/schema").and_then(Value::as_u64) != Some(1) {
        problems.push("its schema is not 1".to_owned());
    }
    match seal::index(&record) {
        Ok(index) if leaf.index.is_some_and(|kept| *kept != index) => {
            problems.push("the columns beside it say something else".to_owned());
        }
        Ok(_) => {}
        Err(error) => problems.push(error.to_string()),
    }
    if record.get("plan").is_some_and(|plan| !is_digest_of_change(plan)) {
        problems.push("the digest of its plan is not that of the change".to_owned());
    }
    if let Err(error) = seal::disclose(&mut record.clone(), leaf.disclosures) {
        problems.push(error.to_string());
    }
    Ok((record, problems))
}

fn canonical(value: &Value) -> Option<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).ok()
}

/// Whether a plan's digest is that of its change, as it stands in the record.
fn is_digest_of_change(plan: &Value) -> bool {
    let change = plan.get("change").and_then(canonical);
    let digest = change.map(|change| Digest::of([&b"andon plan v1\n"[..], &change].concat()).to_string());
    digest.is_some() && plan.get("digest").and_then(Value::as_str) == digest.as_deref()
}

/// The texts that a record names by digest: policy and configuration.
fn named(record: &Value) -> impl Iterator<Item = Digest> {
    const PLACES: &[&str] =
        &["/decision/policy_version", "/decision/configuration", "/details/policies", "/details/configuration"];
    PLACES.iter().filter_map(|place| record.pointer(place)?.as_str()?.parse().ok())
}

impl Report {
    /// The exit code of a command line: 0 only if all holds and the signer is the pinned one, 3 where no key was pinned, else 1.
    pub const fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Holds => 0,
            Verdict::Broken => 1,
            Verdict::SignerUnverified => 3,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "records     {} (and {} without a number yet)", self.leaves, self.unnumbered)?;
        match &self.checkpoint {
            Some((size, root)) => writeln!(f, "checkpoint  size {size}, root {root}")?,
            None => writeln!(f, "checkpoint  none")?,
        }
        match self.anchored {
            Some(size) => writeln!(f, "anchored    up to {size}")?,
            None => writeln!(f, "anchored    nowhere outside the database")?,
        }
        if self.uncovered > 0 {
            writeln!(f, "unsigned    {} records are not under a checkpoint yet", self.uncovered)?;
        }
        for operation in &self.open {
            writeln!(f, "open        operation {operation} was started and has no end yet")?;
        }
        for problem in &self.problems {
            writeln!(f, "BROKEN      {problem}")?;
        }
        match self.verdict {
            Verdict::Holds => write!(f, "verdict     holds, and the signer is the pinned one"),
            Verdict::SignerUnverified => {
                write!(f, "verdict     consistent with itself, signer not verified: pin a key with --key")
            }
            Verdict::Broken => write!(f, "verdict     BROKEN"),
        }
    }
}

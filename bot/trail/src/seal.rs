//! Sealing: from a record to the bytes of its leaf, which never change after.

use andon_core::{Digest, Entropy, InvocationId, OperationId, Record, RecordId, RecordKind, Redactor, Target};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::tree;

/// The most bytes of a leaf.
pub const LEAF_LIMIT: usize = 16 * 1024;

/// The members of a record that are kept beside the leaf where it would be too large, in this order.
const MOVABLE: &[&str] =
    &["/plan/change", "/plan/source", "/details", "/said/arguments", "/decision/gates", "/targets"];

/// What is shorter gains nothing from being named by digest.
const WORTH_MOVING: usize = 128;

/// Where JSON that people's words shaped stands: nothing in there may look like a commitment.
const FOREIGN: &[&str] = &["/said/arguments", "/plan/change/arguments"];

/// The names of members that only sealing may write.
const RESERVED: &[&str] = &["$private", "commitment", "sha256"];

/// A record cannot be sealed, or a leaf cannot be read.
#[derive(Debug, Error)]
pub enum SealError {
    /// Not JSON, or not of the canonical kind.
    #[error("the record is not canonical JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// A floating-point number.
    #[error("a record holds no fractions; found one at {0}")]
    Fraction(String),
    /// Arguments that look like a commitment.
    #[error("the name {0:?} is reserved in records")]
    Reserved(String),
    /// Too large even without what can be kept beside it.
    #[error("the leaf has {0} bytes, more than {LEAF_LIMIT}")]
    TooLarge(usize),
    /// A disclosed value does not match its commitment.
    #[error("what is disclosed at {0} is not what was committed to")]
    Commitment(String),
    /// A text that the leaf names is not there, or is not that text.
    #[error("what {0} names by digest is not kept beside it")]
    Text(String),
}

/// What is disclosed of a leaf: the value behind a commitment. `SHA-256(salt ‖ value)` must equal it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Where in the record, with its texts in their places, as a JSON pointer (RFC 6901).
    pub path: String,
    /// 16 random bytes.
    pub salt: [u8; 16],
    /// The value.
    pub value: String,
}

impl Disclosure {
    /// The commitment that belongs to it.
    pub fn commitment(&self) -> Digest {
        Digest::of([&self.salt[..], self.value.as_bytes()].concat())
    }
}

/// What a store keeps beside a leaf to search by. All of it stands in the record as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// What it tells.
    pub kind: RecordKind,
    /// When it was made.
    pub recorded: Timestamp,
    /// The number of the person who acted.
    pub person: Option<i64>,
    /// What it is about.
    pub targets: Vec<Target>,
    /// The command's words with spaces between them.
    pub command: Option<String>,
    /// The state of its outcome.
    pub outcome: Option<String>,
    /// Its operation.
    pub operation: Option<OperationId>,
    /// Its invocation.
    pub invocation: Option<InvocationId>,
}

/// A record whose bytes are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its identifier.
    pub id: RecordId,
    /// Its bytes: canonical JSON (RFC 8785).
    pub leaf: Vec<u8>,
    /// RFC 6962 leaf hash of them.
    pub leaf_hash: Digest,
    /// What the leaf commits to without showing it.
    pub disclosures: Vec<Disclosure>,
    /// What it can be searched by.
    pub index: Index,
    /// What was too large for the leaf and is named there by digest.
    pub texts: Vec<(Digest, String)>,
}

/// Makes a record's bytes: private values become salted commitments, secrets are taken out, absent parts are left out.
///
/// # Errors
/// See [`SealError`].
pub fn seal(record: &Record, redactor: &Redactor, entropy: &dyn Entropy) -> Result<Sealed, SealError> {
    let mut value = serde_json::to_value(record).map_err(SealError::Json)?;
    for place in FOREIGN {
        value.pointer(place).map_or(Ok(()), refuse_reserved)?;
    }
    let mut sealing = Sealing { redactor, entropy, disclosures: Vec::new() };
    sealing.walk(&mut value, String::new())?;
    let disclosures = sealing.disclosures;
    let index = index(&value)?;
    let mut texts = Vec::new();
    let leaf = shrink(&mut value, &mut texts)?;
    Ok(Sealed { id: record.id, leaf_hash: tree::leaf_hash(&leaf), leaf, disclosures, index, texts })
}

struct Sealing<'a> {
    redactor: &'a Redactor,
    entropy: &'a dyn Entropy,
    disclosures: Vec<Disclosure>,
}

impl Sealing<'_> {
    fn walk(&mut self, value: &mut Value, path: String) -> Result<(), SealError> {
        match value {
            Value::String(text) => *text = self.redactor.redact(text),
            Value::Number(number) if number.is_f64() => return Err(SealError::Fraction(path)),
            Value::Array(items) => {
                for (place, item) in items.iter_mut().enumerate() {
                    self.walk(item, format!("{path}/{place}"))?;
                }
            }
            Value::Object(members) => {
                if let Some(private) = private(members) {
                    *value = self.commit(&private, path);
                    return Ok(());
                }
                members.retain(|_, member| !member.is_null());
                for (name, member) in members.iter_mut() {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    self.walk(member, format!("{path}/{name}"))?;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }

    fn commit(&mut self, text: &str, path: String) -> Value {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt);
        let disclosure = Disclosure { path, salt, value: self.redactor.redact(text) };
        let commitment = disclosure.commitment();
        self.disclosures.push(disclosure);
        json!({ "commitment": commitment })
    }
}

/// The text of an object of the exact form `{"$private": "…"}`.
fn private(members: &Map<String, Value>) -> Option<String> {
    match members.get("$private") {
        Some(Value::String(text)) if members.len() == 1 => Some(text.clone()),
        _ => None,
    }
}

fn refuse_reserved(value: &Value) -> Result<(), SealError> {
    match value {
        Value::Array(items) => items.iter().try_for_each(refuse_reserved),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            if RESERVED.contains(&name.as_str()) {
                return Err(SealError::Reserved(name.clone()));
            }
            refuse_reserved(member)
        }),
        _ => Ok(()),
    }
}

/// The canonical bytes, after moving out as much as it takes to fit the limit.
fn shrink(value: &mut Value, texts: &mut Vec<(Digest, String)>) -> Result<Vec<u8>, SealError> {
    let mut movable = MOVABLE.iter();
    loop {
        let leaf = canonical(value)?;
        if leaf.len() <= LEAF_LIMIT {
            return Ok(leaf);
        }
        let place = movable.next().ok_or(SealError::TooLarge(leaf.len()))?;
        let Some(member) = value.pointer_mut(place) else { continue };
        let text = String::from_utf8_lossy(&canonical(member)?).into_owned();
        if text.len() > WORTH_MOVING {
            let digest = Digest::of(&text);
            *member = json!({ "sha256": digest });
            texts.push((digest, text));
        }
    }
}

fn canonical(value: &Value) -> Result<Vec<u8>, SealError> {
    serde_json_canonicalizer::to_vec(value).map_err(SealError::Json)
}

/// What a whole record can be searched by.
///
/// # Errors
/// It is not a record.
pub(crate) fn index(value: &Value) -> Result<Index, SealError> {
    Ok(Index {
        kind: required(value, "/kind")?,
        recorded: microseconds(required(value, "/when/recorded")?),
        person: optional(value, "/who/number")?,
        targets: optional(value, "/targets")?.unwrap_or_default(),
        command: optional::<Vec<String>>(value, "/said/command")?
            .filter(|path| !path.is_empty())
            .map(|path| path.join(" ")),
        outcome: optional(value, "/outcome/state")?,
        operation: optional(value, "/operation")?,
        invocation: optional(value, "/invocation")?,
    })
}

/// Stores keep microseconds; what a leaf says beyond them is not searched by.
fn microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

fn required<T: serde::de::DeserializeOwned>(value: &Value, place: &str) -> Result<T, SealError> {
    let member = value.pointer(place).cloned().unwrap_or(Value::Null);
    serde_json::from_value(member).map_err(SealError::Json)
}

fn optional<T: serde::de::DeserializeOwned>(value: &Value, place: &str) -> Result<Option<T>, SealError> {
    value.pointer(place).map(|member| serde_json::from_value(member.clone()).map_err(SealError::Json)).transpose()
}

/// The digests of the texts that a leaf names, with the places where it does.
fn named(leaf: &Value) -> impl Iterator<Item = (&'static str, Digest)> {
    MOVABLE.iter().filter_map(|place| {
        let members = leaf.pointer(place)?.as_object().filter(|members| members.len() == 1)?;
        Some((*place, members.get("sha256")?.as_str()?.parse().ok()?))
    })
}

/// The digests of the texts that are kept beside a leaf.
///
/// # Errors
/// It is not a leaf.
pub fn texts_beside(leaf: &[u8]) -> Result<Vec<Digest>, SealError> {
    let value: Value = serde_json::from_slice(leaf).map_err(SealError::Json)?;
    Ok(named(&value).map(|(_, digest)| digest).collect())
}

/// The record of a leaf, with the texts beside it in their places.
///
/// # Errors
/// It is not a leaf, or a text that it names is not among `texts`.
pub fn whole(leaf: &[u8], texts: &[(Digest, String)]) -> Result<Value, SealError> {
    let mut value: Value = serde_json::from_slice(leaf).map_err(SealError::Json)?;
    for (place, digest) in named(&value).collect::<Vec<_>>() {
        let text = texts.iter().find(|(known, text)| *known == digest && Digest::of(text) == digest);
        let (_, text) = text.ok_or_else(|| SealError::Text(place.to_owned()))?;
        if let Some(member) = value.pointer_mut(place) {
            *member = serde_json::from_str(text).map_err(SealError::Json)?;
        }
    }
    Ok(value)
}

/// The record of a leaf, with the texts beside it and what is disclosed of it in their places.
///
/// # Errors
/// As [`whole`]; or a disclosure is not what was committed to.
pub fn open(leaf: &[u8], texts: &[(Digest, String)], disclosures: &[Disclosure]) -> Result<Value, SealError> {
    let mut value = whole(leaf, texts)?;
    disclose(&mut value, disclosures)?;
    Ok(value)
}

pub(crate) fn disclose(value: &mut Value, disclosures: &[Disclosure]) -> Result<(), SealError> {
    for disclosure in disclosures {
        let committed = value.pointer_mut(&disclosure.path);
        let place = committed
            .filter(|place| **place == json!({ "commitment": disclosure.commitment() }))
            .ok_or_else(|| SealError::Commitment(disclosure.path.clone()))?;
        *place = Value::String(disclosure.value.clone());
    }
    Ok(())
}

//! What a policy says of itself, in annotations.

use andon_core::closest;
use cedar_policy::{Effect, Policy};

/// All annotations that there are. Any other is refused: one that is misspelt would otherwise do nothing, in silence.
const KNOWN: [&str; 3] = ["id", "needs", "approvals"];

/// The longest `@id`, in bytes.
const LONGEST_ID: usize = 64;

/// The longest `@needs`, in characters.
const LONGEST_NEEDS: usize = 200;

/// The most that `@approvals` may ask for.
const MOST_APPROVALS: u32 = 20;

/// The annotations of one policy.
pub(super) struct Annotations {
    /// Its name.
    pub(super) id: String,
    /// What a person who is refused would need.
    pub(super) needs: String,
    /// How many other people have to agree.
    pub(super) approvals: u32,
}

impl Annotations {
    /// Reads those of `policy`.
    ///
    /// # Errors
    /// Everything that is wrong with them, each as a sentence without its full stop.
    pub(super) fn of(policy: &Policy) -> Result<Self, Vec<String>> {
        let mut problems: Vec<_> = policy.annotations().filter_map(|(name, _)| unknown(name)).collect();
        let mut keep =
            |read: Result<String, String>| read.map_err(|problem| problems.push(problem)).unwrap_or_default();
        let id = keep(id(policy));
        let needs = keep(needs(policy));
        let approvals = approvals(policy).map_err(|problem| problems.push(problem)).unwrap_or_default();
        problems.sort();
        if problems.is_empty() { Ok(Self { id, needs, approvals }) } else { Err(problems) }
    }
}

fn unknown(name: &str) -> Option<String> {
    if KNOWN.contains(&name) {
        return None;
    }
    let near = closest(name, KNOWN)
        .map_or_else(|| "known are @id, @needs and @approvals".to_owned(), |near| format!("did you mean @{near}?"));
    Some(format!("@{name} means nothing here; {near}"))
}

fn id(policy: &Policy) -> Result<String, String> {
    let id = policy.annotation("id").ok_or(r#"the policy has no name; put @id("…") before it"#)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(allowed) {
        return Err(format!("an @id has 1 to {LONGEST_ID} letters, digits, '-', '_' and '.'; {id:?} is none"));
    }
    Ok(id.to_owned())
}

fn needs(policy: &Policy) -> Result<String, String> {
    let needs = policy
        .annotation("needs")
        .ok_or(r#"the policy does not say what it asks of people; put @needs("…") before it"#)?;
    if needs.trim().is_empty() || needs.chars().count() > LONGEST_NEEDS || needs.contains(char::is_control) {
        return Err(format!("@needs is one line of 1 to {LONGEST_NEEDS} characters"));
    }
    Ok(needs.to_owned())
}

fn approvals(policy: &Policy) -> Result<u32, String> {
    let Some(approvals) = policy.annotation("approvals") else { return Ok(0) };
    if policy.effect() == Effect::Forbid {
        return Err("@approvals stands before permits only; a forbid refuses whoever agrees".to_owned());
    }
    let number = approvals.parse().ok().filter(|number| *number <= MOST_APPROVALS);
    number.ok_or_else(|| format!("@approvals is a number from 0 to {MOST_APPROVALS}; {approvals:?} is none"))
}

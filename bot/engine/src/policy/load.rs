//! Policies from text: parsed, named, and validated before anybody is asked about.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use andon_core::{CommandSpec, Digest};
use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    Authorizer, Effect, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, ResourceConstraint, Schema,
    ValidationError, ValidationMode, Validator,
};
use thiserror::Error;

use super::annotations::Annotations;
use super::schema::Actions;

/// The most files of policies.
const MOST_FILES: usize = 200;

/// The largest file of policies, in bytes.
const LARGEST_FILE: usize = 256 * 1024;

/// What is wrong with the policies, and where. Lines and columns (in characters) begin at 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct PolicyProblem {
    /// The file, as it was named by whoever loaded it.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong, and where one can tell, what was meant.
    pub message: String,
}

/// Policies that were checked, ready to be asked.
pub struct Policies {
    pub(super) actions: Actions,
    pub(super) schema: Schema,
    pub(super) set: PolicySet,
    /// In the order of the files, and in each from top to bottom.
    pub(super) rules: Vec<Rule>,
    /// The entities that policies name.
    pub(super) literals: BTreeSet<EntityUid>,
    pub(super) authorizer: Authorizer,
    texts: String,
    version: Digest,
}

/// What is known of one policy.
pub(super) struct Rule {
    pub(super) id: PolicyId,
    pub(super) annotations: Annotations,
    pub(super) effect: Effect,
    /// The questions that it could be about, by the types of principal and resource.
    pub(super) about: BTreeSet<(EntityTypeName, EntityUid, EntityTypeName)>,
    pub(super) resource: ResourceConstraint,
}

/// A policy in its file.
struct Placed<'a> {
    file: &'a str,
    text: &'a str,
    offset: usize,
    policy: Policy,
}

impl Policies {
    /// Reads and checks `files` (name and text each) for `commands`. The order of the files does not matter.
    ///
    /// # Errors
    /// Everything that is wrong, sorted by place.
    pub fn load(files: &[(String, String)], commands: &[CommandSpec]) -> Result<Self, Vec<PolicyProblem>> {
        let actions = Actions::of(commands);
        let schema_text = actions.schema();
        let schema = Schema::from_str(&schema_text)
            .map_err(|error| vec![problem("schema", &schema_text, &DetailedError::from(&error))])?;
        let mut problems = too_much(files);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut sorted: Vec<_> = files.iter().collect();
        sorted.sort();
        let placed: Vec<_> = sorted.iter().flat_map(|(file, text)| parse(file, text, &mut problems)).collect();
        let rules = rules(&placed, &schema, &mut problems);
        let set = set(&placed);
        problems.extend(invalid(&placed, &set, &schema));
        problems.sort();
        problems.dedup();
        if !problems.is_empty() {
            return Err(problems);
        }
        let literals = set.policies().flat_map(Policy::entity_literals).collect();
        let texts = texts(files, &schema_text);
        let version = Digest::of(&texts);
        Ok(Self { actions, schema, set, rules, literals, authorizer: Authorizer::new(), texts, version })
    }

    /// The SHA-256 digest of [`Policies::texts`]: what every record names as the policies' version.
    pub const fn version(&self) -> Digest {
        self.version
    }

    /// All files and the schema as one text, by which an auditor can repeat a decision: a JSON object of `files` (text by name, sorted)
    /// and `schema`.
    pub fn texts(&self) -> &str {
        &self.texts
    }
}

fn texts(files: &[(String, String)], schema: &str) -> String {
    let files: BTreeMap<_, _> = files.iter().map(|(name, text)| (name, text)).collect();
    serde_json::json!({ "files": files, "schema": schema }).to_string()
}

/// What is wrong before anything is read.
fn too_much(files: &[(String, String)]) -> Vec<PolicyProblem> {
    let mut names = BTreeSet::new();
    let mut problems = Vec::new();
    for (file, text) in files.iter().take(MOST_FILES) {
        if text.len() > LARGEST_FILE {
            problems.push(at_start(
                file,
                format!("a file of policies has at most {LARGEST_FILE} bytes; this has {}", text.len()),
            ));
        }
        if !names.insert(file) {
            problems.push(at_start(file, "two files have this name".to_owned()));
        }
    }
    if let Some((file, _)) = files.get(MOST_FILES) {
        problems.push(at_start(file, format!("there are at most {MOST_FILES} files of policies")));
    }
    problems
}

/// The policies of a file, in its order, each under a name of its own: its `@id`, or its place where that is missing or taken.
fn parse<'a>(file: &'a str, text: &'a str, problems: &mut Vec<PolicyProblem>) -> Vec<Placed<'a>> {
    let set = match PolicySet::from_str(text) {
        Ok(set) => set,
        Err(errors) => {
            problems.extend(errors.iter().map(|error| problem(file, text, &DetailedError::from(error))));
            return Vec::new();
        }
    };
    if set.num_of_templates() > 0 {
        problems.push(at_start(
            file,
            "policies with ?principal or ?resource are templates, and nothing fills them in".to_owned(),
        ));
    }
    let mut policies: Vec<_> = set.policies().cloned().collect();
    // Cedar names them policy0, policy1, … in the order of the text.
    policies.sort_by_key(|policy| policy.id().to_string().trim_start_matches("policy").parse().unwrap_or(usize::MAX));
    let mut end = 0;
    let mut placed = Vec::new();
    for policy in policies {
        let source = policy.to_cedar().unwrap_or_default();
        let offset = find(text, &source, end);
        end = offset + source.len();
        placed.push(Placed { file, text, offset, policy });
    }
    placed
}

/// Where `source` stands in `text` from `start` on, and not in a comment.
fn find(text: &str, source: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let commented = |at: usize| rest[..at].rsplit('\n').next().is_some_and(|line| line.contains("//"));
    let found = rest.match_indices(source).map(|(at, _)| at).find(|at| !commented(*at));
    start + found.or_else(|| rest.find(source)).unwrap_or(0)
}

/// What the policies say of themselves. Policies that say it wrongly become problems instead.
fn rules(placed: &[Placed<'_>], schema: &Schema, problems: &mut Vec<PolicyProblem>) -> Vec<Rule> {
    let mut first: BTreeMap<String, &Placed<'_>> = BTreeMap::new();
    let mut rules = Vec::new();
    for this in placed {
        let annotations = match Annotations::of(&this.policy) {
            Ok(annotations) => annotations,
            Err(messages) => {
                problems.extend(messages.into_iter().map(|message| this.problem(message)));
                continue;
            }
        };
        if let Some(other) = first.get(&annotations.id) {
            let (line, column) = position(other.text, other.offset);
            problems
                .push(this.problem(format!("the @id {:?} is taken by {}:{line}:{column}", annotations.id, other.file)));
            continue;
        }
        first.insert(annotations.id.clone(), this);
        rules.push(Rule::new(&this.policy, annotations, schema));
    }
    rules
}

/// One set of all policies. Those without a name of their own are in it too, so that whatever else is wrong with them is found.
fn set(placed: &[Placed<'_>]) -> PolicySet {
    let mut set = PolicySet::new();
    for this in placed {
        let id = this.policy.annotation("id").map_or_else(|| this.place(), PolicyId::new);
        if set.add(this.policy.new_id(id)).is_err() {
            // The name is taken, which is a problem already. The place never is.
            let _ = set.add(this.policy.new_id(this.place()));
        }
    }
    set
}

/// What the validator says, in strict mode. Its warnings count: a policy that can never apply does not do what its author thinks. Of each
/// policy only the worst is told, since the rest follows from it: one with an unknown action applies to nothing and is impossible too.
fn invalid(placed: &[Placed<'_>], set: &PolicySet, schema: &Schema) -> Vec<PolicyProblem> {
    let result = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    let errors = result.validation_errors().map(|error| {
        let follows = matches!(error, ValidationError::InvalidActionApplication(_));
        (error.policy_id(), u8::from(follows), DetailedError::from(error))
    });
    let warnings = result.validation_warnings().map(|warning| (warning.policy_id(), 2, DetailedError::from(warning)));
    let found: Vec<_> = errors.chain(warnings).collect();
    let is_worst = |(id, rank, _): &&(&PolicyId, u8, DetailedError)| {
        !found.iter().any(|(other, worse, _)| other == id && worse < rank)
    };
    found.iter().filter(is_worst).map(|(id, _, error)| invalid_at(placed, id, error)).collect()
}

fn invalid_at(placed: &[Placed<'_>], id: &PolicyId, error: &DetailedError) -> PolicyProblem {
    let is_it = |this: &&Placed<'_>| this.place() == *id;
    let named = |this: &&Placed<'_>| this.policy.annotation("id") == Some(id.as_ref());
    match placed.iter().find(is_it).or_else(|| placed.iter().find(named)) {
        Some(this) if error.source_locations.is_empty() => this.problem(message(error)),
        Some(this) => problem(this.file, this.text, error),
        None => problem("policies", "", error),
    }
}

impl Rule {
    fn new(policy: &Policy, annotations: Annotations, schema: &Schema) -> Self {
        let about = policy
            .get_valid_request_envs(schema)
            .map(|env| (env.principal().clone(), env.action().clone(), env.resource().clone()));
        Self {
            id: PolicyId::new(&annotations.id),
            effect: policy.effect(),
            about: about.collect(),
            resource: policy.resource_constraint(),
            annotations,
        }
    }
}

impl Placed<'_> {
    fn problem(&self, message: String) -> PolicyProblem {
        let (line, column) = position(self.text, self.offset);
        PolicyProblem { file: self.file.to_owned(), line, column, message }
    }

    /// A name that no other policy has and no `@id` can be.
    fn place(&self) -> PolicyId {
        PolicyId::new(format!("{} at {}", self.file, self.offset))
    }
}

fn problem(file: &str, text: &str, error: &DetailedError) -> PolicyProblem {
    let offset = error.source_locations.first().map_or(0, |label| label.loc.start);
    let (line, column) = position(text, offset);
    PolicyProblem { file: file.to_owned(), line, column, message: message(error) }
}

fn message(error: &DetailedError) -> String {
    match &error.help {
        Some(help) => format!("{}; {help}", error.message),
        None => error.message.clone(),
    }
}

fn at_start(file: &str, message: String) -> PolicyProblem {
    PolicyProblem { file: file.to_owned(), line: 1, column: 1, message }
}

/// The line and column of a byte of `text`.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

//! What a command is, and the registry made of commands.
//!
//! # Adding a command
//! 1. Write `commands/src/<capability>/<name>.rs`: a struct that derives `clap::Args`, `Serialize` and `Deserialize` (its arguments), an
//!    impl of [`Command`], and one of [`Read`], [`Act`] or [`Operation`]. The doc comments of the struct and its fields become help.
//! 2. Add one line to `COMMANDS` in `commands/src/lib.rs`.
//!
//! Help, completion, native chat commands, `docs/commands.md`, the policy schema and the coverage tests follow from that line.

use std::future::Future;

use andon_core::{
    ApprovalFacts, Catalog, Digest, EffectKind, Failure, Fault, Message, OperationId, OperationNumber, Outcome, Plan,
    RecordId, RecordKind, Target,
};
use andon_store::Transaction;
use clap::{ArgMatches, Args};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operations::Running;
use crate::policy::Resource;
use crate::work::Work;

/// The arguments of a command, and what policy is asked about them.
pub trait Command: Args + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The command's words, such as `["audit", "search"]`.
    const PATH: &'static [&'static str];

    /// Lines that work, shown by help.
    const EXAMPLES: &'static [&'static str];

    /// Whether it cannot wait in an incident: such commands and their answers have a lane of their own, so that nothing makes them wait.
    const URGENT: bool = false;

    /// What the policy is asked about. Every resource must be permitted; there is at least one.
    ///
    /// # Errors
    /// Refused where an argument names nothing that exists.
    fn resources(&self, work: &Work) -> impl Future<Output = Result<Vec<Resource>, Failure>> + Send;

    /// What its records are about, so that they are found by service and environment. Where this is nothing, they are about what
    /// [`Command::resources`] covers.
    fn targets(&self, catalog: &Catalog) -> Vec<Target> {
        let _ = catalog;
        Vec::new()
    }
}

/// A command that answers.
pub trait Read: Command {
    /// Whether it still answers, saying "not recorded", when the trail cannot be written.
    const ANSWERS_UNRECORDED: bool = false;

    /// The answer.
    ///
    /// # Errors
    /// See [`Failure`].
    fn answer(&self, work: &Work) -> impl Future<Output = Result<Message, Failure>> + Send;
}

/// A command that changes only Andon's own database, in the transaction of its record.
pub trait Act: Command {
    /// What it would change.
    ///
    /// # Errors
    /// See [`Failure`].
    fn plan(&self, work: &Work) -> impl Future<Output = Result<Plan, Failure>> + Send;

    /// Changes it. Whatever `plan` found must be checked again here: the world may have moved.
    ///
    /// # Errors
    /// See [`Failure`]; nothing is changed then.
    fn apply(
        &self,
        plan: &Plan,
        work: &Work,
        transaction: &mut Transaction<'_>,
    ) -> impl Future<Output = Result<Applied, Failure>> + Send;
}

/// A command that does durable work outside.
pub trait Operation: Command {
    /// What it would change. Computed again just before it starts, and compared by digest.
    ///
    /// # Errors
    /// See [`Failure`].
    fn plan(&self, work: &Work) -> impl Future<Output = Result<Plan, Failure>> + Send;

    /// Which gates the plan does not have to pass.
    fn exemption(&self, plan: &Plan) -> Exemption {
        let _ = plan;
        Exemption::None
    }

    /// The first attempt.
    ///
    /// # Errors
    /// A fault that leaves the effect's fate to a later lookup.
    fn start(&self, plan: &Plan, running: &Running<'_>) -> impl Future<Output = Result<Outcome, Fault>> + Send;

    /// Any later attempt: looks the effect up at its backend first.
    ///
    /// # Errors
    /// A fault that leaves the effect's fate to a later lookup.
    fn resume(&self, plan: &Plan, running: &Running<'_>) -> impl Future<Output = Result<Outcome, Fault>> + Send;

    /// What its backend now says of an operation whose end nobody could tell; nothing where it still cannot.
    ///
    /// # Errors
    /// The backend cannot be reached.
    fn look(&self, plan: &Plan, running: &Running<'_>) -> impl Future<Output = Result<Option<Outcome>, Fault>> + Send;

    /// What the house keeps about the end, in the transaction that records it.
    ///
    /// # Errors
    /// See [`Failure`].
    fn conclude(
        &self,
        ended: &Ended<'_>,
        transaction: &mut Transaction<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The gates that a plan does not have to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exemption {
    /// It passes all gates.
    None,
    /// Back to the healthy release live just before: permission is all it needs, and it has a lane of its own.
    Rollback,
    /// As none, but a version held after a rollback may go out again, since a reason was given.
    Hold,
}

/// The end of an operation, as [`Operation::conclude`] sees it.
pub struct Ended<'a> {
    /// The operation.
    pub operation: &'a andon_store::OperationRow,
    /// Its plan.
    pub plan: &'a Plan,
    /// How it ended.
    pub outcome: &'a Outcome,
    /// When.
    pub at: jiff::Timestamp,
    /// How long a lock that it leaves lasts.
    pub lock_expires: jiff::SignedDuration,
}

/// What an act did.
pub struct Applied {
    /// The answer.
    pub message: Message,
    /// What kind of record tells it.
    pub kind: RecordKind,
    /// The operation that it was about.
    pub operation: Option<(OperationId, OperationNumber)>,
    /// The record that caused it: that of the operation's plan.
    pub parent: Option<RecordId>,
    /// The approval or objection that it was.
    pub approval: Option<ApprovalFacts>,
    /// The operations whose cards must be drawn again.
    pub redraw: Vec<OperationId>,
}

impl Applied {
    /// An act that is told as `applied`.
    pub fn new(message: Message) -> Self {
        Self { message, kind: RecordKind::Applied, operation: None, parent: None, approval: None, redraw: Vec::new() }
    }
}

/// Flags that all changes share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
pub struct Flags {
    /// Why, for the record and for whoever reads it later
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Show the plan and change nothing
    #[arg(long)]
    #[serde(default)]
    pub dry_run: bool,
    /// Only if the plan is the one that was shown. Buttons of dry runs say it; nobody has to know it
    #[arg(long, value_name = "DIGEST", hide = true, conflicts_with = "dry_run")]
    #[serde(default)]
    pub if_plan: Option<Digest>,
}

type Answer = for<'a> fn(&'a Value, &'a Work) -> BoxFuture<'a, Result<Message, Failure>>;
type MakePlan = for<'a> fn(&'a Value, &'a Work) -> BoxFuture<'a, Result<Plan, Failure>>;
pub(crate) type Apply =
    for<'a, 'c> fn(&'a Value, &'a Plan, &'a Work, &'a mut Transaction<'c>) -> BoxFuture<'a, Result<Applied, Failure>>;
type Go = for<'a> fn(&'a Value, &'a Plan, &'a Running<'a>) -> BoxFuture<'a, Result<Outcome, Fault>>;
type Look = for<'a> fn(&'a Value, &'a Plan, &'a Running<'a>) -> BoxFuture<'a, Result<Option<Outcome>, Fault>>;
type Conclude = for<'a, 'c> fn(&'a Value, &'a Ended<'a>, &'a mut Transaction<'c>) -> BoxFuture<'a, Result<(), Failure>>;
type Resources = for<'a> fn(&'a Value, &'a Work) -> BoxFuture<'a, Result<Vec<Resource>, Failure>>;

/// A command in the registry: its type, erased to plain functions over its arguments as JSON. Made by [`read`], [`act`], [`operation`].
pub struct Entry {
    /// The command's words.
    pub path: &'static [&'static str],
    /// Lines that work.
    pub examples: &'static [&'static str],
    pub(crate) urgent: bool,
    pub(crate) grammar: fn(clap::Command) -> clap::Command,
    pub(crate) arguments: fn(&ArgMatches) -> Result<Value, clap::Error>,
    pub(crate) resources: Resources,
    pub(crate) targets: fn(&Value, &Catalog) -> Vec<Target>,
    pub(crate) run: Run,
}

/// The three kinds of effect.
pub(crate) enum Run {
    Read {
        answer: Answer,
        unrecorded: bool,
    },
    Act {
        plan: MakePlan,
        apply: Apply,
    },
    Operation {
        plan: MakePlan,
        exemption: fn(&Value, &Plan) -> Result<Exemption, Fault>,
        start: Go,
        resume: Go,
        look: Look,
        conclude: Conclude,
    },
}

impl Entry {
    /// The kind of effect.
    pub fn effect(&self) -> EffectKind {
        match self.run {
            Run::Read { .. } => EffectKind::Read,
            Run::Act { .. } => EffectKind::Act,
            Run::Operation { .. } => EffectKind::Operation,
        }
    }

    /// The command's words with spaces between them, as policy and records name it.
    pub fn name(&self) -> String {
        self.path.join(" ")
    }
}

/// A registry entry for a command that answers.
pub const fn read<T: Read>() -> Entry {
    let run = Run::Read { answer: answer::<T>, unrecorded: T::ANSWERS_UNRECORDED };
    entry::<T>(run)
}

/// A registry entry for a command that changes Andon's own database.
pub const fn act<T: Act>() -> Entry {
    entry::<T>(Run::Act { plan: plan_act::<T>, apply: apply::<T> })
}

/// A registry entry for a command that does durable work outside.
pub const fn operation<T: Operation>() -> Entry {
    entry::<T>(Run::Operation {
        plan: plan_operation::<T>,
        exemption: exemption::<T>,
        start: start::<T>,
        resume: resume::<T>,
        look: look::<T>,
        conclude: conclude::<T>,
    })
}

const fn entry<T: Command>(run: Run) -> Entry {
    Entry {
        path: T::PATH,
        examples: T::EXAMPLES,
        urgent: T::URGENT,
        grammar: T::augment_args,
        arguments: arguments::<T>,
        resources: resources::<T>,
        targets: targets::<T>,
        run,
    }
}

fn decode<T: DeserializeOwned>(arguments: &Value) -> Result<T, Fault> {
    T::deserialize(arguments).map_err(Fault::new)
}

fn arguments<T: Command>(matches: &ArgMatches) -> Result<Value, clap::Error> {
    let command = T::from_arg_matches(matches)?;
    serde_json::to_value(command).map_err(|error| clap::Error::raw(clap::error::ErrorKind::Io, error))
}

fn resources<'a, T: Command>(arguments: &'a Value, work: &'a Work) -> BoxFuture<'a, Result<Vec<Resource>, Failure>> {
    Box::pin(async move { decode::<T>(arguments)?.resources(work).await })
}

fn targets<T: Command>(arguments: &Value, catalog: &Catalog) -> Vec<Target> {
    decode::<T>(arguments).map(|command| command.targets(catalog)).unwrap_or_default()
}

fn answer<'a, T: Read>(arguments: &'a Value, work: &'a Work) -> BoxFuture<'a, Result<Message, Failure>> {
    Box::pin(async move { decode::<T>(arguments)?.answer(work).await })
}

fn plan_act<'a, T: Act>(arguments: &'a Value, work: &'a Work) -> BoxFuture<'a, Result<Plan, Failure>> {
    Box::pin(async move { decode::<T>(arguments)?.plan(work).await })
}

fn apply<'a, T: Act>(
    arguments: &'a Value,
    plan: &'a Plan,
    work: &'a Work,
    transaction: &'a mut Transaction<'_>,
) -> BoxFuture<'a, Result<Applied, Failure>> {
    Box::pin(async move { decode::<T>(arguments)?.apply(plan, work, transaction).await })
}

fn plan_operation<'a, T: Operation>(arguments: &'a Value, work: &'a Work) -> BoxFuture<'a, Result<Plan, Failure>> {
    Box::pin(async move { decode::<T>(arguments)?.plan(work).await })
}

fn exemption<T: Operation>(arguments: &Value, plan: &Plan) -> Result<Exemption, Fault> {
    Ok(decode::<T>(arguments)?.exemption(plan))
}

fn start<'a, T: Operation>(
    arguments: &'a Value,
    plan: &'a Plan,
    running: &'a Running<'a>,
) -> BoxFuture<'a, Result<Outcome, Fault>> {
    Box::pin(async move { decode::<T>(arguments)?.start(plan, running).await })
}

fn resume<'a, T: Operation>(
    arguments: &'a Value,
    plan: &'a Plan,
    running: &'a Running<'a>,
) -> BoxFuture<'a, Result<Outcome, Fault>> {
    Box::pin(async move { decode::<T>(arguments)?.resume(plan, running).await })
}

fn look<'a, T: Operation>(
    arguments: &'a Value,
    plan: &'a Plan,
    running: &'a Running<'a>,
) -> BoxFuture<'a, Result<Option<Outcome>, Fault>> {
    Box::pin(async move { decode::<T>(arguments)?.look(plan, running).await })
}

fn conclude<'a, T: Operation>(
    arguments: &'a Value,
    ended: &'a Ended<'a>,
    transaction: &'a mut Transaction<'_>,
) -> BoxFuture<'a, Result<(), Failure>> {
    Box::pin(async move { decode::<T>(arguments)?.conclude(ended, transaction).await })
}

//! What is said back: answers, refusals and failures, always in the transaction of their record.

use std::sync::Arc;

use andon_core::{
    Digest, Failure, Fault, InvocationId, Line, Message, Receipt, RecordKind, RecordNumber, Refusal, Said, Tone,
};
use andon_store::{Accepted, InvocationRow, InvocationState, NewMessage, Transaction};
use andon_trail::Sealed;
use jiff::SignedDuration;
use serde_json::Value;

use crate::about;
use crate::approvals;
use crate::command::Entry;
use crate::house::House;
use crate::record;

/// How long an answer is worth delivering after its moment.
const ANSWER_EXPIRES: SignedDuration = SignedDuration::from_hours(12);

/// A refusal as a message for the asker.
pub(crate) fn refusal(refusal: &Refusal) -> Message {
    let summary = Line::new().text("Refused: ").line(&refusal.fact);
    Message::new(summary).tone(Tone::Bad).paragraph(Line::new().text("Next: ").line(&refusal.next_step)).whisper()
}

/// A refusal in plain words, for records.
pub(crate) fn refusal_text(refusal: &Refusal) -> String {
    format!("{}; next: {}", refusal.fact.plain(), refusal.next_step.plain())
}

/// Tells the log the whole chain and the room one fact.
pub(crate) fn broken(fault: &Fault) -> Receipt {
    tracing::error!(error = %fault.chain(), "a command could not be taken");
    Receipt::Refused { message: Box::new(broken_message(fault)), said: false }
}

/// The same of any failure.
pub(crate) fn broken_by(failure: Failure) -> Receipt {
    match failure {
        Failure::Faulted(fault) => broken(&fault),
        Failure::Refused(refused) => Receipt::Refused { message: Box::new(refusal(&refused)), said: false },
    }
}

fn broken_message(fault: &Fault) -> Message {
    let broke = || {
        let next_step = "try once more; if it stays so, whoever runs Andon finds the cause in its log";
        Refusal::new("something in Andon broke", next_step)
    };
    let told = fault.told().cloned().unwrap_or_else(broke);
    Message::new(Line::new().text("Failed: ").line(&told.fact).text(", and nothing was changed"))
        .tone(Tone::Bad)
        .paragraph(Line::new().text("Next: ").line(&told.next_step))
        .whisper()
}

/// The entry and arguments of an invocation, as they were stored.
pub(crate) fn command_of(house: &House, invocation: &InvocationRow) -> Result<(&'static Entry, Value), Fault> {
    let command =
        invocation.command.as_ref().ok_or_else(|| Fault::new("an invocation without a command was accepted"))?;
    let entry = house.grammar.entry(&command.path).ok_or_else(|| {
        Fault::new(format!("the command {:?} is no longer part of this version", command.path.join(" ")))
    })?;
    Ok((entry, command.arguments.clone()))
}

/// Where the record of a change stands: its leaf hash, and its number once it has one.
pub(crate) fn record_line(number: Option<RecordNumber>, leaf_hash: Digest) -> Line {
    let line = match number {
        Some(number) => Line::new().code(number).text(", "),
        None => Line::new(),
    };
    line.text("leaf ").code(leaf_hash)
}

/// The message with the fact of where its record stands.
pub(crate) fn with_record(message: Message, number: Option<RecordNumber>, sealed: &Sealed) -> Message {
    message.fact("record", record_line(number, sealed.leaf_hash))
}

/// Queues an answer to an invocation.
pub(crate) async fn say(
    house: &House,
    transaction: &mut Transaction<'_>,
    invocation: &InvocationRow,
    message: &Message,
) -> Result<(), Failure> {
    let entry = invocation.command.as_ref().and_then(|command| house.grammar.entry(&command.path));
    let urgent = entry.is_some_and(|entry| entry.urgent);
    Ok(transaction.put_message(&answer(house, invocation.id, &invocation.said, message, urgent)).await?)
}

/// An answer to what was said, for the outbox.
pub(crate) fn answer(
    house: &House,
    invocation: InvocationId,
    said: &Said,
    message: &Message,
    urgent: bool,
) -> NewMessage {
    let expires_at = house.clock.now().saturating_add(ANSWER_EXPIRES).unwrap_or(jiff::Timestamp::MAX);
    let asker = Some(said.identity.clone());
    let new = NewMessage::new(said.room.clone(), message.clone(), expires_at);
    NewMessage { asker, invocation: Some(invocation), urgent, ..new }
}

/// A read was answered.
pub(crate) async fn answered(house: &Arc<House>, accepted: &Arc<Accepted>, message: Message) -> Result<(), Failure> {
    let mut record = house.record_of_invocation(RecordKind::Answered, accepted.invocation());
    record.outcome = Some(record::outcome("answered", &message.summary.plain()));
    end(house, accepted, record, message, InvocationState::Answered).await
}

/// A command was refused, or broke, after it was accepted. Nothing was changed.
pub(crate) async fn end_badly(house: &Arc<House>, accepted: &Arc<Accepted>, failure: Failure) {
    let invocation = accepted.invocation();
    let (kind, outcome, message, state) = match failure {
        Failure::Refused(refused) => {
            let outcome = record::outcome("refused", &refusal_text(&refused));
            (RecordKind::Denied, outcome, refusal(&refused), InvocationState::Refused)
        }
        Failure::Faulted(fault) => {
            tracing::error!(invocation = %invocation.id, error = %fault.chain(), "invocation {} failed", invocation.id);
            let message = broken_message(&fault);
            let outcome = record::outcome("faulted", &message.summary.plain());
            (RecordKind::Answered, outcome, message, InvocationState::Failed)
        }
    };
    let mut record = house.record_of_invocation(kind, invocation);
    record.outcome = Some(outcome);
    if let Err(failure) = end(house, accepted, record, message, state).await {
        // Its lease runs out, and whoever sweeps takes it up again: nothing accepted is lost.
        tracing::error!(invocation = %invocation.id, ?failure, "the end of invocation {} could not be kept", invocation.id);
    }
}

async fn end(
    house: &Arc<House>,
    accepted: &Arc<Accepted>,
    mut record: andon_core::Record,
    message: Message,
    state: InvocationState,
) -> Result<(), Failure> {
    record.targets = about::targets_of(house, accepted.invocation()).await;
    let (house, accepted) = (Arc::clone(house), Arc::clone(accepted));
    let sealed = house.seal(&record)?;
    let store = house.store.clone();
    store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.append(&sealed).await?;
                if state == InvocationState::Refused {
                    approvals::show_if_moved_on(&house, transaction, accepted.invocation()).await?;
                }
                say(&house, transaction, accepted.invocation(), &message).await?;
                transaction.finish_invocation(&accepted, state, &message.summary.plain()).await?;
                Ok::<_, Failure>(())
            })
        })
        .await
}

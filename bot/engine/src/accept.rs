//! The transaction that makes an intent durable: the human act's key, the invocation and its first record, together or not at all.

use std::sync::Arc;

use andon_core::{
    Audience, Failure, InvocationId, Message, Private, Receipt, Record, RecordKind, Redactor, Refusal, Said, Saying,
    Speaker, Tone,
};
use andon_store::{Acceptance, NewInvocation, NewInvocationState, StoredCommand};
use serde_json::{Value, json};

use crate::about;
use crate::command::Run;
use crate::house::House;
use crate::parse::Asked;
use crate::policy::{Denial, Permit, Resource};
use crate::work::Work;
use crate::{record, reply};

/// What an unlinked account is told, whatever it said: nothing that helps it to guess.
const STRANGER: &str = "I do not know you";

/// Records that an account which is nobody's spoke, and answers with one fixed sentence. Nothing that it said is parsed.
pub(crate) async fn stranger(house: &Arc<House>, said: Said) -> Receipt {
    let refusal = Refusal::new(STRANGER, "ask whoever runs Andon to link your account");
    let mut record = house.record_of_saying(RecordKind::Denied, &said, None);
    record.said = Some(unparsed(&said));
    record.outcome = Some(record::outcome("refused", STRANGER));
    store_refusal(house, said, None, None, record, &refusal).await
}

/// Records that a person was refused, and why.
pub(crate) async fn refused(
    house: &Arc<House>,
    said: Said,
    speaker: Speaker,
    asked: Option<&Asked>,
    resources: &[Resource],
    refusal: &Refusal,
    denial: Option<&Denial>,
) -> Receipt {
    let configuration = house.configuration();
    let mut record = house.record_of_saying(RecordKind::Denied, &said, Some(&speaker));
    record.said = Some(match asked {
        Some(asked) => saying(&house.redactor, &said, asked),
        None => unparsed(&said),
    });
    let about = |asked: &Asked| about::targets(asked.entry, &asked.arguments, resources, &configuration.catalog);
    record.targets = asked.map(about).unwrap_or_default();
    record.decision = denial.map(|denial| record::decision(&configuration, Err(denial), &[]));
    record.outcome = Some(record::outcome("refused", &reply::refusal_text(refusal)));
    store_refusal(house, said, Some(speaker), asked.map(|asked| stored(&house.redactor, asked)), record, refusal).await
}

/// Records the intent and hands it to whoever proceeds with it.
pub(crate) async fn accepted(
    work: &Work,
    said: Said,
    asked: &Asked,
    resources: &[Resource],
    permit: &Permit,
) -> Receipt {
    let house = &work.house;
    let mut record = house.record_of_saying(RecordKind::Asked, &said, Some(&work.speaker));
    record.said = Some(saying(&house.redactor, &said, asked));
    record.targets = about::targets(asked.entry, &asked.arguments, resources, work.catalog());
    record.decision = Some(record::decision(work.configuration(), Ok(permit), &[]));
    let id = InvocationId::new(work.now, &*house.entropy);
    record.invocation = Some(id);
    let receipt = Receipt::Accepted { invocation: id, audience: Audience::Room };
    let command = Some(stored(&house.redactor, asked));
    let stored =
        store(house, id, said, Some(work.speaker.clone()), command, record, receipt, NewInvocationState::Accepted)
            .await;
    (house.probe)("acknowledged");
    match stored {
        Ok(receipt) => receipt,
        Err(failure) => unrecorded(work, asked, failure).await,
    }
}

/// The trail cannot be written: reads that help in an emergency still answer, everything else is refused.
async fn unrecorded(work: &Work, asked: &Asked, failure: Failure) -> Receipt {
    if let Failure::Faulted(fault) = &failure {
        tracing::error!(error = %fault.chain(), "the audit trail cannot be written");
    }
    let Run::Read { answer, unrecorded: true } = &asked.entry.run else {
        let message = Message::new("Refused: the audit trail cannot be written, and nothing happens unrecorded")
            .tone(Tone::Bad)
            .paragraph("Tell whoever runs Andon. `status`, `history`, `versions`, `can`, `why`, `whoami` and `help` still answer.");
        return Receipt::Refused { message: Box::new(message.whisper()) };
    };
    match answer(&asked.arguments, work).await {
        Ok(message) => {
            let message = message.paragraph("Not recorded: the audit trail cannot be written.");
            Receipt::Unrecorded { message: Box::new(message) }
        }
        Err(Failure::Refused(refusal)) => Receipt::Refused { message: Box::new(reply::refusal(&refusal)) },
        Err(Failure::Faulted(fault)) => reply::broken(&fault),
    }
}

async fn store_refusal(
    house: &Arc<House>,
    said: Said,
    speaker: Option<Speaker>,
    command: Option<StoredCommand>,
    mut record: Record,
    refusal: &Refusal,
) -> Receipt {
    let id = InvocationId::new(house.clock.now(), &*house.entropy);
    record.invocation = Some(id);
    let receipt = Receipt::Refused { message: Box::new(reply::refusal(refusal)) };
    let stored = store(house, id, said, speaker, command, record, receipt.clone(), NewInvocationState::Refused).await;
    match stored {
        Ok(receipt) => receipt,
        // It is refused all the same; that the refusal is not recorded is for the log.
        Err(Failure::Faulted(fault)) => {
            tracing::error!(error = %fault.chain(), "a refusal could not be recorded");
            receipt
        }
        Err(Failure::Refused(_)) => receipt,
    }
}

#[expect(clippy::too_many_arguments, reason = "the columns of one row, named at both call sites")]
async fn store(
    house: &Arc<House>,
    id: InvocationId,
    mut said: Said,
    speaker: Option<Speaker>,
    command: Option<StoredCommand>,
    record: Record,
    receipt: Receipt,
    state: NewInvocationState,
) -> Result<Receipt, Failure> {
    let sealed = house.seal(&record)?;
    said.text = house.redactor.redact(&said.text);
    let urgent =
        command.as_ref().and_then(|command| house.grammar.entry(&command.path)).is_some_and(|entry| entry.urgent);
    let answer = receipt.clone();
    let acceptance = house
        .store
        .write(move |transaction| {
            Box::pin(async move {
                let new = NewInvocation {
                    id,
                    said: &said,
                    speaker: speaker.as_ref(),
                    command: command.as_ref(),
                    records: &[sealed],
                    receipt: &receipt,
                    state,
                    urgent,
                };
                transaction.accept(new).await.map_err(Failure::from)
            })
        })
        .await?;
    Ok(match acceptance {
        Acceptance::New(_) => answer,
        Acceptance::Duplicate(stored) => stored,
    })
}

fn unparsed(said: &Said) -> Saying {
    Saying { raw: Private::new(&said.text), command: Vec::new(), arguments: Value::Null, alias: None, reason: None }
}

fn saying(redactor: &Redactor, said: &Said, asked: &Asked) -> Saying {
    Saying {
        raw: Private::new(&said.text),
        command: asked.entry.path.iter().map(ToString::to_string).collect(),
        arguments: redacted(redactor, &asked.arguments),
        alias: asked.alias.clone(),
        reason: asked.flags.reason.as_ref().map(Private::new),
    }
}

fn stored(redactor: &Redactor, asked: &Asked) -> StoredCommand {
    StoredCommand {
        path: asked.entry.path.iter().map(ToString::to_string).collect(),
        arguments: redacted(redactor, &asked.arguments),
        flags: json!({ "reason": asked.flags.reason, "dry_run": asked.flags.dry_run, "alias": asked.alias }),
    }
}

/// Changes whose arguments hold a secret never come here; what is only asked is kept without it.
fn redacted(redactor: &Redactor, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(redactor.redact(text)),
        Value::Array(items) => items.iter().map(|item| redacted(redactor, item)).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, member)| (key.clone(), redacted(redactor, member))).collect()
        }
        other => other.clone(),
    }
}

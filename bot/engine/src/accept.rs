//! The transaction that makes an intent durable: the human act's key, the invocation and its first record, together or not at all.

use std::sync::Arc;

use andon_core::{
    Audience, Failure, InvocationId, Message, Private, Receipt, Record, RecordKind, Redactor, Refusal, Said, Saying,
    Speaker, Tone,
};
use andon_store::{Acceptance, NewInvocation, NewInvocationState, StoredCommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::about;
use crate::command::Run;
use crate::house::{Configuration, House};
use crate::parse::{self, Asked};
use crate::policy::{Denial, Permit, Resource};
use crate::probe::Point;
use crate::work::Work;
use crate::{record, reply};

/// What an unlinked account is told, whatever it said: nothing that helps it to guess.
const STRANGER: &str = "I do not know you";

/// A delivery older than this is refused: whether it was taken once may be forgotten by then. 14 days.
const OLDEST: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How far ahead of our clock a delivery may have happened: a clock that is wrong by a day must not silence everybody in an emergency.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// How long human acts are remembered: as long as any delivery of them would be taken, so that none runs twice.
pub(crate) const REMEMBERED: SignedDuration = SignedDuration::from_hours(15 * 24);
/// The most characters that are kept of what was said; a command has no more.
const KEPT: usize = parse::MAX_CHARACTERS;

/// Why a delivery is not taken whatever it says: it happened too long ago, or too far ahead.
pub(crate) fn out_of_time(happened: Timestamp, now: Timestamp) -> Option<Refusal> {
    let age = now.duration_since(happened);
    if age > OLDEST {
        return Some(Refusal::new("That was said more than 14 days ago", "say it again, if it still is what you want"));
    }
    (age < -AHEAD).then(|| {
        let next_step = "say it again; if it stays so, whoever runs Andon has to set its clock";
        Refusal::new("That was said more than a day ahead of my clock", next_step)
    })
}

/// What was said, as it may be kept: without secrets, without addresses, and no longer than a command can be.
fn kept(redactor: &Redactor, mut said: Said) -> Said {
    if let Some(account) = &mut said.account {
        // Whose it is has been told by now.
        account.email = None;
    }
    said.text = parse::without_secrets(redactor, &said.text);
    let length = said.text.chars().count();
    if let Some((cut, _)) = said.text.char_indices().nth(KEPT) {
        said.text.truncate(cut);
        said.text.push_str(&format!(" [cut: it had {length} characters]"));
    }
    said
}

/// Records that an account which is nobody's spoke, and answers with one fixed sentence. Nothing that it said is parsed.
pub(crate) async fn stranger(house: &Arc<House>, said: Said) -> Receipt {
    let said = kept(&house.redactor, said);
    let refusal = Refusal::new(STRANGER, "ask whoever runs Andon to link your account");
    let mut record = house.record_of_saying(RecordKind::Denied, &said, None);
    record.said = Some(unparsed(&said));
    record.outcome = Some(record::outcome("refused", STRANGER));
    store_refusal(house, said, None, None, record, &refusal).await
}

/// Records a refusal that the adapter has decided, about whoever spoke.
pub(crate) async fn turned_back(house: &Arc<House>, said: Said, refusal: &Refusal) -> Receipt {
    let said = kept(&house.redactor, said);
    let mut record = house.record_of_saying(RecordKind::Denied, &said, None);
    record.said = Some(unparsed(&said));
    record.outcome = Some(record::outcome("refused", &reply::refusal_text(refusal)));
    store_refusal(house, said, None, None, record, refusal).await
}

/// What a person is told, and what the policies said where they were asked.
pub(crate) struct Refused<'a> {
    pub(crate) refusal: &'a Refusal,
    pub(crate) denial: Option<&'a Denial>,
    /// What the policies were asked about.
    pub(crate) resources: &'a [Resource],
}

impl<'a> Refused<'a> {
    /// A refusal that the policies had no part in.
    pub(crate) const fn because(refusal: &'a Refusal) -> Self {
        Self { refusal, denial: None, resources: &[] }
    }
}

/// Records that a person was refused, and why.
pub(crate) async fn refused(
    house: &Arc<House>,
    configuration: &Configuration,
    said: Said,
    speaker: Speaker,
    asked: Option<&Asked>,
    refused: Refused<'_>,
) -> Receipt {
    let said = kept(&house.redactor, said);
    let Refused { refusal, denial, resources } = refused;
    let mut record = house.record_of_saying(RecordKind::Denied, &said, Some(&speaker));
    record.said = Some(match asked {
        Some(asked) => saying(&house.redactor, &said, asked),
        None => unparsed(&said),
    });
    let about = |asked: &Asked| about::targets(asked.entry, &asked.arguments, resources, &configuration.catalog);
    record.targets = asked.map(about).unwrap_or_default();
    record.decision = denial.map(|denial| record::decision(configuration, Err(denial), &[]));
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
    let said = kept(&house.redactor, said);
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
    (house.probe)(Point::Acknowledged);
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
        return Receipt::Refused { message: Box::new(message.whisper()), said: false };
    };
    match answer(&asked.arguments, work).await {
        Ok(message) => {
            let message = message.paragraph("Not recorded: the audit trail cannot be written.");
            Receipt::Unrecorded { message: Box::new(message) }
        }
        Err(Failure::Refused(refusal)) => Receipt::Refused { message: Box::new(reply::refusal(&refusal)), said: false },
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
    let (message, by_voice) = (Box::new(reply::refusal(refusal)), said.refusal_by_voice);
    let receipt = Receipt::Refused { message: message.clone(), said: by_voice };
    let stored = store(house, id, said, speaker, command, record, receipt, NewInvocationState::Refused).await;
    match stored {
        Ok(receipt) => receipt,
        // It is refused all the same; that the refusal is not recorded is for the log.
        Err(Failure::Faulted(fault)) => {
            tracing::error!(error = %fault.chain(), "a refusal could not be recorded");
            Receipt::Refused { message, said: false }
        }
        Err(Failure::Refused(_)) => Receipt::Refused { message, said: false },
    }
}

#[expect(clippy::too_many_arguments, reason = "the columns of one row, named at both call sites")]
async fn store(
    house: &Arc<House>,
    id: InvocationId,
    said: Said,
    speaker: Option<Speaker>,
    command: Option<StoredCommand>,
    record: Record,
    receipt: Receipt,
    state: NewInvocationState,
) -> Result<Receipt, Failure> {
    let sealed = house.seal(&record)?;
    let urgent =
        command.as_ref().and_then(|command| house.grammar.entry(&command.path)).is_some_and(|entry| entry.urgent);
    let answer = receipt.clone();
    let to_say = match &receipt {
        Receipt::Refused { message, said: true } => Some(reply::answer(house, id, &said, message, urgent)),
        _ => None,
    };
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
                let acceptance = transaction.accept(new).await?;
                if let (Acceptance::New, Some(to_say)) = (&acceptance, &to_say) {
                    transaction.put_message(to_say).await?;
                }
                Ok::<_, Failure>(acceptance)
            })
        })
        .await?;
    Ok(match acceptance {
        Acceptance::New => answer,
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
        reason: reason(redactor, asked).map(Private::new),
    }
}

fn reason(redactor: &Redactor, asked: &Asked) -> Option<String> {
    asked.flags.reason.as_ref().map(|reason| redactor.redact(reason))
}

fn stored(redactor: &Redactor, asked: &Asked) -> StoredCommand {
    StoredCommand {
        path: asked.entry.path.iter().map(ToString::to_string).collect(),
        arguments: redacted(redactor, &asked.arguments),
        flags: json!({
            "reason": reason(redactor, asked), "dry_run": asked.flags.dry_run, "if_plan": asked.flags.if_plan, "alias": asked.alias,
        }),
    }
}

/// What holds a secret never comes here as a command; should one come to light only in an argument, it is not kept either.
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

#[cfg(test)]
mod tests {
    use andon_core::{Identity, ProofStrength};

    use super::*;

    fn said(text: &str) -> Said {
        let at = Timestamp::UNIX_EPOCH;
        Said {
            key: andon_core::DeliveryKey("console//line/1/1".to_owned()),
            attempt: None,
            identity: "console:ana".parse::<Identity>().expect("an account"),
            account: None,
            proof: ProofStrength::Chat,
            room: "console:lobby".parse().expect("a room"),
            permalink: None,
            text: text.to_owned(),
            happened: at,
            received: at,
            audience_size: None,
            guests_present: None,
            terminal: None,
            refusal_by_voice: false,
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_holds_no_secret() {
        let redactor = Redactor::default();
        assert_eq!(kept(&redactor, said("status hello")).text, "status hello");
        let long = kept(&redactor, said(&"é".repeat(40_000))).text;
        assert!(long.ends_with("é [cut: it had 40000 characters]") && long.chars().count() < KEPT + 40, "{long}");
        let token = format!("ghp_{}", "a".repeat(36));
        let disguised = [token.clone(), token.replace("_a", "_\u{200b}a"), token.replace("aa", "a\"\"a")];
        for text in disguised {
            let kept = kept(&redactor, said(&format!("help {text}"))).text;
            assert_eq!(kept, "help [redacted]", "{text}");
        }
    }

    #[test]
    fn a_delivery_of_another_time_is_refused() {
        let now = Timestamp::from_second(1_800_000_000).expect("a time");
        let refused = |hours: i64| out_of_time(now - SignedDuration::from_hours(hours), now).is_some();
        assert!(!refused(0) && !refused(14 * 24) && !refused(-24));
        assert!(refused(14 * 24 + 1) && refused(-25));
        assert!(REMEMBERED >= OLDEST + AHEAD, "what is still taken is still remembered");
    }
}

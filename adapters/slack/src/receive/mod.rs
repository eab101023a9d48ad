//! What comes in, over whichever way: events, slash commands, buttons and forms become what somebody said, and go to the house's edge. When
//! a handler here returns, the delivery may be acknowledged, and the answer says with what.

mod button;
mod command;
mod event;
mod form;
mod home;
mod payload;
mod text;

use std::sync::Arc;

use andon_core::ports::{Edge, Marker, Voice as _, VoiceError};
use andon_core::{Account, DeliveryKey, Identity, Message, ProofStrength, Receipt, Refusal, Room, Said};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use thiserror::Error;

use crate::accounts::Unanswered;
use crate::door::Door;
use crate::form_voice;
use crate::slack::{Me, PLATFORM, Parts};
use crate::voice::SlackVoice;

/// How long a delivery waits for what nothing depends on; Slack wants the acknowledgement within three seconds.
const MEANWHILE: SignedDuration = SignedDuration::from_secs(2);
/// How long an answer that the outbox does not keep waits for its channel's turn.
const SHOWN_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// A delivery, however it came.
pub(crate) enum Delivery {
    /// An event of the Events API, with its wrapper.
    Event(Value),
    /// A slash command.
    Command(Value),
    /// A button, a form, a shortcut, or a question for what there is to choose from.
    Interaction(Value),
}

/// What an acknowledgement carries.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    /// Nothing.
    Empty,
    /// An answer of Slack's own form, such as errors of a form or choices.
    Json(Value),
    /// No acknowledgement: it cannot be told now who speaks. Slack delivers it again, or tells the person.
    Later,
}

/// Why a delivery was not taken.
#[derive(Debug, Error)]
pub(crate) enum NotTaken {
    /// It is not as Slack would send it.
    #[error(transparent)]
    Unreadable(#[from] serde_json::Error),
    /// It cannot be told now who speaks.
    #[error("Slack does not say whose the account is")]
    Unanswered,
}

/// Takes deliveries.
pub(crate) struct Inbound {
    parts: Arc<Parts>,
    edge: Arc<dyn Edge>,
    door: Door,
}

/// An act of somebody, before anything is known of the account.
pub(crate) struct Act {
    /// The kind of the act and what names it among its kind, such as `message/C1/1700000000.000100`.
    pub(crate) key: String,
    /// Which attempt at it this is, where it can be tried again after it was refused.
    pub(crate) attempt: Option<String>,
    /// The author's workspace.
    pub(crate) workspace: String,
    /// The author.
    pub(crate) user: String,
    /// The workspace that it was delivered for.
    pub(crate) delivered_to: String,
    /// The channel.
    pub(crate) channel: String,
    /// The thread inside it.
    pub(crate) thread: Option<String>,
    /// Text of the grammar.
    pub(crate) text: String,
    /// The message's time stamp, which is its name in links.
    pub(crate) message: Option<String>,
    /// When it happened.
    pub(crate) happened: Option<Timestamp>,
    /// Whether people of other workspaces read the channel.
    pub(crate) shared: Option<bool>,
    /// Whether a refusal is said by the voice; forms show it themselves.
    pub(crate) refusal_by_voice: bool,
}

impl Inbound {
    pub(crate) fn new(parts: Arc<Parts>, edge: Arc<dyn Edge>) -> Self {
        let door = Door::new(&edge, &parts.clock);
        Self { parts, edge, door }
    }

    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    pub(crate) fn edge(&self) -> &Arc<dyn Edge> {
        &self.edge
    }

    /// Where deliveries are turned away.
    pub(crate) fn door(&self) -> &Door {
        &self.door
    }

    /// Takes one delivery that came in by `way`. What cannot be read is turned away and acknowledged: it would read no better a second time.
    pub(crate) async fn take(self: &Arc<Self>, way: &'static str, delivery: Delivery) -> Reply {
        let taken = match delivery {
            Delivery::Event(event) => self.event(event).await,
            Delivery::Command(command) => self.command(command).await,
            Delivery::Interaction(interaction) => self.interaction(interaction).await,
        };
        match taken {
            Ok(reply) => reply,
            Err(NotTaken::Unanswered) => Reply::Later,
            Err(NotTaken::Unreadable(error)) => {
                tracing::warn!(%error, "a delivery of Slack cannot be read");
                self.door.turn_away(way, "it lacks what it should hold").await;
                Reply::Empty
            }
        }
    }

    async fn interaction(self: &Arc<Self>, interaction: Value) -> Result<Reply, NotTaken> {
        let kind = interaction.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            "block_actions" => self.button(serde_json::from_value(interaction)?).await,
            "view_submission" => self.submitted(serde_json::from_value(interaction)?).await,
            "block_suggestion" => self.suggest(serde_json::from_value(interaction)?).await,
            "shortcut" | "message_action" => self.shortcut(serde_json::from_value(interaction)?).await,
            "view_closed" => Ok(Reply::Empty),
            other => {
                tracing::info!(kind = other, "an interaction that is not for us");
                Ok(Reply::Empty)
            }
        }
    }

    /// Does what nothing depends on, such as drawing a view: as long as the acknowledgement can wait, and then on its own.
    async fn meanwhile(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::select! {
            done = tokio::spawn(work) => if let Err(error) = done { tracing::error!(%error, "a view broke") },
            () = self.parts.clock.sleep(MEANWHILE) => {}
        }
    }

    /// Says something to the house in somebody's name, and shows what the house leaves to us to show.
    ///
    /// # Errors
    /// Only Slack knows whose the account is, and does not say it now: a refusal would be for good.
    pub(crate) async fn say(&self, act: Act) -> Result<Receipt, NotTaken> {
        let me = self.parts.me_soon().await.cloned();
        let serves = self.parts.config.workspaces.contains(&act.delivered_to);
        let identity = self.identity(&act.workspace, &act.user);
        let account = match self.account(&identity).await {
            Ok(account) => account,
            Err(Unanswered) if !serves || !self.parts.config.matches_email => None,
            Err(Unanswered) if self.edge.knows(&identity, None).await => None,
            Err(Unanswered) => return Err(NotTaken::Unanswered),
        };
        let said = self.said(act, identity, account, me.as_ref());
        let receipt = match serves {
            true => self.edge.deliver(said.clone()).await,
            false => {
                let refusal = Refusal::new("I do not serve this workspace", "ask whoever runs Andon");
                self.edge.refuse(Said { refusal_by_voice: false, ..said.clone() }, refusal).await
            }
        };
        match &receipt {
            Receipt::Refused { message, said: false } if said.refusal_by_voice => self.show(&said, message),
            Receipt::Unrecorded { message } => self.show(&said, message),
            _ => {}
        }
        Ok(receipt)
    }

    /// Shows something that the outbox does not say, because it could not be kept; nor does the outbox wait for the channel's turn, so it is
    /// waited for here. Not waited for by the delivery: the acknowledgement is due.
    fn show(&self, said: &Said, message: &Message) {
        let voice = SlackVoice::new(Arc::clone(&self.parts));
        let (room, identity, message) = (said.room.clone(), said.identity.clone(), message.clone());
        let (marker, clock) = (Marker(self.parts.name()), Arc::clone(&self.parts.clock));
        tokio::spawn(async move {
            let until = clock.now().saturating_add(SHOWN_WITHIN).unwrap_or(Timestamp::MAX);
            loop {
                match voice.post(&room, Some(&identity), &message, &marker).await {
                    Ok(_) => return,
                    Err(VoiceError::SlowDown(wait)) if clock.now() < until => {
                        clock.sleep(SignedDuration::try_from(wait).unwrap_or(SHOWN_WITHIN)).await;
                    }
                    Err(error) => return tracing::warn!(%error, "an answer could not be said"),
                }
            }
        });
    }

    fn said(&self, act: Act, identity: Identity, account: Option<Account>, me: Option<&Me>) -> Said {
        let received = self.parts.clock.now();
        let room = room(&act.delivered_to, &act.channel, act.thread);
        Said {
            key: DeliveryKey(format!("{PLATFORM}/{}/{}", act.workspace, act.key)),
            attempt: act.attempt,
            identity,
            account,
            proof: ProofStrength::Chat,
            permalink: me.map(|me| permalink(me, &room, act.message.as_deref())),
            room,
            text: act.text,
            happened: act.happened.unwrap_or(received),
            received,
            audience_size: None,
            guests_present: act.shared,
            terminal: None,
            refusal_by_voice: act.refusal_by_voice,
        }
    }

    pub(crate) fn identity(&self, workspace: &str, user: &str) -> Identity {
        let (workspace, user) = (Some(workspace.to_owned()), user.to_owned());
        Identity { platform: PLATFORM.to_owned(), workspace, user }
    }

    /// What Slack says of an account.
    async fn account(&self, identity: &Identity) -> Result<Option<Account>, Unanswered> {
        let workspace = identity.workspace.as_deref().unwrap_or_default();
        self.parts.accounts.account(&self.parts.api, workspace, &identity.user).await
    }

    /// Whether somebody may be shown what there is to choose from.
    pub(crate) async fn knows(&self, workspace: &str, user: &str) -> bool {
        let identity = self.identity(workspace, user);
        let account = self.account(&identity).await.unwrap_or_default();
        self.edge.knows(&identity, account.as_ref()).await
    }
}

/// A room of Slack.
pub(crate) fn room(workspace: &str, channel: &str, thread: Option<String>) -> Room {
    Room { platform: PLATFORM.to_owned(), workspace: Some(workspace.to_owned()), channel: channel.to_owned(), thread }
}

/// The link to a message, made as Slack makes it (`chat.getPermalink`). What is no message, such as a slash command or a form, has the link of
/// the thread or the channel that it belongs to.
fn permalink(me: &Me, room: &Room, message: Option<&str>) -> String {
    let (channel, url) = (&room.channel, me.url.trim_end_matches('/'));
    let thread = match form_voice::form_of(room) {
        Some(form) => form.thread,
        None => room.thread.as_deref(),
    };
    let Some(message) = message.or(thread) else { return format!("{url}/archives/{channel}") };
    let link = format!("{url}/archives/{channel}/p{}", message.replace('.', ""));
    match thread.filter(|thread| *thread != message) {
        Some(thread) => format!("{link}?thread_ts={thread}&cid={channel}"),
        None => link,
    }
}

/// A time stamp of Slack, which names a message in its channel: seconds since 1970 with six digits behind the point.
pub(crate) fn time(ts: &str) -> Option<Timestamp> {
    let (seconds, micros) = ts.split_once('.')?;
    let (seconds, micros): (i64, i64) = (seconds.parse().ok()?, micros.get(..6)?.parse().ok()?);
    Timestamp::from_second(seconds).ok()?.checked_add(SignedDuration::from_micros(micros)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_said_has_a_link() {
        let url = "https://example.slack.com/".to_owned();
        let me = Me { url, team_id: "T1".to_owned(), user_id: "U1".to_owned(), bot_id: None };
        let link = |thread: Option<&str>, message: Option<&str>| {
            permalink(&me, &room("T1", "C1", thread.map(str::to_owned)), message)
        };
        let archive = "https://example.slack.com/archives/C1";
        assert_eq!(link(None, Some("17.000100")), format!("{archive}/p17000100"));
        assert_eq!(link(Some("17.000100"), Some("17.000100")), format!("{archive}/p17000100"));
        let answer = format!("{archive}/p18000200?thread_ts=17.000100&cid=C1");
        assert_eq!(link(Some("17.000100"), Some("18.000200")), answer);
        assert_eq!(link(None, None), archive);
        assert_eq!(link(Some("17.000100"), None), format!("{archive}/p17000100"));
        assert_eq!(link(Some(&form_voice::thread_of("f0", None)), None), archive);
        assert_eq!(link(Some(&form_voice::thread_of("f0", Some("17.000100"))), None), format!("{archive}/p17000100"));
    }

    #[test]
    fn slacks_time_stamps_are_times() {
        assert_eq!(time("1700000000.000100").map(|at| at.to_string()).as_deref(), Some("2023-11-14T22:13:20.0001Z"));
        assert_eq!([time("1700000000"), time("x.1"), time("1.2")], [None, None, None]);
    }
}

//! The way out: messages, cards, edits and files, at Slack's pace.

use std::sync::Arc;

use andon_core::ports::{Marker, Placement, Voice, VoiceError};
use andon_core::{Audience, Identity, Message, Room};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::ApiError;
use crate::files;
use crate::find;
use crate::form_voice;
use crate::pace::Lane;
use crate::place::Place;
use crate::render::{Rendered, render};
use crate::slack::{PLATFORM, Parts};

/// The type of the metadata by which our own messages are found again.
pub(crate) const MARKED: &str = "andon_message";
/// Refusals that mean: this person, or the bot, does not see this channel. Who asked gets it as a direct message.
const NOT_THERE: [&str; 6] = [
    "user_not_in_channel",
    "not_in_channel",
    "channel_not_found",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
];

/// Refusals that mean: somebody has deleted the message, or the thread that it begins.
const GONE: [&str; 2] = ["message_not_found", "thread_not_found"];

/// What Slack says of something that was posted.
#[derive(Deserialize)]
struct Posted {
    channel: String,
    ts: String,
}

#[derive(Deserialize)]
struct Whispered {
    message_ts: String,
}

#[derive(Deserialize)]
struct Opened {
    channel: OpenedChannel,
}

#[derive(Deserialize)]
struct OpenedChannel {
    id: String,
}

/// Says things on Slack.
pub(crate) struct SlackVoice {
    parts: Arc<Parts>,
}

impl SlackVoice {
    pub(crate) const fn new(parts: Arc<Parts>) -> Self {
        Self { parts }
    }

    fn render(&self, room: &Room, message: &Message) -> Rendered {
        let workspace = room.workspace.as_deref();
        render(message, &|person| self.parts.user(person, workspace))
    }

    /// Waits for the channel's turn by telling the outbox how long; the outbox says other things meanwhile.
    fn turn(&self, lane: Lane, channel: &str) -> Result<(), VoiceError> {
        self.parts.pace.take(lane, channel, self.parts.clock.now()).map_err(VoiceError::SlowDown)
    }

    /// Heeds what Slack says of its pace.
    fn heed(&self, lane: Lane, channel: &str, error: ApiError) -> VoiceError {
        if let ApiError::SlowDown(wait) = &error {
            self.parts.pace.wait(lane, channel, self.parts.clock.now(), *wait);
        }
        error.into()
    }

    async fn say(
        &self,
        channel: &str,
        thread: Option<&str>,
        mut rendered: Rendered,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        self.turn(Lane::Posts, channel)?;
        let files = files::bring(&self.parts, &mut rendered).await;
        let mut request = content(channel, thread, &rendered);
        request.insert("unfurl_links".to_owned(), false.into());
        request.insert("unfurl_media".to_owned(), false.into());
        let mut payload = json!({ "marker": marker.0 });
        if !files.is_empty() {
            payload["files"] = files.join(" ").into();
        }
        request.insert("metadata".to_owned(), json!({ "event_type": MARKED, "event_payload": payload }));
        let posted: Result<Posted, _> = self.parts.api.call("chat.postMessage", &request).await;
        let posted = posted.map_err(|error| self.heed(Lane::Posts, channel, error))?;
        let place = Place { channel: posted.channel, ts: posted.ts, thread: thread.map(str::to_owned) };
        files::show(&self.parts, &place, &files).await?;
        Ok(place.into())
    }

    /// Says it to one person: where they asked, or in a direct message where they would not see it there.
    async fn whisper(
        &self,
        room: &Room,
        user: &str,
        rendered: Rendered,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        let (channel, thread) = (room.channel.as_str(), room.thread.as_deref());
        // A file is seen by the whole channel, and a direct message by two people anyway.
        if channel.starts_with('D') || !rendered.files.is_empty() {
            return self.say_directly(user, rendered, marker).await;
        }
        self.turn(Lane::Posts, channel)?;
        let mut request = content(channel, thread, &rendered);
        request.insert("user".to_owned(), user.into());
        match self.parts.api.call::<Whispered>("chat.postEphemeral", &request).await {
            Ok(whispered) => {
                let thread = thread.map(str::to_owned);
                Ok(Place { channel: channel.to_owned(), ts: whispered.message_ts, thread }.into())
            }
            Err(error) if NOT_THERE.iter().any(|reason| error.is(reason)) => {
                self.say_directly(user, rendered, marker).await
            }
            Err(error) => Err(self.heed(Lane::Posts, channel, error)),
        }
    }

    async fn say_directly(&self, user: &str, rendered: Rendered, marker: &Marker) -> Result<Placement, VoiceError> {
        let channel = self.direct(user).await?;
        self.say(&channel, None, rendered, marker).await
    }

    /// Makes what stands at a place read otherwise. Its files come first, since it names them.
    async fn draw(&self, place: &Place, mut rendered: Rendered) -> Result<(), ApiError> {
        files::renew(&self.parts, place, &mut rendered).await?;
        let mut request = content(&place.channel, None, &rendered);
        request.insert("ts".to_owned(), place.ts.clone().into());
        self.parts.api.call::<Value>("chat.update", &request).await.map(drop)
    }

    /// The place of a message with this mark, whose files are then shown where they were not yet.
    async fn look(
        &self,
        channel: &str,
        thread: Option<&str>,
        marker: &Marker,
    ) -> Result<Option<Placement>, VoiceError> {
        let Some(found) = find::find(&self.parts, channel, thread, marker).await? else { return Ok(None) };
        files::show_again(&self.parts, &found.place, &found.files).await?;
        Ok(Some(found.place.into()))
    }

    /// The channel of direct messages with a person.
    async fn direct(&self, user: &str) -> Result<String, ApiError> {
        let opened: Opened = self.parts.api.call("conversations.open", &json!({ "users": user })).await?;
        Ok(opened.channel.id)
    }
}

/// Slack's id of an account. In a playground one account plays several people, told apart behind a hyphen, which no id of Slack's holds.
fn user_of(account: &Identity) -> &str {
    account.user.split('-').next().unwrap_or_default()
}

/// The arguments that say what, and where.
fn content(channel: &str, thread: Option<&str>, rendered: &Rendered) -> Map<String, Value> {
    let mut request = Map::new();
    request.insert("channel".to_owned(), channel.into());
    request.insert("text".to_owned(), rendered.text.clone().into());
    request.insert("blocks".to_owned(), json!(rendered.blocks));
    if let Some(thread) = thread {
        request.insert("thread_ts".to_owned(), thread.into());
    }
    request
}

#[async_trait]
impl Voice for SlackVoice {
    fn platform(&self) -> &str {
        PLATFORM
    }

    async fn post(
        &self,
        room: &Room,
        asker: Option<&Identity>,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        if let Some(form) = form_voice::form_of(room) {
            return form_voice::show(&self.parts, form, room, message).await;
        }
        let rendered = self.render(room, message);
        match (message.audience, asker) {
            (Audience::Asker, Some(asker)) => self.whisper(room, user_of(asker), rendered, marker).await,
            (_, Some(asker)) => match self.say(&room.channel, room.thread.as_deref(), rendered.clone(), marker).await {
                // Where the bot is not itself, such as where somebody used a slash command.
                Err(VoiceError::Refused(why)) if NOT_THERE.contains(&why.as_str()) => {
                    self.say_directly(user_of(asker), rendered, marker).await
                }
                said => said,
            },
            (_, None) => self.say(&room.channel, room.thread.as_deref(), rendered, marker).await,
        }
    }

    async fn follow_up(
        &self,
        room: &Room,
        card: &Placement,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        let place = Place::of(card)?;
        self.say(&place.channel, Some(place.thread()), self.render(room, message), marker).await
    }

    async fn edit(&self, room: &Room, placement: &Placement, message: &Message) -> Result<(), VoiceError> {
        let place = Place::of(placement)?;
        self.turn(Lane::Edits, &place.channel)?;
        let edited = self.draw(&place, self.render(room, message)).await;
        edited.map_err(|error| match GONE.iter().any(|reason| error.is(reason)) {
            true => VoiceError::Gone,
            false => self.heed(Lane::Edits, &place.channel, error),
        })
    }

    async fn find(
        &self,
        room: &Room,
        asker: Option<&Identity>,
        under: Option<&Placement>,
        marker: &Marker,
    ) -> Result<Option<Placement>, VoiceError> {
        if form_voice::form_of(room).is_some() {
            return Ok(None);
        }
        let under = under.map(Place::of).transpose()?;
        let channel = under.as_ref().map_or(room.channel.as_str(), |place| &place.channel);
        let thread = under.as_ref().map(Place::thread).or(room.thread.as_deref());
        match self.look(channel, thread, marker).await {
            Ok(None) => {}
            Err(VoiceError::Refused(why)) if NOT_THERE.contains(&why.as_str()) => {}
            found => return found,
        }
        // Or else it was said in private.
        let (Some(asker), None) = (asker, under) else { return Ok(None) };
        self.look(&self.direct(user_of(asker)).await?, None, marker).await
    }
}

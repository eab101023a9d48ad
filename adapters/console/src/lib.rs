//! The terminal room: a chat adapter whose platform is a terminal.
//!
//! Inwards each line is something that a person says; outwards a [`ConsoleVoice`] renders messages as text. With a terminal on both sides
//! [`interactive`] gives line editing, history and completion; otherwise [`piped`] takes each line as a message and prints replies in
//! order, for scripts and transcripts.
//!
//! # Adding a chat adapter
//! 1. A crate `adapters/<name>` that depends on `andon-core` alone of the house, with `lib.rs`, an inward half and an outward half. Here
//!    these are `speaker.rs` (what was said becomes [`andon_core::Said`]) and `voice.rs` (an [`andon_core::ports::Voice`]).
//! 2. Inwards, give every human act a key that its second delivery has too: `platform/author's workspace/kind/…`, where
//!    the rest is a session and a line here, and a message's channel and time stamp elsewhere. Where a form stays open after a refusal, `attempt` tells one
//!    press from the next. Check the platform's signature first; what
//!    fails is told by [`andon_core::ports::Edge::turned_away`], counted, and not each time. Call
//!    [`andon_core::ports::Edge::deliver`] and acknowledge when it returns, never before. What the adapter itself does not let in, such as
//!    another workspace's, goes to [`andon_core::ports::Edge::refuse`] instead, so that it is on record.
//! 3. `account` of [`andon_core::Said`] is what the platform says of the account: active or not, a guest's or not, its confirmed address.
//!    Leave it out where nobody can be asked, as here, or where no answer comes in time. Tell changes by
//!    [`andon_core::ports::Edge::account_changed`]. What there is to choose from is shown only to whom
//!    [`andon_core::ports::Edge::knows`]; then ask [`andon_core::ports::Edge::complete`].
//! 4. The [`andon_core::Receipt`] says what to show: of `Accepted` nothing, since the answer comes through the voice; `Unrecorded` always.
//!    `refusal_by_voice` in what was said tells whether a refusal comes through the voice too. Here it does not: the terminal prints it,
//!    and a form shows it under a field. Where it should and could not be kept, the receipt is `Refused` with `said: false`, and the
//!    adapter shows it after all.
//! 5. Tell [`andon_core::ports::Edge::heard`] again and again while the platform is listened to, with since when without a break, so
//!    that a gap is noticed by whoever listens next. A terminal has no gaps, and tells nothing.
//! 6. Outwards, a voice renders a [`andon_core::Message`] in the platform's way, takes what came from outside as a quotation, keeps the
//!    platform's pace, and tells by [`andon_core::ports::VoiceError`] whether trying again can help. It keeps the marker with what it
//!    posts, so that `find` can tell after an answer that got lost: in the room, or under a card where it was a follow-up. `edit` is
//!    idempotent, and says `Gone` where somebody has taken the message away: it is posted afresh. The outbox owns retries and order. Whom a mention notifies, an [`andon_core::Directory`] knows.
//! 7. One line in the workspace's `Cargo.toml`, one in `bot/app/Cargo.toml`; its section of the configuration in a file beside
//!    `bot/app/src/config/slack.rs`; its voice, its routes and its listening in `bot/app/src/chats.rs`.
//!
//! What it does not do: it knows nothing of the house but its words and its edge. It decides nothing, and it believes what its options say
//! about who speaks; only the playground lets that be switched.

mod interactive;
mod layout;
mod piped;
mod render;
mod speaker;
mod table;
mod voice;

pub use interactive::interactive;
pub use piped::piped;
pub use render::{Look, render};
pub use speaker::{Options, Speaking};
pub use voice::{ConsoleVoice, Sink};

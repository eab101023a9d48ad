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
//!    the rest is a session and a line here, and would be a message's channel and time stamp elsewhere. Check the platform's signature first. Call
//!    [`andon_core::ports::Edge::deliver`] and acknowledge when it returns, never before: its [`andon_core::Receipt`] says what to show.
//! 3. Outwards, a voice renders a [`andon_core::Message`] in the platform's way, takes what came from outside as a quotation, keeps the
//!    platform's pace, and tells by [`andon_core::ports::VoiceError`] whether trying again can help. It keeps the marker with what it
//!    posts, so that `find` can tell after an answer that got lost. `edit` is idempotent. The outbox owns retries and order.
//! 4. One line in the workspace's `Cargo.toml`, one in `bot/app/Cargo.toml`, and its voice among the `voices` in `bot/app/src/wiring.rs`.
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

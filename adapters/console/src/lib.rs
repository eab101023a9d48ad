//! The terminal room: a chat adapter whose platform is a terminal.
//!
//! Inwards each line is something that a person says; outwards a [`ConsoleVoice`] renders messages as text. With a terminal on both sides
//! [`interactive`] gives line editing, history and completion; otherwise [`piped`] takes each line as a message and prints replies in
//! order, for scripts and transcripts.
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

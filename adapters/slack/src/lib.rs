//! Slack: what people say there comes in, messages and cards go out.
//!
//! Inwards, deliveries come over Socket Mode (`socket`) or as signed HTTP requests (`http`), and become what somebody said in `receive`;
//! an acknowledgement leaves only once the house has it. Outwards, [`andon_core::Message`]s become Block Kit in `render`, forms are made
//! from the grammar in `form`, and `voice` keeps Slack's pace. [`manifest()`] says what the app has to be allowed, [`Slack::check`] whether it
//! is.
//!
//! What it does not do: it decides nothing, it keeps nothing that matters (another replica may say the answer), and it trusts nothing in a
//! button or a form: all of it is text that somebody says, and goes through the house's one gate.

mod accounts;
mod api;
mod check;
mod config;
mod door;
mod files;
mod find;
mod form;
mod form_voice;
mod http;
mod manifest;
mod pace;
mod place;
mod receive;
mod render;
mod signature;
mod slack;
mod socket;
mod start;
mod voice;

pub use check::{Finding, Standing};
pub use config::{Config, Mode};
pub use manifest::{Feature, features, manifest, scopes};
pub use slack::{Secrets, Slack};
pub use start::StartError;

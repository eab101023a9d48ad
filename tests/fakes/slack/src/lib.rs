//! A small, strict Slack for tests: its Web API, Socket Mode and signed requests, with people who talk, press buttons and fill in modals
//! through a handle in the same process, and faults on demand.
//!
//! Where it differs from the real one it is stricter: it refuses arguments, block types and fields it does not know, and texts that Slack
//! would cut. What it does not do: it renders nothing, fetches no pictures, unfurls no links, knows one installed app with one bot token,
//! and has no OAuth, no Enterprise Grid, no search, no scheduled messages and no Slack Connect beyond a channel that is shared.
//!
//! [`Slack::start`] is where to begin; the methods of [`Slack`] are all there is. They block, shortly, and are for tests that are not async.

mod api;
mod blocks;
mod clock;
mod faults;
mod form;
mod handle;
mod hub;
mod ids;
mod log;
mod pacing;
mod people;
mod reading;
mod refusal;
mod server;
mod settings;
mod shown;
mod text;
mod trouble;
mod wire;
mod world;

pub use faults::{CallFault, ConnectFault, DeliveryFault, Often};
pub use handle::Slack;
pub(crate) use hub::locked;
pub use log::{Call, Delivered, DeliveryKind, Ending};
pub use people::{Asked, Choice, SubmitResult};
pub use settings::{ALL_SCOPES, Delivery, Pacing, Settings, USUAL_EVENTS};
pub use shown::{Shown, ShownKind};
pub use wire::sockets::Reason;
pub use world::people::Guest;

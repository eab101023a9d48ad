//! What people do, and what the app hears of it.

mod asked;
mod click;
pub(crate) mod hear;
mod modals;
mod payloads;
mod slash;
mod submit;
mod talk;
mod who;

pub use asked::Asked;
pub use modals::Choice;
pub use submit::SubmitResult;

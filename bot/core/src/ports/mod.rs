//! The ports: traits through which the house drives the outside, or is driven by it.
//!
//! Driven: [`Voice`] (chat, outwards), [`Deployer`]. Driving: [`Edge`] (chat, inwards). An adapter implements a driven port, or calls a
//! driving one, and knows nothing else of the house.

mod deployer;
mod edge;
mod voice;

pub use deployer::{Available, Deployer, DeployerError, Effect, Live, Lookup, Order, Running};
pub use edge::Edge;
pub use voice::{Marker, Placement, Voice, VoiceError};

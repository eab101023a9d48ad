//! Slack: what people say there comes in, messages and cards go out.

mod config;

pub use config::{Config, Mode};

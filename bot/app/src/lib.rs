//! The binary andon: configuration, wiring, HTTP server, shutdown.

pub mod config;

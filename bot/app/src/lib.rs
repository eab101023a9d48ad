//! The binary andon: configuration, wiring, HTTP server, shutdown.

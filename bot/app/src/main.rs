//! The program `andon`; everything is in the library.

use std::process::ExitCode;
use std::sync::Arc;

use andon::{Machine, SystemClock};

fn main() -> ExitCode {
    andon::main(Machine { clock: Arc::new(SystemClock), probe: Arc::new(|_| {}), more: String::new() })
}

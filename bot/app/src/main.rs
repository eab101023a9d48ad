//! The program `andon`; everything is in the library.

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    andon::main(Arc::new(|_| {}))
}

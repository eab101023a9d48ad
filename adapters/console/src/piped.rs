//! The terminal room without a terminal: each line is a message, replies come in order, and the result says whether all went well.

use andon_core::ports::Edge;
use andon_core::{Receipt, Verdict};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

use crate::speaker::{Heard, Speaking};
use crate::voice::ConsoleVoice;

/// The most bytes of a line.
const LINE_LIMIT: usize = 8 * 1024;

/// Takes lines until the input ends. A change's outcome is printed before the next line is taken, unless it waits for a person. True where
/// no command failed.
///
/// # Errors
/// The input cannot be read.
pub async fn piped(
    mut speaking: Speaking,
    edge: &dyn Edge,
    voice: &ConsoleVoice,
    mut input: impl AsyncBufRead + Unpin,
) -> std::io::Result<bool> {
    let mut all_well = true;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes).await? == 0 {
            return Ok(all_well);
        }
        let line = match std::str::from_utf8(&bytes) {
            Ok(line) if bytes.len() <= LINE_LIMIT => line.trim_end(),
            _ => {
                voice.print_text("✗ Refused: a line is text of at most 8 KiB");
                all_well = false;
                continue;
            }
        };
        let user = speaking.user().to_owned();
        match speaking.hear(line) {
            Heard::Nothing => {}
            Heard::Leave => return Ok(all_well),
            Heard::Local(text) => voice.print_text(&text),
            Heard::Said(said) => {
                voice.print_text(&format!("{user}> {line}"));
                all_well &= take(edge, voice, *said).await;
            }
        }
    }
}

/// Delivers one line and waits for its end. True where it did not fail.
async fn take(edge: &dyn Edge, voice: &ConsoleVoice, said: andon_core::Said) -> bool {
    match edge.deliver(said).await {
        Receipt::Ignored => {
            voice.print_text("· That is no command: quotations and code never are.");
            true
        }
        Receipt::Refused { message } => {
            voice.print(&message);
            false
        }
        Receipt::Unrecorded { message } => {
            voice.print(&message);
            true
        }
        Receipt::Accepted { invocation, .. } => edge.settled(invocation).await != Verdict::Failed,
    }
}

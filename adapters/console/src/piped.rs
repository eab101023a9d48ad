//! The terminal room without a terminal: each line is a message, replies come in order, and the result says whether all went well.

use andon_core::ports::Edge;
use andon_core::{Message, Receipt, Verdict};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use crate::speaker::{Heard, NO_COMMAND, Speaking, refusal};
use crate::voice::ConsoleVoice;

/// The most bytes of a line, its end included.
const LINE_LIMIT: u64 = 8 * 1024;

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
    while let Some(line) = next_line(&mut input).await? {
        let line = match &line {
            Ok(line) => line.trim(),
            Err(refusal) => {
                voice.print(refusal);
                all_well = false;
                continue;
            }
        };
        let user = speaking.user().to_owned();
        let heard = speaking.hear(line);
        if !matches!(heard, Heard::Nothing | Heard::Leave) {
            voice.print_text(&format!("{user}> {line}"));
        }
        match heard {
            Heard::Nothing => {}
            Heard::Leave => break,
            Heard::Local(message) => voice.print(&message),
            Heard::Refused(message) => {
                voice.print(&message);
                all_well = false;
            }
            Heard::Said(said) => all_well &= take(edge, voice, *said).await,
        }
    }
    Ok(all_well)
}

/// The next line, or why it is none. Nothing where the input has ended.
async fn next_line(input: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Result<String, Message>>> {
    let mut bytes = Vec::new();
    // One byte more than is allowed tells a line that is too long, whatever its length.
    if (&mut *input).take(LINE_LIMIT + 1).read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    if bytes.len() as u64 > LINE_LIMIT {
        if !bytes.ends_with(b"\n") {
            skip_line(input).await?;
        }
        return Ok(Some(Err(refusal("A line has at most 8 KiB", "say less, or put a link in its place"))));
    }
    let line = String::from_utf8(bytes);
    Ok(Some(line.map_err(|_| refusal("A line is text in UTF-8, and this is none", "save the script as UTF-8"))))
}

/// Reads to the end of the line without keeping it.
async fn skip_line(input: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<()> {
    loop {
        let bytes = input.fill_buf().await?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (read, done) = (end.map_or(bytes.len(), |end| end + 1), end.is_some() || bytes.is_empty());
        input.consume(read);
        if done {
            return Ok(());
        }
    }
}

/// Delivers one line and waits for its end. True where it did not fail.
async fn take(edge: &dyn Edge, voice: &ConsoleVoice, said: andon_core::Said) -> bool {
    match edge.deliver(said).await {
        Receipt::Ignored => {
            voice.print(&Message::new(NO_COMMAND));
            true
        }
        Receipt::Refused { message, .. } => {
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

//! The terminal room at a terminal: line editing, history and completion by rustyline; what arrives while somebody types is printed above
//! the prompt.

use std::sync::Arc;

use andon_core::ports::Edge;
use andon_core::{Message, Receipt, Redactor};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Context, Editor, ExternalPrinter, Helper, Highlighter, Hinter, Validator};
use tokio::runtime::Handle;

use crate::layout::wrap;
use crate::speaker::{Heard, NO_COMMAND, OWN_LINES, Speaking};
use crate::voice::{ConsoleVoice, Sink};

/// Lines that are remembered.
const HISTORY: usize = 1_000;

#[derive(Helper, Highlighter, Hinter, Validator)]
struct Completion {
    edge: Arc<dyn Edge>,
    runtime: Handle,
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let line = &line[..position];
        let start = line.rfind(' ').map_or(0, |space| space + 1);
        let mut found = if line.starts_with('/') {
            OWN_LINES.into_iter().filter(|own| own.starts_with(line)).map(str::to_owned).collect()
        } else {
            self.runtime.block_on(self.edge.complete(line))
        };
        if let [only] = found.as_mut_slice() {
            only.push(' ');
        }
        Ok((start, found))
    }
}

/// Runs the room until the speaker leaves. `make_voice` is given a sink that keeps the prompt in place, and starts what speaks through it.
///
/// # Errors
/// The terminal cannot be used.
pub async fn interactive<F>(
    speaking: Speaking,
    edge: Arc<dyn Edge>,
    look: crate::Look,
    with_voice: F,
) -> rustyline::Result<()>
where
    F: FnOnce(Arc<ConsoleVoice>) + Send,
{
    let runtime = Handle::current();
    let config = Config::builder()
        .max_history_size(HISTORY)?
        .auto_add_history(false)
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .build();
    let mut editor: Editor<Completion, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Completion { edge: Arc::clone(&edge), runtime: runtime.clone() }));
    if let Some(history) = &speaking.options().history {
        // No history yet is no error.
        let _ = editor.load_history(history);
    }
    let printer = std::sync::Mutex::new(editor.create_external_printer()?);
    let sink: Sink = Arc::new(move |text| {
        let mut printer = printer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A terminal that is gone has no use for the text.
        let _ = printer.print(text.to_owned());
    });
    let columns = look.width;
    let voice = Arc::new(ConsoleVoice::new(speaking.options().room.clone(), look, sink));
    with_voice(Arc::clone(&voice));
    for line in speaking.options().welcome.lines().flat_map(|line| wrap(line, columns, "", "    ")) {
        println!("{line}");
    }
    let room = tokio::task::spawn_blocking(move || read_lines(speaking, editor, &edge, &voice, &runtime));
    room.await.unwrap_or(Err(ReadlineError::Interrupted))
}

fn read_lines(
    mut speaking: Speaking,
    mut editor: Editor<Completion, FileHistory>,
    edge: &Arc<dyn Edge>,
    voice: &Arc<ConsoleVoice>,
    runtime: &Handle,
) -> rustyline::Result<()> {
    let redactor = Redactor::default();
    let mut interrupted = false;
    loop {
        let line = match editor.readline(&speaking.prompt()) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                // Once takes a line back; whoever insists wants to leave.
                if std::mem::replace(&mut interrupted, true) {
                    voice.print(&Message::new("Nothing is stopped by Ctrl-C; /quit or Ctrl-D leaves"));
                }
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error),
        };
        interrupted = false;
        if !redactor.finds(&line) {
            editor.add_history_entry(&line)?;
        }
        match speaking.hear(&line) {
            Heard::Nothing => {}
            Heard::Leave => break,
            Heard::Local(message) | Heard::Refused(message) => voice.print(&message),
            Heard::Said(said) => match runtime.block_on(edge.deliver(*said)) {
                Receipt::Ignored => voice.print(&Message::new(NO_COMMAND)),
                Receipt::Refused { message, .. } | Receipt::Unrecorded { message } => voice.print(&message),
                Receipt::Accepted { .. } => {}
            },
        }
    }
    if let Some(history) = &speaking.options().history {
        editor.save_history(history)?;
    }
    Ok(())
}

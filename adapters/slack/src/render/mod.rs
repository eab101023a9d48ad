//! Messages as Slack shows them.
//!
//! **Everything is rich text, nothing is mark-up.** Slack's `mrkdwn` has no escape for `*`, `_`, `~`, a backtick or `:emoji:`, finds
//! links and mentions by itself, and lets a newline or a fence begin something new: whoever writes foreign text into it can only guess
//! what it becomes. Rich text is a tree. A mention, an emoji, a moment or a style is an element of its own kind, and the text of a text
//! element is shown as it stands: `<!here>`, `&lt;!here&gt;`, `*bold*`, `:boom:` and `http://…` are letters in it, can be copied as they
//! are, and no text can end the quotation or the code in which it stands. So nothing is escaped here; what may notify is decided by
//! which elements are made, and only [`andon_core::Span::Mention`] makes one that does. A client that links an address by itself all the
//! same can only lead where its letters say, since it has no label; that Slack fetches nothing for it is for whoever posts
//! (`unfurl_links` and `unfurl_media` off, `parse` "none").
//!
//! Two texts are not trees. The push notification (`notice`) is mark-up, since a mention has to stand in it, and is disarmed
//! character by character. What stands on buttons and in questions is `plain_text`, which knows entities and emoji codes alone.
//!
//! **Limits** (`limits`) hold by construction: lines are packed into blocks that fit, and where a message is full nothing more is
//! shown. Then the whole message goes with it as a file, and a last line says how much of it is shown.

mod buttons;
mod compose;
mod limits;
mod notice;
mod pieces;
mod plain;
mod spans;
mod table;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod text;

use andon_core::{Attachment, Message};
use sha2::{Digest as _, Sha256};
use slack_morphism::prelude::SlackBlock;

pub(crate) use buttons::asks_reason;
pub(crate) use compose::{Composed, Surface, compose};
pub(crate) use plain::{plain, plain_line};
pub(crate) use spans::People;

use pieces::sections;
use spans::words;

/// How the name begins of the file that holds a message which did not fit.
const WHOLE: &str = "answer";

/// Said where a file is missing.
pub(crate) const FILE_MISSING: &str = "Its file could not be uploaded. Ask again for the whole answer.";

/// A message as it goes to Slack.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rendered {
    /// The push notification, as `mrkdwn`; also what screen readers say.
    pub(crate) text: String,
    /// The message itself.
    pub(crate) blocks: Vec<SlackBlock>,
    /// What goes with it: its attachment, and the whole message where its blocks hold only a part.
    pub(crate) files: Vec<RenderedFile>,
    /// Where among the blocks the note on its files stands, or has its place.
    note: usize,
    /// How much is shown, where that is not all.
    left_out: Option<String>,
}

impl Rendered {
    /// The message without its files, which it then says.
    pub(crate) fn without_files(&mut self) {
        self.files.clear();
        let shown = self.left_out.as_deref().unwrap_or_default();
        let Some(words) = note(format!("{shown} {FILE_MISSING}").trim_start()) else { return };
        match self.blocks.get_mut(self.note).filter(|_| self.left_out.is_some()) {
            Some(place) => *place = words,
            None => self.blocks.insert(self.note.min(self.blocks.len()), words),
        }
    }
}

/// A file that goes with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RenderedFile {
    /// Its name, at most [`limits::FILE_NAME`] characters, without a path.
    pub(crate) name: String,
    /// What it holds; plain text.
    pub(crate) content: String,
}

/// A message for the people of one workspace, whose Slack accounts `people` knows.
pub(crate) fn render(message: &Message, people: People<'_>) -> Rendered {
    let Composed { mut blocks, buttons, left_out } = compose(message, people, Surface::Message);
    let mut files: Vec<_> = message.attachment.iter().map(attached).collect();
    let note_at = blocks.len();
    if let Some(left_out) = &left_out {
        let content = plain(message);
        let name = name_of(&content);
        blocks.extend(note(&format!("{left_out} All of it is in {name}.")));
        files.push(RenderedFile { name, content });
    }
    blocks.extend(buttons);
    Rendered { text: notice::notice(&message.summary, people), blocks, files, note: note_at, left_out }
}

/// A line of our own below everything else.
pub(crate) fn note(text: &str) -> Option<SlackBlock> {
    sections(vec![words(text.to_owned())]).pop().map(|chunk| chunk.block)
}

fn attached(attachment: &Attachment) -> RenderedFile {
    let name = text::one_line(&attachment.name).replace(['/', '\\'], "_");
    let name = text::cut(&name, limits::FILE_NAME);
    let name = if name.is_empty() { "attachment.txt".to_owned() } else { name };
    RenderedFile { name, content: text::clean(attachment.content.as_str()) }
}

/// A name that tells one content from another: a card that changes has a file for each.
fn name_of(content: &str) -> String {
    format!("{WHOLE}-{}.txt", hex::encode(&Sha256::digest(content)[..4]))
}

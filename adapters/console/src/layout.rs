//! Text on a grid of columns: what may reach a terminal at all, how wide it is there, and where its lines break.
//!
//! Lines are broken here rather than by the terminal, because a terminal goes on in its first column, where only cards and prompts begin.

use andon_core::misleads;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The fewest columns that are left to text, however narrow the terminal and however long what stands before it.
const LEAST: usize = 8;

/// The text without anything that a terminal would obey or that makes text look other than it is: control characters, above all the
/// escape that begins sequences, bidirectional and invisible ones. Newlines stay, tabs become spaces.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\t', "    ").chars().filter(|&c| c == '\n' || !(c.is_control() || misleads(c))).collect()
}

/// The columns that a text of one line takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text, filled up with spaces to `columns`.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Breaks a text between words into lines of at most `columns`. The first begins with `first`, the others with `rest`. A long word of
/// printable ASCII, such as a digest, stays whole, so that it can be copied; any other is broken where the columns end.
pub(crate) fn wrap(text: &str, columns: usize, first: &str, rest: &str) -> Vec<String> {
    let mut lines = Lines { columns, rest, line: first.to_owned(), before: width(first), done: Vec::new() };
    for (place, paragraph) in text.trim_end().split('\n').enumerate() {
        if place > 0 {
            lines.end();
        }
        for (place, word) in paragraph.split(' ').enumerate() {
            lines.word(word, place > 0);
        }
    }
    lines.end();
    lines.done
}

/// Breaks a line where the columns end and leaves its spaces as they are.
pub(crate) fn chop(text: &str, columns: usize, before: &str) -> Vec<String> {
    let mut lines = Lines { columns, rest: before, line: before.to_owned(), before: width(before), done: Vec::new() };
    lines.characters(text);
    lines.end();
    lines.done
}

/// Lines in the making.
struct Lines<'a> {
    columns: usize,
    rest: &'a str,
    line: String,
    /// The columns that stand before the text of the present line.
    before: usize,
    done: Vec<String>,
}

impl Lines<'_> {
    fn end(&mut self) {
        let line = std::mem::replace(&mut self.line, self.rest.to_owned());
        self.done.push(line.trim_end().to_owned());
        self.before = width(self.rest);
    }

    fn fits(&self, more: usize) -> bool {
        width(&self.line) + more <= self.columns.max(self.before + LEAST)
    }

    fn begun(&self) -> bool {
        width(&self.line) > self.before
    }

    fn word(&mut self, word: &str, spaced: bool) {
        if word.is_empty() && !self.begun() && !self.done.is_empty() {
            // What separated words at the end of the line before has done its work.
            return;
        }
        let space = usize::from(spaced);
        if self.begun() && !self.fits(space + width(word)) {
            self.end();
        } else if spaced {
            self.line.push(' ');
        }
        if self.fits(width(word)) || word.chars().all(|c| c.is_ascii_graphic()) {
            self.line.push_str(word);
        } else {
            self.characters(word);
        }
    }

    fn characters(&mut self, text: &str) {
        for c in text.chars() {
            if !self.fits(c.width().unwrap_or(0)) {
                self.end();
            }
            self.line.push(c);
        }
    }
}

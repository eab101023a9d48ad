//! Plain text: what of it may be shown, how long it is, and Slack's `plain_text` objects.

use andon_core::misleads;
use slack_morphism::prelude::SlackBlockPlainText;

/// A character that nobody sees and that no parser takes for a part of a word (U+2060): it stands inside what a parser might take for a
/// link, an emoji or a mention.
pub(crate) const JOINER: char = '\u{2060}';

/// The text without control characters, bidirectional and invisible ones. Newlines stay, tabs become spaces.
pub(crate) fn clean(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\t', "    ")
        .chars()
        .filter(|&c| c == '\n' || !(c.is_control() || misleads(c)))
        .collect()
}

/// Our own text, cleaned, on one line.
pub(crate) fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Foreign words in a line of ours: between quotation marks that they cannot close, on one line, where one sees that they had several.
pub(crate) fn quoted(text: &str) -> String {
    format!("“{}”", clean(text).trim_matches('\n').replace('\n', " ⏎ ").replace(['“', '”'], "\""))
}

/// How long a text is, in UTF-16 units. Slack does not say what it counts; this is never less than its characters.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The longest beginning of a text that is at most `most` long, and the rest.
pub(crate) fn split_at(text: &str, most: usize) -> (&str, &str) {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.len_utf16();
        used > most
    });
    text.split_at(end.map_or(text.len(), |(end, _)| end))
}

/// The text, ended by an ellipsis where it is longer than `most`.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if length(text) <= most {
        return text.to_owned();
    }
    let (begin, _) = split_at(text, most.saturating_sub(1));
    format!("{}…", begin.trim_end())
}

/// A `plain_text` object of one line: no mark-up is read in it, and nothing becomes an emoji. Never empty, since Slack refuses that.
pub(crate) fn plain_text(text: &str, most: usize) -> SlackBlockPlainText {
    let line = cut(&one_line(text), most);
    let shown = if line.is_empty() { "–".to_owned() } else { literal(&line, most) };
    SlackBlockPlainText::new(shown).with_emoji(false)
}

/// Slack reads the three entities that stand for `&`, `<` and `>` in every text, plain ones too: what looks like one is written so that
/// it is shown as it is. All other text stays the same, whether Slack reads entities there or not.
fn literal(line: &str, most: usize) -> String {
    let written = ["amp;", "lt;", "gt;"]
        .iter()
        .fold(line.to_owned(), |line, entity| line.replace(&format!("&{entity}"), &format!("&amp;{entity}")));
    // A text full of entities grows: then they are shown read rather than cut in two.
    if length(&written) <= most { written } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{clean, cut, length, one_line, plain_text, quoted, split_at};

    #[test]
    fn what_nobody_sees_goes() {
        assert_eq!(clean("a\u{202e}b\u{7}c\u{200b}\r\n\td\u{e0041}"), "abc\n    d");
        assert_eq!(one_line(" a\nb\t c "), "a b c");
        assert_eq!(quoted("a\n”b\n"), "“a ⏎ \"b”");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("ab 😀😀", 5), "ab…");
        assert_eq!(split_at("😀b", 1), ("", "😀b"));
        assert_eq!(length("😀b"), 3);
    }

    #[test]
    fn entities_in_plain_text_are_shown_as_they_are() {
        assert_eq!(plain_text("a & b &lt;!here&gt; &amp;", 99).text, "a & b &amp;lt;!here&amp;gt; &amp;amp;");
        assert_eq!(plain_text("", 99).text, "–");
        assert_eq!(plain_text("&lt;&lt;", 8).text, "&lt;&lt;");
    }
}

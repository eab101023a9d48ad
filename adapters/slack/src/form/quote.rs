//! Values as words of a line.
//!
//! Lines are split as a shell would split them, after what phones do to text was undone: curly quotes become straight ones and long
//! hyphens short ones even inside quotation marks, what nobody sees goes, and a text with a code fence or with a line that begins with
//! `>` is not a command at all. So a value is written in a way that all of that leaves alone.

/// The text with straight quotes and hyphens, plain spaces and newlines, and without characters that nobody sees: as whoever reads the
/// line takes it. Done before quoting, or a curly quote in a value would end the value.
pub(super) fn straight(text: &str) -> String {
    let plain = |c: char| match c {
        '“' | '”' | '„' | '‟' | '«' | '»' => Some('"'),
        '‘' | '’' | '‚' | '‛' => Some('\''),
        '\u{2010}' | '\u{2011}' | '\u{2212}' => Some('-'),
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        c if c.is_whitespace() => Some(' '),
        c => (!is_invisible(c)).then_some(c),
    };
    text.replace("\r\n", "\n").chars().filter_map(plain).collect()
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A value as one word of a line; splitting the line gives [`straight`] of it back.
pub(super) fn quote(value: &str) -> String {
    let value = straight(value);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | ':' | '@' | '+' | '-');
    if !value.is_empty() && value.chars().all(plain) {
        return value;
    }
    let mut word = String::from("'");
    // Whether nothing but blanks stands before on the same line, so that a `>` would begin it.
    let mut blank = false;
    let mut previous = None;
    for c in value.chars() {
        // Quotation marks that close and open again are nothing to a shell, and part what must not stand together.
        let parts = (c == '`' && previous == Some('`')) || (c == '>' && blank);
        word.push_str(if parts { "''" } else { "" });
        match c {
            '\'' => word.push_str(r"'\''"),
            c => word.push(c),
        }
        blank = c == '\n' || (blank && c.is_whitespace());
        previous = Some(c);
    }
    word.push('\'');
    word
}

/// Whether a word would be taken for an option.
pub(super) fn begins_with_dash(value: &str) -> bool {
    straight(value).starts_with(['-', '‒', '–', '—', '―'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{quote, straight};

    #[test]
    fn words_are_quoted_where_they_must_be() {
        for (value, word) in [
            ("hello", "hello"),
            ("v1.2-rc_1", "v1.2-rc_1"),
            ("", "''"),
            ("two words", "'two words'"),
            ("it's", r"'it'\''s'"),
            ("it’s “so”", r#"'it'\''s "so"'"#),
            ("```x```", "'`''`''`x`''`''`'"),
            ("a\n> b", "'a\n''> b'"),
            ("a\n  > b > c", "'a\n  ''> b > c'"),
            ("#812", "'#812'"),
            ("a\u{200b}b\tc\r\nd", "'ab c\nd'"),
        ] {
            assert_eq!(quote(value), word, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn a_value_comes_back(value in prop_oneof![any::<String>(), "[-'\"\\\\`> \na-z$#~*—–’“]{0,40}"]) {
            let line = format!("deploy {}", quote(&value));
            prop_assert_eq!(shell_words::split(&line).expect("it splits"), ["deploy".to_owned(), straight(&value)]);
            prop_assert!(!line.contains("```"));
            prop_assert!(!line.lines().any(|line| line.trim_start().starts_with('>')));
            prop_assert_eq!(straight(&line), line.clone());
        }

        #[test]
        fn plain_text_stays_as_it_is(value in "[ -~\n]{0,60}") {
            prop_assert_eq!(straight(&value), value);
        }
    }
}

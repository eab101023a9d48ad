//! Undoes what phones and chat clients do to text, and splits it into words.
//!
//! Forgiving on form: curly quotes, long dashes, odd spaces, invisible characters and the apostrophe of "it's" are understood. Strict
//! on meaning: text inside a code block, inline code or a quotation never becomes part of a command.
//!
//! What it does not do: it knows no command, does not change capitals, and does not undo a platform's mark-up (`<@U1>`, `&amp;`),
//! which adapters do before they speak to the engine.

use std::collections::BTreeMap;

use thiserror::Error;

/// The most characters of a text that is read as a command.
pub(crate) const MAX_CHARACTERS: usize = 4_000;

/// The most words of a command. Free text in quotes is one word.
pub(crate) const MAX_WORDS: usize = 64;

/// What was heard in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The words of a command, at least one.
    Words(Vec<String>),
    /// Nothing that may run.
    NotACommand(Why),
}

/// Why a text is not a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Nothing is left of it.
    Empty,
    /// It begins with inline code, or a code block is in it.
    Code,
    /// A line of it quotes somebody.
    Quotation,
}

/// Why a text could not be split into words. None of these repeats the text, which may hold a secret.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum RepairError {
    /// More than [`MAX_CHARACTERS`].
    #[error("a command has at most {MAX_CHARACTERS} characters; this one has {0}")]
    TooLong(usize),
    /// More than [`MAX_WORDS`].
    #[error("a command has at most {MAX_WORDS} words; this one has {0} (put free text in quotes)")]
    TooManyWords(usize),
    /// A quotation mark without its partner.
    #[error("the {mark} in word {word} is never closed; close it, or put a backslash before it")]
    UnclosedQuote {
        /// The mark, `'` or `"`.
        mark: char,
        /// The number of the word in which it stands, from 1 upwards.
        word: usize,
    },
}

/// Undoes what phones did to a message and splits it into words, as a Unix shell would without comments or expansions. Inline code
/// stays one word with its backticks, so that nothing inside it acts as an option.
///
/// # Errors
/// When the text has more than [`MAX_CHARACTERS`] or [`MAX_WORDS`], or a quotation mark is never closed.
pub(crate) fn words(text: &str) -> Result<Heard, RepairError> {
    let length = text.chars().count();
    if length > MAX_CHARACTERS {
        return Err(RepairError::TooLong(length));
    }
    let text = visible(text);
    if let Some(why) = spoken_by_nobody(&text) {
        return Ok(Heard::NotACommand(why));
    }
    let words = split(&text)?;
    match words.len() {
        0 => Ok(Heard::NotACommand(Why::Empty)),
        1..=MAX_WORDS => Ok(Heard::Words(words)),
        count => Err(RepairError::TooManyWords(count)),
    }
}

/// Replaces a first word that is an alias (in any capitals) by the words of its expansion, once: an expansion is not expanded again.
/// Also returns the alias, so that the answer can say what it stood for.
pub(crate) fn expand_alias(words: Vec<String>, aliases: &BTreeMap<String, String>) -> (Vec<String>, Option<String>) {
    let found = words.first().and_then(|first| aliases.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(first)));
    let Some((alias, expansion)) = found else {
        return (words, None);
    };
    // An expansion with an unclosed quote is taken word by word; the grammar then refuses it like any other text.
    let mut expanded = split(expansion).unwrap_or_else(|_| expansion.split_whitespace().map(str::to_owned).collect());
    expanded.extend(words.into_iter().skip(1));
    (expanded, Some(alias.clone()))
}

/// Whether the text is code or a quotation rather than somebody's own words. A single such line is enough: leaving it out could
/// change what the rest means.
fn spoken_by_nobody(text: &str) -> Option<Why> {
    if text.contains("```") || text.trim_start().starts_with('`') {
        Some(Why::Code)
    } else if text.lines().any(|line| line.trim_start().starts_with('>')) {
        Some(Why::Quotation)
    } else {
        None
    }
}

/// What a text comes to once it is read: without characters that nobody sees, and without the marks that splitting takes away as well.
pub(crate) fn disguises(text: &str) -> [String; 2] {
    let plain = visible(text);
    let unmarked = plain.replace("\\\n", "").replace(['"', '\'', '\\'], "");
    [plain, unmarked]
}

/// The text with plain quotes, hyphens and spaces, and without characters that nobody sees.
fn visible(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '“' | '”' | '„' | '‟' | '«' | '»' => plain.push('"'),
            '‘' | '’' | '‚' | '‛' => plain.push('\''),
            '\u{2010}' | '\u{2011}' | '\u{2212}' => plain.push('-'),
            '…' => plain.push_str("..."),
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => plain.push('\n'),
            character if character.is_whitespace() => plain.push(' '),
            character if is_invisible(character) => {}
            character => plain.push(character),
        }
    }
    plain
}

/// Control characters, soft hyphens, zero-width and bidirectional characters, and Unicode's invisible tags.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn split(text: &str) -> Result<Vec<String>, RepairError> {
    let shielded = Shield::default().apply(text)?;
    // The shield has already found every quote that is not closed, so this cannot fail; if it ever did, nothing would run.
    shell_words::split(&shielded).map_err(|_| RepairError::UnclosedQuote { mark: '"', word: 1 })
}

/// Rewrites a chat line so that a shell's rules of splitting give what the person meant.
#[derive(Default)]
struct Shield {
    out: String,
    /// The open quotation mark, and where it stands in `out`.
    open: Option<(char, usize)>,
    previous: Option<char>,
}

impl Shield {
    fn apply(mut self, text: &str) -> Result<String, RepairError> {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let taken = self.take(character, rest);
            self.previous = rest[..taken].chars().next_back();
            rest = &rest[taken..];
        }
        match self.open {
            Some((mark, at)) => Err(RepairError::UnclosedQuote { mark, word: word_number(&self.out[..at]) }),
            None => Ok(self.out),
        }
    }

    /// Takes the first piece of `rest`, which begins with `character`, and returns its length in bytes.
    fn take(&mut self, character: char, rest: &str) -> usize {
        let after = &rest[character.len_utf8()..];
        let next = after.chars().next();
        match (self.open, character) {
            (Some(('"', _)) | None, '\\') => {
                let taken = character.len_utf8() + next.map_or(0, char::len_utf8);
                self.out.push_str(&rest[..taken]);
                return taken;
            }
            (Some((mark, _)), _) if mark == character => self.close(character, next),
            (Some(_), _) => self.out.push(character),
            (None, '\'') if self.previous.is_some_and(char::is_alphanumeric) => self.out.push_str("\\'"),
            (None, '\'' | '"') => {
                self.open = Some((character, self.out.len()));
                self.out.push(character);
            }
            (None, '`') => return self.code(rest),
            // A shell would take the rest of the line for a comment.
            (None, '#') if self.at_start_of_word() => self.out.push_str("\\#"),
            (None, _) if self.at_start_of_word() => return self.dashes(rest),
            (None, _) => self.out.push(character),
        }
        character.len_utf8()
    }

    /// Closes a quotation, unless the mark is the apostrophe of a word in it: 'don't'.
    fn close(&mut self, mark: char, next: Option<char>) {
        let inside_word = self.previous.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
        if mark == '\'' && inside_word {
            self.out.push_str("'\\''");
        } else {
            self.out.push(mark);
            self.open = None;
        }
    }

    /// Takes inline code as one literal piece; without a partner the backticks are ordinary characters.
    fn code(&mut self, rest: &str) -> usize {
        let fence = &rest[..rest.len() - rest.trim_start_matches('`').len()];
        match rest[fence.len()..].find(fence) {
            Some(inside) => {
                let taken = inside + 2 * fence.len();
                self.out.push_str(&shell_words::quote(&rest[..taken]));
                taken
            }
            None => {
                self.out.push_str(fence);
                fence.len()
            }
        }
    }

    /// Takes what begins a word: a long dash before a letter was typed as two hyphens.
    fn dashes(&mut self, rest: &str) -> usize {
        let word = rest.trim_start_matches(['-', '‒', '–', '—', '―']);
        let dashes = &rest[..rest.len() - word.len()];
        if !dashes.is_ascii() && word.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.out.push_str("--");
            return dashes.len();
        }
        let first = rest.chars().next().unwrap_or_default();
        self.out.push(first);
        first.len_utf8()
    }

    fn at_start_of_word(&self) -> bool {
        self.previous.is_none_or(char::is_whitespace)
    }
}

/// The number of the word that begins or goes on at the end of `before`, from 1 upwards.
fn word_number(before: &str) -> usize {
    let complete = shell_words::split(before).map_or(0, |words| words.len());
    if before.ends_with(char::is_whitespace) || before.is_empty() { complete + 1 } else { complete.max(1) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Heard, MAX_CHARACTERS, MAX_WORDS, RepairError, Why, expand_alias, words};

    fn split(text: &str) -> Vec<String> {
        match words(text) {
            Ok(Heard::Words(words)) => words,
            Ok(Heard::NotACommand(Why::Empty)) => Vec::new(),
            other => panic!("{text:?} became {other:?}"),
        }
    }

    #[test]
    fn what_phones_do_is_undone() {
        for text in [
            "deploy api v1 --env prod --reason \"it's broken\"",
            "deploy api v1 —env prod —reason “it’s broken”\n",
            "deploy api v1 –env prod ––reason ‘it’s broken’ ",
            "deploy\u{a0}api\u{200b} v1\u{202f}-–env prod\r\n―reason „it’s broken“",
        ] {
            assert_eq!(split(text), ["deploy", "api", "v1", "--env", "prod", "--reason", "it's broken"], "{text:?}");
        }
        assert_eq!(split("history api…"), ["history", "api..."]);
        assert_eq!(split("status \u{2011}\u{2011}env prod"), ["status", "--env", "prod"]);
        assert_eq!(split("note „über Nacht“ « net »"), ["note", "über Nacht", " net "]);
    }

    #[test]
    fn dashes_that_are_not_options_stay() {
        assert_eq!(
            split("note a — b a—b — - -v --env -5 —5"),
            ["note", "a", "—", "b", "a—b", "—", "-", "-v", "--env", "-5", "—5"]
        );
        assert_eq!(split("note \"seen —later\""), ["note", "seen —later"]);
    }

    #[test]
    fn apostrophes_of_free_text_are_not_quotation_marks() {
        assert_eq!(
            split("note it's ana's turn, the users' too"),
            ["note", "it's", "ana's", "turn,", "the", "users'", "too"]
        );
        assert_eq!(split("lock api --reason 'don't touch'"), ["lock", "api", "--reason", "don't touch"]);
        assert_eq!(split("lock api --reason='two words'"), ["lock", "api", "--reason=two words"]);
        assert_eq!(split(r"a\ b 'it'\''s' '' "), ["a b", "it's", ""]);
    }

    #[test]
    fn what_shells_or_platforms_would_change_stays() {
        assert_eq!(split("audit show #812 # more"), ["audit", "show", "#812", "#", "more"]);
        assert_eq!(split("deploy api http://v1.2.3 --env prod"), ["deploy", "api", "http://v1.2.3", "--env", "prod"]);
        assert_eq!(split("note $HOME *.rs ~ <@U1> a&b"), ["note", "$HOME", "*.rs", "~", "<@U1>", "a&b"]);
        assert_eq!(split("Deploy API"), ["Deploy", "API"]);
    }

    #[test]
    fn inline_code_is_one_literal_word() {
        assert_eq!(split("deploy api `--break-glass --reason x`"), ["deploy", "api", "`--break-glass --reason x`"]);
        assert_eq!(split("note ``--x ` --y`` end"), ["note", "``--x ` --y``", "end"]);
        assert_eq!(split("note it's `don't 'panic` here"), ["note", "it's", "`don't 'panic`", "here"]);
        assert_eq!(split("note a lone ` tick"), ["note", "a", "lone", "`", "tick"]);
        assert_eq!(split("lock api --reason \"fix `foo` now\""), ["lock", "api", "--reason", "fix `foo` now"]);
    }

    #[test]
    fn code_and_quotations_never_execute() {
        let because = |text| match words(text) {
            Ok(Heard::NotACommand(why)) => why,
            other => panic!("{text:?} became {other:?}"),
        };
        assert_eq!(because("```\ndeploy api v1 --env prod\n```"), Why::Code);
        assert_eq!(because("deploy api v1 --env prod\n```log```"), Why::Code);
        assert_eq!(because(" \u{200b}`deploy api v1 --env prod`"), Why::Code);
        assert_eq!(because("`deploy` api v1 --env prod"), Why::Code);
        assert_eq!(because("> deploy api v1 --env prod"), Why::Quotation);
        assert_eq!(because("\u{feff} >>> deploy api v1 --env prod"), Why::Quotation);
        assert_eq!(because("looks good\r> deploy api v1"), Why::Quotation);
        assert_eq!(because(" \u{200b}\n"), Why::Empty);
        assert_eq!(words("status api\n"), Ok(Heard::Words(vec!["status".into(), "api".into()])));
    }

    #[test]
    fn an_unclosed_quote_is_found_and_named() {
        let unclosed = |mark, word| Err(RepairError::UnclosedQuote { mark, word });
        assert_eq!(words("lock api --reason \"late"), unclosed('"', 4));
        assert_eq!(words("lock api --reason=“late"), unclosed('"', 3));
        assert_eq!(words("'twas"), unclosed('\'', 1));
        assert_eq!(split("\\'twas a 5\\\" disk"), ["'twas", "a", "5\"", "disk"]);
        assert_eq!(
            RepairError::UnclosedQuote { mark: '"', word: 4 }.to_string(),
            "the \" in word 4 is never closed; close it, or put a backslash before it"
        );
    }

    #[test]
    fn limits_hold_at_their_edges() {
        assert_eq!(split(&"é".repeat(MAX_CHARACTERS)).len(), 1);
        assert_eq!(words(&"é".repeat(MAX_CHARACTERS + 1)), Err(RepairError::TooLong(MAX_CHARACTERS + 1)));
        assert_eq!(words(&">".repeat(MAX_CHARACTERS + 1)), Err(RepairError::TooLong(MAX_CHARACTERS + 1)));
        assert_eq!(split(&"w ".repeat(MAX_WORDS)).len(), MAX_WORDS);
        assert_eq!(words(&"w ".repeat(MAX_WORDS + 1)), Err(RepairError::TooManyWords(MAX_WORDS + 1)));
    }

    #[test]
    fn an_alias_expands_once() {
        let aliases: BTreeMap<String, String> =
            [(".deploy", "deploy"), ("ship", "deploy --env 'prod'"), ("deploy", "rollback"), ("odd", "note \"open")]
                .map(|(alias, expansion)| (alias.to_owned(), expansion.to_owned()))
                .into();
        let expand = |text: &str| expand_alias(split(text), &aliases);
        assert_eq!(expand(".Deploy api"), (split("deploy api"), Some(".deploy".to_owned())));
        assert_eq!(expand("ship api v1"), (split("deploy --env prod api v1"), Some("ship".to_owned())));
        assert_eq!(expand("odd x"), (vec!["note".into(), "\"open".into(), "x".into()], Some("odd".to_owned())));
        assert_eq!(expand("status ship"), (split("status ship"), None));
        assert_eq!(expand(""), (vec![], None));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_limits_hold(text in any::<String>()) {
            if let Ok(Heard::Words(words)) = words(&text) {
                prop_assert!((1..=MAX_WORDS).contains(&words.len()));
                prop_assert!(words.iter().flat_map(|word| word.chars()).all(|c| c == '\n' || !c.is_control()));
            }
        }

        #[test]
        fn nothing_panics_on_what_is_special(text in "[ab5 '\"`\\\\#>—–…“’\n\u{a0}\u{200b}-]{0,60}") {
            let heard = words(&text);
            prop_assert!(!matches!(&heard, Ok(Heard::Words(words)) if words.is_empty()));
        }

        #[test]
        fn text_in_code_never_becomes_an_option(code in "[a-z '\"—-]{1,30}") {
            let words = split(&format!("deploy api `{code}` --env prod"));
            prop_assert_eq!(words, ["deploy", "api", &format!("`{}`", code), "--env", "prod"].map(str::to_owned));
        }

        #[test]
        fn plain_text_is_split_as_a_shell_does(text in "[a-zA-Z0-9 .,:=/_\n\\\\-]{0,200}") {
            prop_assume!(text.split_whitespace().count() <= MAX_WORDS);
            prop_assert_eq!(split(&text), shell_words::split(&text).unwrap());
        }

        #[test]
        fn splitting_what_was_joined_changes_nothing(list in prop::collection::vec("[a-zé0-9 '\"#`>$.,-]{0,12}", 0..20)) {
            let line = shell_words::join(&list);
            prop_assume!(!line.contains("```"));
            prop_assert_eq!(split(&line), list);
        }
    }
}

//! Text from outside, and the secrets in it.

use andon_core::{Line, Outside, Redactor, closest};
use proptest::prelude::*;

/// Pieces of secrets, so that whole ones, broken ones and ones inside others come up.
const PIECES: &[&str] = &[
    "xoxb-",
    "1234567890-abcdefghij",
    "ghp_",
    "AKIA",
    "ABCDEFGHIJKLMNOP",
    "eyJhbGciOi.",
    "eyJzdWIi.c2ln",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "postgres://",
    "https://",
    "hooks.slack.com/services/",
    "discord.com/api/webhooks/",
    "user:",
    "@host/",
    "Bearer ",
    "basic ",
    "password=",
    "token: ",
    "api_key = ",
    "[redacted]",
    "\"",
    "'",
    " ",
    "\n",
    "\u{200b}",
    "hunter2hunter2hunter2",
];

fn secretive() -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// What could mislead a reader: everything that has no shape of its own, or turns the direction of writing.
fn misleads(letter: char) -> bool {
    (letter.is_control() && letter != '\n' && letter != '\t')
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Letters that mislead among those that do not.
fn foreign() -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        any::<char>(),
        prop::sample::select(vec!['\u{202e}', '\u{200b}', '\u{feff}', '\u{2066}', '\u{7}', '\u{1b}', '\n', 'é', '😀']),
    ];
    prop_oneof![
        prop::collection::vec(letter.clone(), 0..64).prop_map(|letters| letters.into_iter().collect::<String>()),
        (letter, 1990..2010usize).prop_map(|(letter, count)| letter.to_string().repeat(count)),
    ]
}

proptest! {
    #[test]
    fn a_redacted_text_holds_no_secret_and_stays_as_it_is(text in prop_oneof![secretive(), any::<String>()]) {
        let redactor = Redactor::default();
        let redacted = redactor.redact(&text);
        prop_assert!(!redactor.finds(&redacted), "{text:?} became {redacted:?}");
        prop_assert_eq!(redactor.redact(&redacted), redacted.clone());
        prop_assert_eq!(redactor.finds(&text), redacted != text);
    }

    #[test]
    fn foreign_text_never_misleads(text in foreign()) {
        let clean = Outside::new(&text);
        prop_assert!(!clean.as_str().chars().any(misleads));
        prop_assert!(clean.as_str().chars().count() <= Outside::LIMIT);
        prop_assert_eq!(&Outside::new(clean.as_str()), &clean);
        let kept = text.chars().filter(|&letter| !misleads(letter)).collect::<String>();
        if kept.chars().count() <= Outside::LIMIT {
            prop_assert_eq!(clean.as_str(), kept);
        } else {
            prop_assert!(kept.starts_with(clean.as_str().trim_end_matches('…')));
        }
    }

    #[test]
    fn foreign_text_is_as_clean_when_it_is_read_back(text in foreign()) {
        let read: Outside = serde_json::from_value(serde_json::Value::String(text.clone())).unwrap();
        prop_assert_eq!(&read, &Outside::new(&text));
        let again: Outside = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
        prop_assert_eq!(again, read);
    }

    #[test]
    fn a_line_says_its_spans_in_order_and_reads_as_it_is_written(ours in "\\PC{0,20}", theirs in foreign()) {
        let line = Line::new().text(&*ours).outside(&theirs).code(&ours);
        prop_assert_eq!(line.plain(), format!("{ours}{}{ours}", Outside::new(&theirs).as_str()));
        let read: Line = serde_json::from_str(&serde_json::to_string(&line).unwrap()).unwrap();
        prop_assert_eq!(read, line);
    }

    #[test]
    fn a_suggestion_is_one_of_those_that_there_are(word in any::<String>(), known in prop::collection::vec("[a-z]{1,8}", 0..6)) {
        if let Some(found) = closest(&word, known.iter().map(String::as_str)) {
            prop_assert!(known.iter().any(|each| *each == found));
        }
    }
}

/// A secret inside another: taking the inner one out makes an address of the outer one.
#[test]
fn a_secret_in_a_secret_is_taken_out() {
    let redactor = Redactor::default();
    let text = format!("a://user:Bearer {}@host", "a".repeat(20));
    let redacted = redactor.redact(&text);
    assert!(!redactor.finds(&redacted), "{redacted}");
    // A configured pattern that finds the mask ends as well.
    let configured = Redactor::new(&["redacted".to_owned()]).unwrap();
    assert!(configured.redact(&text).contains("[redacted]"));
}

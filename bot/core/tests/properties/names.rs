//! Names: ASCII by pattern, and each kind of name by the same pattern wherever it comes in.

use andon_core::{EnvironmentName, PersonId, ServiceName, Target, TeamName, Version};
use proptest::prelude::*;

/// The pattern of names in lower case, written a second time.
fn lower(text: &str) -> bool {
    let bytes = text.as_bytes();
    let letter = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    bytes.first().is_some_and(letter)
        && bytes.len() <= 40
        && bytes.iter().all(|byte| letter(byte) || b"-_".contains(byte))
}

fn version(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.len() <= 128
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(byte))
}

/// Texts near the patterns, and texts far from them.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9_-]{0,42}", "[A-Za-z0-9._+-]{0,130}", "[a-z0-9А-я/. -]{0,8}", "\\PC{0,12}", any::<String>()]
}

proptest! {
    #[test]
    fn a_name_is_what_its_pattern_says(text in texts()) {
        prop_assert_eq!(text.parse::<ServiceName>().is_ok(), lower(&text));
        prop_assert_eq!(text.parse::<EnvironmentName>().is_ok(), lower(&text));
        prop_assert_eq!(text.parse::<PersonId>().is_ok(), lower(&text));
        prop_assert_eq!(text.parse::<TeamName>().is_ok(), lower(&text));
        prop_assert_eq!(text.parse::<Version>().is_ok(), version(&text));
    }

    #[test]
    fn a_name_is_the_same_from_text_and_from_json(text in texts()) {
        let json = serde_json::Value::String(text.clone());
        let read = serde_json::from_value::<Version>(json.clone()).ok();
        prop_assert_eq!(&read, &text.parse().ok());
        if let Some(name) = read {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert_eq!(serde_json::to_value(&name).unwrap(), json);
        }
    }

    #[test]
    fn what_is_wrong_with_a_name_is_said_without_the_name(text in "[a-z]{20}[ §/]{1,3}[a-z]{20}") {
        let error = text.parse::<ServiceName>().unwrap_err().to_string();
        prop_assert!(!error.contains(&text[..20]), "{error}");
    }

    #[test]
    fn a_target_is_two_names_and_reads_as_it_is_written(text in prop_oneof![texts(), "[a-z]{1,4}/[a-z]{1,4}(/[a-z])?"]) {
        let two = text.split_once('/').is_some_and(|(service, environment)| lower(service) && lower(environment));
        let target = text.parse::<Target>();
        prop_assert_eq!(target.is_ok(), two);
        if let Ok(target) = target {
            prop_assert_eq!(target.to_string(), text);
        }
    }
}

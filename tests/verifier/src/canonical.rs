//! Canonical JSON (RFC 8785) without fractions.

use std::fmt::Write as _;

use serde_json::Value;

/// Integers beyond this are not exact in every reader of JSON (RFC 8785, appendix D).
const EXACT: u64 = (1 << 53) - 1;

/// Reads canonical JSON.
///
/// # Errors
/// It is not JSON, or not its canonical form.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let value = serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
    let mut text = String::new();
    write(&value, &mut text)?;
    // Whatever reading forgets (spaces, the order of members, a member given twice, another spelling of a letter) shows here.
    if text.as_bytes() == bytes { Ok(value) } else { Err("its bytes are not canonical".to_owned()) }
}

/// The canonical form of `value`.
///
/// # Errors
/// It holds a number that a record cannot hold.
pub(crate) fn text_of(value: &Value) -> Result<String, String> {
    let mut text = String::new();
    write(value, &mut text)?;
    Ok(text)
}

fn write(value: &Value, text: &mut String) -> Result<(), String> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => {
            let size = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if size.is_none_or(|size| size > EXACT) {
                return Err(format!("the number {number} cannot stand in a record"));
            }
            text.push_str(&number.to_string());
        }
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                separate(place, text);
                write(item, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            // By UTF-16 code units, which is another order than that of UTF-8 bytes beyond the basic plane.
            members.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            text.push('{');
            for (place, (name, member)) in members.into_iter().enumerate() {
                separate(place, text);
                write_string(name, text);
                text.push(':');
                write(member, text)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn separate(place: usize, text: &mut String) {
    if place > 0 {
        text.push(',');
    }
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            control if control < ' ' => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn canonical_bytes_are_read() {
        for text in [
            r#"{}"#,
            r#"[1,-2,0,null,true,false]"#,
            r#"{"a":"\b\t\n\f\r\"\\/\u0001\u001f","b":"é€😀 "}"#,
            // U+1F600 is D83D DE00 in UTF-16, so it stands before U+FB33; in UTF-8 it would stand behind.
            "{\"\u{1f600}\":1,\"\u{fb33}\":2}",
            "9007199254740991",
        ] {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        for text in [
            r#"{ }"#,
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":"\u00e9"}"#,
            r#"{"a":"\/"}"#,
            r#"{"a":"\u001F"}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1.5}"#,
            r#"{"a":1e3}"#,
            r#"{"a":-0}"#,
            "9007199254740992",
            "{\"\u{fb33}\":2,\"\u{1f600}\":1}",
            "{}\n",
            "",
            "nothing",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(b"\"\xff\"").is_err());
    }
}

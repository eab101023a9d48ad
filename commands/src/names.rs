//! How names are read from what people type: capitals, as phones make them, are forgiven; anything else outside the pattern is not.

use andon_core::{EnvironmentName, InvalidName, ServiceName, Version};
use jiff::{SignedDuration, Timestamp};

/// The longest time that a lock or a freeze may be asked for: 30 days.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(crate) fn service(text: &str) -> Result<ServiceName, InvalidName> {
    text.to_ascii_lowercase().parse()
}

pub(crate) fn environment(text: &str) -> Result<EnvironmentName, InvalidName> {
    text.to_ascii_lowercase().parse()
}

pub(crate) fn version(text: &str) -> Result<Version, InvalidName> {
    text.parse()
}

/// A length of time as people write it: `30m`, `2h`, `1h 30m`, `2 days`.
pub(crate) fn duration(text: &str) -> Result<String, String> {
    parse_duration(text).map(|_| text.to_owned())
}

pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let refuse = || format!("{text:?} is no length of time; write it like 30m, 2h or 3 days");
    let span: jiff::Span = text.parse().map_err(|_| refuse())?;
    let length = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| refuse())?;
    if length <= SignedDuration::ZERO || length > LONGEST {
        return Err("it has to be more than nothing and at most 30 days".to_owned());
    }
    Ok(length)
}

/// A moment that has been: how long ago (`2h`), or when (`2026-03-01T00:00Z`).
///
/// # Errors
/// It is neither; in words for whoever typed it.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago = parse_duration(text).map_err(|error| format!("{error}; or name a moment like 2026-03-01T00:00Z"))?;
    Ok(now.saturating_sub(ago).unwrap_or(Timestamp::MIN))
}

/// As [`moment`], for a command whose `now` is not yet known.
pub(crate) fn some_moment(text: &str) -> Result<String, String> {
    moment(text, Timestamp::UNIX_EPOCH).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_moment_is_some_time_ago_or_named() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2h", Some("2026-03-01T10:00:00Z")),
            ("1 day", Some("2026-02-28T12:00:00Z")),
            ("2026-01-02T03:04Z", Some("2026-01-02T03:04:00Z")),
            ("2026-01-02T03:04:05+01:00", Some("2026-01-02T02:04:05Z")),
            // Without a zone, nobody knows which moment it is.
            ("2026-01-02", None),
            ("yesterday", None),
            ("-2h", None),
            ("", None),
        ] {
            assert_eq!(moment(text, now).ok(), expected.map(|text| text.parse().unwrap()), "{text}");
        }
    }
}

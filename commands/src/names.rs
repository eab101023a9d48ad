//! How names are read from what people type: capitals, as phones make them, are forgiven; anything else outside the pattern is not.

use andon_core::{EnvironmentName, InvalidName, ServiceName, Version};
use jiff::SignedDuration;

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

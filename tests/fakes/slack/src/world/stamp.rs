//! Time stamps of messages: `seconds.micros`, unique in a workspace, which makes them a message's name.

use std::fmt;

/// A message's time stamp, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stamp(pub(crate) u64);

impl Stamp {
    /// Only Slack's own form: digits, a point, six digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (seconds, micros) = text.split_once('.')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if micros.len() != 6 || !digits(seconds) || !digits(micros) {
            return None;
        }
        let micros: u64 = micros.parse().ok()?;
        Some(Self(seconds.parse::<u64>().ok()?.checked_mul(1_000_000)? + micros))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;

    #[test]
    fn only_slacks_own_form_is_read() {
        assert_eq!(
            Stamp::parse("1700000000.000102").map(|stamp| stamp.to_string()).as_deref(),
            Some("1700000000.000102")
        );
        for wrong in ["", "1700000000", "1700000000.1", "1700000000.0001021", "-1.000000", "a.000000", ".000000"] {
            assert_eq!(Stamp::parse(wrong), None, "{wrong}");
        }
    }
}

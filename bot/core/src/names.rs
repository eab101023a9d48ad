//! Names that people type and read aloud: ASCII by pattern, so that no two of them look alike.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not a name. The message names the odd character and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// Nothing, or more than the limit.
    #[error("{kind} names have 1 to {limit} characters")]
    Length {
        /// What was being named.
        kind: &'static str,
        /// The most characters allowed.
        limit: usize,
    },
    /// A character outside the pattern.
    #[error("{kind} names hold only {allowed}; {character:?} (U+{code:04X}) is none of them", code = u32::from(*character))]
    Character {
        /// What was being named.
        kind: &'static str,
        /// The characters of the pattern, in words.
        allowed: &'static str,
        /// The first character outside it.
        character: char,
    },
    /// A name begins with a letter or digit, so that it is never taken for an option.
    #[error("{kind} names begin with a letter or a digit")]
    Start {
        /// What was being named.
        kind: &'static str,
    },
}

struct Pattern {
    kind: &'static str,
    limit: usize,
    allowed: &'static str,
    accepts: fn(char) -> bool,
}

const fn lower(kind: &'static str) -> Pattern {
    Pattern {
        kind,
        limit: 40,
        allowed: "a-z, 0-9, - and _",
        accepts: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_',
    }
}

const VERSION: Pattern = Pattern {
    kind: "version",
    limit: 128,
    allowed: "letters, digits, '.', '_', '+' and '-'",
    accepts: |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-'),
};

fn check(text: &str, pattern: &Pattern) -> Result<(), InvalidName> {
    let Pattern { kind, limit, allowed, accepts } = *pattern;
    if let Some(character) = text.chars().find(|&c| !accepts(c)) {
        return Err(InvalidName::Character { kind, allowed, character });
    }
    if text.is_empty() || text.len() > limit {
        return Err(InvalidName::Length { kind, limit });
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(InvalidName::Start { kind });
    }
    Ok(())
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $pattern:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                check(text, &$pattern)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                check(&text, &$pattern)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type!(
    /// A service, such as `api`.
    ServiceName, lower("service")
);
name_type!(
    /// An environment, such as `prod`.
    EnvironmentName, lower("environment")
);
name_type!(
    /// A person's key in the configuration, never reused.
    PersonId, lower("person")
);
name_type!(
    /// A team's key in the configuration.
    TeamName, lower("team")
);
name_type!(
    /// A version as a person types it: a tag, a short hash, a release number. It becomes an [`crate::Artifact`] once, in the plan.
    Version, VERSION
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_refused_by_name() {
        let cyrillic = "\u{430}pi".parse::<ServiceName>().unwrap_err();
        assert!(cyrillic.to_string().contains("U+0430"), "{cyrillic}");
        assert!("-rf".parse::<Version>().is_err());
        assert!("v1.2.3+build-4".parse::<Version>().is_ok());
        assert!("".parse::<ServiceName>().is_err());
    }
}

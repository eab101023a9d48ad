//! Identifiers: ULIDs inside, short numbers for people.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::Entropy;

macro_rules! ulid_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Ulid);

        impl $name {
            /// A new identifier: sortable by `at` (milliseconds), unique by 80 bits of `entropy`.
            pub fn new(at: Timestamp, entropy: &dyn Entropy) -> Self {
                let mut random = [0u8; 16];
                entropy.fill(&mut random);
                let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or(0);
                Self(Ulid::from_parts(milliseconds, u128::from_be_bytes(random)))
            }

            /// When it was made, to the millisecond.
            pub fn made_at(&self) -> Timestamp {
                let milliseconds = i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX);
                Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ulid::DecodeError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

ulid_type!(
    /// One person's one use of one command in one room.
    InvocationId
);
ulid_type!(
    /// A plan on its way to being done. The idempotency key for backends is `<origin>/<this>`.
    OperationId
);
ulid_type!(
    /// One entry of the audit trail, from the moment it is written; its number comes with integration.
    RecordId
);

/// The short name of an operation, `op-412`, from a sequence of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationNumber(pub i64);

impl fmt::Display for OperationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "op-{}", self.0)
    }
}

impl FromStr for OperationNumber {
    type Err = String;

    /// Understands `op-412`, `OP-412`, `op412` and `412`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let digits = lower.strip_prefix("op-").or_else(|| lower.strip_prefix("op")).unwrap_or(&lower);
        match digits.parse::<i64>() {
            Ok(number) if number > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Self(number)),
            _ => Err("an operation is named like op-412".to_owned()),
        }
    }
}

/// The place of a record in the trail, from 0 upwards, known once the record is integrated. Shown as `#812`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordNumber(pub u64);

impl fmt::Display for RecordNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl FromStr for RecordNumber {
    type Err = String;

    /// Understands `#812` and `812`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        digits.parse().map(Self).map_err(|_| "a record is named like #812".to_owned())
    }
}

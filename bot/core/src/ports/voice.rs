//! Chat, outwards.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Identity, InvocationId, Message, Room};

/// Where a message was placed, in the platform's own words; opaque to the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Placement(pub String);

/// A mark of its own that a platform keeps with a message, so that a message of unknown fate can be found again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marker(pub String);

impl Marker {
    /// The moment before which nothing was said with this mark, where it begins with the identifier of what it belongs to.
    pub fn since(&self) -> Option<Timestamp> {
        let belongs_to = self.0.split('/').next().unwrap_or_default();
        belongs_to.parse::<InvocationId>().ok().map(|id| id.made_at())
    }
}

/// Why something could not be said.
#[derive(Debug, Error)]
pub enum VoiceError {
    /// The platform asks to wait.
    #[error("the platform asks to wait {0:?}")]
    SlowDown(std::time::Duration),
    /// It may work later.
    #[error("the platform cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody knows whether it was said.
    #[error("the platform did not say whether it took the message")]
    Ambiguous(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was to be changed is not there any more: somebody has taken it away.
    #[error("the message is not there any more")]
    Gone,
    /// It will never work: the room is gone, the message too old, the token dead.
    #[error("the platform refuses the message: {0}")]
    Refused(String),
}

/// One platform's way of saying things. It owns pace and rendering; the outbox owns retries.
#[async_trait]
pub trait Voice: Send + Sync {
    /// The platform, as it stands in rooms and identities.
    fn platform(&self) -> &str;

    /// Says something new in `room`. `asker` is who an [`crate::Audience::Asker`] message is for.
    ///
    /// # Errors
    /// See [`VoiceError`].
    async fn post(
        &self,
        room: &Room,
        asker: Option<&Identity>,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError>;

    /// Says it under `card`, in its thread.
    ///
    /// # Errors
    /// See [`VoiceError`].
    async fn follow_up(
        &self,
        room: &Room,
        card: &Placement,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError>;

    /// Makes what was said read as `message`. Idempotent.
    ///
    /// # Errors
    /// See [`VoiceError`]; [`VoiceError::Gone`] where it has to be said afresh.
    async fn edit(&self, room: &Room, placement: &Placement, message: &Message) -> Result<(), VoiceError>;

    /// The place of a message that an ambiguous [`Voice::post`], or [`Voice::follow_up`] under a card, may have left, by its marker: in the
    /// room, or where else it may have been said to `asker`.
    ///
    /// # Errors
    /// See [`VoiceError`].
    async fn find(
        &self,
        room: &Room,
        asker: Option<&Identity>,
        under: Option<&Placement>,
        marker: &Marker,
    ) -> Result<Option<Placement>, VoiceError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_since_when_it_can_be_found() {
        let since = |mark: &str| Marker(mark.to_owned()).since().map(|at| at.to_string());
        assert_eq!(since("01BX5ZZKBKACTAV9WEVGEMMVRZ/7").as_deref(), Some("2017-10-24T01:29:36.371Z"));
        assert_eq!([since("/7"), since("dead")], [None, None]);
    }
}

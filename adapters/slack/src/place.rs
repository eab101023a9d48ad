//! Where a message stands on Slack: what the house keeps as an opaque placement.

use andon_core::ports::{Placement, VoiceError};

/// A message's place, written `channel/ts` or `channel/ts/thread`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) channel: String,
    pub(crate) ts: String,
    /// The message that begins the thread in which it stands.
    pub(crate) thread: Option<String>,
}

impl Place {
    /// Reads a placement.
    ///
    /// # Errors
    /// It is none of ours.
    pub(crate) fn of(placement: &Placement) -> Result<Self, VoiceError> {
        let mut parts = placement.0.splitn(3, '/').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(channel), Some(ts), thread) => Ok(Self { channel, ts, thread }),
            _ => Err(VoiceError::Refused("the place of a message cannot be read".to_owned())),
        }
    }

    /// The thread in which something is said below this message: its own, or the one that it stands in.
    pub(crate) fn thread(&self) -> &str {
        self.thread.as_deref().unwrap_or(&self.ts)
    }
}

impl From<Place> for Placement {
    fn from(Place { channel, ts, thread }: Place) -> Self {
        Self([Some(channel), Some(ts), thread].into_iter().flatten().collect::<Vec<_>>().join("/"))
    }
}

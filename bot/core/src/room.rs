//! Rooms: channels, threads and direct messages of one platform.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A channel, thread or direct message on one platform. Written `platform:workspace/channel` or `platform:channel`, with `#thread`
/// appended for a thread.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Room {
    /// The platform's name, as its adapter calls itself.
    pub platform: String,
    /// The workspace or guild, where the platform has them.
    pub workspace: Option<String>,
    /// The channel's identifier on the platform.
    pub channel: String,
    /// The thread inside the channel.
    pub thread: Option<String>,
}

impl Room {
    /// The channel that this room is or lies in.
    pub fn without_thread(&self) -> Self {
        Self { thread: None, ..self.clone() }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.platform)?;
        if let Some(workspace) = &self.workspace {
            write!(f, "{workspace}/")?;
        }
        f.write_str(&self.channel)?;
        match &self.thread {
            Some(thread) => write!(f, "#{thread}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Room {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (platform, rest) = text
            .split_once(':')
            .ok_or_else(|| format!("{text:?} is not a room; one is written platform:workspace/channel"))?;
        let (place, thread) = match rest.split_once('#') {
            Some((place, thread)) => (place, Some(thread.to_owned())),
            None => (rest, None),
        };
        let (workspace, channel) = match place.split_once('/') {
            Some((workspace, channel)) => (Some(workspace.to_owned()), channel),
            None => (None, place),
        };
        if platform.is_empty() || channel.is_empty() {
            return Err(format!("{text:?} is not a room; one is written platform:workspace/channel"));
        }
        Ok(Self { platform: platform.to_owned(), workspace, channel: channel.to_owned(), thread })
    }
}

impl TryFrom<String> for Room {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Room> for String {
    fn from(room: Room) -> Self {
        room.to_string()
    }
}

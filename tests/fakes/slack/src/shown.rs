//! What people see happen, as it happens.

use serde_json::Value;

/// What the app changed for people's eyes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownKind {
    /// A message in a channel.
    Posted,
    /// A message changed.
    Edited,
    /// A message went away.
    Deleted,
    /// A message that only one person sees.
    Whispered {
        /// Who sees it.
        user: String,
    },
    /// A message with files.
    Filed,
    /// A modal opened.
    ViewOpened {
        /// Who sees it.
        user: String,
    },
    /// A modal changed.
    ViewUpdated {
        /// Who sees it.
        user: String,
    },
    /// A modal came to lie on another one.
    ViewPushed {
        /// Who sees it.
        user: String,
    },
    /// A modal closed.
    ViewClosed {
        /// Who saw it.
        user: String,
    },
    /// A home tab.
    HomePublished {
        /// Who sees it.
        user: String,
    },
    /// A channel's topic.
    TopicSet,
    /// A reaction under a message.
    Reacted {
        /// The emoji's name.
        name: String,
    },
}

/// One thing that the app did and people see.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What happened.
    pub kind: ShownKind,
    /// The channel's identifier.
    pub channel: Option<String>,
    /// The thread, if it happened in one.
    pub thread_ts: Option<String>,
    /// The message's time stamp.
    pub ts: Option<String>,
    /// The message or view, with its metadata.
    pub message: Value,
}

//! Where a scenario plays: on which database, and in which chat.

/// The databases on which every scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// The embedded one.
    Sqlite,
    /// A real server.
    Postgres,
}

/// Where people speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chat {
    /// The terminal room of a playground.
    Terminal,
    /// Slack, over Socket Mode.
    SlackSocket,
    /// Slack, over HTTP.
    SlackHttp,
}

/// Both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// What keeps it.
    pub database: Database,
    /// Where it is said.
    pub chat: Chat,
}

impl From<Database> for Scene {
    fn from(database: Database) -> Self {
        Self { database, chat: Chat::Terminal }
    }
}

impl From<(Database, Chat)> for Scene {
    fn from((database, chat): (Database, Chat)) -> Self {
        Self { database, chat }
    }
}

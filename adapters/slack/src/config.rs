//! What the configuration says of Slack.

/// How deliveries come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Over WebSockets that this side opens (Socket Mode): nothing of the bot is reachable from outside.
    Socket,
    /// As signed HTTP requests.
    Http,
}

/// `[slack]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How deliveries come in.
    pub mode: Mode,
    /// The workspaces that are served, by id.
    pub workspaces: Vec<String>,
    /// First words of commands that are slash commands of their own, besides `/andon`.
    pub slash_commands: Vec<String>,
}

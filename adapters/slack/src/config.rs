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
    /// Whether accounts are people's by their e-mail addresses anywhere, for which the addresses have to be read.
    pub matches_email: bool,
    /// Whether a message of unknown fate is looked for in its channel before it is said again, for which the channel has to be read.
    pub reconcile: bool,
    /// First words of commands that are slash commands of their own, besides `/andon`.
    pub slash_commands: Vec<String>,
}

//! What keeps Slack from being switched on.

use thiserror::Error;

/// Why the adapter cannot start. For whoever runs the bot; never holds a secret.
#[derive(Debug, Error)]
pub enum StartError {
    /// `ANDON_SLACK_API_URL` is neither `https` nor on loopback.
    #[error("ANDON_SLACK_API_URL must be https, or plain http on this machine")]
    UnsafeUrl,
    /// A token or secret is missing.
    #[error("{0} is not set: docs/slack.md says where Slack shows it")]
    Missing(&'static str),
    /// A token is of another kind.
    #[error("{variable} must begin with `{prefix}`: docs/slack.md says where Slack shows it")]
    WrongKind {
        /// The variable.
        variable: &'static str,
        /// How tokens of that kind begin.
        prefix: &'static str,
    },
    /// Slack does not accept a token.
    #[error("Slack refuses {variable}: {code}")]
    Refused {
        /// The variable.
        variable: &'static str,
        /// Slack's name for why.
        code: String,
    },
    /// The token is of a workspace that the configuration does not list.
    #[error("the bot token is of the workspace {0}, which `[slack] workspaces` does not list")]
    WrongWorkspace(String),
}

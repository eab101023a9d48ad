//! The adapter's parts, shared by its ways in and its way out.

use std::sync::Arc;

use andon_core::ports::{Edge, Voice};
use andon_core::{Clock, Directory, Entropy, PersonId};
use serde::Deserialize;
use tokio::sync::{OnceCell, watch};

use crate::accounts::Accounts;
use crate::api::{Api, ApiError};
use crate::config::{Config, Mode};
use crate::http;
use crate::pace::Pace;
use crate::receive::Inbound;
use crate::signature::Signatures;
use crate::socket;
use crate::start::StartError;
use crate::voice::SlackVoice;

/// The platform's name in rooms and identities.
pub(crate) const PLATFORM: &str = "slack";

/// How long a delivery waits for Slack to say who the bot is.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);

/// What Slack issued for this app. Never shown.
#[derive(Clone, Default)]
pub struct Secrets {
    /// The bot token, `xoxb-…`.
    pub bot_token: Option<String>,
    /// The app-level token, `xapp-…`, for Socket Mode.
    pub app_token: Option<String>,
    /// The signing secret, for HTTP; while it is rotated, the new and the old one, separated by white space.
    pub signing_secret: Option<String>,
    /// Where the Web API is; Slack's own where nothing is said.
    pub api_url: Option<String>,
}

/// Who the bot is, as Slack says (`auth.test`).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Me {
    /// The workspace's address, such as `https://example.slack.com/`.
    pub(crate) url: String,
    /// The workspace.
    pub(crate) team_id: String,
    /// The bot's user.
    pub(crate) user_id: String,
    /// The bot itself, as it stands on its messages.
    pub(crate) bot_id: Option<String>,
}

pub(crate) struct Parts {
    pub(crate) api: Api,
    pub(crate) config: Config,
    pub(crate) accounts: Accounts,
    pub(crate) directory: Directory,
    pub(crate) pace: Pace,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    signatures: Signatures,
    me: OnceCell<Me>,
}

impl Parts {
    /// Who the bot is; asked once.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(crate) async fn me(&self) -> Result<&Me, ApiError> {
        self.me.get_or_try_init(async || self.api.call("auth.test", &serde_json::json!({})).await).await
    }

    /// Who the bot is, where Slack says it within a second: a delivery waits to be acknowledged.
    pub(crate) async fn me_soon(&self) -> Option<&Me> {
        if let Some(me) = self.me.get() {
            return Some(me);
        }
        tokio::select! {
            me = self.me() => me.ok(),
            () = self.clock.sleep(SOON) => None,
        }
    }

    /// A random name, for what Slack wants to be named by us.
    pub(crate) fn name(&self) -> String {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        hex::encode(random)
    }

    /// Slack's id of a person in a workspace.
    pub(crate) fn user(&self, person: &PersonId, workspace: Option<&str>) -> Option<String> {
        self.directory.account(person, PLATFORM, workspace).map(|identity| identity.user)
    }
}

/// Slack, switched on. Cheap to clone.
#[derive(Clone)]
pub struct Slack(Arc<Parts>);

impl Slack {
    /// Puts the parts together. Nothing is sent yet.
    ///
    /// # Errors
    /// A token or secret that the mode needs is missing or of another kind, or the URL is not safe.
    pub fn new(
        config: Config,
        secrets: &Secrets,
        directory: Directory,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        let bot = token(secrets.bot_token.as_deref(), "ANDON_SLACK_BOT_TOKEN", "xoxb-")?;
        let app = match config.mode {
            Mode::Socket => Some(token(secrets.app_token.as_deref(), "ANDON_SLACK_APP_TOKEN", "xapp-")?),
            Mode::Http => None,
        };
        let signing: Vec<String> =
            secrets.signing_secret.iter().flat_map(|secrets| secrets.split_whitespace()).map(str::to_owned).collect();
        if config.mode == Mode::Http && signing.is_empty() {
            return Err(StartError::Missing("ANDON_SLACK_SIGNING_SECRET"));
        }
        Ok(Self(Arc::new(Parts {
            api: Api::new(secrets.api_url.as_deref(), bot, app, Arc::clone(&clock))?,
            accounts: Accounts::new(Arc::clone(&clock)),
            signatures: Signatures::new(signing, Arc::clone(&clock)),
            pace: Pace::default(),
            me: OnceCell::new(),
            config,
            directory,
            clock,
            entropy,
        })))
    }

    /// Asks Slack who the bot is, so that a wrong token is told at the start. That Slack cannot be reached is no reason not to start: it
    /// is asked again when it is needed.
    ///
    /// # Errors
    /// Slack refuses the token, or it is another workspace's.
    pub async fn introduce(&self) -> Result<(), StartError> {
        match self.0.me().await {
            Ok(me) if self.0.config.workspaces.contains(&me.team_id) => Ok(()),
            Ok(me) => Err(StartError::WrongWorkspace(me.team_id.clone())),
            Err(ApiError::Refused { code, .. }) => Err(StartError::Refused { variable: "ANDON_SLACK_BOT_TOKEN", code }),
            Err(error) => {
                tracing::warn!(%error, "Slack cannot be asked who the bot is; it is asked again");
                Ok(())
            }
        }
    }

    /// The workspace that the bot token is of.
    ///
    /// # Errors
    /// Slack refuses the token, or cannot be reached.
    pub async fn workspace(&self) -> Result<String, StartError> {
        match self.0.me().await {
            Ok(me) => Ok(me.team_id.clone()),
            Err(error) => Err(StartError::Refused { variable: "ANDON_SLACK_BOT_TOKEN", code: error.to_string() }),
        }
    }

    /// The way out.
    pub fn voice(&self) -> Arc<dyn Voice> {
        Arc::new(SlackVoice::new(Arc::clone(&self.0)))
    }

    /// The way in over HTTP, to be nested at the root of the server. Empty in Socket Mode.
    pub fn router(&self, edge: &Arc<dyn Edge>, stop: &watch::Receiver<bool>) -> axum::Router {
        match self.0.config.mode {
            Mode::Socket => axum::Router::new(),
            Mode::Http => http::router(self.inbound(edge), self.0.signatures.clone(), stop.clone()),
        }
    }

    /// Listens until told to stop: in Socket Mode it opens the sockets, over HTTP it only says that it can be heard.
    pub async fn listen(&self, edge: Arc<dyn Edge>, stop: watch::Receiver<bool>) {
        match self.0.config.mode {
            Mode::Socket => socket::listen(self.inbound(&edge), stop).await,
            Mode::Http => http::listen(&self.0, edge, stop).await,
        }
    }

    fn inbound(&self, edge: &Arc<dyn Edge>) -> Arc<Inbound> {
        Arc::new(Inbound::new(Arc::clone(&self.0), Arc::clone(edge)))
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }
}

fn token<'a>(value: Option<&'a str>, variable: &'static str, prefix: &'static str) -> Result<&'a str, StartError> {
    let value = value.ok_or(StartError::Missing(variable))?.trim();
    if value.starts_with(prefix) { Ok(value) } else { Err(StartError::WrongKind { variable, prefix }) }
}

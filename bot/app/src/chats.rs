//! The chats that are switched on: a list, made from the configuration and the secrets beside it.

use std::sync::Arc;

use andon_core::ports::{Edge, Voice};
use andon_core::{Clock, Directory, Entropy};
use andon_slack::{Secrets, Slack};
use anyhow::{Context as _, Result};
use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{BotSettings, secret};

/// All chats but the terminal.
pub(crate) struct Chats {
    slack: Option<Slack>,
}

impl Chats {
    /// Those that the configuration switches on, each introduced to its platform.
    ///
    /// # Errors
    /// A secret is missing, or a platform refuses one.
    pub(crate) async fn open(
        settings: &BotSettings,
        directory: &Directory,
        clock: &Arc<dyn Clock>,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Self> {
        let slack = match &settings.slack {
            Some(config) => {
                let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
                let slack = Slack::new(config.clone(), &slack_secrets()?, directory.clone(), clock, entropy)?;
                slack.introduce().await?;
                Some(slack)
            }
            None => None,
        };
        Ok(Self { slack })
    }

    /// Their ways out.
    pub(crate) fn voices(&self) -> Vec<Arc<dyn Voice>> {
        self.slack.iter().map(Slack::voice).collect()
    }

    /// Their platforms.
    pub(crate) fn platforms(&self) -> Vec<String> {
        self.voices().iter().map(|voice| voice.platform().to_owned()).collect()
    }

    /// Their ways in over HTTP.
    pub(crate) fn router(&self, edge: &Arc<dyn Edge>, stop: &watch::Receiver<bool>) -> Router {
        self.slack.iter().fold(Router::new(), |router, slack| router.merge(slack.router(edge, stop)))
    }

    /// Listens on all of them until told to stop.
    pub(crate) fn listen(&self, edge: &Arc<dyn Edge>, stop: &watch::Receiver<bool>) -> JoinSet<()> {
        let mut listening = JoinSet::new();
        if let Some(slack) = &self.slack {
            let (slack, edge, stop) = (slack.clone(), Arc::clone(edge), stop.clone());
            listening.spawn(async move { slack.listen(edge, stop).await });
        }
        listening
    }
}

/// What Slack issued for the app.
///
/// # Errors
/// One of them cannot be read.
pub(crate) fn slack_secrets() -> Result<Secrets> {
    let read = |name: &str| Ok::<_, anyhow::Error>(secret(name)?.map(|secret| secret.expose().to_owned()));
    let api_url = match std::env::var("ANDON_SLACK_API_URL") {
        Ok(url) => Some(url),
        Err(std::env::VarError::NotPresent) => None,
        Err(error) => return Err(error).context("ANDON_SLACK_API_URL cannot be read"),
    };
    Ok(Secrets {
        bot_token: read("ANDON_SLACK_BOT_TOKEN")?,
        app_token: read("ANDON_SLACK_APP_TOKEN")?,
        signing_secret: read("ANDON_SLACK_SIGNING_SECRET")?,
        api_url,
    })
}

//! Events: messages to the bot, changes of accounts, and the home that somebody opens.

use std::sync::Arc;

use serde_json::Value;

use super::payload::{HomeOpened, Message, UserChange, Wrapped};
use super::text;
use super::{Act, Inbound, NotTaken, Reply, time};

impl Inbound {
    pub(super) async fn event(self: &Arc<Self>, event: Value) -> Result<Reply, NotTaken> {
        let wrapped: Wrapped = serde_json::from_value(event)?;
        match wrapped.event.get("type").and_then(Value::as_str) {
            Some("app_mention" | "message") => self.message(wrapped).await?,
            Some("user_change") => {
                let UserChange { user } = serde_json::from_value(wrapped.event)?;
                self.user_changed(&wrapped.team_id, &user).await;
            }
            Some("app_home_opened") => self.home_opened(&wrapped.team_id, serde_json::from_value(wrapped.event)?).await,
            Some(kind @ ("tokens_revoked" | "app_uninstalled")) => {
                tracing::error!(kind, "Slack has taken the app's rights away")
            }
            _ => {}
        }
        Ok(Reply::Empty)
    }

    async fn message(&self, wrapped: Wrapped) -> Result<(), NotTaken> {
        let is_mention = wrapped.event.get("type").and_then(Value::as_str) == Some("app_mention");
        let message: Message = serde_json::from_value(wrapped.event)?;
        let Some(user) = author(&message) else { return Ok(()) };
        // Without knowing who we are, the mention is taken at its place; who speaks in a channel without it does not speak to us.
        let me = self.parts.me_soon().await.map(|me| me.user_id.clone());
        if me.as_deref() == Some(user) {
            return Ok(());
        }
        let is_direct = message.channel_type.as_deref() == Some("im");
        let addressed = match &me {
            Some(me) => text::addressed(&message.text, me),
            // Only at its very beginning: behind a quotation mark, or in a sentence, it is no mention of ours to be heeded.
            None if is_mention => {
                message.text.trim_start().strip_prefix("<@").and_then(|rest| rest.split_once('>')).map(|(_, rest)| rest)
            }
            None => None,
        };
        let Some(said) = addressed.or(is_direct.then_some(message.text.as_str())) else { return Ok(()) };
        let said = text::typed(said);
        let workspace = message.user_team.clone().or(message.team.clone()).unwrap_or_else(|| wrapped.team_id.clone());
        let act = Act {
            key: format!("message/{}/{}", message.channel, message.ts),
            attempt: None,
            user: user.to_owned(),
            // A bare mention asks what can be asked.
            text: if said.trim().is_empty() { "help".to_owned() } else { said },
            happened: time(&message.ts),
            delivered_to: wrapped.team_id,
            shared: wrapped.is_ext_shared_channel,
            channel: message.channel,
            thread: message.thread_ts,
            message: Some(message.ts),
            refusal_by_voice: true,
            workspace,
        };
        self.say(act).await?;
        Ok(())
    }

    async fn user_changed(&self, workspace: &str, user: &crate::accounts::User) {
        let workspace = user.team_id.as_deref().unwrap_or(workspace);
        if let Some(account) = self.parts.accounts.changed(workspace, user).await {
            self.edge.account_changed(&self.identity(workspace, &user.id), &account).await;
        }
    }

    async fn home_opened(self: &Arc<Self>, workspace: &str, opened: HomeOpened) {
        if opened.tab.as_deref() == Some("home") {
            let (this, workspace) = (Arc::clone(self), workspace.to_owned());
            self.meanwhile(async move { this.show_home(&workspace, &opened.user).await }).await;
        }
    }
}

/// Who wrote a message that may be run: not an edited one, not a bot's, and none of Slack's own kinds (joins, topics, deletions).
fn author(message: &Message) -> Option<&str> {
    let plain = matches!(message.subtype.as_deref(), None | Some("thread_broadcast" | "file_share"));
    let runs = plain && message.edited.is_none() && message.bot_id.is_none();
    message.user.as_deref().filter(|_| runs)
}

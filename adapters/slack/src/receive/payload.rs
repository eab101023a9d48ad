//! What Slack sends, as far as it is read. Everything else may change without our noticing.

use serde::Deserialize;
use serde_json::Value;

use crate::accounts::User;

/// The wrapper of an event.
#[derive(Deserialize)]
pub(crate) struct Wrapped {
    pub(crate) team_id: String,
    #[serde(default)]
    pub(crate) is_ext_shared_channel: Option<bool>,
    pub(crate) event: Value,
}

/// A message, also one that mentions the bot.
#[derive(Deserialize)]
pub(crate) struct Message {
    pub(crate) channel: String,
    #[serde(default)]
    pub(crate) channel_type: Option<String>,
    pub(crate) user: Option<String>,
    #[serde(default)]
    pub(crate) text: String,
    pub(crate) ts: String,
    pub(crate) thread_ts: Option<String>,
    pub(crate) subtype: Option<String>,
    pub(crate) bot_id: Option<String>,
    /// There once the message was edited.
    pub(crate) edited: Option<Value>,
    /// The author's workspace in a shared channel.
    pub(crate) user_team: Option<String>,
    /// The author's workspace, elsewhere.
    pub(crate) team: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct UserChange {
    pub(crate) user: User,
}

#[derive(Deserialize)]
pub(crate) struct HomeOpened {
    pub(crate) user: String,
    pub(crate) tab: Option<String>,
}

/// A slash command.
#[derive(Deserialize)]
pub(crate) struct Slash {
    pub(crate) team_id: String,
    pub(crate) channel_id: String,
    pub(crate) user_id: String,
    pub(crate) command: String,
    #[serde(default)]
    pub(crate) text: String,
    pub(crate) trigger_id: String,
}

/// Somebody or something by id, with the workspace.
#[derive(Clone, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) team_id: Option<String>,
}

/// Where a button stands. For a message that only one person sees this is all that Slack says of it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Container {
    pub(crate) channel_id: Option<String>,
    pub(crate) message_ts: Option<String>,
    pub(crate) thread_ts: Option<String>,
}

/// A message that somebody acts on.
#[derive(Clone, Deserialize)]
pub(crate) struct Reference {
    pub(crate) ts: String,
    pub(crate) thread_ts: Option<String>,
}

/// What somebody pressed or chose.
#[derive(Deserialize)]
pub(crate) struct Pressed {
    pub(crate) action_id: String,
    pub(crate) value: Option<String>,
    /// What stands on a button.
    pub(crate) text: Option<Label>,
    pub(crate) action_ts: Option<String>,
}

/// Words on a button.
#[derive(Deserialize)]
pub(crate) struct Label {
    pub(crate) text: String,
}

/// A form, or a home, as it stands.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) callback_id: String,
    pub(crate) private_metadata: String,
    pub(crate) hash: String,
    pub(crate) state: State,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    pub(crate) values: Value,
}

/// A button, a form or a shortcut.
#[derive(Deserialize)]
pub(crate) struct Interaction {
    pub(crate) team: Option<Named>,
    pub(crate) user: Named,
    pub(crate) channel: Option<Named>,
    pub(crate) message: Option<Reference>,
    #[serde(default)]
    pub(crate) container: Container,
    #[serde(default)]
    pub(crate) actions: Vec<Pressed>,
    pub(crate) view: Option<View>,
    #[serde(default)]
    pub(crate) trigger_id: String,
}

/// A question for what there is to choose from.
#[derive(Deserialize)]
pub(crate) struct Suggestion {
    pub(crate) team: Option<Named>,
    pub(crate) user: Named,
    pub(crate) action_id: String,
    #[serde(default)]
    pub(crate) value: String,
    pub(crate) view: Option<View>,
}

impl Interaction {
    /// The author's workspace, and the one that it was delivered for.
    pub(crate) fn workspaces(&self) -> (String, String) {
        workspaces(self.team.as_ref(), &self.user)
    }
}

impl Interaction {
    /// The channel and the message in it that a button stands on.
    pub(crate) fn stands_on(&self) -> Option<(String, Reference)> {
        let channel = self.channel.as_ref().map(|channel| channel.id.clone()).or(self.container.channel_id.clone())?;
        let message = self.message.clone().or_else(|| {
            let (ts, thread_ts) = (self.container.message_ts.clone()?, self.container.thread_ts.clone());
            Some(Reference { ts, thread_ts })
        })?;
        Some((channel, message))
    }
}

impl Suggestion {
    pub(crate) fn workspaces(&self) -> (String, String) {
        workspaces(self.team.as_ref(), &self.user)
    }
}

fn workspaces(team: Option<&Named>, user: &Named) -> (String, String) {
    let delivered_to = team.map(|team| team.id.clone()).unwrap_or_default();
    (user.team_id.clone().unwrap_or_else(|| delivered_to.clone()), delivered_to)
}

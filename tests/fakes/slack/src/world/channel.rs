//! Channels and what is said in them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::stamp::Stamp;

/// What kind of conversation a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelKind {
    Public,
    Private,
    /// Two people.
    Direct,
    /// A few people.
    Group,
}

impl ChannelKind {
    /// As `conversations.list` names it.
    pub(crate) fn listed_as(self) -> &'static str {
        match self {
            Self::Public => "public_channel",
            Self::Private => "private_channel",
            Self::Direct => "im",
            Self::Group => "mpim",
        }
    }

    /// As scopes and message events name it.
    pub(crate) fn family(self) -> &'static str {
        match self {
            Self::Public => "channels",
            Self::Private => "groups",
            Self::Direct => "im",
            Self::Group => "mpim",
        }
    }

    /// As a message event's `channel_type` has it.
    pub(crate) fn event_type(self) -> &'static str {
        match self {
            Self::Public => "channel",
            Self::Private => "group",
            Self::Direct => "im",
            Self::Group => "mpim",
        }
    }
}

/// A channel, a direct message or a group of them.
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: ChannelKind,
    pub(crate) is_archived: bool,
    pub(crate) members: BTreeSet<String>,
    pub(crate) topic: String,
    /// The other workspaces that share it.
    pub(crate) shared_with: Vec<String>,
    pub(crate) created: u64,
    pub(crate) messages: BTreeMap<Stamp, Message>,
}

impl Channel {
    pub(crate) fn to_json(&self, team: &str, bot_user: &str, with_number: bool) -> Value {
        let shared = !self.shared_with.is_empty();
        let mut channel = json!({
            "id": self.id, "created": self.created, "creator": "U0ANA", "context_team_id": team,
            "is_archived": self.is_archived, "is_im": self.kind == ChannelKind::Direct,
            "is_org_shared": false, "updated": self.created * 1000,
        });
        if self.kind == ChannelKind::Direct {
            channel["user"] = json!(self.members.iter().find(|member| *member != bot_user));
            channel["is_user_deleted"] = json!(false);
            channel["priority"] = json!(0);
            return channel;
        }
        let more = json!({
            "name": self.name, "name_normalized": self.name, "is_channel": self.kind == ChannelKind::Public,
            "is_group": self.kind == ChannelKind::Private, "is_mpim": self.kind == ChannelKind::Group,
            "is_private": self.kind != ChannelKind::Public, "is_general": false, "unlinked": 0,
            "is_shared": shared, "is_ext_shared": shared, "is_pending_ext_shared": false, "pending_shared": [],
            "pending_connected_team_ids": [], "parent_conversation": null,
            "shared_team_ids": std::iter::once(team).chain(self.shared_with.iter().map(String::as_str)).collect::<Vec<_>>(),
            "is_member": self.members.contains(bot_user),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0}, "previous_names": [],
        });
        merge(&mut channel, more);
        if shared {
            channel["connected_team_ids"] = json!(self.shared_with);
        }
        if with_number {
            channel["num_members"] = json!(self.members.len());
        }
        channel
    }
}

/// A message and what hangs on it.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) stamp: Stamp,
    /// The thread it answers in.
    pub(crate) thread: Option<Stamp>,
    pub(crate) user: String,
    /// The workspace of who wrote it.
    pub(crate) team: String,
    /// Whether our app wrote it.
    pub(crate) by_app: bool,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Value>,
    pub(crate) attachments: Vec<Value>,
    pub(crate) metadata: Option<Value>,
    /// By whom and when it was last edited.
    pub(crate) edited: Option<(String, Stamp)>,
    /// Deleted, and kept because answers hang on it.
    pub(crate) tombstone: bool,
    /// An answer that is also shown in the channel.
    pub(crate) broadcast: bool,
    pub(crate) replies: Vec<Stamp>,
    pub(crate) reply_users: BTreeSet<String>,
    pub(crate) reactions: BTreeMap<String, Vec<String>>,
    pub(crate) files: Vec<Value>,
    pub(crate) client_msg_id: Option<String>,
    /// What people chose in its menus: block, action, value.
    pub(crate) chosen: BTreeMap<(String, String), Value>,
}

impl Message {
    pub(crate) fn new(stamp: Stamp, user: &str, team: &str, text: String) -> Self {
        Self {
            stamp,
            thread: None,
            user: user.to_owned(),
            team: team.to_owned(),
            by_app: false,
            text,
            blocks: Vec::new(),
            attachments: Vec::new(),
            metadata: None,
            edited: None,
            tombstone: false,
            broadcast: false,
            replies: Vec::new(),
            reply_users: BTreeSet::new(),
            reactions: BTreeMap::new(),
            files: Vec::new(),
            client_msg_id: None,
            chosen: BTreeMap::new(),
        }
    }

    /// The thread it belongs to: the one it answers in, or its own once it has answers.
    pub(crate) fn thread_or_own(&self) -> Option<Stamp> {
        self.thread.or_else(|| (!self.replies.is_empty()).then_some(self.stamp))
    }

    /// As the Web API and events show it.
    pub(crate) fn to_json(&self, with_metadata: bool) -> Value {
        if self.tombstone {
            let mut gone = json!({
                "type": "message", "subtype": "tombstone", "user": "USLACKBOT", "hidden": true,
                "text": "This message was deleted.", "ts": self.stamp.to_string(),
            });
            self.add_thread(&mut gone);
            return gone;
        }
        let mut message = json!({
            "type": "message", "user": self.user, "text": self.text, "ts": self.stamp.to_string(), "team": self.team,
        });
        if self.by_app {
            merge(&mut message, super::app_fields(&self.team));
        }
        if let Some(id) = &self.client_msg_id {
            message["client_msg_id"] = json!(id);
        }
        if !self.blocks.is_empty() {
            message["blocks"] = Value::Array(self.blocks.clone());
        }
        if !self.attachments.is_empty() {
            message["attachments"] = Value::Array(self.attachments.clone());
        }
        if let Some((user, at)) = &self.edited {
            message["edited"] = json!({"user": user, "ts": at.to_string()});
        }
        if !self.files.is_empty() {
            message["files"] = Value::Array(self.files.clone());
            message["upload"] = json!(false);
        }
        if !self.reactions.is_empty() {
            let shown =
                self.reactions.iter().map(|(name, users)| json!({"name": name, "users": users, "count": users.len()}));
            message["reactions"] = shown.collect();
        }
        if let (true, Some(metadata)) = (with_metadata, &self.metadata) {
            message["metadata"] = metadata.clone();
        }
        if self.broadcast {
            message["subtype"] = json!("thread_broadcast");
        }
        self.add_thread(&mut message);
        message
    }

    fn add_thread(&self, message: &mut Value) {
        if let Some(thread) = self.thread_or_own() {
            message["thread_ts"] = json!(thread.to_string());
        }
        if let Some(latest) = self.replies.last() {
            message["reply_count"] = json!(self.replies.len());
            message["reply_users_count"] = json!(self.reply_users.len());
            message["reply_users"] = json!(self.reply_users);
            message["latest_reply"] = json!(latest.to_string());
            message["is_locked"] = json!(false);
            message["subscribed"] = json!(false);
        }
    }
}

/// Puts the fields of one object into another.
pub(crate) fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

//! Workspaces, users and user groups, and how the Web API shows them.

use serde_json::{Value, json};

/// A workspace.
#[derive(Clone, Debug)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) domain: String,
}

impl Team {
    pub(crate) fn url(&self) -> String {
        format!("https://{}.slack.com/", self.domain)
    }
}

/// What kind of guest somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    /// May be in several channels (`is_restricted`).
    MultiChannel,
    /// May be in one channel (`is_restricted` and `is_ultra_restricted`).
    SingleChannel,
}

/// A person or a bot, of our workspace or of one that shares a channel with us.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) real_name: String,
    pub(crate) email: Option<String>,
    pub(crate) email_confirmed: bool,
    pub(crate) is_bot: bool,
    pub(crate) guest: Option<Guest>,
    pub(crate) deleted: bool,
    pub(crate) team: String,
    pub(crate) timezone: String,
    pub(crate) updated: u64,
}

impl User {
    /// `home` is the workspace of the asking app: people of another one are strangers, whose address is not shown.
    pub(crate) fn to_json(&self, home: &str, with_email: bool) -> Value {
        let stranger = self.team != home;
        let mut profile = json!({
            "real_name": self.real_name, "real_name_normalized": self.real_name,
            "display_name": self.name, "display_name_normalized": self.name,
            "avatar_hash": "g00000000000", "status_text": "", "status_emoji": "", "team": self.team,
        });
        if self.is_bot {
            profile["bot_id"] = json!(super::BOT_ID);
            profile["api_app_id"] = json!(super::APP_ID);
        } else if let (true, Some(email)) = (with_email && !stranger, &self.email) {
            profile["email"] = json!(email);
        }
        let mut user = json!({
            "id": self.id, "team_id": self.team, "name": self.name, "deleted": self.deleted, "profile": profile,
            "is_bot": self.is_bot, "is_app_user": false, "updated": self.updated,
        });
        // Slack leaves these out for people who were deactivated.
        if !self.deleted {
            user["real_name"] = json!(self.real_name);
            user["color"] = json!("9f69e7");
            user["tz"] = json!(self.timezone);
            user["tz_label"] = json!(self.timezone);
            user["tz_offset"] = json!(0);
            user["is_admin"] = json!(false);
            user["is_owner"] = json!(false);
            user["is_primary_owner"] = json!(false);
            user["is_restricted"] = json!(self.guest.is_some());
            user["is_ultra_restricted"] = json!(self.guest == Some(Guest::SingleChannel));
        }
        if stranger {
            user["is_stranger"] = json!(true);
        } else if !self.is_bot {
            user["is_email_confirmed"] = json!(self.email_confirmed);
        }
        user
    }
}

/// A user group, such as `@on-call`.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) handle: String,
    pub(crate) users: Vec<String>,
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

impl Group {
    pub(crate) fn to_json(&self, team: &str, with_users: bool) -> Value {
        let mut group = json!({
            "id": self.id, "team_id": team, "is_usergroup": true, "name": self.handle, "description": "",
            "handle": self.handle, "is_external": false, "date_create": self.created, "date_update": self.updated,
            "date_delete": 0, "auto_type": null, "created_by": "U0ANA", "updated_by": "U0ANA", "deleted_by": null,
            "prefs": {"channels": [], "groups": []}, "user_count": self.users.len(),
        });
        if with_users {
            group["users"] = json!(self.users);
        }
        group
    }
}

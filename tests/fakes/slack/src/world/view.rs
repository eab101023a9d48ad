//! Modals and home tabs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::channel::merge;

/// A modal or a home tab that somebody sees.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) hash: String,
    /// The first of its stack.
    pub(crate) root: String,
    /// The one under it.
    pub(crate) previous: Option<String>,
    /// As the app gave it, with a `block_id` in every block.
    pub(crate) given: Map<String, Value>,
    /// What the person entered: block, action, value as in `state.values`.
    pub(crate) entered: BTreeMap<(String, String), Value>,
    /// Options that the app offered for what was typed: block, action, options.
    pub(crate) offered: BTreeMap<(String, String), Vec<Value>>,
}

impl View {
    /// As answers and payloads show it.
    pub(crate) fn to_json(&self, team: &str) -> Value {
        let text = |name: &str| self.given.get(name).cloned().unwrap_or_else(|| json!(""));
        let flag = |name: &str| self.given.get(name).cloned().unwrap_or(json!(false));
        let whole = |name: &str| self.given.get(name).cloned().unwrap_or(Value::Null);
        let mut view = json!({
            "id": self.id, "team_id": team, "type": whole("type"), "blocks": whole("blocks"),
            "private_metadata": text("private_metadata"), "callback_id": text("callback_id"),
            "external_id": text("external_id"), "state": {"values": state_values(&self.entered)}, "hash": self.hash,
            "root_view_id": self.root, "previous_view_id": self.previous, "app_id": super::APP_ID,
            "app_installed_team_id": team, "bot_id": super::BOT_ID, "clear_on_close": flag("clear_on_close"),
            "notify_on_close": flag("notify_on_close"),
        });
        if self.given.get("type").and_then(Value::as_str) == Some("modal") {
            let modal = json!({
                "title": whole("title"), "submit": whole("submit"), "close": whole("close"),
                "submit_disabled": flag("submit_disabled"),
            });
            merge(&mut view, modal);
        }
        view
    }

    pub(crate) fn blocks(&self) -> &[Value] {
        self.given.get("blocks").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn external_id(&self) -> Option<&str> {
        self.given.get("external_id").and_then(Value::as_str).filter(|id| !id.is_empty())
    }

    pub(crate) fn is_set(&self, flag: &str) -> bool {
        self.given.get(flag).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// Values by block and action, as payloads have them.
pub(crate) fn state_values(entered: &BTreeMap<(String, String), Value>) -> Value {
    let mut values = json!({});
    for ((block, action), value) in entered {
        values[block][action] = value.clone();
    }
    values
}

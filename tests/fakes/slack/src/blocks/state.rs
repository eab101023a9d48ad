//! Elements of blocks that were checked: finding them, what they hold, and what a choice makes of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// An element and the block it stands in.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) block: &'a Value,
    pub(crate) element: &'a Value,
}

impl Found<'_> {
    pub(crate) fn block_id(&self) -> String {
        self.block["block_id"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn action_id(&self) -> String {
        self.element["action_id"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn kind(&self) -> &str {
        self.element["type"].as_str().unwrap_or_default()
    }

    /// Whether people would call it so: its label, its text, its placeholder, or for tests its ids.
    fn is_called(&self, name: &str) -> bool {
        let texts = [&self.block["label"]["text"], &self.element["text"]["text"], &self.element["placeholder"]["text"]];
        let ids = [&self.block["block_id"], &self.element["action_id"]];
        texts.into_iter().chain(ids).any(|text| text.as_str() == Some(name))
    }
}

/// Every element of these blocks, in the order in which they are shown.
pub(crate) fn elements(blocks: &[Value]) -> impl Iterator<Item = Found<'_>> {
    blocks.iter().flat_map(|block| {
        let one = match block["type"].as_str() {
            Some("section") => block.get("accessory").filter(|accessory| accessory["type"] != "image"),
            Some("input") => block.get("element"),
            _ => None,
        };
        let many = (block["type"] == "actions").then(|| block["elements"].as_array()).flatten();
        one.into_iter().chain(many.into_iter().flatten()).map(move |element| Found { block, element })
    })
}

/// The element that people would call so.
pub(crate) fn find<'a>(blocks: &'a [Value], name: &str) -> Option<Found<'a>> {
    elements(blocks).find(|found| found.is_called(name))
}

/// What the elements hold before anybody touched them. Buttons hold nothing.
pub(crate) fn initial(blocks: Option<&Value>) -> BTreeMap<(String, String), Value> {
    let blocks = blocks.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let stateful = elements(blocks).filter(|found| !matches!(found.kind(), "button" | "overflow"));
    stateful.map(|found| ((found.block_id(), found.action_id()), held(&found))).collect()
}

fn held(found: &Found<'_>) -> Value {
    let (from, to) = names(found.kind());
    let many = to.ends_with('s');
    let none = if many { json!([]) } else { Value::Null };
    json!({"type": found.kind(), to: found.element.get(from).cloned().unwrap_or(none)})
}

/// The name of an element's first value, and the name under which it is told.
fn names(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "static_select" | "external_select" | "radio_buttons" | "overflow" => ("initial_option", "selected_option"),
        "multi_static_select" | "multi_external_select" | "checkboxes" => ("initial_options", "selected_options"),
        "users_select" => ("initial_user", "selected_user"),
        "multi_users_select" => ("initial_users", "selected_users"),
        "channels_select" => ("initial_channel", "selected_channel"),
        "multi_channels_select" => ("initial_channels", "selected_channels"),
        "conversations_select" => ("initial_conversation", "selected_conversation"),
        "multi_conversations_select" => ("initial_conversations", "selected_conversations"),
        "datepicker" => ("initial_date", "selected_date"),
        "timepicker" => ("initial_time", "selected_time"),
        "datetimepicker" => ("initial_date_time", "selected_date_time"),
        _ => ("initial_value", "value"),
    }
}

/// What an element holds after somebody typed or chose this: texts of options, ids, or what was typed. Several are separated by `|`.
///
/// # Panics
/// There is no such option: a person could not have chosen it.
pub(crate) fn chosen(found: &Found<'_>, offered: &[Value], wanted: &str) -> Value {
    let kind = found.kind();
    let (_, name) = names(kind);
    let one = |wanted: &str| match name {
        "selected_option" | "selected_options" => option(found.element, offered, wanted),
        "selected_date_time" => json!(wanted.parse::<u64>().unwrap_or_else(|_| panic!("{wanted} is no time"))),
        _ => Value::String(wanted.to_owned()),
    };
    let value = if name.ends_with('s') {
        wanted.split('|').filter(|wanted| !wanted.is_empty()).map(one).collect()
    } else if wanted.is_empty() {
        Value::Null
    } else {
        one(wanted)
    };
    json!({"type": kind, name: value})
}

fn option(element: &Value, offered: &[Value], wanted: &str) -> Value {
    let groups = element["option_groups"].as_array().into_iter().flatten();
    let grouped = groups.flat_map(|group| group["options"].as_array().into_iter().flatten());
    let mut all = element["options"].as_array().into_iter().flatten().chain(grouped).chain(offered);
    let found = all.find(|option| option["text"]["text"] == wanted || option["value"] == wanted);
    found.cloned().unwrap_or_else(|| panic!("there is no option {wanted}"))
}

/// Whether an element holds nothing.
pub(crate) fn is_blank(held: &Value) -> bool {
    let fields = held.as_object().into_iter().flatten().filter(|(name, _)| *name != "type");
    fields.into_iter().all(|(_, value)| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    })
}

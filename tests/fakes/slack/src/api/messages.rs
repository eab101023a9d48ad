//! What makes a message: its text, blocks, attachments and metadata, and the rules for them.

use serde_json::{Map, Value};

use super::args::Args;
use crate::blocks::{self, Surface};
use crate::refusal::Refusal;
use crate::world::World;

/// The longest text; Slack cuts what is longer, which the fake refuses so that it is noticed.
const LONGEST_TEXT: usize = 40_000;
/// The largest blocks of one message, as JSON.
const LARGEST_BLOCKS: usize = 100_000;
const MOST_ATTACHMENTS: usize = 100;
/// The largest metadata, as JSON.
const LARGEST_METADATA: usize = 8_000;

/// The content of a message, as a call gave it.
pub(crate) struct Draft {
    pub(crate) text: Option<String>,
    pub(crate) blocks: Option<Vec<Value>>,
    pub(crate) attachments: Option<Vec<Value>>,
    /// An empty object takes metadata away.
    pub(crate) metadata: Option<Value>,
}

impl Draft {
    /// Takes the arguments and checks them, each for itself.
    pub(crate) fn take(args: &mut Args) -> Result<Self, Refusal> {
        let mut text = args.optional_text("text")?;
        let blocks = args.nested("blocks", "invalid_blocks_format")?;
        let attachments = args.nested("attachments", "invalid_attachments")?;
        let metadata = args.nested("metadata", "invalid_metadata_format")?;
        let markdown = args.optional_text("markdown_text")?;
        args.ignore(&["parse"]);
        args.flag("link_names")?;
        if let Some(markdown) = markdown {
            if text.is_some() || blocks.is_some() {
                return Err(Refusal::new("markdown_text_conflict"));
            }
            if markdown.chars().count() > blocks::LONGEST_MARKDOWN {
                return Err(Refusal::new("msg_too_long"));
            }
            text = Some(markdown);
        }
        Self::check(text, blocks, attachments, metadata)
    }

    /// The content of an answer that did not come as arguments.
    pub(crate) fn from_fields(fields: &mut Map<String, Value>) -> Result<Self, Refusal> {
        let text = match fields.remove("text") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => return Err(Refusal::argument("must be a string [json-pointer:/text]")),
        };
        Self::check(text, fields.remove("blocks"), fields.remove("attachments"), fields.remove("metadata"))
    }

    fn check(
        text: Option<String>,
        blocks: Option<Value>,
        attachments: Option<Value>,
        metadata: Option<Value>,
    ) -> Result<Self, Refusal> {
        if text.as_deref().is_some_and(|text| text.len() > LONGEST_TEXT && text.chars().count() > LONGEST_TEXT) {
            return Err(Refusal::new("msg_too_long"));
        }
        let list = |value: Option<Value>, error: &str| match value {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(Refusal::new(error)),
        };
        let blocks = list(blocks, "invalid_blocks_format")?;
        if let Some(blocks) = &blocks {
            blocks::check(blocks, Surface::Message).map_err(|errors| Refusal::explained("invalid_blocks", errors))?;
            if Value::from(blocks.as_slice()).to_string().len() > LARGEST_BLOCKS {
                return Err(Refusal::new("msg_blocks_too_long"));
            }
        }
        let attachments = list(attachments, "invalid_attachments")?;
        if let Some(attachments) = &attachments {
            check_attachments(attachments)?;
        }
        if let Some(metadata) = &metadata {
            check_metadata(metadata)?;
        }
        Ok(Self { text, blocks, attachments, metadata })
    }

    /// Whether there is anything to show.
    pub(crate) fn is_empty(&self) -> bool {
        let none = |list: &Option<Vec<Value>>| list.as_ref().is_none_or(Vec::is_empty);
        self.text.as_deref().is_none_or(|text| text.trim().is_empty()) && none(&self.blocks) && none(&self.attachments)
    }

    /// The metadata to keep: an empty object means none.
    pub(crate) fn kept_metadata(metadata: Value) -> Option<Value> {
        metadata.as_object().is_some_and(|fields| !fields.is_empty()).then_some(metadata)
    }
}

/// Gives every block without one a `block_id`, and every element an `action_id`, as Slack does, so that clicks can name them.
pub(crate) fn with_block_ids(world: &mut World, mut blocks: Vec<Value>) -> Vec<Value> {
    for block in &mut blocks {
        name(world, block, "block_id");
        match block["type"].as_str() {
            Some("actions") => {
                for element in block["elements"].as_array_mut().into_iter().flatten() {
                    name(world, element, "action_id");
                }
            }
            Some("section") => {
                if let Some(accessory) = block.get_mut("accessory").filter(|accessory| accessory["type"] != "image") {
                    name(world, accessory, "action_id");
                }
            }
            Some("input") => {
                if let Some(element) = block.get_mut("element") {
                    name(world, element, "action_id");
                }
            }
            _ => {}
        }
    }
    blocks
}

fn name(world: &mut World, object: &mut Value, field: &str) {
    if object.get(field).is_none() {
        object[field] = Value::String(world.random.id("")[..5].to_owned());
    }
}

fn check_attachments(attachments: &[Value]) -> Result<(), Refusal> {
    if attachments.len() > MOST_ATTACHMENTS {
        return Err(Refusal::new("too_many_attachments"));
    }
    for attachment in attachments {
        let fields = attachment.as_object().ok_or_else(|| Refusal::new("invalid_attachments"))?;
        if let Some(inner) = fields.get("blocks") {
            let inner = inner.as_array().ok_or_else(|| Refusal::new("invalid_blocks_format"))?;
            blocks::check(inner, Surface::Message).map_err(|errors| Refusal::explained("invalid_blocks", errors))?;
        }
        for name in fields.keys() {
            if !ATTACHMENT_FIELDS.contains(&name.as_str()) {
                return Err(Refusal::explained("invalid_attachments", vec![format!("[ERROR] unknown field: {name}")]));
            }
        }
    }
    Ok(())
}

const ATTACHMENT_FIELDS: &[&str] = &[
    "author_icon",
    "author_link",
    "author_name",
    "blocks",
    "color",
    "fallback",
    "fields",
    "footer",
    "footer_icon",
    "image_url",
    "mrkdwn_in",
    "pretext",
    "text",
    "thumb_url",
    "title",
    "title_link",
    "ts",
];

fn check_metadata(metadata: &Value) -> Result<(), Refusal> {
    let fields = metadata.as_object().ok_or_else(|| Refusal::new("invalid_metadata_format"))?;
    if fields.is_empty() {
        return Ok(());
    }
    let named = fields.get("event_type").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    let payload = fields.get("event_payload").is_some_and(Value::is_object);
    let known = fields.keys().all(|name| ["event_type", "event_payload", "entities"].contains(&name.as_str()));
    if !named || !payload || !known {
        return Err(Refusal::new("invalid_metadata_format"));
    }
    if metadata.to_string().len() > LARGEST_METADATA {
        return Err(Refusal::new("metadata_too_large"));
    }
    Ok(())
}

//! Reads what the bot is told about itself: its name and rooms, the trail, defaults, redaction, the server, aliases.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use andon_core::{Defaults, Redactor, Room, RoomRoute};
use regex::Regex;

use super::names::{Names, known};
use super::problem::{Mismatch, Placed, Position, Problems};
use super::section::Section;
use super::tree::{Node, Table, Value};
use super::value;
use super::world::values;

/// What the bot is told about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotSettings {
    /// Its name; `andon` where nothing is said.
    pub name: String,
    /// The name of its trail in checkpoints (C2SP tlog-checkpoint "origin").
    pub origin: Option<String>,
    /// The key that signs the trail, in C2SP verifier-key form (signed-note): `origin+8 hex digits+base64`. Only its shape is checked here.
    pub public_key: Option<String>,
    /// Where the HTTP server listens.
    pub listen: Option<SocketAddr>,
    /// How it is on Slack, where it is.
    pub slack: Option<andon_slack::Config>,
    /// More shapes of secrets: regular expressions that compile and match more than nothing.
    pub redaction: Vec<String>,
    /// Policy files beside the configuration, by name: their texts are not looked at here.
    pub policies: Vec<(String, String)>,
}

/// The rooms of the bot itself.
#[derive(Default)]
pub(super) struct BotRooms {
    /// Where it speaks of itself.
    pub(super) ops_room: Option<Room>,
    /// Where checkpoints are posted.
    pub(super) anchor_rooms: Vec<Room>,
}

/// Reads `[bot]`, `[trail]` and `[server]`, and the rooms of the bot itself; chats, redaction and policies are still to come.
pub(super) fn bot(root: &mut Section, problems: &mut Problems) -> (BotSettings, BotRooms) {
    let mut settings = BotSettings {
        name: "andon".to_owned(),
        origin: None,
        public_key: None,
        listen: None,
        slack: None,
        redaction: Vec::new(),
        policies: Vec::new(),
    };
    let mut rooms = BotRooms::default();
    if let Some(mut bot) = one(root, "bot", problems) {
        if let Some(name) = bot.optional("name", problems, &value::line) {
            settings.name = name.value;
        }
        rooms.ops_room = bot.optional("ops_room", problems, &value::parsed::<Room>).map(|room| room.value);
        bot.finish(problems);
    }
    if let Some(trail) = one(root, "trail", problems) {
        rooms.anchor_rooms = read_trail(trail, &mut settings, problems);
    }
    if let Some(mut server) = one(root, "server", problems) {
        settings.listen = server.optional("listen", problems, &value::address).map(|listen| listen.value);
        server.finish(problems);
    }
    (settings, rooms)
}

fn read_trail(mut trail: Section, settings: &mut BotSettings, problems: &mut Problems) -> Vec<Room> {
    settings.origin = trail.optional("origin", problems, &origin).map(|origin| origin.value);
    let key = trail.optional("public_key", problems, &public_key);
    let anchors = trail.list("anchors", problems, &value::parsed::<Room>).unwrap_or_default();
    trail.finish(problems);
    if let (Some(origin), Some(key)) = (&settings.origin, &key)
        && key.value.split('+').next() != Some(origin)
    {
        problems.add(&key.position, format!("the key is of another trail; one of `{origin}` begins with `{origin}+`"));
    }
    settings.public_key = key.map(|key| key.value);
    values(anchors)
}

fn origin(node: &Node) -> Result<String, Mismatch> {
    let text = value::line(node)?;
    match text.contains(char::is_whitespace) || text.contains('+') {
        true => Err("expected a name without spaces and `+`, such as \"andon.example.org/prod\"".into()),
        false => Ok(text),
    }
}

fn public_key(node: &Node) -> Result<String, Mismatch> {
    let text = value::line(node)?;
    let parts: Vec<&str> = text.splitn(3, '+').collect();
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    match parts[..] {
        [name, id, key]
            if !name.is_empty()
                && id.len() == 8
                && id.chars().all(|c| c.is_ascii_hexdigit())
                && !key.is_empty()
                && key.chars().all(base64) =>
        {
            Ok(text)
        }
        _ => Err("expected a key as `andon audit key` prints it: origin+8 hex digits+base64".into()),
    }
}

/// Reads `[defaults]`.
pub(super) fn defaults(root: &mut Section, problems: &mut Problems) -> Defaults {
    let mut defaults = Defaults::default();
    let Some(mut section) = one(root, "defaults", problems) else { return defaults };
    let Defaults { approval_expires, lock_expires, freeze_expires } = &mut defaults;
    let keys =
        [("approval_expires", approval_expires), ("lock_expires", lock_expires), ("freeze_expires", freeze_expires)];
    for (key, default) in keys {
        if let Some(duration) = section.optional(key, problems, &value::duration) {
            *default = duration.value;
        }
    }
    section.finish(problems);
    defaults
}

/// Reads `[redaction]`: patterns that compile.
pub(super) fn redaction(root: &mut Section, problems: &mut Problems) -> Vec<String> {
    let Some(mut section) = one(root, "redaction", problems) else { return Vec::new() };
    let patterns = values(section.list("patterns", problems, &pattern).unwrap_or_default());
    section.finish(problems);
    patterns
}

fn pattern(node: &Node) -> Result<String, Mismatch> {
    let text = value::line(node)?;
    match Regex::new(&text) {
        Ok(pattern) if pattern.is_match("") => Err("the pattern matches the empty text, and so everything".into()),
        Ok(_) => Ok(text),
        Err(error) => {
            // The error draws the pattern over several lines; its last one is the reason.
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Err(Mismatch::new(format!("expected a regular expression: {reason}")))
        }
    }
}

/// Reads `[[rooms]]`.
pub(super) fn rooms(root: &mut Section, names: &Names, problems: &mut Problems) -> Vec<RoomRoute> {
    let mut routes = Vec::new();
    for mut section in root.tables("rooms", problems) {
        let room = section.required("room", problems, &value::parsed::<Room>);
        section.must_hold("services", problems);
        let services = section.filled_list("services", problems, &|node| known("service", &names.services, node));
        section.finish(problems);
        if let Some(room) = room {
            routes.push(RoomRoute { room: room.value, services: values(services.unwrap_or_default()) });
        }
    }
    routes
}

/// Reads `[aliases]`. Whether an expansion begins with a command is for whoever knows the commands.
pub(super) fn aliases(root: &mut Section, problems: &mut Problems) -> BTreeMap<String, Placed<String>> {
    let Some(mut section) = one(root, "aliases", problems) else { return BTreeMap::new() };
    let mut aliases = BTreeMap::new();
    for (alias, entry) in section.rest() {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if alias.is_empty() || alias.len() > 40 || alias.contains(odd) {
            problems.add(&entry.key, "an alias is one word of at most 40 characters");
        }
        match value::line(&entry.node) {
            Ok(value) => drop(aliases.insert(alias, Placed { value, position: entry.node.position })),
            Err(mismatch) => problems.add(&entry.node.position, mismatch),
        }
    }
    aliases
}

pub(super) fn one(root: &mut Section, key: &'static str, problems: &mut Problems) -> Option<Section> {
    let entry = root.take(key)?;
    Section::of(key, entry.key, entry.node, problems)
}

/// Refuses every key and value of `table` that looks like a secret, alone or as a pair.
pub(super) fn refuse_secrets(table: &Table, redactor: &Redactor, problems: &mut Problems) {
    for (key, entry) in table {
        if redactor.finds(key) {
            refuse_secret(&entry.key, problems);
        }
        refuse_secret_values(key, &entry.node, redactor, problems);
    }
}

fn refuse_secret_values(key: &str, node: &Node, redactor: &Redactor, problems: &mut Problems) {
    match &node.value {
        Value::Text(text) if redactor.finds(text) || redactor.finds(&format!("{key} = {text}")) => {
            refuse_secret(&node.position, problems);
        }
        Value::List(items) => items.iter().for_each(|item| refuse_secret_values(key, item, redactor, problems)),
        Value::Table(table) => refuse_secrets(table, redactor, problems),
        _ => {}
    }
}

fn refuse_secret(position: &Position, problems: &mut Problems) {
    let hint = "secrets come from environment variables or files: name the secret, do not paste it";
    problems.refuse(position, Mismatch::new("this looks like a secret").hint(hint));
}

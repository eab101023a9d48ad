//! What Slack's client makes of what somebody types.

use serde_json::{Value, json};

use crate::world::World;

/// One piece of what was typed.
enum Piece<'a> {
    Text(&'a str),
    User(String),
    Link(&'a str),
}

/// The message's text and its rich text block.
pub(crate) fn typed(world: &mut World, text: &str) -> (String, Value) {
    let pieces = pieces(world, text);
    let mut sent = String::with_capacity(text.len());
    let mut elements = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => {
                sent.push_str(&escape(plain));
                elements.push(json!({"type": "text", "text": plain}));
            }
            Piece::User(id) => {
                sent.push_str(&format!("<@{id}>"));
                elements.push(json!({"type": "user", "user_id": id}));
            }
            Piece::Link(url) => {
                sent.push_str(&format!("<{}>", escape(url)));
                elements.push(json!({"type": "link", "url": url}));
            }
        }
    }
    let block = json!({
        "type": "rich_text", "block_id": world.random.id("")[..5].to_owned(),
        "elements": [{"type": "rich_text_section", "elements": elements}],
    });
    (sent, block)
}

/// The three characters that are markup in Slack.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn pieces<'a>(world: &World, text: &'a str) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        let found = match text.as_bytes()[at] {
            b'@' => mention(world, &text[at..]),
            b'h' if !text[..at].ends_with(|before: char| before.is_alphanumeric()) => link(&text[at..]),
            _ => None,
        };
        if let Some((piece, length)) = found {
            if from < at {
                pieces.push(Piece::Text(&text[from..at]));
            }
            pieces.push(piece);
            at += length;
            from = at;
        } else {
            at += 1;
        }
    }
    if from < text.len() {
        pieces.push(Piece::Text(&text[from..]));
    }
    pieces
}

/// A name that belongs to somebody; other words with an `@` stay words.
fn mention<'a>(world: &World, text: &'a str) -> Option<(Piece<'a>, usize)> {
    let name = text[1..].split(|letter: char| !letter.is_alphanumeric() && !"-_".contains(letter)).next()?;
    let id = world.user_by_name.get(name)?;
    Some((Piece::User(id.clone()), name.len() + 1))
}

fn link(text: &str) -> Option<(Piece<'_>, usize)> {
    let scheme = ["http://", "https://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let end = text.find(|letter: char| letter.is_whitespace() || "<>".contains(letter)).unwrap_or(text.len());
    let url = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"', '\'']);
    (url.len() > scheme.len()).then_some((Piece::Link(url), url.len()))
}

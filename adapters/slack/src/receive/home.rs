//! The app's home: what can be asked, and buttons for the commands that have forms.

use std::sync::Arc;

use andon_core::{Action, Block, EffectKind, Line, Message, Style};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Inbound, room};
use crate::form::Place;
use crate::render::render;

/// The home, among all views.
pub(super) const HOME: &str = "home";

#[derive(Deserialize)]
struct Opened {
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    id: String,
}

impl Inbound {
    /// Draws the home of somebody. Strangers see that they are none of ours.
    pub(super) async fn show_home(self: &Arc<Self>, workspace: &str, user: &str) {
        let message = match self.knows(workspace, user).await {
            true => self.home(),
            false => Message::new("I do not know you").paragraph("Next: ask whoever runs Andon to link your account"),
        };
        let rendered = render(&message, &|_| None);
        let view = json!({ "type": "home", "callback_id": HOME, "blocks": rendered.blocks });
        let request = json!({ "user_id": user, "view": view });
        if let Err(error) = self.parts.api.call::<Value>("views.publish", &request).await {
            tracing::warn!(%error, "a home could not be shown");
        }
    }

    fn home(&self) -> Message {
        let specs = self.edge.commands();
        let line = |spec: &andon_core::CommandSpec| Line::new().code(spec.path.join(" ")).text(" ").text(&spec.about);
        let message = Message::new("Say it in any channel that I am in, or to me in private; press to fill in a form");
        let message = message.block(Block::List(specs.iter().map(line).collect()));
        let has_form = |spec: &&andon_core::CommandSpec| {
            spec.effect == EffectKind::Operation && spec.arguments.iter().any(|argument| argument.required)
        };
        specs.iter().filter(has_form).take(20).fold(message, |message, spec| {
            let line = spec.path.join(" ");
            message.action(Action::new(line.clone(), Style::Plain, line))
        })
    }

    /// Where somebody is spoken to in private.
    pub(super) async fn direct(&self, workspace: &str, user: &str) -> Option<Place> {
        match self.parts.api.call::<Opened>("conversations.open", &json!({ "users": user })).await {
            Ok(Opened { channel }) => Some(room(workspace, &channel.id, None)),
            Err(error) => {
                tracing::warn!(%error, "a private conversation could not be opened");
                None
            }
        }
    }
}

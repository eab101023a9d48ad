//! Buttons, wherever they stand: typed text, said by whoever presses them.

use std::sync::Arc;

use super::payload::Interaction;
use super::{Act, Inbound, NotTaken, Reply, room, time};
use crate::form;
use crate::render;

impl Inbound {
    pub(super) async fn button(self: &Arc<Self>, interaction: Interaction) -> Result<Reply, NotTaken> {
        let Some(pressed) = interaction.actions.first() else { return Ok(Reply::Empty) };
        let Some((channel, message)) = interaction.stands_on() else {
            let this = Arc::clone(self);
            self.meanwhile(async move { this.chosen(&interaction).await }).await;
            return Ok(Reply::Empty);
        };
        let Some(line) = pressed.value.clone() else { return Ok(Reply::Empty) };
        let (workspace, delivered_to) = interaction.workspaces();
        let thread = message.thread_ts.clone().filter(|thread| *thread != message.ts);
        if render::asks_reason(&pressed.action_id) {
            let place = room(&delivered_to, &channel, thread);
            let label = pressed.text.as_ref().map_or("Say why", |text| &text.text);
            self.open(&interaction.trigger_id, form::reason_form(&line, label, &place)).await;
            return Ok(Reply::Empty);
        }
        let pressed_at = pressed.action_ts.clone().unwrap_or_default();
        let act = Act {
            key: format!("button/{channel}/{}/{pressed_at}/{}", message.ts, interaction.user.id),
            attempt: None,
            user: interaction.user.id.clone(),
            channel,
            happened: time(&pressed_at),
            message: Some(message.ts),
            text: line,
            shared: None,
            refusal_by_voice: true,
            workspace,
            delivered_to,
            thread,
        };
        self.say(act).await?;
        Ok(Reply::Empty)
    }
}

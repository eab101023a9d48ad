//! Slash commands: `/andon …`, and first words of commands that are slash commands of their own.

use std::sync::Arc;

use serde_json::Value;

use super::payload::Slash;
use super::{Act, Inbound, NotTaken, Reply, room, text};

/// The slash command under which everything can be said.
const ANDON: &str = "/andon";

impl Inbound {
    pub(super) async fn command(self: &Arc<Self>, command: Value) -> Result<Reply, NotTaken> {
        let slash: Slash = serde_json::from_value(command)?;
        let line = line(&slash);
        let place = room(&slash.team_id, &slash.channel_id, None);
        if self.fills_in(&slash.team_id, &slash.user_id, &line, &slash.trigger_id, &place).await {
            return Ok(Reply::Empty);
        }
        let act = Act {
            key: format!("slash/{}", slash.trigger_id),
            attempt: None,
            workspace: slash.team_id.clone(),
            user: slash.user_id,
            delivered_to: slash.team_id,
            channel: slash.channel_id,
            thread: None,
            text: line,
            message: None,
            happened: None,
            shared: None,
            refusal_by_voice: true,
        };
        self.say(act).await?;
        Ok(Reply::Empty)
    }
}

/// What was said: `/andon` alone asks what can be asked, `/deploy x` is `/andon deploy x`.
fn line(slash: &Slash) -> String {
    let typed = text::typed(&slash.text);
    let own = slash.command.strip_prefix('/').filter(|_| slash.command != ANDON);
    let line = match own {
        Some(word) => format!("{word} {typed}"),
        None => typed,
    };
    if line.trim().is_empty() { "help".to_owned() } else { line.trim().to_owned() }
}

//! Forms: opened for a command that lacks its arguments, for a reason, or by a shortcut. What is submitted is a line of the grammar, and
//! goes the way of every line; a change is shown before it is submitted.

use std::sync::Arc;

use andon_core::{CommandSpec, EffectKind, Receipt};
use serde_json::{Value, json};
use slack_morphism::prelude::SlackView;

use super::payload::{Interaction, Suggestion, View};
use super::{Act, Inbound, Reply};
use crate::form::{self, Place};
use crate::form_voice;

/// The shortcut, and the form in which any command is typed.
pub(crate) const ASK: &str = "ask";

impl Inbound {
    /// Opens the form of a command that was named and nothing else, to whoever may see what there is to choose from. Says whether it did.
    pub(super) async fn fills_in(
        self: &Arc<Self>,
        workspace: &str,
        user: &str,
        line: &str,
        trigger: &str,
        place: &Place,
    ) -> bool {
        let Some(spec) = self.lacks_arguments(line) else { return false };
        if !self.knows(workspace, user).await {
            return false;
        }
        self.open(trigger, form::form(spec, &form::Values::new(), place)).await;
        true
    }

    /// The command that is named by the whole line, and cannot be said without more.
    fn lacks_arguments(&self, line: &str) -> Option<&CommandSpec> {
        let words: Vec<_> = line.split_whitespace().map(str::to_ascii_lowercase).collect();
        let named = |spec: &&CommandSpec| spec.path == words && spec.arguments.iter().any(|argument| argument.required);
        self.edge.commands().iter().find(named)
    }

    /// Shows a form to whoever has just acted. Not waited for: the acknowledgement is due, and nothing depends on it.
    pub(super) async fn open(self: &Arc<Self>, trigger: &str, view: SlackView) {
        let (request, this) = (json!({ "trigger_id": trigger, "view": view }), Arc::clone(self));
        tokio::spawn(async move {
            if let Err(error) = this.parts.api.call::<Value>("views.open", &request).await {
                tracing::warn!(%error, "a form could not be opened");
            }
        });
    }

    /// A form was submitted.
    pub(super) async fn submitted(self: &Arc<Self>, interaction: Interaction) -> Result<Reply, serde_json::Error> {
        let Some(view) = &interaction.view else { return Ok(Reply::Empty) };
        let Some(place) = form::place(&view.private_metadata) else { return Ok(Reply::Empty) };
        let submitted = match view.callback_id.as_str() {
            form::REASON | form::PREVIEW | ASK => {
                let line = form::submitted_line(&view.callback_id, &view.private_metadata, &view.state.values);
                line.map(|line| (line, None))
            }
            _ => self.spec_of(view).map(|spec| (form::line(spec, &view.state.values), Some(spec))),
        };
        let Some((line, spec)) = submitted else { return Ok(Reply::Empty) };
        if let Some(spec) = spec.filter(|spec| spec.effect != EffectKind::Read) {
            return Ok(self.preview(&interaction, view, spec, &line, place).await);
        }
        let act = act(&interaction, format!("view/{}", view.id), &place, line);
        Ok(match self.say(act).await {
            Receipt::Refused { message, .. } => Reply::Json(form::errors(&message, spec, &view.callback_id)),
            _ => Reply::Json(json!({ "response_action": "clear" })),
        })
    }

    /// Asks what would happen, and lets it be shown on top of the form.
    async fn preview(
        &self,
        interaction: &Interaction,
        view: &View,
        spec: &CommandSpec,
        line: &str,
        place: Place,
    ) -> Reply {
        let name = self.parts.name();
        let form = Place { thread: Some(form_voice::thread_of(&name, place.thread.as_deref())), ..place };
        let key = format!("preview/{}/{}", view.id, interaction.trigger_id);
        match self.say(act(interaction, key, &form, format!("{line} --dry-run"))).await {
            Receipt::Refused { message, .. } => Reply::Json(form::errors(&message, Some(spec), &view.callback_id)),
            _ => Reply::Json(json!({ "response_action": "push", "view": form::waiting(&name) })),
        }
    }

    /// Something was chosen in a form that other choices depend on, or pressed in somebody's home.
    pub(super) async fn chosen(self: &Arc<Self>, interaction: &Interaction) {
        let (Some(view), Some(pressed)) = (&interaction.view, interaction.actions.first()) else { return };
        let (workspace, _) = interaction.workspaces();
        if let Some(line) = pressed.value.as_deref().filter(|_| view.callback_id == super::home::HOME) {
            if let Some(place) = self.direct(&workspace, &interaction.user.id).await {
                self.fills_in(&workspace, &interaction.user.id, line, &interaction.trigger_id, &place).await;
            }
            return;
        }
        let (Some(spec), Some(place)) = (self.spec_of(view), form::place(&view.private_metadata)) else { return };
        let chosen = form::values(spec, &view.state.values);
        let request = json!({ "view_id": view.id, "hash": view.hash, "view": form::form(spec, &chosen, &place) });
        if let Err(error) = self.parts.api.call::<Value>("views.update", &request).await {
            tracing::info!(%error, "what was chosen could not be kept in the form");
        }
    }

    /// What there is to choose from.
    pub(super) async fn suggest(&self, suggestion: Suggestion) -> Result<Reply, serde_json::Error> {
        let (workspace, _) = suggestion.workspaces();
        let line = suggestion.view.as_ref().and_then(|view| {
            let (spec, argument) = (self.spec_of(view)?, suggestion.action_id.strip_prefix(form::ARGUMENT)?);
            let chosen = form::remembered(spec, &view.private_metadata, &view.state.values);
            form::completion_line(spec, argument, &chosen, &suggestion.value)
        });
        let found = match line {
            Some(line) if self.knows(&workspace, &suggestion.user.id).await => self.edge.complete(&line).await,
            _ => Vec::new(),
        };
        Ok(Reply::Json(form::suggestions(&found)))
    }

    /// A shortcut: any command, in the thread of the message that it was pressed on, or else in private.
    pub(super) async fn shortcut(self: &Arc<Self>, interaction: Interaction) -> Result<Reply, serde_json::Error> {
        let (workspace, delivered_to) = interaction.workspaces();
        let place = match (&interaction.channel, &interaction.message) {
            (Some(channel), Some(message)) => {
                let thread = message.thread_ts.clone().unwrap_or_else(|| message.ts.clone());
                Some(Place { channel: channel.id.clone(), thread: Some(thread), workspace: delivered_to })
            }
            _ => self.direct(&workspace, &interaction.user.id).await,
        };
        if let Some(place) = place {
            self.open(&interaction.trigger_id, form::ask(&place)).await;
        }
        Ok(Reply::Empty)
    }

    fn spec_of(&self, view: &View) -> Option<&CommandSpec> {
        let path = view.callback_id.strip_prefix(form::FORM)?;
        self.edge.commands().iter().find(|spec| spec.path.join(" ") == path)
    }
}

fn act(interaction: &Interaction, key: String, place: &Place, text: String) -> Act {
    let (workspace, delivered_to) = interaction.workspaces();
    Act {
        key,
        workspace,
        user: interaction.user.id.clone(),
        delivered_to,
        channel: place.channel.clone(),
        thread: place.thread.clone(),
        text,
        message: None,
        happened: None,
        shared: None,
        refusal_by_voice: false,
    }
}

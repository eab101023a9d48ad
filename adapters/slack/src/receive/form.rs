//! Forms: opened for a command that lacks its arguments, for a reason, or by a shortcut. What is submitted is a line of the grammar, and
//! goes the way of every line; a change is shown before it is submitted.

use std::sync::Arc;

use andon_core::{CommandSpec, Digest, EffectKind, Receipt};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use slack_morphism::prelude::SlackView;

use super::payload::{Interaction, Suggestion, View};
use super::{Act, Inbound, NotTaken, Reply, room};
use crate::form::{self, Metadata, Place};
use crate::form_voice;

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
    pub(super) async fn submitted(self: &Arc<Self>, interaction: Interaction) -> Result<Reply, NotTaken> {
        let Some(view) = &interaction.view else { return Ok(Reply::Empty) };
        let Some(metadata) = Metadata::read(&view.private_metadata) else { return Ok(Reply::Empty) };
        let (spec, values) = (self.spec_of(view), &view.state.values);
        let line = match (view.callback_id.as_str(), spec) {
            (form::REASON, _) => form::line_with_reason(&metadata.line, &form::reason(values)),
            (form::PREVIEW, _) => metadata.line,
            (form::ASK, _) => form::asked_line(values),
            (_, Some(spec)) => form::line(spec, values),
            (_, None) => return Ok(Reply::Empty),
        };
        if line.trim().is_empty() {
            return Ok(Reply::Empty);
        }
        if let Some(spec) = spec.filter(|spec| spec.effect != EffectKind::Read) {
            return self.preview(&interaction, view, spec, &line, metadata.place).await;
        }
        // By what it says: pressed twice it is one act, and corrected after a refusal it is another. Pressed again after a refusal, it is
        // another attempt.
        let key = format!("view/{}/{}", view.id, Digest::of(&line));
        let receipt = self.say(act(&interaction, key, metadata.place.clone(), line)).await?;
        Ok(self.closing(view, &metadata.place, &receipt))
    }

    /// Asks what would happen, and lets it be shown on top of the form.
    async fn preview(
        &self,
        interaction: &Interaction,
        view: &View,
        spec: &CommandSpec,
        line: &str,
        place: Place,
    ) -> Result<Reply, NotTaken> {
        // The same for every delivery of the same act: its answer finds the form that is shown.
        let name = hex::encode(&Sha256::digest(format!("{}/{}", view.id, interaction.trigger_id))[..16]);
        let form = Place { thread: Some(form_voice::thread_of(&name, place.thread.as_deref())), ..place.clone() };
        let key = format!("preview/{}/{}", view.id, interaction.trigger_id);
        let receipt = self.say(act(interaction, key, form, shown_only(line, spec))).await?;
        Ok(match receipt {
            Receipt::Refused { .. } => self.closing(view, &place, &receipt),
            _ => Reply::Json(json!({ "response_action": "push", "view": form::waiting(&name) })),
        })
    }

    /// Closes the forms, or shows in them what was refused: under a field, or where there is none in the form's place.
    fn closing(&self, view: &View, place: &Place, receipt: &Receipt) -> Reply {
        let (Receipt::Refused { message, .. } | Receipt::Unrecorded { message }) = receipt else {
            return Reply::Json(json!({ "response_action": "clear" }));
        };
        let errors = match (view.callback_id.as_str(), self.spec_of(view)) {
            (field @ (form::REASON | form::ASK), _) => {
                let words = form::error(message);
                Some(json!({ "response_action": "errors", "errors": { field: words } }))
            }
            (_, Some(spec)) => {
                let field = form::field_named(message, &form::chosen(spec, &view.state.values));
                form::errors(message, spec, field.as_deref())
            }
            (_, None) => None,
        };
        Reply::Json(errors.unwrap_or_else(|| {
            let people = |person: &andon_core::PersonId| self.parts.user(person, place.workspace.as_deref());
            let shown = form::preview(message, &people, place, &self.parts.name());
            json!({ "response_action": "update", "view": shown })
        }))
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
        let (Some(spec), Some(metadata)) = (self.spec_of(view), Metadata::read(&view.private_metadata)) else { return };
        let chosen = form::chosen(spec, &view.state.values);
        let filled = form::form(spec, &chosen, &metadata.place);
        let request = json!({ "view_id": view.id, "hash": view.hash, "view": filled });
        if let Err(error) = self.parts.api.call::<Value>("views.update", &request).await {
            tracing::info!(%error, "what was chosen could not be kept in the form");
        }
    }

    /// What there is to choose from.
    pub(super) async fn suggest(&self, suggestion: Suggestion) -> Result<Reply, NotTaken> {
        let (workspace, _) = suggestion.workspaces();
        let line = suggestion.view.as_ref().and_then(|view| {
            let (spec, argument) = (self.spec_of(view)?, form::argument_of(&suggestion.action_id)?);
            // What was chosen stands in the form, or, where Slack does not send it along, in what the form remembers.
            let mut chosen = Metadata::read(&view.private_metadata)?.chosen;
            chosen.extend(form::chosen(spec, &view.state.values));
            form::completion_line(spec, argument, &chosen, &suggestion.value)
        });
        let mut found = match line {
            Some(line) if self.knows(&workspace, &suggestion.user.id).await => self.edge.complete(&line).await,
            _ => Vec::new(),
        };
        // What is not listed can be typed all the same.
        let typed = suggestion.value.trim();
        if !typed.is_empty() && !found.iter().any(|value| value == typed) {
            found.push(typed.to_owned());
        }
        Ok(Reply::Json(serde_json::to_value(form::suggestions(&found))?))
    }

    /// A shortcut: any command, in the thread of the message that it was pressed on, or else in private.
    pub(super) async fn shortcut(self: &Arc<Self>, interaction: Interaction) -> Result<Reply, NotTaken> {
        let (workspace, delivered_to) = interaction.workspaces();
        let place = match (&interaction.channel, &interaction.message) {
            (Some(channel), Some(message)) => {
                let thread = message.thread_ts.clone().unwrap_or_else(|| message.ts.clone());
                Some(room(&delivered_to, &channel.id, Some(thread)))
            }
            _ => None,
        };
        let this = Arc::clone(self);
        let ask = async move {
            let place = match place {
                Some(place) => Some(place),
                None => this.direct(&workspace, &interaction.user.id).await,
            };
            if let Some(place) = place {
                this.open(&interaction.trigger_id, form::ask_form(&place)).await;
            }
        };
        self.meanwhile(ask).await;
        Ok(Reply::Empty)
    }

    fn spec_of(&self, view: &View) -> Option<&CommandSpec> {
        let path = form::command_of(&view.callback_id)?;
        self.edge.commands().iter().find(|spec| spec.path == path)
    }
}

/// The line, to be shown and not done: the flag stands right behind the command, where no value can hold it.
fn shown_only(line: &str, spec: &CommandSpec) -> String {
    let path = spec.path.join(" ");
    format!("{path} --dry-run{}", line.strip_prefix(&path).unwrap_or_default())
}

fn act(interaction: &Interaction, key: String, place: Place, text: String) -> Act {
    let (workspace, delivered_to) = interaction.workspaces();
    Act {
        key,
        // Each press has a trigger of its own, and all deliveries of one press have the same.
        attempt: Some(interaction.trigger_id.clone()).filter(|trigger| !trigger.is_empty()),
        workspace,
        user: interaction.user.id.clone(),
        delivered_to,
        channel: place.channel,
        thread: place.thread,
        text,
        message: None,
        happened: None,
        shared: None,
        refusal_by_voice: false,
    }
}

//! The views themselves.

use andon_core::{Action, Ask, CommandSpec, EffectKind, Message, Style};
use serde_json::Value;
use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockId, SlackCallbackId, SlackInputBlock, SlackModalView, SlackView,
};

use super::field::{field, only, text_input, title};
use super::limits::{REASON as LONGEST_REASON, TITLE};
use super::{FORM, Metadata, Place, Values, asked};
use crate::render::{Composed, People, Surface, compose, note};

/// The `callback_id` of a view that asks why.
pub(crate) const REASON: &str = "reason";

/// The `callback_id` of a view that shows what would happen.
pub(crate) const PREVIEW: &str = "preview";

/// The `callback_id` of a view in which any command is typed, and of the shortcuts that open it.
pub(crate) const ASK: &str = "ask";

/// The form of a command, with values that are known already. Its `callback_id` is `form:` and the command's words; each input's block is
/// named like its argument.
pub(crate) fn form(spec: &CommandSpec, given: &Values, place: &Place) -> SlackView {
    let fields = asked(spec).into_iter().map(|argument| field(argument, given.get(&argument.name).map(String::as_str)));
    let blocks: Vec<_> = note(&spec.about).into_iter().chain(fields).collect();
    let submit = match spec.effect {
        EffectKind::Read => "Ask",
        EffectKind::Act | EffectKind::Operation => "Preview",
    };
    let path = spec.path.join(" ");
    let view = modal(&title(&path), blocks, "Cancel")
        .with_submit(only(submit, TITLE))
        .with_callback_id(SlackCallbackId(format!("{FORM}{path}")))
        .opt_private_metadata(Metadata::of_form(&spec.path, place, given).write());
    SlackView::Modal(view)
}

/// Asks whoever pressed the button `label` why. Where `line` is too long to be remembered, submitting says nothing: see
/// [`Metadata::line`].
pub(crate) fn reason_form(line: &str, label: &str, place: &Place) -> SlackView {
    let input = text_input(SlackActionId(REASON.to_owned()), LONGEST_REASON, true).with_focus_on_load(true);
    let hint = "It stands in the record, and whoever reads that later sees it.";
    let block = SlackInputBlock::new(only("Why?", TITLE), input.into())
        .with_block_id(SlackBlockId(REASON.to_owned()))
        .with_hint(only(hint, 150));
    let metadata = Metadata::of_line(line, place).write().or_else(|| Metadata::of_line("", place).write());
    let view = modal(label, vec![block.into()], "Back")
        .with_submit(only(label, TITLE))
        .with_callback_id(SlackCallbackId(REASON.to_owned()))
        .opt_private_metadata(metadata);
    SlackView::Modal(view)
}

/// The reason that was typed into a [`reason_form`], from its view's `state.values`.
pub(crate) fn reason(state: &Value) -> String {
    state[REASON][REASON]["value"].as_str().unwrap_or_default().to_owned()
}

/// Asks for any command, as a line: what a shortcut opens.
pub(crate) fn ask_form(place: &Place) -> SlackView {
    let input = text_input(SlackActionId(ASK.to_owned()), LONGEST_REASON, false).with_focus_on_load(true);
    let block = SlackInputBlock::new(only("What shall I do?", TITLE), input.into())
        .with_block_id(SlackBlockId(ASK.to_owned()))
        .with_hint(only("A command, such as status; its answer comes where you are.", 150));
    let view = modal("Ask Andon", vec![block.into()], "Cancel")
        .with_callback_id(SlackCallbackId(ASK.to_owned()))
        .with_submit(only("Ask", TITLE));
    SlackView::Modal(view.opt_private_metadata(Metadata::of_line("", place).write()))
}

/// The line that was typed there.
pub(crate) fn asked_line(state: &Value) -> String {
    state[ASK][ASK]["value"].as_str().unwrap_or_default().to_owned()
}

/// Shows what a filled-in form would do. Its submit button says the line of the message's first primary button, and is not there where
/// there is none. The view is found again by `external_id`, at most 255 characters, one for each view.
pub(crate) fn preview(message: &Message, people: People<'_>, place: &Place, external_id: &str) -> SlackView {
    let Composed { mut blocks, left_out, .. } = compose(message, people, Surface::View);
    blocks.extend(left_out.and_then(|left_out| note(&left_out)));
    // A reason was a field of the form.
    let primary = |action: &&Action| action.style == Style::Primary && action.ask != Ask::Reason;
    let action = message.actions.iter().find(primary);
    // A line that cannot be remembered cannot be said either.
    let submit = action.and_then(|action| Some((&action.label, Metadata::of_line(&action.line, place).write()?)));
    let view = shown(blocks, external_id);
    SlackView::Modal(match submit {
        Some((label, metadata)) => view.with_submit(only(label, TITLE)).with_private_metadata(metadata),
        None => view.opt_private_metadata(Metadata::of_line("", place).write()),
    })
}

/// Stands where a preview will stand, as soon as there is a plan.
pub(crate) fn waiting(external_id: &str) -> SlackView {
    SlackView::Modal(shown(note("Planning…").into_iter().collect(), external_id))
}

fn shown(blocks: Vec<SlackBlock>, external_id: &str) -> SlackModalView {
    modal("Preview", blocks, "Back")
        .with_callback_id(SlackCallbackId(PREVIEW.to_owned()))
        .with_external_id(external_id.to_owned())
}

fn modal(title: &str, blocks: Vec<SlackBlock>, close: &str) -> SlackModalView {
    SlackModalView::new(only(title, TITLE), blocks).with_close(only(close, TITLE))
}

//! Buttons: typed text. Whoever presses one says its value.

use andon_core::{Action, Ask, Line, Style};
use slack_morphism::prelude::{
    SlackActionBlockElement, SlackActionId, SlackActionsBlock, SlackBlockButtonElement, SlackBlockButtonStyle,
    SlackBlockConfirmItem, SlackBlockPlainTextOnly,
};

use super::limits::{BUTTON_TEXT, BUTTON_VALUE, BUTTONS, CONFIRM_LABEL, CONFIRM_TEXT, CONFIRM_TITLE, ELEMENT, MESSAGE};
use super::pieces::Chunk;
use super::plain::plain_line;
use super::text::{cut, length, plain_text};

/// What an `action_id` begins with where the line is said at once.
const SAID: &str = "act:";

/// What an `action_id` begins with where a reason is asked first.
const REASON: &str = "reason:";

/// Whether whoever presses the button with this `action_id` is asked for a reason first.
pub(crate) fn asks_reason(action_id: &str) -> bool {
    action_id.starts_with(REASON)
}

/// The buttons of a message. One whose line is too long for Slack is left out rather than made to say another line, and so are those for
/// which a message has no room. Nothing where none is left.
pub(crate) fn buttons(actions: &[Action]) -> Option<Chunk> {
    let mut room = MESSAGE / 3;
    let fits = |action: &&Action| {
        let fits = weight(action) <= room;
        room = room.saturating_sub(weight(action));
        fits
    };
    let sayable = actions.iter().filter(|action| !action.line.is_empty() && length(&action.line) <= BUTTON_VALUE);
    let shown: Vec<_> = sayable.take_while(fits).take(BUTTONS).collect();
    if shown.is_empty() {
        return None;
    }
    let elements = shown.iter().enumerate().map(|(place, action)| button(place, action)).collect();
    let weight = shown.iter().map(|action| self::weight(action)).sum();
    Some(Chunk { block: SlackActionsBlock::new(elements).into(), weight, lines: shown.len() })
}

fn weight(action: &Action) -> usize {
    let asked = match &action.ask {
        Ask::Confirmation(line) => 2 * CONFIRM_LABEL + length(&plain_line(line)).min(CONFIRM_TEXT),
        Ask::Nothing | Ask::Reason => 0,
    };
    length(&action.label).min(BUTTON_TEXT) + length(&action.line) + asked + ELEMENT
}

fn button(place: usize, action: &Action) -> SlackActionBlockElement {
    let prefix = if action.ask == Ask::Reason { REASON } else { SAID };
    let style = match action.style {
        Style::Primary => Some(SlackBlockButtonStyle::Primary),
        Style::Danger => Some(SlackBlockButtonStyle::Danger),
        Style::Plain => None,
    };
    let confirm = match &action.ask {
        Ask::Confirmation(line) => Some(question(action, line)),
        Ask::Nothing | Ask::Reason => None,
    };
    SlackBlockButtonElement::new(only(&action.label, BUTTON_TEXT))
        .with_action_id(SlackActionId(format!("{prefix}{place}")))
        .with_value(action.line.clone())
        .opt_style(style)
        .opt_confirm(confirm)
        .into()
}

/// Whether they are sure; its text is plain, so that nothing in it is mark-up.
fn question(action: &Action, line: &Line) -> SlackBlockConfirmItem {
    let title = format!("{}?", cut(&action.label, CONFIRM_TITLE - 1));
    let text = plain_text(&plain_line(line), CONFIRM_TEXT);
    let confirm = only(&action.label, CONFIRM_LABEL);
    let question =
        SlackBlockConfirmItem::new(only(&title, CONFIRM_TITLE), text.into(), confirm, only("Back", CONFIRM_LABEL));
    match action.style {
        Style::Danger => question.with_style("danger".to_owned()),
        Style::Primary | Style::Plain => question,
    }
}

fn only(text: &str, most: usize) -> SlackBlockPlainTextOnly {
    plain_text(text, most).into()
}

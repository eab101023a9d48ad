//! Inputs of a form, one for each argument.

use andon_core::{ArgumentKind, ArgumentSpec, Completion};
use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockCheckboxesElement, SlackBlockChoiceItem, SlackBlockExternalSelectElement,
    SlackBlockId, SlackBlockNumberInputElement, SlackBlockPlainTextInputElement, SlackBlockPlainTextOnly,
    SlackBlockStaticSelectElement, SlackBlockText, SlackInputBlock, SlackInputBlockElement,
};

use super::limits::{INPUT, LABEL, OPTION_TEXT, OPTION_VALUE, OPTIONS, PLACEHOLDER, REASON};
use super::{ARGUMENT, SET};
use crate::render::text::{length, plain_text};

/// The input for an argument, with the value that it has already.
pub(super) fn field(argument: &ArgumentSpec, given: Option<&str>) -> SlackBlock {
    let flag = argument.kind == ArgumentKind::Flag;
    SlackInputBlock::new(only(&title(&argument.name), LABEL), element(argument, given))
        .with_block_id(SlackBlockId(argument.name.clone()))
        .with_optional(flag || !argument.required)
        .opt_hint((!argument.help.is_empty()).then(|| only(&argument.help, LABEL)))
        .opt_dispatch_action(others_depend_on(argument).then_some(true))
        .into()
}

/// Whether what can be chosen elsewhere depends on this one: then Slack tells of each choice, so that it can be remembered.
fn others_depend_on(argument: &ArgumentSpec) -> bool {
    let named = ArgumentKind::Text(Some(Completion::Services));
    !argument.rest && (argument.kind == named || argument.kind == ArgumentKind::Text(Some(Completion::Environments)))
}

fn element(argument: &ArgumentSpec, given: Option<&str>) -> SlackInputBlockElement {
    match &argument.kind {
        ArgumentKind::Flag => flag(argument, given),
        ArgumentKind::Integer => number(argument, given),
        ArgumentKind::Choice(choices) if is_select(choices) => choice(argument, choices, given),
        // The rest of a line is text, even where each of its words could be completed.
        ArgumentKind::Text(Some(_)) if !argument.rest => completed(argument, given),
        ArgumentKind::Choice(_) | ArgumentKind::Text(_) => typed(argument, given),
    }
}

fn is_select(choices: &[String]) -> bool {
    (1..=OPTIONS).contains(&choices.len()) && choices.iter().all(|choice| fits(choice))
}

/// Whether Slack takes a value for an option.
pub(super) fn fits(value: &str) -> bool {
    (1..=OPTION_VALUE).contains(&length(value))
}

fn id(argument: &ArgumentSpec) -> SlackActionId {
    SlackActionId(format!("{ARGUMENT}{}", argument.name))
}

fn flag(argument: &ArgumentSpec, given: Option<&str>) -> SlackInputBlockElement {
    let text = SlackBlockText::Plain(plain_text(&title(&argument.name), OPTION_TEXT));
    let option = SlackBlockChoiceItem::new(text, SET.to_owned());
    SlackBlockCheckboxesElement::new(vec![option.clone()])
        .with_action_id(id(argument))
        .opt_initial_options((given == Some(SET)).then(|| vec![option]))
        .into()
}

fn number(argument: &ArgumentSpec, given: Option<&str>) -> SlackInputBlockElement {
    let given = given.filter(|given| given.parse::<i64>().is_ok());
    SlackBlockNumberInputElement::new(false)
        .with_action_id(id(argument))
        .opt_initial_value(given.map(str::to_owned))
        .into()
}

fn choice(argument: &ArgumentSpec, choices: &[String], given: Option<&str>) -> SlackInputBlockElement {
    let given = given.filter(|given| choices.iter().any(|choice| choice == given));
    SlackBlockStaticSelectElement::new()
        .with_action_id(id(argument))
        .with_placeholder(placeholder())
        .with_options(choices.iter().map(|choice| option(choice)).collect())
        .opt_initial_option(given.map(option))
        .into()
}

/// A choice among what there is at that moment, before anything was typed too.
fn completed(argument: &ArgumentSpec, given: Option<&str>) -> SlackInputBlockElement {
    SlackBlockExternalSelectElement::new()
        .with_action_id(id(argument))
        .with_placeholder(placeholder())
        .with_min_query_length(0)
        .opt_initial_option(given.filter(|given| fits(given)).map(option))
        .into()
}

fn typed(argument: &ArgumentSpec, given: Option<&str>) -> SlackInputBlockElement {
    let is_reason = argument.name == "reason";
    let most = if is_reason { REASON } else { INPUT };
    text_input(id(argument), most, is_reason || argument.rest)
        // Slack refuses one that is too long, and half of it would be another value.
        .opt_initial_value(given.filter(|given| (1..=most).contains(&length(given))).map(str::to_owned))
        .into()
}

/// An input for text of at most `most` characters.
pub(super) fn text_input(id: SlackActionId, most: usize, multiline: bool) -> SlackBlockPlainTextInputElement {
    SlackBlockPlainTextInputElement::new()
        .with_action_id(id)
        .with_max_length(u64::try_from(most).unwrap_or(u64::MAX))
        .with_multiline(multiline)
}

/// An option whose value is exactly `value`, which [`fits`].
pub(super) fn option(value: &str) -> SlackBlockChoiceItem<SlackBlockPlainTextOnly> {
    SlackBlockChoiceItem::new(only(value, OPTION_TEXT), value.to_owned())
}

fn placeholder() -> SlackBlockPlainTextOnly {
    only("Choose one", PLACEHOLDER)
}

pub(super) fn only(text: &str, most: usize) -> SlackBlockPlainTextOnly {
    plain_text(text, most).into()
}

/// A name of the grammar in words, such as "Break glass" for `break-glass`.
pub(super) fn title(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut characters = words.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

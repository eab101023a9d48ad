//! Composition objects: text, options, confirmation, images, and the settings of menus.

use super::check::{Checker, Node};

/// Which kinds of text are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Any,
}

/// A text object in a field; whether there is one.
pub(super) fn text(
    checker: &mut Checker,
    node: &mut Node<'_>,
    name: &'static str,
    most: usize,
    kind: Kind,
    required: bool,
) -> bool {
    match node.object(checker, name, required) {
        Some(text) => {
            text_node(checker, text, most, kind);
            true
        }
        None => false,
    }
}

/// A text object.
pub(super) fn text_node(checker: &mut Checker, mut node: Node<'_>, most: usize, kind: Kind) {
    match node.kind(checker) {
        "plain_text" => {
            node.flag(checker, "emoji");
        }
        "mrkdwn" if kind == Kind::Any => {
            node.flag(checker, "verbatim");
        }
        "" => return,
        other => return checker.complain(node.path(), format!("unsupported type: {other}")),
    }
    node.string(checker, "text", 1, most, true);
    node.finish(checker);
}

/// A picture from the web or a file; Slack fetches it, the fake does not.
pub(super) fn image(checker: &mut Checker, node: &mut Node<'_>, needs_alt: bool) {
    let url = node.string(checker, "image_url", 1, 3000, false);
    let file = node.object(checker, "slack_file", false);
    if url.is_some() == file.is_some() {
        checker.complain(node.path(), "either image_url or slack_file".to_owned());
    }
    if let Some(mut file) = file {
        file.string(checker, "id", 1, 64, false);
        file.string(checker, "url", 1, 3000, false);
        file.finish(checker);
    }
    node.string(checker, "alt_text", 1, 2000, needs_alt);
}

/// The question before an act.
pub(super) fn confirm(checker: &mut Checker, node: &mut Node<'_>) {
    let Some(mut confirm) = node.object(checker, "confirm", false) else { return };
    text(checker, &mut confirm, "title", 100, Kind::Plain, true);
    text(checker, &mut confirm, "text", 300, Kind::Any, true);
    text(checker, &mut confirm, "confirm", 30, Kind::Plain, true);
    text(checker, &mut confirm, "deny", 30, Kind::Plain, true);
    confirm.word(checker, "style", &["primary", "danger"], false);
    confirm.finish(checker);
}

pub(super) fn option(checker: &mut Checker, mut node: Node<'_>, kind: Kind) {
    text(checker, &mut node, "text", 75, kind, true);
    node.string(checker, "value", 1, 150, true);
    text(checker, &mut node, "description", 75, kind, false);
    node.string(checker, "url", 1, 3000, false);
    node.finish(checker);
}

/// `options` or `option_groups`, but not both.
pub(super) fn options_or_groups(checker: &mut Checker, node: &mut Node<'_>) {
    let options = node.objects(checker, "options", 1, 100, false);
    let groups = node.objects(checker, "option_groups", 1, 100, false);
    if options.is_empty() == groups.is_empty() {
        checker.complain(node.path(), "either options or option_groups".to_owned());
    }
    for one in options {
        option(checker, one, Kind::Plain);
    }
    for mut group in groups {
        text(checker, &mut group, "label", 75, Kind::Plain, true);
        for one in group.objects(checker, "options", 1, 100, true) {
            option(checker, one, Kind::Plain);
        }
        group.finish(checker);
    }
}

/// Which conversations a menu shows.
pub(super) fn filter(checker: &mut Checker, node: &mut Node<'_>) {
    let Some(mut filter) = node.object(checker, "filter", false) else { return };
    filter.array(checker, "include", 1, 4, false);
    filter.flag(checker, "exclude_external_shared_channels");
    filter.flag(checker, "exclude_bot_users");
    filter.finish(checker);
}

/// When an input tells the app of what is typed.
pub(super) fn dispatch(checker: &mut Checker, node: &mut Node<'_>) {
    let Some(mut config) = node.object(checker, "dispatch_action_config", false) else { return };
    let path = config.path().to_owned();
    for word in config.array(checker, "trigger_actions_on", 1, 2, true) {
        if !matches!(word.as_str(), Some("on_enter_pressed" | "on_character_entered")) {
            checker.complain(&path, "must be on_enter_pressed or on_character_entered".to_owned());
        }
    }
    config.finish(checker);
}

//! Elements: buttons, menus, inputs.

use super::check::{Checker, Node};
use super::objects::{self, Kind};

/// Where an element stands, which decides which ones may.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Accessory,
    Actions,
    Input,
}

pub(super) fn check(checker: &mut Checker, mut node: Node<'_>, place: Place) {
    let kind = node.kind(checker);
    if kind == "image" && place == Place::Accessory {
        objects::image(checker, &mut node, true);
        return node.finish(checker);
    }
    if !allowed(kind, place) {
        return checker.complain(node.path(), format!("unsupported type: {kind}"));
    }
    if let Some(id) = node.string(checker, "action_id", 1, 255, false) {
        checker.action_id(&node, id);
    } else if kind != "button" && place != Place::Input {
        // Slack makes one up; then nobody can tell the element from another one, so the fake wants it.
        checker.complain(node.path(), "missing required field: action_id".to_owned());
    }
    match kind {
        "button" => button(checker, &mut node),
        "plain_text_input" | "number_input" | "email_text_input" | "url_text_input" => typed(checker, &mut node, kind),
        "checkboxes" | "radio_buttons" | "overflow" => listed(checker, &mut node, kind),
        "datepicker" | "timepicker" | "datetimepicker" => timed(checker, &mut node, kind),
        _ => menu(checker, &mut node, kind),
    }
    node.finish(checker);
}

fn allowed(kind: &str, place: Place) -> bool {
    match kind {
        "button" | "overflow" => place != Place::Input,
        "plain_text_input" | "email_text_input" | "url_text_input" | "number_input" => place == Place::Input,
        "checkboxes" | "radio_buttons" | "datepicker" | "timepicker" => true,
        "datetimepicker" => place != Place::Accessory,
        "static_select" | "external_select" | "users_select" | "conversations_select" | "channels_select" => true,
        "multi_static_select"
        | "multi_external_select"
        | "multi_users_select"
        | "multi_conversations_select"
        | "multi_channels_select" => place != Place::Actions,
        _ => false,
    }
}

fn button(checker: &mut Checker, node: &mut Node<'_>) {
    objects::text(checker, node, "text", 75, Kind::Plain, true);
    node.string(checker, "value", 1, 2000, false);
    node.string(checker, "url", 1, 3000, false);
    node.word(checker, "style", &["primary", "danger"], false);
    node.string(checker, "accessibility_label", 1, 75, false);
    objects::confirm(checker, node);
}

fn focus(checker: &mut Checker, node: &mut Node<'_>) {
    if node.flag(checker, "focus_on_load") {
        checker.focus(node);
    }
}

fn typed(checker: &mut Checker, node: &mut Node<'_>, kind: &str) {
    objects::text(checker, node, "placeholder", 150, Kind::Plain, false);
    objects::dispatch(checker, node);
    focus(checker, node);
    match kind {
        "plain_text_input" => {
            node.string(checker, "initial_value", 0, 3000, false);
            node.flag(checker, "multiline");
            let least = node.number(checker, "min_length", 0, 3000);
            let most = node.number(checker, "max_length", 1, 3000);
            if least > most.or(least) {
                checker.complain(node.path(), "min_length must not be above max_length".to_owned());
            }
        }
        "number_input" => {
            if !node.has("is_decimal_allowed") {
                checker.complain(node.path(), "missing required field: is_decimal_allowed".to_owned());
            }
            node.flag(checker, "is_decimal_allowed");
            for name in ["initial_value", "min_value", "max_value"] {
                let text = node.string(checker, name, 1, 64, false);
                if text.is_some_and(|text| text.parse::<f64>().is_err()) {
                    checker.complain(node.path(), format!("{name} must be a number in a string"));
                }
            }
        }
        _ => {
            node.string(checker, "initial_value", 0, 3000, false);
        }
    }
}

fn listed(checker: &mut Checker, node: &mut Node<'_>, kind: &str) {
    let (least, most) = if kind == "overflow" { (1, 5) } else { (1, 10) };
    let text = if kind == "overflow" { Kind::Plain } else { Kind::Any };
    for one in node.objects(checker, "options", least, most, true) {
        objects::option(checker, one, text);
    }
    if kind == "checkboxes" {
        for one in node.objects(checker, "initial_options", 1, 10, false) {
            objects::option(checker, one, text);
        }
    } else if kind == "radio_buttons"
        && let Some(one) = node.object(checker, "initial_option", false)
    {
        objects::option(checker, one, text);
    }
    if kind != "overflow" {
        focus(checker, node);
    }
    objects::confirm(checker, node);
}

fn timed(checker: &mut Checker, node: &mut Node<'_>, kind: &str) {
    match kind {
        "datepicker" => {
            node.string(checker, "initial_date", 10, 10, false);
            objects::text(checker, node, "placeholder", 150, Kind::Plain, false);
        }
        "timepicker" => {
            node.string(checker, "initial_time", 5, 5, false);
            node.string(checker, "timezone", 1, 64, false);
            objects::text(checker, node, "placeholder", 150, Kind::Plain, false);
        }
        _ => {
            node.number(checker, "initial_date_time", 1_000_000_000, 9_999_999_999);
        }
    }
    focus(checker, node);
    objects::confirm(checker, node);
}

fn menu(checker: &mut Checker, node: &mut Node<'_>, kind: &str) {
    objects::text(checker, node, "placeholder", 150, Kind::Plain, false);
    objects::confirm(checker, node);
    focus(checker, node);
    let multi = kind.starts_with("multi_");
    if multi {
        node.number(checker, "max_selected_items", 1, 100);
    }
    match kind.trim_start_matches("multi_") {
        "static_select" => {
            objects::options_or_groups(checker, node);
            initial(checker, node, multi);
        }
        "external_select" => {
            node.number(checker, "min_query_length", 0, 255);
            initial(checker, node, multi);
        }
        "users_select" => named(checker, node, if multi { "initial_users" } else { "initial_user" }, multi),
        "channels_select" => {
            named(checker, node, if multi { "initial_channels" } else { "initial_channel" }, multi);
            node.flag(checker, "response_url_enabled");
        }
        _ => {
            named(checker, node, if multi { "initial_conversations" } else { "initial_conversation" }, multi);
            node.flag(checker, "default_to_current_conversation");
            node.flag(checker, "response_url_enabled");
            objects::filter(checker, node);
        }
    }
}

fn initial(checker: &mut Checker, node: &mut Node<'_>, multi: bool) {
    let chosen = if multi {
        node.objects(checker, "initial_options", 1, 100, false)
    } else {
        node.object(checker, "initial_option", false).into_iter().collect()
    };
    for one in chosen {
        objects::option(checker, one, Kind::Plain);
    }
}

fn named(checker: &mut Checker, node: &mut Node<'_>, name: &'static str, multi: bool) {
    if multi {
        node.array(checker, name, 1, 100, false);
    } else {
        node.string(checker, name, 1, 64, false);
    }
}

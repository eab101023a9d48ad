//! Rich text.

use super::check::{Checker, Node};

pub(super) fn check(checker: &mut Checker, node: &mut Node<'_>) {
    for part in node.objects(checker, "elements", 1, 1000, true) {
        part_of(checker, part);
    }
}

fn part_of(checker: &mut Checker, mut node: Node<'_>) {
    match node.kind(checker) {
        "rich_text_section" => inline(checker, &mut node),
        "rich_text_preformatted" => {
            inline(checker, &mut node);
            node.number(checker, "border", 0, 1);
            node.string(checker, "language", 1, 64, false);
        }
        "rich_text_quote" => {
            inline(checker, &mut node);
            node.number(checker, "border", 0, 1);
        }
        "rich_text_list" => {
            node.word(checker, "style", &["bullet", "ordered"], true);
            node.number(checker, "indent", 0, 8);
            node.number(checker, "offset", 0, 10_000);
            node.number(checker, "border", 0, 1);
            for mut item in node.objects(checker, "elements", 1, 1000, true) {
                if item.kind(checker) == "rich_text_section" {
                    inline(checker, &mut item);
                    item.finish(checker);
                } else {
                    checker.complain(item.path(), "must be a rich_text_section".to_owned());
                }
            }
        }
        "" => return,
        unknown => return checker.complain(node.path(), format!("unsupported type: {unknown}")),
    }
    node.finish(checker);
}

fn inline(checker: &mut Checker, node: &mut Node<'_>) {
    for mut element in node.objects(checker, "elements", 0, 1000, true) {
        match element.kind(checker) {
            "text" => {
                element.string(checker, "text", 1, 12_000, true);
            }
            "link" => {
                element.string(checker, "url", 1, 3000, true);
                element.string(checker, "text", 0, 3000, false);
                element.flag(checker, "unsafe");
            }
            "user" => {
                element.string(checker, "user_id", 1, 64, true);
            }
            "usergroup" => {
                element.string(checker, "usergroup_id", 1, 64, true);
            }
            "channel" => {
                element.string(checker, "channel_id", 1, 64, true);
            }
            "emoji" => {
                element.string(checker, "name", 1, 255, true);
                element.string(checker, "unicode", 1, 255, false);
                element.number(checker, "skin_tone", 1, 6);
            }
            "broadcast" => element.word(checker, "range", &["here", "channel", "everyone"], true),
            "color" => {
                element.string(checker, "value", 1, 16, true);
            }
            "date" => {
                element.number(checker, "timestamp", 0, 9_999_999_999);
                element.string(checker, "format", 1, 255, true);
                element.string(checker, "url", 1, 3000, false);
                element.string(checker, "fallback", 1, 255, false);
            }
            "" => continue,
            unknown => {
                checker.complain(element.path(), format!("unsupported type: {unknown}"));
                continue;
            }
        }
        style(checker, &mut element);
        element.finish(checker);
    }
}

fn style(checker: &mut Checker, node: &mut Node<'_>) {
    let Some(mut style) = node.object(checker, "style", false) else { return };
    for name in ["bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"] {
        style.flag(checker, name);
    }
    style.finish(checker);
}

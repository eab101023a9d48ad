//! Views: modals and home tabs.

use serde_json::Value;

use super::check::{Checker, Node};
use super::objects::{self, Kind};
use super::{Surface, check_list};

/// Checks a view of this kind, `modal` or `home`.
pub(crate) fn check_view(view: &Value, kind: &str) -> Result<(), Vec<String>> {
    let surface = if kind == "home" { Surface::Home } else { Surface::Modal };
    let mut checker = Checker::new(surface);
    if let Some(mut node) = Node::of(&mut checker, view, "/view") {
        fields(&mut checker, &mut node, kind);
    }
    checker.into_result()
}

fn fields(checker: &mut Checker, node: &mut Node<'_>, kind: &str) {
    let given = node.kind(checker);
    if given != kind {
        checker.complain("/view/type", format!("must be {kind}"));
    }
    node.string(checker, "private_metadata", 0, 3000, false);
    node.string(checker, "callback_id", 0, 255, false);
    node.string(checker, "external_id", 0, 255, false);
    let blocks = node.array(checker, "blocks", 0, usize::MAX, true);
    check_list(checker, blocks, "/view/blocks");
    if kind == "modal" {
        objects::text(checker, node, "title", 24, Kind::Plain, true);
        objects::text(checker, node, "close", 24, Kind::Plain, false);
        let submit = objects::text(checker, node, "submit", 24, Kind::Plain, false);
        let asks = blocks.iter().any(|block| block["type"] == "input");
        if asks && !submit {
            checker.complain("/view", "missing required field: submit (there is an input block)".to_owned());
        }
        node.flag(checker, "clear_on_close");
        node.flag(checker, "notify_on_close");
        node.flag(checker, "submit_disabled");
    }
    node.finish(checker);
}

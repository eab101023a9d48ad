//! Block Kit: the documented fields and limits of everything the fake knows. What it does not know is refused.

mod check;
mod elements;
mod objects;
mod rich;
pub(crate) mod state;
mod table;
mod view;

use serde_json::Value;

use check::{Checker, Node};
pub(crate) use view::check_view;

/// The most blocks of a message.
const MOST_IN_MESSAGE: usize = 50;
/// The most blocks of a view.
const MOST_IN_VIEW: usize = 100;
/// The longest markdown of a message, in all its markdown blocks together.
pub(crate) const LONGEST_MARKDOWN: usize = 12_000;

/// Where blocks are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Message,
    Modal,
    Home,
}

/// Checks a message's or view's blocks; the complaints are Slack's `response_metadata.messages`.
pub(crate) fn check(blocks: &[Value], surface: Surface) -> Result<(), Vec<String>> {
    let mut checker = Checker::new(surface);
    check_list(&mut checker, blocks, "/blocks");
    checker.into_result()
}

fn check_list(checker: &mut Checker, blocks: &[Value], path: &str) {
    let most = if checker.surface == Surface::Message { MOST_IN_MESSAGE } else { MOST_IN_VIEW };
    if blocks.len() > most {
        checker.complain(path, format!("no more than {most} items allowed"));
    }
    for (index, block) in blocks.iter().enumerate() {
        let path = format!("{path}/{index}");
        let Some(mut node) = Node::of(checker, block, &path) else { continue };
        block_of(checker, &mut node);
    }
    if checker.markdown > LONGEST_MARKDOWN {
        checker.complain(path, format!("markdown must be less than {} characters in all", LONGEST_MARKDOWN + 1));
    }
}

fn block_of(checker: &mut Checker, node: &mut Node<'_>) {
    let kind = node.kind(checker);
    if let Some(id) = node.string(checker, "block_id", 1, 255, false) {
        checker.block_id(node, id);
    }
    let message = checker.surface == Surface::Message;
    match kind {
        "section" => section(checker, node),
        "divider" => {}
        "header" => {
            objects::text(checker, node, "text", 150, objects::Kind::Plain, true);
            node.number(checker, "level", 1, 4);
        }
        "context" => context(checker, node),
        "actions" => {
            for element in node.objects(checker, "elements", 1, 25, true) {
                elements::check(checker, element, elements::Place::Actions);
            }
        }
        "input" => input(checker, node),
        "image" => {
            objects::image(checker, node, true);
            objects::text(checker, node, "title", 2000, objects::Kind::Plain, false);
        }
        "rich_text" => rich::check(checker, node),
        "markdown" if message => {
            if let Some(text) = node.string(checker, "text", 1, LONGEST_MARKDOWN, true) {
                checker.markdown += text.chars().count();
            }
        }
        "table" if message => table::check(checker, node),
        "" => return,
        unknown => return checker.complain(node.path(), format!("unsupported type: {unknown}")),
    }
    node.finish(checker);
}

fn section(checker: &mut Checker, node: &mut Node<'_>) {
    let text = objects::text(checker, node, "text", 3000, objects::Kind::Any, false);
    let fields = node.objects(checker, "fields", 1, 10, false);
    if !text && fields.is_empty() {
        checker.complain(node.path(), "missing required field: text or fields".to_owned());
    }
    for field in fields {
        objects::text_node(checker, field, 2000, objects::Kind::Any);
    }
    if let Some(accessory) = node.object(checker, "accessory", false) {
        elements::check(checker, accessory, elements::Place::Accessory);
    }
    node.flag(checker, "expand");
}

fn context(checker: &mut Checker, node: &mut Node<'_>) {
    for mut element in node.objects(checker, "elements", 1, 10, true) {
        if element.peek("type") == Some("image") {
            element.kind(checker);
            objects::image(checker, &mut element, true);
            element.finish(checker);
        } else {
            objects::text_node(checker, element, 2000, objects::Kind::Any);
        }
    }
}

fn input(checker: &mut Checker, node: &mut Node<'_>) {
    objects::text(checker, node, "label", 2000, objects::Kind::Plain, true);
    objects::text(checker, node, "hint", 2000, objects::Kind::Plain, false);
    node.flag(checker, "optional");
    node.flag(checker, "dispatch_action");
    if let Some(element) = node.object(checker, "element", true) {
        elements::check(checker, element, elements::Place::Input);
    }
}

/// The options in an app's answer to what somebody typed into a menu, groups or not.
pub(crate) fn offered(answer: &Value) -> Result<Vec<Value>, Vec<String>> {
    let mut checker = Checker::new(Surface::Modal);
    if let Some(mut node) = Node::of(&mut checker, answer, "") {
        // An empty list says that there is nothing.
        if answer["options"] != Value::Array(Vec::new()) {
            objects::options_or_groups(&mut checker, &mut node);
            node.finish(&mut checker);
        }
    }
    checker.into_result()?;
    let groups = answer["option_groups"].as_array().into_iter().flatten();
    let grouped = groups.flat_map(|group| group["options"].as_array().into_iter().flatten());
    Ok(answer["options"].as_array().into_iter().flatten().chain(grouped).cloned().collect())
}

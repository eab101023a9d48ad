//! What people see, written down; and one card as the JSON that goes to Slack.

use andon_core::{Block, Line, Message};
use serde_json::Value;

use super::messages::{self, done, failed, help, mention, refusal, running, status, waiting, with_file};
use super::people;
use crate::render::{Rendered, asks_reason, render};

/// A message as text: each block with its kind, elements with what sets them apart.
fn look(message: &Message) -> String {
    let Rendered { text, blocks, files, .. } = render(message, &people);
    let blocks = serde_json::to_value(&blocks).expect("blocks are JSON");
    let blocks: Vec<_> = blocks.as_array().expect("an array").iter().map(block).collect();
    let files = files.iter().map(|file| format!("[file {}]\n{}", file.name, file.content));
    let all: Vec<_> = std::iter::once(format!("[text] {text}")).chain(blocks).chain(files).collect();
    all.join("\n")
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().expect("an array").iter()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn block(block: &Value) -> String {
    match text(block, "type") {
        "table" => {
            let row =
                |row: &Value| row.as_array().expect("a row").iter().map(rich_text).collect::<Vec<_>>().join(" | ");
            format!("[table]\n{}", items(block, "rows").map(row).collect::<Vec<_>>().join("\n"))
        }
        "actions" => format!("[actions]\n{}", items(block, "elements").map(button).collect::<Vec<_>>().join("\n")),
        _ => rich_text(block),
    }
}

fn rich_text(block: &Value) -> String {
    let element = |element: &Value| match text(element, "type") {
        "rich_text_list" => {
            items(element, "elements").map(|item| format!("• {}", inlines(item))).collect::<Vec<_>>().join("\n")
        }
        "rich_text_preformatted" => format!("[preformatted]\n{}", inlines(element)),
        _ => inlines(element),
    };
    items(block, "elements").map(element).collect::<Vec<_>>().join("\n")
}

fn inlines(section: &Value) -> String {
    let inline = |inline: &Value| match text(inline, "type") {
        "user" => format!("«user {}»", text(inline, "user_id")),
        "emoji" => format!("«:{}:»", text(inline, "name")),
        "date" => format!("«date {} {} or {}»", inline["timestamp"], text(inline, "format"), text(inline, "fallback")),
        _ if inline["style"]["bold"] == true => format!("**{}**", text(inline, "text")),
        _ if inline["style"]["code"] == true => format!("`{}`", text(inline, "text")),
        _ => text(inline, "text").to_owned(),
    };
    items(section, "elements").map(inline).collect()
}

fn button(button: &Value) -> String {
    let asked = button.get("confirm").map(|confirm| {
        let part = |name: &str| text(&confirm[name], "text").to_owned();
        format!("\n    asks {}: {} [{}] [{}]", part("title"), part("text"), part("confirm"), part("deny"))
    });
    let [label, value] = [text(&button["text"], "text"), text(button, "value")];
    format!("{} ({}) {label} = {value}{}", text(button, "action_id"), text(button, "style"), asked.unwrap_or_default())
}

#[test]
fn cards() {
    let cards = [waiting(), running(), done(), failed()];
    insta::assert_snapshot!(cards.iter().map(look).collect::<Vec<_>>().join("\n\n────\n"));
}

#[test]
fn answers() {
    let answers = [refusal(), mention(), with_file()];
    insta::assert_snapshot!(answers.iter().map(look).collect::<Vec<_>>().join("\n\n────\n"));
}

#[test]
fn help_is_a_table() {
    insta::assert_snapshot!(look(&help()));
}

#[test]
fn a_second_table_is_a_list() {
    insta::assert_snapshot!(look(&status()));
}

#[test]
fn a_card_as_it_goes_to_slack() {
    let card = Message::new(Line::new().mention(&super::person("ana")).text(" Approve? ").time(messages::moment()));
    let card = card.fact("operation", Line::new().code("op-2")).action(waiting().actions.remove(1));
    let blocks = serde_json::to_string_pretty(&render(&card, &people).blocks).expect("blocks are JSON");
    insta::assert_snapshot!(blocks);
}

#[test]
fn what_does_not_fit_is_in_a_file() {
    let rows = (0..150).map(|row| vec![Line::from(format!("row {row}")), Line::new().code("v1")]).collect();
    let message = Message::new("Found 150").block(Block::Table { header: vec!["name".into(), "live".into()], rows });
    let rendered = render(&message.paragraph("the end"), &people);
    let blocks = serde_json::to_string(&rendered.blocks).expect("blocks are JSON");
    assert!(blocks.contains("Not everything fits here: 100 of 152 lines are shown. All of it is in answer-"));
    assert!(blocks.contains("row 98") && !blocks.contains("row 99"));
    assert_eq!(rendered.files.len(), 1);
    assert!(blocks.contains(&format!("All of it is in {}.", rendered.files[0].name)));
    assert!(rendered.files[0].content.contains("row 149") && rendered.files[0].content.contains("the end"));
}

#[test]
fn what_lacks_its_file_says_so_in_the_place_of_the_note() {
    let full = Message::new("Found").block(Block::List(vec![Line::from("x".repeat(100)); 500]));
    let full = full.action(waiting().actions.remove(1));
    for message in [full, with_file().action(waiting().actions.remove(1))] {
        let mut rendered = render(&message, &people);
        let whole = rendered.left_out.is_none();
        let before = rendered.blocks.len();
        rendered.without_files();
        let blocks = serde_json::to_value(&rendered.blocks).expect("blocks are JSON");
        assert_eq!((rendered.files.len(), rendered.blocks.len()), (0, before + usize::from(whole)));
        let at = |place: usize| blocks[place].to_string();
        assert!(
            at(rendered.note).contains("Its file could not be uploaded") && !blocks.to_string().contains("answer-")
        );
        assert!(at(rendered.blocks.len() - 1).contains("actions"), "{blocks:#}");
    }
}

#[test]
fn an_attachment_and_the_rest_are_two_files() {
    let mut message = with_file().block(Block::List(vec![Line::from("x".repeat(100)); 500]));
    message.attachment = message.attachment.map(|file| andon_core::Attachment { name: "a/answer.txt".into(), ..file });
    let names =
        |message: &Message| render(message, &people).files.into_iter().map(|file| file.name).collect::<Vec<_>>();
    let [attached, whole] = &names(&message)[..] else { panic!("{:?}", names(&message)) };
    assert!(
        attached == "a_answer.txt" && whole.starts_with("answer-") && whole.ends_with(".txt"),
        "{attached} {whole}"
    );
    let other = names(&message.clone().paragraph("one more"));
    assert!(other[0] == *attached && other[1] != *whole, "what holds something else has another name: {other:?}");
}

#[test]
fn ids_tell_which_buttons_ask_for_a_reason() {
    assert!(asks_reason("reason:1") && !asks_reason("act:1"));
}

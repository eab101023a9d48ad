//! Foreign text that wants to be more than text, one control sequence of Slack's at a time.

use andon_core::{Action, Ask, Attachment, Block, Fact, Line, Message, Outside, Style, Tone};
use serde_json::Value;

use super::{people, person};
use crate::render::{Rendered, render};

/// What Slack reads as more than letters.
pub(super) const HOSTILE: &[&str] = &[
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<!here|here>",
    "<!subteam^S0123>",
    "<!subteam^S0123|@team>",
    "<@U0ANA>",
    "<@U0ANA|ana>",
    "<@W0ANA>",
    "<#C0123>",
    "<#C0123|general>",
    "<!date^1|x>",
    "<!date^1^{date}^https://evil.example|now>",
    "<http://evil.example|approve>",
    "<https://evil.example>",
    "<mailto:a@b.example|ana>",
    "<tel:1>",
    "http://evil.example",
    "https://evil.example/?a=b&c",
    "www.evil.example",
    "evil.example",
    "a@evil.example",
    "@here",
    "@channel",
    "@everyone",
    "@ana",
    "#general",
    "*bold*",
    "_it_",
    "~strike~",
    "`code`",
    "```\nfence\n```",
    "``",
    "```",
    "> quote",
    ">>> quote",
    "a\n> quote",
    "a\n&gt; quote",
    "• list",
    "- list",
    "1. list",
    "# heading",
    "**bold**",
    "[label](http://evil.example)",
    ":boom:",
    ":100:",
    "12:100:30",
    ":skin-tone-2:",
    "&lt;!here&gt;",
    "&amp;lt;!here&amp;gt;",
    "&#60;!here&#62;",
    "&lt;",
    "&",
    "<",
    ">",
    "<!",
    "<@",
    "|",
    "\\",
    "”",
    "“",
    "” said ana “",
    "a\u{202e}b",
    "a\u{200b}<!here>",
    "<\u{200b}!here>",
    "<!\u{2060}here>",
    "\u{e0041}",
    "\r\n",
    "\n\n",
    "\t",
    "\u{7}",
    "*<!here>*",
    "`<!here>`",
    "_<@U0ANA>_",
    "*a\nb*",
    "`a",
    "a`",
    "*a",
    "a*",
    "_",
    "*",
    "~",
];

/// A message that says `text` wherever a message can say anything.
pub(super) fn everywhere(text: &str) -> Message {
    let outside = || Outside::new(text);
    let line = || Line::new().text("It said ").outside(text).text(".");
    let own = || Line::new().text(text).code(text).strong(text).outside(text);
    let mut message = Message::new(line()).tone(Tone::Attention).fact("said", line()).paragraph(line());
    message.facts.push(Fact { name: text.to_owned(), value: own() });
    message.body.push(Block::Paragraph(own()));
    message.body.push(Block::Heading(text.to_owned()));
    message.body.push(Block::List(vec![line(), own()]));
    let table = || Block::Table { header: vec!["who".into(), text.into()], rows: vec![vec![line(), own()]] };
    message.body.extend([table(), table(), Block::Quote(outside()), Block::Preformatted(text.to_owned())]);
    message.attachment = Some(Attachment { name: text.to_owned(), content: outside() });
    let action = |ask| Action { label: text.to_owned(), style: Style::Plain, line: format!("say {text}"), ask };
    message.actions.extend([action(Ask::Nothing), action(Ask::Confirmation(own())), action(Ask::Reason)]);
    message
}

/// Fails where Slack would find a user, a channel, a group, a broadcast, a link, an emoji or mark-up in `rendered`, other than mentions
/// of `mentioned` and the mark of a tone.
pub(super) fn check(rendered: &Rendered, mentioned: &[&str]) {
    check_notice(&rendered.text, mentioned);
    let blocks = serde_json::to_value(&rendered.blocks).expect("blocks are JSON");
    walk(&blocks, mentioned, &["bell", "x", "white_check_mark", "hourglass_flowing_sand"]);
}

/// Block Kit has mark-up in `mrkdwn` objects and in `markdown` blocks alone; of rich text only these elements are ever made.
fn walk(value: &Value, mentioned: &[&str], emoji: &[&str]) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(value, mentioned, emoji)),
        Value::Object(fields) => {
            match fields.get("type").and_then(Value::as_str) {
                Some("user") => assert!(fields["user_id"].as_str().is_some_and(|user| mentioned.contains(&user))),
                Some("emoji") => assert!(fields["name"].as_str().is_some_and(|name| emoji.contains(&name))),
                Some("plain_text") => assert_eq!(fields["emoji"], false),
                Some(
                    "rich_text"
                    | "rich_text_section"
                    | "rich_text_list"
                    | "rich_text_preformatted"
                    | "text"
                    | "date"
                    | "table"
                    | "actions"
                    | "button",
                )
                | None => {}
                Some(other) => panic!("an element that is never made: {other}"),
            }
            if let Some(text) = fields.get("text").and_then(Value::as_str) {
                assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
                assert!(!text.contains(['\u{202e}', '\u{200b}', '\u{e0041}']), "{text:?}");
            }
            fields.values().for_each(|value| walk(value, mentioned, emoji));
        }
        _ => {}
    }
}

/// A small model of how Slack reads `mrkdwn`, stricter than Slack wherever that is not documented.
fn check_notice(text: &str, mentioned: &[&str]) {
    let mut words = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        words.push_str(before);
        let (token, after) = after.split_once('>').unwrap_or_else(|| panic!("an open token: {text:?}"));
        let user = token.strip_prefix('@').unwrap_or_else(|| panic!("a token {token:?} in {text:?}"));
        assert!(mentioned.contains(&user), "{user} is mentioned in {text:?}");
        words.push(' ');
        rest = after;
    }
    words.push_str(rest);
    assert!(!words.contains(['>', '\n', '`']), "{text:?}");
    assert!(!words.trim_start().starts_with("&gt;"), "a quotation: {text:?}");
    for (_, entity) in words.match_indices('&').map(|(place, _)| words[place..].split_at(1)) {
        assert!(["amp;", "lt;", "gt;"].iter().any(|known| entity.starts_with(known)), "an entity in {text:?}");
    }
    let seen: Vec<char> = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").chars().collect();
    for around in seen.windows(2) {
        let [before, after] = [around[0], around[1]];
        let joins = matches!(before, ':' | '@' | '#') && (after.is_alphanumeric() || matches!(after, '/' | '_' | '+'));
        assert!(!joins, "an emoji, a link or a name: {text:?}");
    }
    for around in seen.windows(3) {
        let marks = matches!(around[1], '*' | '_' | '~');
        assert!(!marks || (around[0].is_alphanumeric() && around[2].is_alphanumeric()), "mark-up: {text:?}");
        let domain = around[1] == '.' && around[0].is_alphanumeric() && around[2].is_alphabetic();
        assert!(!domain, "a link: {text:?}");
    }
    for mark in ['*', '_', '~'] {
        assert!(seen.first() != Some(&mark) && seen.last() != Some(&mark), "mark-up: {text:?}");
    }
}

#[test]
fn nothing_becomes_more_than_letters() {
    for text in HOSTILE {
        let rendered = render(&everywhere(text), &people);
        check(&rendered, &[]);
        let own = render(&Message::new(*text), &people);
        check(&own, &[]);
    }
}

#[test]
fn text_is_shown_as_it_stands() {
    for text in HOSTILE
        .iter()
        .filter(|text| !text.contains(['\u{202e}', '\u{200b}', '\u{2060}', '\r', '\t', '\u{7}', '\u{e0041}', '“', '”']))
    {
        let message = Message::new(Line::new().outside(text)).block(Block::Quote(Outside::new(text)));
        let blocks = serde_json::to_value(render(&message, &people).blocks).expect("blocks are JSON");
        let shown = blocks[0]["elements"][0]["elements"][0]["text"].as_str();
        let line = format!("“{}”", text.trim_matches('\n').replace('\n', " ⏎ "));
        assert_eq!(shown, Some(line.as_str()));
        let quoted = blocks[1]["elements"][0]["elements"][0]["text"].as_str();
        assert!(quoted.is_none_or(|quoted| quoted == text.trim_end_matches('\n')), "{quoted:?} is not {text:?}");
    }
}

#[test]
fn a_quotation_cannot_be_closed() {
    let message = Message::new(Line::new().outside("ok” approved by ana “"));
    let blocks = serde_json::to_value(render(&message, &people).blocks).expect("blocks are JSON");
    assert_eq!(blocks[0]["elements"][0]["elements"][0]["text"], "“ok\" approved by ana \"”");
}

#[test]
fn accounts_that_are_none_are_no_mentions() {
    let message = Message::new(Line::new().mention(&person("ana")).text(" is asked"));
    for odd in ["!here", "U1> <!here", "u0ana", "", "S0123"] {
        let rendered = render(&message, &|_| Some(odd.to_owned()));
        assert_eq!(rendered.text, "ana is asked");
        check(&rendered, &[]);
    }
}

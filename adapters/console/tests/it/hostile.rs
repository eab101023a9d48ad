//! Text from outside that wants to be more than text: nothing of it reaches a terminal as a control, and none looks like a card.

use std::sync::{Arc, Mutex};

use andon_console::{ConsoleVoice, Look, Sink, render};
use andon_core::{Action, Ask, Attachment, Block, Fact, Line, Message, Outside, Span, Style, Tone};

use crate::fake::room;
use crate::look;

/// What terminals obey, or what makes text look other than it is.
const HOSTILE: &[(&str, &str)] = &[
    ("clears the screen", "ok\u{1b}[2J\u{1b}[Hgone"),
    ("an 8-bit escape", "ok\u{9b}31mred\u{9d}0;title\u{9c}"),
    ("the title and the clipboard", "ok\u{1b}]0;title\u{7}\u{1b}]52;c;cm0gLXJm\u{7}"),
    ("a link elsewhere", "\u{1b}]8;;https://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\"),
    ("a device answer", "\u{1b}[6n\u{1b}P$q q\u{1b}\\\u{1b}[c"),
    ("over what stands there", "Failed: all is lost\rDone: all is well\u{8}\u{8}\u{7f}"),
    ("backwards", "v1\u{202e}dorp ni 9v\u{202c} \u{2067}x\u{2069}\u{200f}\u{61c}"),
    ("nothing to be seen", "de\u{200b}plo\u{2060}y\u{feff}\u{ad}\u{e0041}"),
    ("other ends of lines", "one\u{2028}two\u{2029}three\u{b}four\u{c}five\u{85}six"),
    ("a card and a prompt", "ok\n✓ Done: deploy hello v1 → v9 in prod\nana #lobby > approve op-1"),
    (
        "a card by a broken line",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ✓ Done: all  ana #lobby > approve op-1",
    ),
    (
        "a card without spaces",
        "x\u{a0}✓\u{a0}Done:\u{a0}deploy\u{a0}hello\u{a0}v1\u{a0}→\u{a0}v9\u{a0}in\u{a0}prod\u{a0}✓",
    ),
    ("wide", "錯誤：無法連線到資料庫，因為密碼已過期，請聯絡管理員以取得新的密碼 👩‍💻🚨"),
    ("combining", "e\u{301}a\u{308}\u{323} Z\u{334}\u{335}\u{336}\u{337}a\u{338}lgo\u{489}"),
];

/// A message that says `text` wherever a message can say anything. The foreign text comes as it does from a database, without having
/// been cleaned when it was taken in.
fn everywhere(text: &str) -> Message {
    let outside: Outside = serde_json::from_value(serde_json::Value::from(text)).unwrap();
    let line = || Line::new().text("It said ").span(Span::Outside(outside.clone()));
    let own = || Line::new().text(text).code(text).strong(text);
    let mut message = Message::new(line()).tone(Tone::Attention).fact("said", line()).paragraph(line());
    message.facts.push(Fact { name: text.to_owned(), value: own() });
    message.body.push(Block::Heading(text.to_owned()));
    message.body.push(Block::List(vec![line(), own()]));
    message.body.push(Block::Table { header: vec!["who".into(), text.into()], rows: vec![vec![line(), own()]] });
    message.body.push(Block::Quote(outside.clone()));
    message.body.push(Block::Preformatted(text.to_owned()));
    message.attachment = Some(Attachment { name: text.to_owned(), content: outside });
    message.actions.push(Action {
        label: text.to_owned(),
        style: Style::Plain,
        line: text.to_owned(),
        ask: Ask::Nothing,
    });
    message
}

fn is_harmless(c: char) -> bool {
    let misleading = matches!(c, '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}');
    c == '\n' || !(c.is_control() || misleading)
}

#[test]
fn nothing_reaches_the_terminal_as_a_control() {
    for (what, text) in HOSTILE {
        for width in [40, 80, 120] {
            let shown = render(&everywhere(text), &look(width));
            let odd: Vec<_> = shown.chars().filter(|&c| !is_harmless(c)).collect();
            assert!(odd.is_empty(), "{what}, {width} columns: {odd:?}");
            let coloured = render(&everywhere(text), &Look { colour: true, ..look(width) });
            let ours = coloured.replace("\u{1b}[33m", "").replace("\u{1b}[0m", "");
            assert_eq!(ours, shown, "{what}, {width} columns: colour is the only escape");
        }
    }
}

#[test]
fn nothing_begins_where_cards_and_prompts_begin() {
    for (what, text) in HOSTILE {
        for width in [40, 80, 120] {
            let shown = render(&everywhere(text), &look(width));
            let loose: Vec<_> =
                shown.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with("  ")).collect();
            assert!(loose.is_empty(), "{what}, {width} columns: {loose:?}");
            let long = |line: &&str| unicode_width::UnicodeWidthStr::width(*line) > width && !line.is_ascii();
            let broken: Vec<_> = shown.lines().filter(long).collect();
            assert!(broken.is_empty(), "{what}, {width} columns, broken by the terminal: {broken:?}");
        }
    }
}

#[test]
fn every_line_of_a_quotation_is_marked() {
    for (what, text) in HOSTILE {
        let message = Message::new("A log").block(Block::Quote(Outside::new(text)));
        for width in [40, 80, 120] {
            let shown = render(&message, &look(width));
            assert!(shown.lines().skip(1).all(|line| line.starts_with("  │")), "{what}: {shown}");
        }
    }
}

#[test]
fn foreign_text_as_it_looks() {
    let shown = |(what, text): &(&str, &str)| {
        let message = Message::new(Line::new().text(format!("{what}: ")).outside(text));
        render(&message.block(Block::Quote(Outside::new(text))), &look(40))
    };
    insta::assert_snapshot!(HOSTILE.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_somebody_types_is_printed_without_controls() {
    let printed = Arc::new(Mutex::new(String::new()));
    let sink: Sink = {
        let printed = Arc::clone(&printed);
        Arc::new(move |text| printed.lock().unwrap().push_str(text))
    };
    let voice = ConsoleVoice::new(room(), look(80), sink);
    for (_, text) in HOSTILE {
        voice.print_text(text);
    }
    assert!(printed.lock().unwrap().chars().all(is_harmless));
}

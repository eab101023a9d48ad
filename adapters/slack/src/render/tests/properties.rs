//! Any message, however large and odd.

use andon_core::{Action, Ask, Attachment, Block, Fact, Line, Message, Outside, Span, Style, Tone};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::hostile::{self, HOSTILE, everywhere};
use super::{limits, people, person};
use crate::render::{plain, render};

/// Any text, often one that Slack would read as more than letters.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => vec(prop_oneof![select(HOSTILE).prop_map(str::to_owned), "[a-z ]{0,6}"], 0..6).prop_map(|parts| parts.concat()),
        2 => any::<String>(),
        1 => (select(vec!["x", "& ", "<!here> ", "😀", "line\n", "”"]), 0usize..6_000).prop_map(|(part, times)| part.repeat(times)),
    ]
}

fn short() -> impl Strategy<Value = String> {
    "[a-z ]{0,12}"
}

fn span() -> impl Strategy<Value = Span> {
    let name = select(vec!["ana", "ben", "eve"]);
    prop_oneof![
        text().prop_map(Span::Text),
        text().prop_map(Span::Code),
        text().prop_map(Span::Strong),
        text().prop_map(|text| Span::Outside(Outside::new(&text))),
        name.clone().prop_map(|name| Span::Person(person(name))),
        name.prop_map(|name| Span::Mention(person(name))),
        (-9_000_000_000i64..250_000_000_000).prop_map(|at| Span::Time(Timestamp::from_second(at).expect("a moment"))),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    vec(span(), 0..5).prop_map(Line)
}

fn table() -> impl Strategy<Value = Block> {
    let cell = || prop_oneof![4 => short().prop_map(Line::from), 1 => line()];
    let small = (vec(short(), 0..25), vec(vec(cell(), 0..25), 0..8)).prop_map(|(header, rows)| (header, rows));
    let long = (vec(short(), 1..4), vec(vec(short().prop_map(Line::from), 1..4), 0..300));
    prop_oneof![small, long].prop_map(|(header, rows)| Block::Table { header, rows })
}

fn block() -> impl Strategy<Value = Block> {
    prop_oneof![
        line().prop_map(Block::Paragraph),
        text().prop_map(Block::Heading),
        vec(line(), 0..20).prop_map(Block::List),
        table(),
        text().prop_map(|text| Block::Quote(Outside::new(&text))),
        text().prop_map(Block::Preformatted),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let ask = prop_oneof![Just(Ask::Nothing), Just(Ask::Reason), line().prop_map(Ask::Confirmation)];
    let style = select(vec![Style::Primary, Style::Danger, Style::Plain]);
    let line = prop_oneof![3 => short(), 1 => text()];
    (text(), style, line, ask).prop_map(|(label, style, line, ask)| Action { label, style, line, ask })
}

/// Any message.
pub(crate) fn message() -> impl Strategy<Value = Message> {
    let tone = select(vec![Tone::Plain, Tone::Working, Tone::Attention, Tone::Good, Tone::Bad]);
    let fact = (text(), line()).prop_map(|(name, value)| Fact { name, value });
    let file = (text(), text()).prop_map(|(name, text)| Attachment { name, content: Outside::new(&text) });
    let parts = (vec(fact, 0..12), vec(block(), 0..60), vec(action(), 0..40), proptest::option::of(file));
    (line(), tone, parts).prop_map(|(summary, tone, (facts, body, actions, attachment))| Message {
        summary,
        tone,
        facts,
        body,
        actions,
        attachment,
        ..Message::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_one_that_slack_takes(message in message()) {
        let rendered = render(&message, &people);
        limits::check(&rendered);
        hostile::check(&rendered, &["U0ANA", "U0EVE"]);
        let whole = rendered.files.len() == usize::from(message.attachment.is_some());
        let shown = serde_json::to_string(&rendered.blocks).expect("blocks are JSON");
        prop_assert_eq!(whole, !shown.contains("Not everything fits here"));
        prop_assert!(whole || rendered.files.iter().any(|file| file.content == plain(&message)));
    }

    #[test]
    fn foreign_text_stays_text(text in text()) {
        let rendered = render(&everywhere(&text), &people);
        limits::check(&rendered);
        hostile::check(&rendered, &[]);
    }

    #[test]
    fn notifications_are_short(line in line()) {
        let text = render(&Message::new(line), &people).text;
        let seen = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace('\u{2060}', "");
        prop_assert!(seen.replace("<@U0ANA>", "@ana").replace("<@U0EVE>", "@eve").chars().count() <= 110, "{}", text);
    }
}

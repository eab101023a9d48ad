//! The push notification: the one text of a message that Slack reads as mark-up (`mrkdwn`), since only there a mention can stand.
//!
//! Mark-up has no escape for its own marks, only entities for `&`, `<` and `>`. So everything but a mention is disarmed character by
//! character: marks that stand at a word's edge become characters that look like them, and an invisible joiner stands inside what would
//! become a link, an emoji or a mention. Nobody copies from a notification, which is why that is right here and nowhere else.

use andon_core::{Line, Span};

use super::limits::NOTICE;
use super::spans::{People, account, utc};
use super::text::{JOINER, one_line, quoted};

/// A piece that is shown whole or not at all: how it is written, and how many characters one sees of it.
struct Piece {
    written: String,
    seen: usize,
}

/// A line as a push notification, at most [`NOTICE`] characters as they are seen.
pub(crate) fn notice(line: &Line, people: People<'_>) -> String {
    let mut pieces = Vec::new();
    let mut text = String::new();
    for span in &line.0 {
        let mention = match span {
            Span::Mention(person) => account(people, person).map(|user| (person, user)),
            _ => None,
        };
        match mention {
            Some((person, user)) => {
                disarm(&std::mem::take(&mut text), &mut pieces);
                pieces.push(Piece { written: format!("<@{user}>"), seen: person.as_str().chars().count() + 1 });
            }
            None => text.push_str(&shown(span)),
        }
    }
    // As a whole, since two spans side by side could be a mark together.
    disarm(&text, &mut pieces);
    let written = cut(pieces);
    if written.trim().is_empty() { "A message without words".to_owned() } else { written }
}

fn shown(span: &Span) -> String {
    match span {
        // Spaces at the ends of a span separate it from its neighbours.
        Span::Text(text) | Span::Code(text) | Span::Strong(text) => {
            let space = |is: bool| if is && !text.trim().is_empty() { " " } else { "" };
            let (before, after) = (text.starts_with(char::is_whitespace), text.ends_with(char::is_whitespace));
            match one_line(text) {
                words if words.is_empty() && !text.is_empty() => " ".to_owned(),
                words => format!("{}{words}{}", space(before), space(after)),
            }
        }
        Span::Outside(outside) => quoted(outside.as_str()),
        Span::Person(person) | Span::Mention(person) => person.to_string(),
        Span::Time(at) => utc(*at),
    }
}

fn cut(pieces: Vec<Piece>) -> String {
    let seen: usize = pieces.iter().map(|piece| piece.seen).sum();
    if seen <= NOTICE {
        return pieces.into_iter().map(|piece| piece.written).collect();
    }
    let mut room = NOTICE - 1;
    let fits = |piece: &Piece| {
        let fits = piece.seen <= room;
        room = room.saturating_sub(piece.seen);
        fits
    };
    let begin: String = pieces.into_iter().take_while(fits).map(|piece| piece.written).collect();
    format!("{}…", begin.trim_end())
}

/// Each character of `text` as a piece that stands for itself, whatever stands beside it.
fn disarm(text: &str, pieces: &mut Vec<Piece>) {
    let characters: Vec<char> = text.chars().collect();
    for (place, &c) in characters.iter().enumerate() {
        let beside = |place: Option<usize>| place.and_then(|place| characters.get(place)).copied().unwrap_or(' ');
        let (before, after) = (beside(place.checked_sub(1)), beside(Some(place + 1)));
        pieces.push(Piece { written: written(c, before, after), seen: 1 });
    }
}

fn written(c: char, before: char, after: char) -> String {
    let inside_word = before.is_alphanumeric() && after.is_alphanumeric();
    match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        // At the beginning of a line even the entity makes a quotation.
        '>' => format!("{JOINER}&gt;"),
        '`' => "‵".to_owned(),
        '*' if !inside_word => "∗".to_owned(),
        '_' if !inside_word => "＿".to_owned(),
        '~' if !inside_word => "∼".to_owned(),
        ':' | '@' | '#' if !after.is_whitespace() => format!("{c}{JOINER}"),
        // `evil.example` becomes a link without any scheme; numbers such as 1.2 and 127.0.0.1 do not.
        '.' if before.is_alphanumeric() && after.is_alphabetic() => format!(".{JOINER}"),
        _ => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use andon_core::{Line, PersonId};

    use super::notice;

    fn ana(person: &PersonId) -> Option<String> {
        (person.as_str() == "ana").then(|| "U0ANA".to_owned())
    }

    fn person(name: &str) -> PersonId {
        name.parse().expect("a name")
    }

    #[test]
    fn a_mention_is_one_and_nothing_else_is() {
        let line = Line::new().mention(&person("ana")).text(" Approve? ").person(&person("ben")).text(" asks; ");
        let line = line.outside("<@U0ANA> <!here> @channel &lt;!here&gt;");
        assert_eq!(
            notice(&line, &ana),
            "<@U0ANA> Approve? ben asks; “&lt;@\u{2060}U0ANA\u{2060}&gt; &lt;!here\u{2060}&gt; @\u{2060}channel \
             &amp;lt;!here&amp;gt;”"
        );
        assert_eq!(notice(&Line::new().mention(&person("ben")).text(" is asked"), &ana), "ben is asked");
    }

    #[test]
    fn marks_only_look_like_marks() {
        let line = Line::new().outside("*b* _i_ ~s~ `c` my_service a*b :boom: http://evil.example www.x.y 1.2.3");
        assert_eq!(
            notice(&line, &ana),
            "“∗b∗ ＿i＿ ∼s∼ ‵c‵ my_service a*b :\u{2060}boom: http:\u{2060}//evil.\u{2060}example \
             www.\u{2060}x.\u{2060}y 1.2.3”"
        );
        assert_eq!(notice(&Line::from("> a"), &ana), "\u{2060}&gt; a");
    }

    #[test]
    fn it_is_cut_between_pieces() {
        let line = Line::new().text("&".repeat(108)).mention(&person("ana")).text("end");
        assert_eq!(notice(&line, &ana), format!("{}…", "&amp;".repeat(108)));
        let line = Line::new().text("&".repeat(105)).mention(&person("ana")).text("e");
        assert_eq!(notice(&line, &ana), format!("{}<@U0ANA>e…", "&amp;".repeat(105)).replace("e…", "e"));
        assert_eq!(notice(&Line::from("x".repeat(111)), &ana).chars().count(), 110);
        assert_eq!(notice(&Line::new(), &ana), "A message without words");
    }

    #[test]
    fn spans_keep_the_spaces_between_them() {
        let line = Line::new().text("deploy ").code("hello").text(" ").strong("now").text("  in\nprod ");
        assert_eq!(notice(&line, &ana), "deploy hello now in prod ");
    }
}

//! Lines from a pipe: what is printed, in which order, what the house hears, and what the result says.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use andon_console::{Speaking, piped};
use tokio::io::{AsyncBufRead, AsyncRead, BufReader, ReadBuf};

use crate::fake::{FakeEdge, ana};

/// As many permits as no test needs.
const OPEN: usize = 100;

async fn run(speaking: Speaking, edge: &FakeEdge, input: impl AsyncBufRead + Unpin) -> io::Result<bool> {
    piped(speaking, edge, &edge.voice, input).await
}

/// What is printed for an input, and whether all went well.
async fn transcript(input: impl AsRef<[u8]>) -> (String, bool) {
    let edge = FakeEdge::new(OPEN);
    let well = run(ana(true), &edge, input.as_ref()).await.unwrap();
    (edge.seen.printed(), well)
}

/// User, channel and text of all that the house heard.
fn heard(edge: &FakeEdge) -> Vec<String> {
    let said = edge.seen.said.lock().unwrap();
    said.iter().map(|said| format!("{} #{}: {}", said.identity.user, said.room.channel, said.text)).collect()
}

/// Whether the work cannot go on by itself.
async fn is_pending(mut work: Pin<&mut impl Future>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn every_outcome_comes_before_the_next_line() {
    let (printed, well) = transcript("read\nchange\nread\n").await;
    assert!(well);
    insta::assert_snapshot!(printed);
}

#[tokio::test]
async fn no_line_is_taken_while_a_change_is_under_way() {
    let edge = FakeEdge::new(0);
    let mut running = std::pin::pin!(run(ana(true), &edge, &b"change\nread\n"[..]));
    assert!(is_pending(running.as_mut()).await);
    assert_eq!(heard(&edge), ["ana #lobby: change"]);
    assert_eq!(edge.seen.printed(), "ana> change\n… Queued: the change\n");
    edge.gate.add_permits(1);
    assert!(is_pending(running.as_mut()).await);
    assert_eq!(heard(&edge), ["ana #lobby: change", "ana #lobby: read"]);
    edge.gate.add_permits(1);
    assert!(running.await.unwrap());
    let end = "✓ Done: the change\nana> read\n· Answer to read\n";
    assert!(edge.seen.printed().ends_with(end), "{}", edge.seen.printed());
}

#[tokio::test]
async fn a_change_that_waits_for_a_person_holds_nothing_up() {
    let (printed, well) = transcript("approval\n/as ben\nread\n").await;
    assert!(well, "waiting is not failing");
    insta::assert_snapshot!(printed);
}

#[tokio::test]
async fn the_input_may_end_in_the_middle_of_work() {
    let edge = FakeEdge::new(0);
    let mut running = std::pin::pin!(run(ana(true), &edge, &b"change"[..]));
    assert!(is_pending(running.as_mut()).await, "the end of the input is not the end of the work");
    edge.gate.add_permits(1);
    assert!(running.await.unwrap());
    assert_eq!(edge.seen.printed(), "ana> change\n… Queued: the change\n✓ Done: the change\n");
}

#[tokio::test]
async fn the_result_tells_whether_a_line_failed() {
    for (input, expected) in [
        ("", true),
        ("read\n", true),
        ("approval\n", true),
        ("chat\n", true),
        ("unrecorded\n", true),
        ("/as ben\n", true),
        ("# a comment\n\n", true),
        ("refuse\n", false),
        ("fail\n", false),
        ("fail\nread\n", false),
        ("/nothing\n", false),
        ("/as\n", false),
        ("read\n/quit\nfail\n", true),
        ("fail\n/exit\n", false),
    ] {
        let (printed, well) = transcript(input).await;
        assert_eq!(well, expected, "{input:?}: {printed}");
    }
}

#[tokio::test]
async fn answers_that_come_with_the_receipt_are_printed() {
    let (printed, _) = transcript("chat\nrefuse\nunrecorded\n").await;
    insta::assert_snapshot!(printed);
}

#[tokio::test]
async fn lines_of_the_room_itself_change_who_speaks_and_where() {
    let edge = FakeEdge::new(OPEN);
    let script =
        "read\n/as ben\nread\n/room #ops\nread\n/as ana extra\n  # no line\n\n/room lobby\n  read  \r\n/quit\nread\n";
    assert!(run(ana(true), &edge, script.as_bytes()).await.unwrap());
    let expected = ["ana #lobby: read", "ben #lobby: read", "ben #ops: read", "ana #lobby: read"];
    assert_eq!(heard(&edge), expected);
    insta::assert_snapshot!(edge.seen.printed());
}

#[tokio::test]
async fn odd_lines_of_the_room_are_refused_with_a_next_step() {
    let edge = FakeEdge::new(OPEN);
    let long = format!("/as {}", "x".repeat(41));
    let lines = ["/nothing", "/as", "/as ../ben", "/as bén", &long, "/room", "/room #", "/room a/b", "//", "/AS ben"];
    assert!(!run(ana(true), &edge, lines.join("\n").as_bytes()).await.unwrap());
    assert_eq!(heard(&edge), Vec::<String>::new());
    insta::assert_snapshot!(edge.seen.printed());
}

#[tokio::test]
async fn nobody_switches_outside_the_playground() {
    let edge = FakeEdge::new(OPEN);
    assert!(!run(ana(false), &edge, &b"/as ben\nread\n/help\n"[..]).await.unwrap());
    assert_eq!(heard(&edge), ["ana #lobby: read"]);
    insta::assert_snapshot!(edge.seen.printed());
}

#[tokio::test]
async fn every_line_is_an_act_of_its_own_with_its_account_and_moment() {
    let edge = FakeEdge::new(OPEN);
    run(ana(true), &edge, &b"read\n# no line\nread\n"[..]).await.unwrap();
    let said = edge.seen.said.lock().unwrap();
    let keys: Vec<_> = said.iter().map(|said| said.key.0.as_str()).collect();
    assert_eq!(keys, ["console//line/session/1", "console//line/session/2"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&said[0]).unwrap());
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_and_the_next_is_taken() {
    for (length, fits) in [(8 * 1024 - 1, true), (8 * 1024, false), (8 * 1024 + 1, false), (100_000, false)] {
        let edge = FakeEdge::new(OPEN);
        let script = format!("{}\nread\n", "x".repeat(length));
        assert_eq!(run(ana(true), &edge, script.as_bytes()).await.unwrap(), fits, "{length}");
        assert_eq!(heard(&edge).last().unwrap(), "ana #lobby: read");
        assert_eq!(heard(&edge).len(), if fits { 2 } else { 1 }, "{length}");
        let refusal = "✗ Refused: A line has at most 8 KiB\n  Next: say less, or put a link in its place\nana> read\n";
        assert_eq!(edge.seen.printed().starts_with(refusal), !fits, "{length}: {}", edge.seen.printed());
    }
}

#[tokio::test]
async fn a_long_line_without_an_end_is_refused_once() {
    let (printed, well) = transcript("x".repeat(100_000)).await;
    assert!(!well);
    assert_eq!(printed.matches("Refused").count(), 1);
}

#[tokio::test]
async fn what_is_no_text_is_refused_and_the_next_line_is_taken() {
    let (printed, well) = transcript(b"read \xff\xfe\nread\n").await;
    assert!(!well);
    insta::assert_snapshot!(printed);
}

#[tokio::test]
async fn what_was_typed_is_printed_without_controls_and_heard_as_it_was() {
    let edge = FakeEdge::new(OPEN);
    run(ana(true), &edge, &b"say \x1b[2J\xe2\x80\xaehello\n"[..]).await.unwrap();
    assert!(edge.seen.printed().starts_with("ana> say [2Jhello\n"), "{:?}", edge.seen.printed());
    assert_eq!(heard(&edge), ["ana #lobby: say \u{1b}[2J\u{202e}hello"]);
}

/// Reads one line, then breaks.
struct Broken(&'static [u8]);

impl AsyncRead for Broken {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let bytes = std::mem::take(&mut self.0);
        if bytes.is_empty() {
            return Poll::Ready(Err(io::Error::other("the pipe is broken")));
        }
        buffer.put_slice(bytes);
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn an_input_that_breaks_is_an_error_after_what_it_gave() {
    let edge = FakeEdge::new(OPEN);
    assert!(run(ana(true), &edge, BufReader::new(Broken(b"read\n"))).await.is_err());
    assert_eq!(heard(&edge), ["ana #lobby: read"]);
}

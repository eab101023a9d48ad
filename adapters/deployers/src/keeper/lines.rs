//! Lines as services say them: of any length, in any bytes, with secrets in them that may go over several lines.

use std::io;

use andon_core::Redactor;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// The most bytes of a line that are looked at. More than are written, so that a secret at the cut is seen whole.
const LOOKED_AT: usize = 64 * 1024;
/// The most bytes of a line that are written.
const WRITTEN: usize = 16 * 1024;
/// The most lines of a private key. A mark without an end hides no more than these.
const KEY_LINES: usize = 200;
const MASK: &str = "[redacted]";

/// Reads the next line, of which no more than its beginning is held; tells how many bytes were left out, or nothing at the end.
pub(super) async fn next(reader: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let mut length = 0;
    loop {
        let bytes = reader.fill_buf().await?;
        if bytes.is_empty() {
            return Ok((length > 0).then(|| length - line.len()));
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let said = &bytes[..end.unwrap_or(bytes.len())];
        let room = LOOKED_AT - line.len();
        line.extend_from_slice(&said[..said.len().min(room)]);
        length += said.len();
        let used = end.map_or(bytes.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(length - line.len()));
        }
    }
}

/// Takes the secrets out of the lines of one stream.
#[derive(Default)]
pub(super) struct Cleaner {
    /// Lines of a private key that may still come.
    key_lines: usize,
}

impl Cleaner {
    /// A line as it is written. `left_out` are the bytes beyond those that are here.
    pub(super) fn clean(&mut self, redactor: &Redactor, bytes: &[u8], left_out: usize) -> String {
        let line = String::from_utf8_lossy(bytes);
        let mut text = self.redact(redactor, line.trim_end());
        let mut kept = text.len().min(WRITTEN);
        while !text.is_char_boundary(kept) {
            kept -= 1;
        }
        let left_out = left_out + text.len() - kept;
        text.truncate(kept);
        if left_out > 0 {
            text.push_str(&format!(" [{left_out} more bytes]"));
        }
        text
    }

    fn redact(&mut self, redactor: &Redactor, line: &str) -> String {
        if self.key_lines == 0 {
            if opens_key(line) {
                self.key_lines = KEY_LINES;
            }
            return redactor.redact(line);
        }
        let Some((_, rest)) = line.split_once("-----END ") else {
            self.key_lines -= 1;
            return MASK.to_owned();
        };
        self.key_lines = 0;
        let rest = rest.split_once("-----").map_or("", |(_, rest)| rest);
        let rest = self.redact(redactor, rest);
        format!("{MASK}{rest}")
    }
}

/// Whether a private key begins and does not end in a line.
fn opens_key(line: &str) -> bool {
    line.rsplit_once("-----BEGIN ").is_some_and(|(_, rest)| {
        rest.split_once("-----").is_some_and(|(name, _)| name.ends_with("PRIVATE KEY")) && !rest.contains("-----END ")
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    async fn cleaned(said: &[u8], redactor: &Redactor) -> Vec<String> {
        let (mut reader, mut cleaner, mut lines) = (BufReader::new(said), Cleaner::default(), Vec::new());
        let mut line = Vec::new();
        while let Some(left_out) = next(&mut reader, &mut line).await.unwrap() {
            lines.push(cleaner.clean(redactor, &line, left_out));
            line.clear();
        }
        lines
    }

    #[tokio::test]
    async fn lines_are_told_apart_and_need_no_end() {
        assert_eq!(cleaned(b"a\n\nb\r\nc", &Redactor::default()).await, ["a", "", "b", "c"]);
        assert!(cleaned(b"", &Redactor::default()).await.is_empty());
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_written_as_such() {
        assert_eq!(cleaned(b"a\xff\xfeb\x00\n", &Redactor::default()).await, ["a\u{fffd}\u{fffd}b\0"]);
    }

    #[tokio::test]
    async fn a_huge_line_is_one_line_that_is_cut() {
        let mut said = vec![b'x'; 1 << 20];
        said.extend(b"\nnext");
        let lines = cleaned(&said, &Redactor::default()).await;
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() < WRITTEN + 40, "{}", lines[0].len());
        assert!(lines[0].ends_with(&format!(" [{} more bytes]", (1 << 20) - WRITTEN)));
        assert_eq!(lines[1], "next");
    }

    #[tokio::test]
    async fn a_secret_at_a_cut_is_seen_whole() {
        let secret = format!("ghp_{}", "a".repeat(36));
        for before in [WRITTEN - 10, WRITTEN - 41, LOOKED_AT - 10, 8 * 1024 - 10] {
            let said = format!("{} {secret} {}", "x".repeat(before), "y".repeat(1 << 17));
            let lines = cleaned(said.as_bytes(), &Redactor::default()).await;
            assert!(!lines[0].contains("ghp_"), "{before}");
        }
    }

    #[tokio::test]
    async fn a_private_key_over_several_lines_is_hidden_and_no_more_than_it() {
        let word = "PRIVATE";
        let said = format!("a\nb -----BEGIN RSA {word} KEY-----\nMIIE\n\nqq==\n-----END RSA {word} KEY----- c\nd\n");
        let lines = cleaned(said.as_bytes(), &Redactor::default()).await;
        assert_eq!(lines, ["a", "b [redacted]", MASK, MASK, MASK, "[redacted] c", "d"]);
        let endless = format!("-----BEGIN {word} KEY-----\n{}", "x\n".repeat(KEY_LINES + 1));
        assert_eq!(cleaned(endless.as_bytes(), &Redactor::default()).await.last().unwrap(), "x");
    }

    #[tokio::test]
    async fn configured_patterns_are_obeyed() {
        let redactor = Redactor::new(&["CUST-\\d+".to_owned()]).unwrap();
        assert_eq!(cleaned(b"for CUST-1234 now", &redactor).await, ["for [redacted] now"]);
    }
}

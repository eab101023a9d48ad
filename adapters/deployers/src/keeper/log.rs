//! Services' logs: JSON lines, redacted before they are written, in files that are rotated.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::{Clock, Redactor};
use serde_json::json;
use tokio::io::{AsyncRead, BufReader};

use super::lines::{self, Cleaner};
use super::private;

/// A file's size at which the next one begins.
const FILE_LIMIT: u64 = 4 << 20;
/// Old files that are kept.
const KEPT: u32 = 3;
/// Lines that are remembered, to be shown where a release fails.
const REMEMBERED: usize = 20;
/// The most characters of a line that are remembered.
const REMEMBERED_LINE: usize = 500;

/// The log of one target.
pub(super) struct Log {
    path: PathBuf,
    redactor: Mutex<Arc<Redactor>>,
    clock: Arc<dyn Clock>,
    limit: u64,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    file: Option<(File, u64)>,
}

/// The last lines of one instance.
pub(super) type Tail = Arc<Mutex<VecDeque<String>>>;

impl Log {
    pub(super) fn new(path: PathBuf, redactor: Arc<Redactor>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let redactor = Mutex::new(redactor);
        Arc::new(Self { path, redactor, clock, limit: FILE_LIMIT, written: Mutex::default() })
    }

    /// From now on, secrets are what this redactor finds.
    pub(super) fn redact_by(&self, redactor: Arc<Redactor>) {
        *self.redactor.lock().unwrap_or_else(PoisonError::into_inner) = redactor;
    }

    /// Writes what an instance says until it ends.
    pub(super) async fn follow(
        self: Arc<Self>,
        output: impl AsyncRead + Unpin,
        stream: &'static str,
        version: String,
        tail: Tail,
    ) {
        let (mut reader, mut cleaner, mut bytes) = (BufReader::new(output), Cleaner::default(), Vec::new());
        while let Ok(Some(left_out)) = lines::next(&mut reader, &mut bytes).await {
            let redactor = Arc::clone(&self.redactor.lock().unwrap_or_else(PoisonError::into_inner));
            let line = cleaner.clean(&redactor, &bytes, left_out);
            bytes.clear();
            {
                let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
                if tail.len() == REMEMBERED {
                    tail.pop_front();
                }
                tail.push_back(line.chars().take(REMEMBERED_LINE).collect());
            }
            self.write(&json!({ "time": self.clock.now(), "stream": stream, "version": version, "line": line }));
        }
    }

    /// Writes something of the keeper's own.
    pub(super) fn note(&self, text: &str) {
        self.write(&json!({ "time": self.clock.now(), "stream": "keeper", "line": text }));
    }

    fn write(&self, value: &serde_json::Value) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // A service is not stopped because its log cannot be written; the keeper's own log says so.
        if let Err(error) = self.append(&mut written, &format!("{value}\n")) {
            tracing::warn!(%error, path = %self.path.display(), "a service's log cannot be written");
        }
    }

    fn append(&self, written: &mut Written, line: &str) -> io::Result<()> {
        let (mut file, mut size) = match written.file.take() {
            Some(open) => open,
            None => self.open()?,
        };
        if size > 0 && size + line.len() as u64 > self.limit {
            match self.rotate() {
                Ok(()) => (file, size) = self.open()?,
                // A file that grows too large is better than lines that are lost.
                Err(error) => tracing::warn!(%error, path = %self.path.display(), "a service's log cannot be rotated"),
            }
        }
        file.write_all(line.as_bytes())?;
        written.file = Some((file, size + line.len() as u64));
        Ok(())
    }

    fn open(&self) -> io::Result<(File, u64)> {
        if let Some(folder) = self.path.parent() {
            private::folder(folder)?;
        }
        let file = private::options().append(true).open(&self.path)?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }

    /// Every file goes one further; what was the last one is gone.
    fn rotate(&self) -> io::Result<()> {
        for old in (1..KEPT).rev() {
            match std::fs::rename(self.numbered(old), self.numbered(old + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(&self.path, self.numbered(1))
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.path.with_extension(format!("jsonl.{number}"))
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use jiff::Timestamp;

    use super::*;

    struct Still;

    #[async_trait]
    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        async fn sleep_until(&self, _: Timestamp) {}
    }

    #[tokio::test]
    async fn files_are_bounded_in_size_and_number_and_the_newest_lines_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("service.jsonl");
        let open = || Log {
            path: path.clone(),
            redactor: Mutex::default(),
            clock: Arc::new(Still),
            limit: 2_000,
            written: Mutex::default(),
        };
        // A log goes on where the keeper before left it.
        for half in [0..50, 50..100] {
            let said: String = half.map(|number| format!("line {number} {}\n", "x".repeat(100))).collect();
            Arc::new(open()).follow(said.as_bytes(), "stdout", "v1".to_owned(), Tail::default()).await;
        }
        let mut files: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["service.jsonl", "service.jsonl.1", "service.jsonl.2", "service.jsonl.3"]);
        let mut lines = Vec::new();
        for name in files.iter().skip(1).rev().chain(files.first()) {
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(text.len() <= 2_000, "{name:?} has {} bytes", text.len());
            for line in text.lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                lines.push(line["line"].as_str().unwrap().split(' ').nth(1).unwrap().parse::<usize>().unwrap());
            }
        }
        assert!(lines.len() > 30, "{lines:?}");
        assert_eq!(lines, (100 - lines.len()..100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_line_is_written_where_files_cannot_be_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.jsonl");
        // Something that no file can be moved to.
        std::fs::create_dir_all(folder.path().join("s.jsonl.1/inside")).unwrap();
        std::fs::create_dir_all(folder.path().join("s.jsonl.2/inside")).unwrap();
        std::fs::write(folder.path().join("s.jsonl.3"), "").unwrap();
        let (redactor, clock) = (Mutex::default(), Arc::new(Still));
        let log = Log { path: path.clone(), redactor, clock, limit: 100, written: Mutex::default() };
        for number in 0..5 {
            log.note(&format!("line {number} {}", "x".repeat(80)));
        }
        assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 5);
    }

    #[tokio::test]
    async fn a_line_longer_than_a_file_has_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log {
            path: folder.path().join("s.jsonl"),
            redactor: Mutex::default(),
            clock: Arc::new(Still),
            limit: 100,
            written: Mutex::default(),
        };
        for _ in 0..10 {
            log.note(&"x".repeat(500));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    }
}

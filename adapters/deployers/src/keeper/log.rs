//! Services' logs: JSON lines, redacted before they are written, in files that are rotated.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::{Clock, Redactor};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

/// A file's size at which the next one begins.
const FILE_LIMIT: u64 = 4 << 20;
/// Old files that are kept.
const KEPT: u32 = 3;
/// The most bytes of a line.
const LINE_LIMIT: u64 = 8 * 1024;
/// Lines that are remembered, to be shown where a release fails.
const REMEMBERED: usize = 20;

/// The log of one target.
pub(super) struct Log {
    path: PathBuf,
    redactor: Arc<Redactor>,
    clock: Arc<dyn Clock>,
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
        Arc::new(Self { path, redactor, clock, written: Mutex::default() })
    }

    /// Writes what an instance says until it ends.
    pub(super) async fn follow(
        self: Arc<Self>,
        output: impl AsyncRead + Unpin,
        stream: &'static str,
        version: String,
        tail: Tail,
    ) {
        let mut reader = BufReader::new(output);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            match (&mut reader).take(LINE_LIMIT).read_until(b'\n', &mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let line = self.redactor.redact(String::from_utf8_lossy(&bytes).trim_end());
            {
                let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
                if tail.len() == REMEMBERED {
                    tail.pop_front();
                }
                tail.push_back(line.clone());
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

    fn append(&self, written: &mut Written, line: &str) -> std::io::Result<()> {
        if written.file.as_ref().is_some_and(|(_, size)| *size + line.len() as u64 > FILE_LIMIT) {
            written.file = None;
            for old in (1..KEPT).rev() {
                let _ = std::fs::rename(self.numbered(old), self.numbered(old + 1));
            }
            std::fs::rename(&self.path, self.numbered(1))?;
        }
        let (file, size) = match &mut written.file {
            Some(open) => open,
            none => {
                if let Some(folder) = self.path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
                let size = file.metadata()?.len();
                none.insert((file, size))
            }
        };
        file.write_all(line.as_bytes())?;
        *size += line.len() as u64;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.path.with_extension(format!("jsonl.{number}"))
    }
}

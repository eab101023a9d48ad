//! Finds and reads the files of a configuration.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::problem::{Mismatch, Position, Problems};

/// The most bytes that a file of a configuration may have: 1 MiB.
pub const LARGEST_FILE: u64 = 1024 * 1024;
/// The most files that a configuration may have, of each kind.
pub const MOST_FILES: usize = 200;
/// The bytes from which on a line is too long for columns in characters.
const LONG_LINE: usize = 4096;

/// A text and the name by which problems point at it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: Arc<str>,
    pub(super) text: String,
}

/// Reads `path`: a file, or all `*.toml` of a folder by name, hidden ones left out.
pub(super) fn configuration(path: &Path, problems: &mut Problems) -> Vec<Source> {
    if !path.is_dir() {
        return read(path, problems).into_iter().collect();
    }
    let files = listed(path, "toml", problems);
    if files.is_empty() && problems.is_empty() {
        problems.add(&whole(path), "the folder holds no *.toml");
    }
    files.iter().filter_map(|file| read(file, problems)).collect()
}

/// Reads `policies/*.cedar` beside the configuration, by file name.
pub(super) fn policies(configuration: &Path, problems: &mut Problems) -> Vec<(String, String)> {
    let folder = if configuration.is_dir() { configuration } else { configuration.parent().unwrap_or(configuration) };
    let folder = folder.join("policies");
    if !folder.is_dir() {
        return Vec::new();
    }
    let files = listed(&folder, "cedar", problems);
    files.iter().filter_map(|file| Some((file_name(file), read(file, problems)?.text))).collect()
}

fn listed(folder: &Path, extension: &str, problems: &mut Problems) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut files: Vec<PathBuf> = match entries {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
        Err(error) => {
            problems.add(&whole(folder), format!("the folder cannot be read: {error}"));
            return Vec::new();
        }
    };
    files.retain(|file| file.extension().is_some_and(|found| found == extension) && !file_name(file).starts_with('.'));
    files.sort();
    if files.len() > MOST_FILES {
        let message = format!("the folder holds {} *.{extension}; at most {MOST_FILES} are read", files.len());
        problems.add(&whole(folder), message);
        files.clear();
    }
    files
}

fn read(path: &Path, problems: &mut Problems) -> Option<Source> {
    let name = shown(path);
    match bytes(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Some(Source { name, text }),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(&error.as_bytes()[..valid]);
                problems.add(&Lines::new(&name, &text).position(valid), "the file is not UTF-8 text");
                None
            }
        },
        Err(mismatch) => {
            problems.add(&Position::whole(&name), mismatch);
            None
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Mismatch> {
    let unreadable = |error: std::io::Error| Mismatch::new(format!("the file cannot be read: {error}"));
    // Asked before opening: opening a pipe would wait for its writer for ever.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("this is not a file".into());
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err("the file is larger than 1 MiB".into());
    }
    Ok(bytes)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn shown(path: &Path) -> Arc<str> {
    path.to_string_lossy().chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>().into()
}

fn whole(path: &Path) -> Position {
    Position::whole(&shown(path))
}

/// Turns byte offsets of a text into lines and columns.
pub(super) struct Lines<'a> {
    name: Arc<str>,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of `text`.
    pub(super) fn new(name: &Arc<str>, text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: Arc::clone(name), text, starts }
    }

    /// The place of the byte at `offset`.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.line_start(line);
        let before = self.text.as_bytes().get(start..offset.min(self.text.len())).unwrap_or_default();
        // In a line that nobody can read, bytes will do: counting characters for each of its values would take for ever.
        let column = match before.len() {
            0..LONG_LINE => String::from_utf8_lossy(before).chars().count() + 1,
            long => long + 1,
        };
        Position { file: Arc::clone(&self.name), line, column }
    }

    /// The offset at which `line`, counted from 1, begins.
    pub(super) fn line_start(&self, line: usize) -> usize {
        line.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or(0)
    }
}

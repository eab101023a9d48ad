//! Archives of artifacts, read as something that an enemy may have written: nothing of them is believed, and nothing of them is without bound.

use std::cell::Cell;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use super::artifact::{ArtifactError, BYTES, ENTRIES, Entry, Visit, bad, open_plain};

/// The most bytes between two files: headers, long names, padding, and the end of the archive.
const BETWEEN: u64 = 1 << 20;
const ENDLESS: &str = "it holds more than it says";

/// Counts what may still be unpacked, so that neither a long name nor a trailer can fill the memory or go on for ever.
struct Bounded<R> {
    from: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64).ok_or_else(|| io::Error::other(ENDLESS))?;
        self.left.set(left);
        Ok(count)
    }
}

/// Shows every file of a `.tar.gz`.
pub(super) fn walk(archive: &Path, visit: Visit<'_>) -> Result<(), ArtifactError> {
    walk_entries(archive, visit).map_err(|error| match error {
        ArtifactError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => bad("the archive is cut off"),
        ArtifactError::Io(error) => bad(format!("the archive is damaged: {error}")),
        other => other,
    })
}

fn walk_entries(archive: &Path, visit: Visit<'_>) -> Result<(), ArtifactError> {
    let file = open_plain(archive)?.ok_or_else(|| bad("the archive is a link, a device or a pipe"))?;
    let left = Rc::new(Cell::new(BETWEEN));
    let from = MultiGzDecoder::new(io::BufReader::new(file));
    let mut tar = tar::Archive::new(Bounded { from, left: Rc::clone(&left) });
    for (number, entry) in tar.entries()?.enumerate() {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if number >= 2 * ENTRIES {
            return Err(bad(format!("it holds more than {ENTRIES} files and as many folders")));
        }
        left.set(BETWEEN);
        // What `git archive` says of the whole; it is read over, within the bound.
        if kind.is_pax_global_extensions() {
            continue;
        }
        if kind.is_dir() {
            if !is_root(&entry.path()?) {
                inner_path(&entry.path()?)?;
            }
            continue;
        }
        let path = inner_path(&entry.path()?)?;
        if !kind.is_file() {
            return Err(bad(format!("{path:?} is a link, a device or a pipe")));
        }
        let size = entry.size();
        if size > BYTES {
            return Err(bad("it holds more than 1 GiB"));
        }
        left.set(size + BETWEEN);
        let executable = entry.header().mode()? & 0o111 != 0;
        let mut content = Whole { from: &mut entry, left: size };
        visit(&Entry { path, executable }, &mut content)?;
        left.set(BETWEEN);
    }
    // To the very end, where the checksum is.
    io::copy(&mut tar.into_inner(), &mut io::sink())?;
    Ok(())
}

/// A file's content, all of it or an error.
struct Whole<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}

/// Whether it is the folder itself, which many archives begin with.
fn is_root(path: &Path) -> bool {
    path.components().all(|part| part == Component::CurDir)
}

/// A path that stays inside.
fn inner_path(path: &Path) -> Result<PathBuf, ArtifactError> {
    let mut inner = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => inner.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(bad(format!("{path:?} leads outside")));
            }
        }
    }
    if inner.as_os_str().is_empty() {
        return Err(bad("it holds a file without a name"));
    }
    Ok(inner)
}

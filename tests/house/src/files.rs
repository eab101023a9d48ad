//! The files of the repository, read once.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Folders that are not part of the repository: its history, and what builds and runs leave behind.
const LEFT_OUT: &[&str] = &[".git", "target", "andon-data"];

/// A file of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path from the root of the repository, with forward slashes.
    pub path: String,
    /// Its text; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl SourceFile {
    /// A file, for fixtures.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The part of the path after the last slash.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The root of the repository that this crate was built in.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All files under `root`, sorted by path, without history and build results. Symbolic links are not followed.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn all(root: &Path) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    collect(root, "", &mut files)?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !LEFT_OUT.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
            files.push(SourceFile { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{SourceFile, all};

    #[test]
    fn history_and_build_results_are_left_out() -> std::io::Result<()> {
        let root = tempfile::tempdir()?;
        for folder in [".git", "target/debug", "bot/core"] {
            fs::create_dir_all(root.path().join(folder))?;
            fs::write(root.path().join(folder).join("x.rs"), "text")?;
        }
        assert_eq!(all(root.path())?, [SourceFile::new("bot/core/x.rs", "text")]);
        Ok(())
    }
}

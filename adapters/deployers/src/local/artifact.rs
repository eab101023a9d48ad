//! Artifacts: folders or `.tar.gz` files, known by the digest of their content. Whatever could reach outside its folder is refused before
//! anything changes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use andon_core::{Artifact, Digest, Version};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{MANIFEST, Manifest, archive};
use crate::keeper::releases::untouched;

/// The most files of an artifact.
pub(super) const ENTRIES: usize = 10_000;
/// The most bytes of an artifact, unpacked; counted while reading, whatever headers say.
pub(super) const BYTES: u64 = 1 << 30;

/// The most bytes of a manifest that are read.
const MANIFEST_BYTES: u64 = 64 * 1024;

/// Why an artifact is refused.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// There is none of that name.
    #[error("there is no such version")]
    Missing,
    /// It must not be run.
    #[error("{0}")]
    Bad(String),
    /// It cannot be read or unpacked.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

pub(super) fn bad(reason: impl Into<String>) -> ArtifactError {
    ArtifactError::Bad(reason.into())
}

/// The places where a version can lie: a folder, or an archive.
enum Source {
    Folder(PathBuf),
    Archive(PathBuf),
}

fn source(artifacts: &Path, version: &Version) -> Result<Source, ArtifactError> {
    let folder = artifacts.join(version.as_str());
    let archive = artifacts.join(format!("{version}.tar.gz"));
    if fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
        Ok(Source::Folder(folder))
    } else if fs::symlink_metadata(&archive).is_ok_and(|found| found.is_file()) {
        Ok(Source::Archive(archive))
    } else {
        Err(ArtifactError::Missing)
    }
}

/// The versions that lie in a folder, the most recently changed first.
///
/// # Errors
/// The folder cannot be read.
pub fn versions(artifacts: &Path) -> io::Result<Vec<(Version, std::time::SystemTime)>> {
    let mut versions = BTreeMap::new();
    for entry in fs::read_dir(artifacts)? {
        let entry = entry?;
        let (name, found) = (entry.file_name(), entry.metadata()?);
        let Some(name) = name.to_str() else { continue };
        let name = if found.is_dir() { Some(name) } else { name.strip_suffix(".tar.gz") };
        if let Some(Ok(version)) = name.map(str::parse::<Version>) {
            versions.insert(version, found.modified()?);
        }
    }
    let mut versions: Vec<_> = versions.into_iter().collect();
    versions.sort_by(|(a, made_a), (b, made_b)| made_b.cmp(made_a).then_with(|| b.cmp(a)));
    Ok(versions)
}

/// Reads and checks a version, and says what it is.
///
/// # Errors
/// See [`ArtifactError`].
pub fn resolve(artifacts: &Path, version: &Version) -> Result<Artifact, ArtifactError> {
    let (mut listing, mut manifest) = (Listing::default(), Vec::new());
    walk(&source(artifacts, version)?, &mut |entry, content| {
        if entry.path != Path::new(MANIFEST) {
            return listing.add(entry, content);
        }
        manifest.clear();
        content.take(MANIFEST_BYTES).read_to_end(&mut manifest)?;
        listing.add(entry, &mut manifest.as_slice().chain(content))
    })?;
    let digest = listing.digest()?;
    let text = String::from_utf8(manifest).map_err(|_| bad(format!("{MANIFEST} is not UTF-8")))?;
    Manifest::read(&text).map_err(bad)?;
    match fs::read_to_string(artifacts.join(format!("{version}.sha256"))) {
        Ok(expected) => {
            let expected = expected.split_whitespace().next().unwrap_or_default();
            if expected != digest.to_string() {
                return Err(bad(format!("its digest is {digest}, and {version}.sha256 says {expected}")));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // A promise that cannot be read is not one that was kept.
        Err(error) => return Err(bad(format!("{version}.sha256 cannot be read: {error}"))),
    }
    Ok(Artifact { version: version.clone(), digest })
}

/// Unpacks a version into `releases/<digest>`, once; what is there already is never changed.
///
/// # Errors
/// See [`ArtifactError`]; also where its digest is no longer the one that was approved, or a release that is there was changed.
pub fn unpack(artifacts: &Path, artifact: &Artifact, releases: &Path) -> Result<PathBuf, ArtifactError> {
    let release = releases.join(artifact.digest.to_string());
    if release.is_dir() {
        let mut listing = Listing::default();
        walk_folder(&release, Path::new(""), &mut |entry, content| listing.add(entry, content))?;
        if listing.digest().ok() != Some(artifact.digest) {
            return Err(bad(format!("its release was changed after it was unpacked; remove {}", release.display())));
        }
        return Ok(release);
    }
    let fresh = releases.join(format!("{}.new", artifact.digest));
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    // Whoever a service runs as may pass through, and list nothing.
    fs::DirBuilder::new().recursive(true).mode(0o711).create(releases)?;
    fs::create_dir(&fresh)?;
    if let Err(error) = unpack_into(&fresh, artifacts, artifact) {
        fs::remove_dir_all(&fresh)?;
        return Err(error);
    }
    fs::rename(&fresh, &release)?;
    fs::File::open(releases)?.sync_all()?;
    Ok(release)
}

fn unpack_into(fresh: &Path, artifacts: &Path, artifact: &Artifact) -> Result<(), ArtifactError> {
    let mut listing = Listing::default();
    walk(&source(artifacts, &artifact.version)?, &mut |entry, content| {
        let path = fresh.join(&entry.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = fs::File::create_new(&path)?;
        let mut both = Tee { from: content, to: &mut file };
        listing.add(entry, &mut both)?;
        file.sync_all()?;
        let mode = if entry.executable { 0o555 } else { 0o444 };
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(mode))?)
    })?;
    if listing.digest()? != artifact.digest {
        return Err(bad("its content is no longer what was approved"));
    }
    settle_folders(fresh)?;
    untouched(fresh)?;
    Ok(())
}

/// Makes a release's folders readable for whoever it runs as, and durable.
fn settle_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            settle_folders(&entry.path())?;
        }
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    fs::File::open(folder)?.sync_all()
}

/// A file of an artifact.
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) executable: bool,
}

/// Hashes what passes through.
#[derive(Default)]
struct Listing {
    files: BTreeMap<String, (bool, u64, [u8; 32])>,
    bytes: u64,
}

impl Listing {
    fn add(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), ArtifactError> {
        let (mut hash, mut size, mut buffer) = (Sha256::new(), 0u64, [0u8; 64 * 1024]);
        loop {
            let count = content.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            size += count as u64;
            if self.bytes + size > BYTES {
                return Err(bad("it holds more than 1 GiB"));
            }
            hash.update(&buffer[..count]);
        }
        self.bytes += size;
        let name = entry.path.to_str().ok_or_else(|| bad("a file's name is not UTF-8"))?.to_owned();
        if self.files.len() >= ENTRIES {
            return Err(bad(format!("it holds more than {ENTRIES} files")));
        }
        if self.files.insert(name.clone(), (entry.executable, size, hash.finalize().into())).is_some() {
            return Err(bad(format!("it holds {name:?} twice")));
        }
        Ok(())
    }

    /// `SHA-256` over a sorted listing: the same for a folder and an archive of it.
    fn digest(&self) -> Result<Digest, ArtifactError> {
        if !self.files.contains_key(MANIFEST) {
            return Err(bad(format!("it has no {}", MANIFEST)));
        }
        for name in self.files.keys() {
            let above = Path::new(name).ancestors().skip(1).filter_map(Path::to_str);
            if let Some(file) = above.into_iter().find(|folder| self.files.contains_key(*folder)) {
                return Err(bad(format!("it holds {file:?} both as a file and as a folder")));
            }
        }
        let mut text = "andon artifact v1\n".to_owned();
        for (name, (executable, size, hash)) in &self.files {
            let mode = if *executable { 'x' } else { '-' };
            text.push_str(&format!("{mode} {size} {} {name:?}\n", hex::encode(hash)));
        }
        Ok(Digest::of(text))
    }
}

struct Tee<'a> {
    from: &'a mut dyn Read,
    to: &'a mut fs::File,
}

impl Read for Tee<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        io::Write::write_all(self.to, &buffer[..count])?;
        Ok(count)
    }
}

pub(super) type Visit<'a> = &'a mut dyn FnMut(&Entry, &mut dyn Read) -> Result<(), ArtifactError>;

fn walk(source: &Source, visit: Visit<'_>) -> Result<(), ArtifactError> {
    match source {
        Source::Folder(folder) => walk_folder(folder, Path::new(""), visit),
        Source::Archive(archive) => archive::walk(archive, visit),
    }
}

fn walk_folder(root: &Path, inside: &Path, visit: Visit<'_>) -> Result<(), ArtifactError> {
    for entry in fs::read_dir(root.join(inside))? {
        let entry = entry?;
        let path = inside.join(entry.file_name());
        if fs::symlink_metadata(entry.path())?.is_dir() {
            walk_folder(root, &path, visit)?;
            continue;
        }
        let Some(mut file) = open_plain(&entry.path())? else {
            return Err(bad(format!("{path:?} is a link, a device or a pipe")));
        };
        let executable = file.metadata()?.permissions().mode() & 0o111 != 0;
        visit(&Entry { path, executable }, &mut file)?;
    }
    Ok(())
}

/// Opens a plain file. What it is, is asked of what was opened: between a look and an opening it could be changed. Nothing where it is
/// something else, none of which is waited for.
pub(super) fn open_plain(path: &Path) -> io::Result<Option<fs::File>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => {
            let file = fs::File::from(file);
            Ok(file.metadata()?.is_file().then_some(file))
        }
        // A link, or a device that has nothing behind it.
        Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version() -> Version {
        "v1".parse().unwrap()
    }

    fn archive(folder: &Path, build: impl FnOnce(&mut tar::Builder<flate2::write::GzEncoder<fs::File>>)) {
        let file = fs::File::create(folder.join("v1.tar.gz")).unwrap();
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()));
        build(&mut tar);
        tar.into_inner().unwrap().finish().unwrap();
    }

    fn file(tar: &mut tar::Builder<flate2::write::GzEncoder<fs::File>>, name: &str, kind: tar::EntryType) {
        let content: &[u8] = if name.ends_with("andon.toml") { b"argv = [\"x\"]" } else { b"x" };
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(kind);
        // Written raw, as an attacker would: the library refuses to write such names itself.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if kind.is_symlink() {
            header.set_size(0);
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, if kind.is_symlink() { b"" } else { content }).unwrap();
    }

    #[test]
    fn a_folder_and_its_archive_have_one_digest() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(a.path().join("v1")).unwrap();
        fs::write(a.path().join("v1/andon.toml"), "argv = [\"x\"]").unwrap();
        archive(b.path(), |tar| file(tar, "./andon.toml", tar::EntryType::Regular));
        let (a, b) = (resolve(a.path(), &version()).unwrap(), resolve(b.path(), &version()).unwrap());
        assert_eq!(a, b);
    }

    #[test]
    fn what_could_reach_outside_is_refused() {
        for (name, kind, reason) in [
            ("../evil", tar::EntryType::Regular, "outside"),
            ("/etc/evil", tar::EntryType::Regular, "outside"),
            ("link", tar::EntryType::Symlink, "link"),
            ("pipe", tar::EntryType::Fifo, "pipe"),
            ("disk", tar::EntryType::Block, "device"),
            ("andon.toml", tar::EntryType::Regular, "twice"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            archive(folder.path(), |tar| {
                file(tar, "andon.toml", tar::EntryType::Regular);
                file(tar, name, kind);
            });
            let error = resolve(folder.path(), &version()).unwrap_err().to_string();
            assert!(error.contains(reason), "{name}: {error}");
        }
    }

    #[test]
    fn another_digest_than_promised_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        archive(folder.path(), |tar| file(tar, "andon.toml", tar::EntryType::Regular));
        fs::write(folder.path().join("v1.sha256"), "00\n").unwrap();
        assert!(resolve(folder.path(), &version()).unwrap_err().to_string().contains("v1.sha256"));
    }

    #[test]
    fn a_release_is_unpacked_once_and_only_as_approved() {
        let folder = tempfile::tempdir().unwrap();
        let releases = folder.path().join("releases");
        archive(folder.path(), |tar| file(tar, "andon.toml", tar::EntryType::Regular));
        let artifact = resolve(folder.path(), &version()).unwrap();
        archive(folder.path(), |tar| {
            file(tar, "andon.toml", tar::EntryType::Regular);
            file(tar, "more", tar::EntryType::Regular);
        });
        assert!(unpack(folder.path(), &artifact, &releases).is_err());
        let artifact = resolve(folder.path(), &version()).unwrap();
        let release = unpack(folder.path(), &artifact, &releases).unwrap();
        assert_eq!(release, unpack(folder.path(), &artifact, &releases).unwrap());
        assert!(fs::metadata(release.join("more")).unwrap().permissions().readonly());
        // What was changed after it was unpacked is never run again.
        fs::remove_file(release.join("more")).unwrap();
        fs::write(release.join("more"), "else").unwrap();
        let refused = unpack(folder.path(), &artifact, &releases).unwrap_err().to_string();
        assert!(refused.contains("was changed after it was unpacked"), "{refused}");
    }

    #[test]
    fn a_release_can_be_read_by_whoever_it_runs_as_and_its_surroundings_only_passed_through() {
        let folder = tempfile::tempdir().unwrap();
        archive(folder.path(), |tar| {
            file(tar, "andon.toml", tar::EntryType::Regular);
            file(tar, "inside/more", tar::EntryType::Regular);
        });
        let artifact = resolve(folder.path(), &version()).unwrap();
        let releases = folder.path().join("releases/hello/staging");
        let release = unpack(folder.path(), &artifact, &releases).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(["", "inside", "inside/more"].map(|path| mode(&release.join(path))), [0o755, 0o755, 0o444]);
        assert_eq!(mode(&releases) & !0o711, 0, "no more than to pass through");
    }

    #[test]
    fn a_manifest_that_cannot_be_run_is_refused_before_anybody_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("v1")).unwrap();
        fs::write(folder.path().join("v1/andon.toml"), "argv = []").unwrap();
        let refused = resolve(folder.path(), &version()).unwrap_err().to_string();
        assert_eq!(refused, "andon.toml: argv is empty");
    }

    #[test]
    fn a_link_in_a_folder_is_not_followed_and_a_pipe_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, "x").unwrap();
        std::os::unix::fs::symlink(&plain, folder.path().join("link")).unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(open_plain(&plain).unwrap().is_some());
        for other in ["link", "pipe"] {
            assert!(open_plain(&folder.path().join(other)).unwrap().is_none(), "{other}");
        }
    }
}

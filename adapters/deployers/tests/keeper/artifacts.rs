//! Hostile archives: each is refused before anything changes.

use std::fs;
use std::io::{self, Read, Write as _};
use std::path::Path;

use andon_core::ports::{Deployer as _, DeployerError};
use andon_deployers::local::artifact::{resolve, unpack};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::EntryType;

use crate::stage::{Stage, target};

type Builder = tar::Builder<GzEncoder<fs::File>>;
/// Name of the case, what is in the archive besides its manifest, what is said of it.
type Case = (&'static str, fn(&mut Builder), &'static str);

/// Written raw, as an enemy would: the library refuses to write most of this itself.
fn raw(tar: &mut Builder, name: &str, kind: EntryType, size: u64, content: impl Read) {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("../../../etc/passwd").unwrap();
    }
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

fn file(tar: &mut Builder, name: &str) {
    raw(tar, name, EntryType::Regular, 1, &b"x"[..]);
}

fn special(tar: &mut Builder, kind: EntryType) {
    raw(tar, "special", kind, 0, io::empty());
}

const CASES: [Case; 19] = [
    ("a path outside", |tar| file(tar, "../evil"), "\"../evil\" leads outside"),
    ("a path that goes in and out", |tar| file(tar, "a/../../evil"), "leads outside"),
    ("an absolute path", |tar| file(tar, "/etc/evil"), "\"/etc/evil\" leads outside"),
    ("a folder outside", |tar| raw(tar, "../evil/", EntryType::Directory, 0, io::empty()), "leads outside"),
    ("no name", |tar| file(tar, "."), "without a name"),
    ("a symlink", |tar| special(tar, EntryType::Symlink), "\"special\" is a link, a device or a pipe"),
    ("a hard link", |tar| special(tar, EntryType::Link), "is a link, a device or a pipe"),
    ("a character device", |tar| special(tar, EntryType::Char), "is a link, a device or a pipe"),
    ("a block device", |tar| special(tar, EntryType::Block), "is a link, a device or a pipe"),
    ("a fifo", |tar| special(tar, EntryType::Fifo), "is a link, a device or a pipe"),
    ("an unknown kind", |tar| special(tar, EntryType::new(b'Z')), "is a link, a device or a pipe"),
    ("the same file twice", |tar| file(tar, "./andon.toml"), "\"andon.toml\" twice"),
    (
        "a file that is a folder too",
        |tar| {
            file(tar, "a");
            file(tar, "a/b");
        },
        "\"a\" both as a file and as a folder",
    ),
    ("a size that cannot be", |tar| raw(tar, "big", EntryType::Regular, 1 << 40, &b"x"[..]), "more than 1 GiB"),
    ("less than it says", |tar| raw(tar, "short", EntryType::Regular, 1 << 20, &b"x"[..]), "cut off"),
    (
        "a bomb",
        |tar| {
            // Two files, each within the bound.
            raw(tar, "one", EntryType::Regular, 600 << 20, io::repeat(0).take(600 << 20));
            raw(tar, "two", EntryType::Regular, 600 << 20, io::repeat(0).take(600 << 20));
        },
        "more than 1 GiB",
    ),
    (
        "a name without an end",
        |tar| {
            raw(tar, "././@LongLink", EntryType::GNULongName, 8 << 20, io::repeat(b'n').take(8 << 20));
            file(tar, "n");
        },
        "more than it says",
    ),
    (
        "a folder with content",
        |tar| {
            raw(tar, "folder/", EntryType::Directory, 8 << 20, io::repeat(0).take(8 << 20));
            file(tar, "after");
        },
        "more than it says",
    ),
    ("too many files", |tar| (0..10_001).for_each(|number| file(tar, &number.to_string())), "more than 10000 files"),
];

fn archive(folder: &Path, version: &str, build: impl FnOnce(&mut Builder)) {
    let file = fs::File::create(folder.join(format!("{version}.tar.gz"))).unwrap();
    let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
    raw(&mut tar, "andon.toml", EntryType::Regular, 14, &b"argv = [\"./x\"]"[..]);
    build(&mut tar);
    tar.into_inner().unwrap().finish().unwrap();
}

fn refusal(folder: &Path) -> String {
    let error = resolve(folder, &"v1".parse().unwrap()).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn every_hostile_archive_is_refused_in_words() {
    for (name, build, reason) in CASES {
        let folder = tempfile::tempdir().unwrap();
        archive(folder.path(), "v1", build);
        let error = refusal(folder.path());
        assert!(error.contains(reason), "{name}: {error}");
    }
}

#[test]
fn a_damaged_archive_is_refused_wherever_it_is_cut_or_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v1.tar.gz");
    archive(folder.path(), "v1", |tar| raw(tar, "data", EntryType::Regular, 2000, io::repeat(7).take(2000)));
    let whole = fs::read(&path).unwrap();
    resolve(folder.path(), &"v1".parse().unwrap()).unwrap();
    for length in 1..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = refusal(folder.path());
        assert!(error.contains("cut off") || error.contains("damaged"), "{length}: {error}");
    }
    // The checksum is at the very end, behind what tar reads.
    let mut changed = whole.clone();
    let checksum = whole.len() - 8;
    changed[checksum] ^= 1;
    fs::write(&path, &changed).unwrap();
    assert!(refusal(folder.path()).contains("damaged"));
    fs::File::create(&path).unwrap().write_all(&[&whole[..], b"and more than a header"].concat()).unwrap();
    assert!(refusal(folder.path()).contains("damaged"));
}

#[test]
fn what_git_archive_writes_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    archive(folder.path(), "v1", |tar| {
        raw(tar, "pax_global_header", EntryType::XGlobalHeader, 14, &b"14 comment=ab\n"[..]);
        raw(tar, "./", EntryType::Directory, 0, io::empty());
        raw(tar, "bin/", EntryType::Directory, 0, io::empty());
        file(tar, "bin/x");
    });
    let artifact = resolve(folder.path(), &"v1".parse().unwrap()).unwrap();
    let release = unpack(folder.path(), &artifact, &folder.path().join("releases")).unwrap();
    assert_eq!(fs::read(release.join("bin/x")).unwrap(), b"x");
}

#[test]
fn a_promise_that_is_broken_or_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    archive(folder.path(), "v1", |_| {});
    let digest = resolve(folder.path(), &"v1".parse().unwrap()).unwrap().digest;
    let promise = folder.path().join("v1.sha256");
    fs::write(&promise, format!("{digest}  v1\n")).unwrap();
    resolve(folder.path(), &"v1".parse().unwrap()).unwrap();
    fs::write(&promise, "00\n").unwrap();
    assert!(refusal(folder.path()).contains(&format!("its digest is {digest}, and v1.sha256 says 00")));
    fs::remove_file(&promise).unwrap();
    fs::create_dir(&promise).unwrap();
    assert!(refusal(folder.path()).contains("v1.sha256 cannot be read"));
}

#[tokio::test]
async fn what_changes_after_it_was_approved_is_refused_and_nothing_is_left_of_it() {
    let stage = Stage::new("").await;
    stage.serve("v1").await;
    let before = stage.who().await;
    let artifacts = stage.data().join("artifacts");
    archive(&artifacts, "v2", |tar| file(tar, "x"));
    let order = stage.order("v2").await;
    archive(&artifacts, "v2", |tar| file(tar, "y"));
    let refused = stage.start(&order).await.unwrap_err();
    assert!(matches!(&refused, DeployerError::BadArtifact(reason) if reason.contains("no longer what was approved")));
    archive(&artifacts, "v2", |tar| file(tar, "../../../evil"));
    let refused = stage.deployer().resolve(&target(), &order.artifact.version).await.unwrap_err();
    assert!(matches!(&refused, DeployerError::BadArtifact(reason) if reason.contains("leads outside")));
    assert_eq!(fs::read_dir(stage.data().join("releases/hello/staging")).unwrap().count(), 1);
    assert_eq!(stage.who().await, before);
}

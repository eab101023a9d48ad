//! The unpacked releases of a target, of which only the last are kept.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use andon_core::Digest;

/// Marks a release as the last that was put live.
pub(super) fn touch(release: &Path, now: jiff::Timestamp) -> io::Result<()> {
    fs::File::open(release)?.set_modified(SystemTime::from(now))
}

/// Marks a release as one that was never put live.
pub(crate) fn untouched(release: &Path) -> io::Result<()> {
    fs::File::open(release)?.set_modified(SystemTime::UNIX_EPOCH)
}

/// Removes the releases in a folder beyond the last `keep` that were put live, and those that never were, but never one that is `needed`.
pub(super) fn forget_old(releases: &Path, keep: usize, needed: &[Digest]) -> io::Result<()> {
    let mut found = Vec::new();
    for entry in fs::read_dir(releases)? {
        let entry = entry?;
        // Anything else, such as a release that is just being unpacked, is not the keeper's.
        let Some(digest) = entry.file_name().to_str().and_then(|name| name.parse::<Digest>().ok()) else { continue };
        found.push((entry.metadata()?.modified()?, digest, entry.path()));
    }
    found.sort_by(|(a, ..), (b, ..)| b.cmp(a));
    for (place, (at, digest, path)) in found.into_iter().enumerate() {
        let counts = place < keep && at > SystemTime::UNIX_EPOCH;
        if !counts && !needed.contains(&digest) {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Releases 0 to 5, put live in this order; those that are left.
    fn left(keep: usize, needed: &[u8]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let digest = |number: u8| Digest::of([number]);
        for number in 0..6 {
            let release = folder.path().join(digest(number).to_string());
            fs::create_dir(&release).unwrap();
            fs::write(release.join("file"), "x").unwrap();
            touch(&release, jiff::Timestamp::from_second(1_000 + i64::from(number)).unwrap()).unwrap();
        }
        fs::create_dir(folder.path().join(format!("{}.new", digest(9)))).unwrap();
        let never_live = folder.path().join(digest(8).to_string());
        fs::create_dir(&never_live).unwrap();
        untouched(&never_live).unwrap();
        let needed: Vec<_> = needed.iter().copied().map(digest).collect();
        forget_old(folder.path(), keep, &needed).unwrap();
        assert!(folder.path().join(format!("{}.new", digest(9))).exists());
        assert!(!never_live.exists());
        (0..6).filter(|number| folder.path().join(digest(*number).to_string()).exists()).collect()
    }

    #[test]
    fn so_many_are_kept_as_the_setting_says() {
        assert_eq!(left(3, &[5, 4]), [3, 4, 5]);
        assert_eq!(left(1, &[5]), [5]);
        assert_eq!(left(10, &[5, 4]), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_is_needed_is_kept_however_old() {
        assert_eq!(left(2, &[0, 5]), [0, 4, 5]);
        assert_eq!(left(0, &[1, 2]), [1, 2]);
    }
}

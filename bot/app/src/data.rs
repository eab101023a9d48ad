//! The data folder: the key in a folder of its own, the anchor, and the names of everything else in it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use andon_core::Entropy;
use andon_store::DatabaseUrl;
use andon_trail::{SigningKey, VerifierKey};
use anyhow::{Context as _, Result, bail};

/// The data folder.
#[derive(Clone, Debug)]
pub(crate) struct Data(PathBuf);

impl Data {
    /// The folder at `path`, made where there is none.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        let path = fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))?;
        Ok(Self(path))
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The database, where none is named.
    pub(crate) fn database(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.0.join("andon.db"))
    }

    /// Where the latest checkpoint is copied to.
    pub(crate) fn anchor(&self) -> PathBuf {
        self.0.join("anchor").join("checkpoint")
    }

    /// The checkpoint that was copied there last; nothing where there is none.
    ///
    /// # Errors
    /// There is one, and it cannot be read.
    pub(crate) fn read_anchor(&self) -> Result<Option<String>> {
        match fs::read_to_string(self.anchor()) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.anchor().display())),
        }
    }

    /// The public key that lies beside the data.
    ///
    /// # Errors
    /// It is unreadable.
    pub(crate) fn verifier_key(&self) -> Result<Option<VerifierKey>> {
        read_key(&self.0.join("key").join("verifier.key"))
    }

    /// The signing key. A new one is made only where `may_make` says so: never in silence beside an existing trail.
    ///
    /// # Errors
    /// There is none and none may be made, others can read it, or it cannot be read or written.
    pub(crate) fn signing_key(&self, origin: &str, may_make: bool, entropy: &dyn Entropy) -> Result<SigningKey> {
        let folder = self.0.join("key");
        let path = folder.join("signing.key");
        make_private(&self.0.join("anchor"))?;
        if path.exists() {
            must_be_private(&folder, 0o700)?;
            must_be_private(&path, 0o600)?;
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let key = SigningKey::from_text(&text).with_context(|| format!("{} is damaged", path.display()))?;
            if key.origin() != origin {
                bail!("the key in {} signs for {:?}, not for {origin:?}", path.display(), key.origin());
            }
            return Ok(key);
        }
        if !may_make {
            bail!(
                "{} is missing although there is a trail, or a key that is pinned; restore it: a new key would make the old records \
                 unverifiable",
                path.display()
            );
        }
        make_private(&folder)?;
        must_be_private(&folder, 0o700)?;
        let key = SigningKey::generate(origin, entropy)?;
        write_whole(&folder, "verifier.key", 0o644, &format!("{}\n", key.verifier_key()))?;
        write_whole(&folder, "signing.key", 0o600, key.to_text())?;
        Ok(key)
    }
}

fn make_private(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make {}", folder.display()))
}

/// Refuses what others than its owner can open.
fn must_be_private(path: &Path, mode: u32) -> Result<()> {
    let found = fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    let found = found.permissions().mode() & 0o777;
    if found & !mode != 0 {
        bail!("others can open {0} (its mode is {found:o}); say `chmod {mode:o} {0}`", path.display());
    }
    Ok(())
}

/// Writes a file so that it is there whole or not at all, also after the power fails.
fn write_whole(folder: &Path, name: &str, mode: u32, text: &str) -> Result<()> {
    let (path, fresh) = (folder.join(name), folder.join(format!("{name}.new")));
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The database that `ANDON_DATABASE_URL` names, or the file that `ANDON_DATABASE_URL_FILE` names.
///
/// # Errors
/// It cannot be read, or is no database.
pub(crate) fn named_database() -> Result<Option<DatabaseUrl>> {
    let url = crate::config::secret("ANDON_DATABASE_URL")?;
    url.map(|url| url.expose().parse::<DatabaseUrl>().map_err(anyhow::Error::msg)).transpose()
}

/// Reads a public key from a file.
///
/// # Errors
/// It is unreadable, or no key.
pub(crate) fn read_key(path: &Path) -> Result<Option<VerifierKey>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Some(text.parse().with_context(|| format!("{} holds no public key", path.display()))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    fn key(data: &Data, may_make: bool) -> Result<SigningKey> {
        data.signing_key("andon.test", may_make, &SystemEntropy)
    }

    #[test]
    fn a_key_is_made_once_and_never_where_none_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::open(folder.path()).unwrap();
        assert!(format!("{:#}", key(&data, false).unwrap_err()).contains("is missing"));
        let made = key(&data, true).unwrap().verifier_key().to_string();
        assert_eq!(key(&data, true).unwrap().verifier_key().to_string(), made);
        assert_eq!(data.verifier_key().unwrap().unwrap().to_string(), made);
        assert_eq!(fs::read_dir(folder.path().join("key")).unwrap().count(), 2, "nothing is left of the writing");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_helps() {
        for (path, mode, right) in [("key/signing.key", 0o644, "chmod 600"), ("key", 0o755, "chmod 700")] {
            let folder = tempfile::tempdir().unwrap();
            let data = Data::open(folder.path()).unwrap();
            key(&data, true).unwrap();
            let path = data.path().join(path);
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = format!("{:#}", key(&data, true).err().unwrap());
            assert!(refused.contains(&format!("{right} {}", path.display())), "{refused}");
        }
    }
}

//! The data folder: the key in a folder of its own, the anchor, and the names of everything else in it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
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
    /// There is none and none may be made, or it cannot be read or written.
    pub(crate) fn signing_key(&self, origin: &str, may_make: bool, entropy: &dyn Entropy) -> Result<SigningKey> {
        let folder = self.0.join("key");
        let path = folder.join("signing.key");
        fs::create_dir_all(self.0.join("anchor"))?;
        if path.exists() {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let key = SigningKey::from_text(&text).with_context(|| format!("{} is damaged", path.display()))?;
            if key.origin() != origin {
                bail!("the key in {} signs for {:?}, not for {origin:?}", path.display(), key.origin());
            }
            return Ok(key);
        }
        if !may_make {
            bail!(
                "{} is missing although there is a trail; restore it, a new key would make the old records unverifiable",
                path.display()
            );
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let key = SigningKey::generate(origin, entropy)?;
        write_new(&folder.join("verifier.key"), 0o644, &format!("{}\n", key.verifier_key()))?;
        write_new(&path, 0o600, key.to_text())?;
        Ok(key)
    }
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
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

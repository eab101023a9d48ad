//! Secrets: from an environment variable, or from the file that another variable names.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use thiserror::Error;

/// The most bytes of a secret.
const LONGEST: u64 = 64 * 1024;

/// A secret. It shows itself to nobody who does not ask for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself. Never for logs, records, messages or arguments of processes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a secret cannot be had. Never holds any of it.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The variable and its `_FILE` are both set: nobody knows which is meant.
    #[error("{name} and {name}_FILE are both set; set one of them")]
    Both {
        /// The variable.
        name: String,
    },
    /// It is set, to nothing.
    #[error("{name} is empty; unset it, or set it to the secret")]
    Empty {
        /// The variable, or its `_FILE`.
        name: String,
    },
    /// It is not UTF-8.
    #[error("{name} is not UTF-8 text")]
    NotText {
        /// The variable, or its `_FILE`.
        name: String,
    },
    /// The file cannot be read, or is larger than 64 KiB.
    #[error("the file that {name} names cannot be read")]
    File {
        /// The variable with `_FILE`.
        name: String,
        /// Why.
        #[source]
        error: io::Error,
    },
}

/// The secret called `name`: the variable of that name, or the content of the file that `<name>_FILE` names, without one newline at its
/// end. Nothing where neither is set. Read again at every call, so that a file that changed is noticed.
///
/// # Errors
/// See [`SecretError`].
pub fn secret(name: &str) -> Result<Option<Secret>, SecretError> {
    secret_from(name, &|name| std::env::var_os(name))
}

fn secret_from(name: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Option<Secret>, SecretError> {
    let file = format!("{name}_FILE");
    let (name, text) = match (variable(name), variable(&file)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(SecretError::Both { name: name.to_owned() }),
        (Some(value), None) => (name.to_owned(), value.into_string().ok()),
        (None, Some(path)) => {
            let bytes = read(PathBuf::from(path)).map_err(|error| SecretError::File { name: file.clone(), error })?;
            (file, String::from_utf8(bytes).ok().map(without_newline))
        }
    };
    match text {
        None => Err(SecretError::NotText { name }),
        Some(text) if text.is_empty() => Err(SecretError::Empty { name }),
        Some(text) => Ok(Some(Secret(text))),
    }
}

fn read(path: PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 KiB"));
    }
    Ok(bytes)
}

fn without_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::ffi::OsStringExt as _;

    use super::{Secret, SecretError, secret_from};

    fn ask(set: &[(&str, &str)]) -> Result<Option<Secret>, SecretError> {
        let set: BTreeMap<&str, &str> = set.iter().copied().collect();
        secret_from("TOKEN", &|name| set.get(name).map(OsString::from))
    }

    #[test]
    fn comes_from_the_variable_or_the_file_but_not_from_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "swordfish\n\n").unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(ask(&[]).unwrap(), None);
        assert_eq!(ask(&[("TOKEN", "swordfish\n")]).unwrap().unwrap().expose(), "swordfish\n");
        assert_eq!(ask(&[("TOKEN_FILE", path)]).unwrap().unwrap().expose(), "swordfish\n");
        let both = ask(&[("TOKEN", "x"), ("TOKEN_FILE", path)]).unwrap_err();
        assert_eq!(both.to_string(), "TOKEN and TOKEN_FILE are both set; set one of them");
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (empty, binary, large) =
            (write("empty", b"\n"), write("binary", b"\xff"), write("large", &[b'x'; 64 * 1024 + 1]));
        assert!(matches!(ask(&[("TOKEN", "")]), Err(SecretError::Empty { name }) if name == "TOKEN"));
        assert!(matches!(ask(&[("TOKEN_FILE", &empty)]), Err(SecretError::Empty { name }) if name == "TOKEN_FILE"));
        assert!(matches!(ask(&[("TOKEN_FILE", &binary)]), Err(SecretError::NotText { .. })));
        assert!(matches!(ask(&[("TOKEN_FILE", &large)]), Err(SecretError::File { .. })));
        assert!(matches!(ask(&[("TOKEN_FILE", "/nowhere/at/all")]), Err(SecretError::File { .. })));
        let odd = secret_from("TOKEN", &|name| (name == "TOKEN").then(|| OsString::from_vec(vec![0xff])));
        assert!(matches!(odd, Err(SecretError::NotText { .. })));
    }

    #[test]
    fn shows_nothing() {
        let secret = ask(&[("TOKEN", "swordfish")]).unwrap();
        assert_eq!(format!("{secret:?}"), "Some(Secret(…))");
    }
}

//! How a release is run: the file `andon.toml` in its root.

use serde::Deserialize;

/// The file in an artifact that says how it is run.
pub const MANIFEST: &str = "andon.toml";

/// What the file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The program; one with `./` lies in the release.
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    argv: Vec<String>,
}

impl Manifest {
    /// Reads it; what is wrong is said in one line.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let Text { mut argv } =
            toml::from_str(text).map_err(|error: toml::de::Error| format!("{MANIFEST}: {}", error.message()))?;
        if argv.first().is_none_or(String::is_empty) {
            return Err(format!("{MANIFEST}: argv is empty"));
        }
        if argv.iter().any(|word| word.contains('\0')) {
            return Err(format!("{MANIFEST}: argv holds a zero byte"));
        }
        let program = argv.remove(0);
        Ok(Self { program, arguments: argv })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_a_program_and_nothing_unknown() {
        let read = |text| Manifest::read(text).map(|manifest| (manifest.program, manifest.arguments));
        assert_eq!(read("argv = [\"./a\", \"b\"]").unwrap(), ("./a".to_owned(), vec!["b".to_owned()]));
        for wrong in
            ["", "argv = []", "argv = [\"\"]", "argv = \"a\"", "argv = [\"a\"]\nenv = 1", "argv = [\"a\\u0000\"]", "x"]
        {
            let error = read(wrong).unwrap_err();
            assert!(error.starts_with("andon.toml: ") && error.lines().count() == 1, "{wrong}: {error}");
        }
    }
}

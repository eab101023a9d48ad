//! Secrets are taken out of text before it is stored, shown or sent anywhere.

use regex::Regex;

use crate::message::keeps;

/// What stands where a secret stood.
const MASK: &str = "[redacted]";

/// How often a text is looked at.
const MOST_ROUNDS: usize = 16;

/// The shapes of secrets that are known without configuration. Sources: Slack "token types", Discord "authentication", GitHub
/// "token formats", AWS "unique identifiers", GitLab "token prefixes", RFC 7519 (JWT), RFC 7468 (PEM), RFC 3986 (userinfo in URLs).
const KNOWN: &[&str] = &[
    r"\bx(?:ox[abeoprs]|app|wfp)-[A-Za-z0-9-]{8,}",
    r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]+",
    r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",
    r"https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/[A-Za-z0-9_-]+",
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    r"(?i)(?:aws_?)?secret_?access_?key\b\W{1,5}[A-Za-z0-9/+=]{40}",
    r"(?i)aws_?secret_?key\b\W{1,5}[A-Za-z0-9/+=]{40}",
    r"\beyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
    r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    // A password may hold an `@` of its own: everything goes up to the last one before the path.
    r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*:[^\s/]+@",
    r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/?#]+@",
    r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/-]{16,}=*",
    // Also as the end of a longer name (`DB_PASSWORD=…`), and as a name in JSON.
    r#"(?i)(?:password|passwd|secret|token|api[_-]?key)\b["']?\s*[=:]\s*["']?[^\s"']{6,}"#,
    // Tokens of other services that are known by how they begin.
    r"\b(?:glpat-|npm_|hf_|dckr_pat_|[rs]k_live_|sk-(?:proj|ant)-)[A-Za-z0-9_-]{16,}",
    r"\bAIza[A-Za-z0-9_-]{35}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}",
];

/// Finds secrets in text.
#[derive(Clone, Debug)]
pub struct Redactor {
    patterns: Vec<Regex>,
}

impl Redactor {
    /// Knows the shapes listed above and those of `configured`.
    ///
    /// # Errors
    /// A configured pattern is not a regular expression.
    pub fn new(configured: &[String]) -> Result<Self, regex::Error> {
        let patterns = KNOWN
            .iter()
            .copied()
            .chain(configured.iter().map(String::as_str))
            .map(Regex::new)
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// The text without its secrets. A secret that only shows once what nobody can see is taken out (as [`Outside`](crate::Outside) does)
    /// is one as well, and then all of that goes. Where one secret stood inside another, taking out the inner one can bring the outer
    /// one to light, so it is looked at again until nothing changes; a configured pattern that finds the mask itself would never end.
    pub fn redact(&self, text: &str) -> String {
        let redacted = self.rounds(self.as_seen(text).unwrap_or_else(|| text.to_owned()));
        self.as_seen(&redacted).map_or(redacted, |text| self.rounds(text))
    }

    /// The text as a reader sees it, where it holds a secret.
    fn as_seen(&self, text: &str) -> Option<String> {
        visible(text).filter(|clean| self.matches(clean))
    }

    fn rounds(&self, mut text: String) -> String {
        for _ in 0..MOST_ROUNDS {
            let redacted = self.round(&text);
            if redacted == text {
                break;
            }
            text = redacted;
        }
        text
    }

    fn round(&self, text: &str) -> String {
        self.patterns.iter().fold(text.to_owned(), |text, pattern| pattern.replace_all(&text, MASK).into_owned())
    }

    /// Whether the text holds a secret.
    pub fn finds(&self, text: &str) -> bool {
        self.matches(text) || self.as_seen(text).is_some()
    }

    fn matches(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(text))
    }
}

/// The text without what nobody can see, where there is any such thing in it.
fn visible(text: &str) -> Option<String> {
    (!text.chars().all(keeps)).then(|| text.chars().filter(|&c| keeps(c)).collect())
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new(&[]).unwrap_or_else(|error| unreachable!("the known patterns are tested: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    /// Every shape that is known, assembled at run time, so that no scanner takes this file for a leak.
    fn secrets() -> Vec<String> {
        let pem = |name: &str| format!("-----BEGIN {name} KEY-----\nMIIabc\n-----END {name} KEY-----");
        let jwt = format!("{}OiJIUzI1NiJ9.{}IiOiIxIn0.", "eyJhbGci", "eyJzd");
        let mut secrets = vec![
            format!("https://hooks.slack.com/{}/T0/B0/abcdefgh", "services"),
            format!("https://hooks.slack.com/{}/T0/1/abcdefgh", "workflows"),
            format!("M{}.{}.{}", "a".repeat(25), "b".repeat(6), "c".repeat(30)),
            format!("https://discord.com/api/{}/123/abc-DEF_1", "webhooks"),
            format!("https://canary.discordapp.com/api/v10/{}/123/abc-DEF_1", "webhooks"),
            format!("github_{}_{}", "pat", "a1B2".repeat(8)),
            format!("{jwt}{}", "c2lnbmF0dXJl"),
            jwt,
            pem("RSA PRIVATE"),
            pem("EC PRIVATE"),
            pem("OPENSSH PRIVATE"),
            pem("ENCRYPTED PRIVATE"),
            pem("PRIVATE"),
            format!("-----BEGIN PGP {} KEY BLOCK-----\nabc\n-----END PGP {} KEY BLOCK-----", "PRIVATE", "PRIVATE"),
            format!("-----BEGIN {} KEY-----\nMIIabc and no end", "PRIVATE"),
            format!("postgres://app:{}@db/x", "hunter2"),
            format!("postgres://app:{}@db/x", "p@ss:w@rd"),
            format!("redis://:{}@cache", "hunter2"),
            format!("https://{}@github.com/x", "0123456789abcdef"),
            format!("Authorization: Bearer {}", "a".repeat(20)),
            format!("password={}", "hunter22"),
            format!("api-key: '{}'", "hunter22"),
            format!("DB_PASSWORD={}", "hunter22"),
            format!("{{\"client_secret\": \"{}\"}}", "hunter22"),
            format!("AGE-SECRET-KEY-1{}", "A".repeat(58)),
            format!("SG.{}.{}", "a".repeat(22), "b".repeat(43)),
            format!("AIza{}", "a".repeat(35)),
        ];
        secrets.extend(
            ["glpat-", "npm_", "hf_", "dckr_pat_", "sk_live_", "sk-proj-", "sk-ant-"]
                .map(|start| format!("{start}{}", "a1B2".repeat(8))),
        );
        secrets.extend(["AKIA", "ASIA"].map(|start| format!("{start}{}", "ABCDEFGHIJKLMNOP")));
        secrets.extend(["ghp", "gho", "ghs", "ghu", "ghr"].map(|start| format!("{start}_{}", "a".repeat(36))));
        secrets.extend(["oxb", "oxp", "oxa", "app"].map(|kind| format!("x{kind}-{}", "1-A0-1234567890-abcdef")));
        let labels =
            ["aws_secret_access_key = ", "AWS_SECRET_ACCESS_KEY=", "\"SecretAccessKey\" : \"", "awsSecretKey: "];
        secrets.extend(labels.map(|label| format!("{label}{}", "wJalrXUt/nFEMIK7MDENG+bPxRfiCYEXAMPLEKEY")));
        secrets
    }

    #[test]
    fn every_shape_of_a_secret_disappears() {
        let redactor = Redactor::default();
        for secret in secrets() {
            // What comes after an unterminated key may be more of it.
            let after = if secret.ends_with("no end") { "" } else { " there" };
            let text = format!("see {secret}{after}");
            assert!(redactor.finds(&text), "{secret}");
            let redacted = redactor.redact(&text);
            assert!(redacted.starts_with("see ") && redacted.ends_with(after), "{redacted}");
            assert!(!redactor.finds(&redacted), "{redacted}");
        }
    }

    #[test]
    fn nothing_of_a_credential_in_an_address_is_left() {
        let redactor = Redactor::default();
        for (secret, left) in [
            ("https://TOKEN@host/x", "[redacted]host/x"),
            ("ftp://u:p@ss@host/a@b", "[redacted]host/a@b"),
            ("amqp://u:p?a#b@host", "[redacted]host"),
        ] {
            assert_eq!(redactor.redact(secret), left);
        }
    }

    #[test]
    fn a_secret_split_by_what_nobody_sees_is_found() {
        let redactor = Redactor::default();
        for invisible in ['\u{200b}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{202e}', '\u{7}'] {
            for secret in secrets() {
                let mut letters: Vec<char> = secret.chars().collect();
                letters.insert(2, invisible);
                letters.insert(letters.len() / 2, invisible);
                let split: String = letters.into_iter().collect();
                assert!(redactor.finds(&split), "{split:?}");
                let redacted = redactor.redact(&split);
                assert!(!redactor.finds(&redacted) && !redacted.contains(invisible), "{redacted:?}");
            }
        }
        // Where there is no secret, nothing is taken out.
        assert_eq!(redactor.redact("fine\u{200b}"), "fine\u{200b}");
    }

    #[test]
    fn configured_shapes_disappear_as_well() {
        let redactor = Redactor::new(&["corp-[0-9]{6}".to_owned()]).unwrap();
        assert_eq!(redactor.redact("see corp-123456 and cor\u{200b}p-654321"), "see [redacted] and [redacted]");
        assert!(Redactor::new(&["(".to_owned()]).is_err());
    }

    #[test]
    fn what_only_looks_like_a_secret_stays() {
        let redactor = Redactor::default();
        for text in [
            "deploy hello v2 --env prod --reason 'token rotation done'",
            "http://127.0.0.1:40045, pid 31994",
            "https://example.org/@ana and ana@example.org",
            "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----",
            "secret_access_key rotation",
        ] {
            assert_eq!(redactor.redact(text), text);
        }
    }
}

//! Secrets are taken out of text before it is stored, shown or sent anywhere.

use regex::Regex;

/// What stands where a secret stood.
const MASK: &str = "[redacted]";

/// How often a text is looked at.
const MOST_ROUNDS: usize = 16;

/// The shapes of secrets that are known without configuration. Sources: Slack "token types", Discord "authentication", GitHub
/// "token formats", AWS "unique identifiers", RFC 7519 (JWT), RFC 7468 (PEM), RFC 3986 (userinfo in URLs).
const KNOWN: &[&str] = &[
    r"\bx(?:ox[abeoprs]|app|wfp)-[A-Za-z0-9-]{8,}",
    r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]+",
    r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",
    r"https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/[A-Za-z0-9_-]+",
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    r"(?i)\baws_?secret_?(?:access_?)?key\b\W{1,4}[A-Za-z0-9/+=]{40}",
    r"\beyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
    r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
    r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*:[^\s/@]+@",
    r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/-]{16,}=*",
    r#"(?i)\b(?:password|passwd|secret|token|api[_-]?key)\b\s*[=:]\s*["']?[^\s"']{6,}"#,
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

    /// The text without its secrets. Where one secret stood inside another, taking out the inner one can bring the outer one to light, so
    /// it is looked at again until nothing changes; a configured pattern that finds the mask itself would never end.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
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
        self.patterns.iter().any(|pattern| pattern.is_match(text))
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new(&[]).unwrap_or_else(|error| unreachable!("the known patterns are tested: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    #[test]
    fn known_secrets_disappear() {
        let redactor = Redactor::default();
        // Assembled at run time, so that no scanner takes this file for a leak.
        let secrets = [
            format!("xoxb-{}", "1234567890-abcdefghij"),
            format!("ghp_{}", "a".repeat(36)),
            format!("AKIA{}", "ABCDEFGHIJKLMNOP"),
            format!("eyJhbGciOi.eyJzdWIi.{}", "c2ln"),
            format!("M{}.{}.{}", "a".repeat(25), "b".repeat(6), "c".repeat(30)),
            format!("-----BEGIN {} KEY-----\nabc\n-----END {} KEY-----", "PRIVATE", "PRIVATE"),
            format!("postgres://app:{}@db/x", "hunter2"),
            format!("password={}", "hunter22"),
        ];
        for secret in secrets {
            let text = format!("see {secret} there");
            assert!(redactor.finds(&text), "{secret}");
            assert!(!redactor.finds(&redactor.redact(&text)), "{secret}");
        }
        assert!(!redactor.finds("deploy hello v2 --env prod --reason 'token rotation done'"));
    }
}

//! How the fake says no: Slack's error code, and what Slack adds to some of them.

use serde_json::{Value, json};

/// An answer with `"ok": false`.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    /// Seconds, for `ratelimited`: the answer is then an HTTP 429 with `Retry-After`.
    pub(crate) retry_after: Option<u64>,
    messages: Vec<String>,
    scopes: Option<(String, String)>,
}

impl Refusal {
    pub(crate) fn new(code: &str) -> Self {
        Self { code: code.to_owned(), retry_after: None, messages: Vec::new(), scopes: None }
    }

    /// With Slack's explanations, which go to `response_metadata.messages`.
    pub(crate) fn explained(code: &str, messages: Vec<String>) -> Self {
        Self { messages, ..Self::new(code) }
    }

    pub(crate) fn argument(message: impl std::fmt::Display) -> Self {
        Self::explained("invalid_arguments", vec![format!("[ERROR] {message}")])
    }

    pub(crate) fn missing_scope(needed: &str, provided: String) -> Self {
        Self { scopes: Some((needed.to_owned(), provided)), ..Self::new("missing_scope") }
    }

    pub(crate) fn rate_limited(seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..Self::new("ratelimited") }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut answer = json!({"ok": false, "error": self.code});
        if !self.messages.is_empty() {
            answer["response_metadata"] = json!({"messages": self.messages});
            if self.code == "invalid_blocks" {
                let bare = self.messages.iter().map(|text| text.trim_start_matches("[ERROR] "));
                answer["errors"] = bare.collect();
            }
        }
        if let Some((needed, provided)) = &self.scopes {
            answer["needed"] = json!(needed);
            answer["provided"] = json!(provided);
        }
        answer
    }
}

//! Calls of Slack's Web API, and what their failures mean for whoever tries again.

use std::sync::Arc;
use std::time::Duration;

use andon_core::Clock;
use andon_core::ports::VoiceError;
use hyper_rustls::HttpsConnectorBuilder;
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;
use slack_morphism::errors::SlackClientError;
use slack_morphism::prelude::{SlackClientHyperConnector, SlackClientHyperHttpsConnector};
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackClient};
use thiserror::Error;

use crate::start::StartError;

/// Where Slack's Web API is, unless somebody says otherwise.
pub(crate) const SLACK: &str = "https://slack.com/api/";
/// How long to wait where Slack asks to, but does not say how long.
const USUAL_PAUSE: Duration = Duration::from_secs(5);

/// How long one call may take.
const PATIENCE: SignedDuration = SignedDuration::from_secs(8);
/// The longest that Slack is heeded where it asks to wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// Why a call failed.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// Slack asks to wait so long (HTTP 429 with `Retry-After`). Nothing was done.
    #[error("Slack asks to wait {0:?}")]
    SlowDown(Duration),
    /// Slack was not reached. Nothing was done.
    #[error("Slack cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer was lost, or was no answer. It may have been done.
    #[error("Slack did not say what became of it")]
    Ambiguous(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Slack refused, by its own name for why (`channel_not_found`). Nothing was done.
    #[error("Slack refused: {code}")]
    Refused {
        /// Slack's name for why.
        code: String,
        /// What is wrong with blocks or arguments, where it says so.
        details: Vec<String>,
    },
}

impl ApiError {
    /// Whether Slack refused for this reason.
    pub(crate) fn is(&self, reason: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == reason)
    }

    /// Whether Slack refused, and will again.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if !PASSING.contains(&code.as_str()) && code != "ratelimited")
    }
}

/// Refusals of which Slack says that they pass by themselves.
const PASSING: [&str; 4] = ["internal_error", "fatal_error", "service_unavailable", "request_timeout"];

/// Refusals of a token, which somebody renews: what is to be said waits for that.
const MENDED_BY_OPERATORS: [&str; 6] =
    ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"];

impl From<ApiError> for VoiceError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::SlowDown(wait) => Self::SlowDown(wait),
            ApiError::Unreachable(source) => Self::Unreachable(source),
            ApiError::Ambiguous(source) => Self::Ambiguous(source),
            ApiError::Refused { code, .. } if PASSING.contains(&code.as_str()) => Self::Ambiguous(code.into()),
            ApiError::Refused { code, .. } if MENDED_BY_OPERATORS.contains(&code.as_str()) => {
                Self::Unreachable(code.into())
            }
            ApiError::Refused { code, .. } if code == "ratelimited" => Self::SlowDown(USUAL_PAUSE),
            ApiError::Refused { code, details } => Self::Refused([&[code], &details[..]].concat().join(": ")),
        }
    }
}

/// The Web API under one token or two.
pub(crate) struct Api {
    client: SlackClient<SlackClientHyperHttpsConnector>,
    bot: SlackApiToken,
    app: Option<SlackApiToken>,
    clock: Arc<dyn Clock>,
}

impl Api {
    /// The API at `url`, which is `https`, or plain `http` on loopback.
    ///
    /// # Errors
    /// Another URL.
    pub(crate) fn new(
        url: Option<&str>,
        bot: &str,
        app: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let url = url.unwrap_or(SLACK);
        if !is_safe(url, "https", "http") {
            return Err(StartError::UnsafeUrl);
        }
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().enable_http2().build();
        let connector =
            SlackClientHyperConnector::with_connector(connector).with_slack_api_url(url.trim_end_matches('/'));
        let token = |value: &str| SlackApiToken::new(SlackApiTokenValue::new(value.to_owned()));
        Ok(Self { client: SlackClient::new(connector), bot: token(bot), app: app.map(token), clock })
    }

    /// Calls a method that takes JSON.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(crate) async fn call<A>(&self, method: &str, request: &(impl Serialize + Send + Sync)) -> Result<A, ApiError>
    where
        A: DeserializeOwned + Send,
    {
        let session = self.client.open_session(&self.bot);
        self.in_time(session.http_session_api.http_post(method, request, None)).await
    }

    /// Calls a method that takes its arguments in the query.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(crate) async fn ask<A>(&self, method: &str, arguments: &[(&str, &str)]) -> Result<A, ApiError>
    where
        A: DeserializeOwned + Send,
    {
        let arguments: Vec<_> = arguments.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let session = self.client.open_session(&self.bot);
        self.in_time(session.http_session_api.http_get(method, &arguments, None)).await
    }

    /// Calls a method under the app-level token.
    ///
    /// # Errors
    /// See [`ApiError`]; `not_authed` where there is no such token.
    pub(crate) async fn call_as_app<A>(&self, method: &str) -> Result<A, ApiError>
    where
        A: DeserializeOwned + Send,
    {
        let missing = || ApiError::Refused { code: "not_authed".to_owned(), details: Vec::new() };
        let app = self.app.as_ref().ok_or_else(missing)?;
        let nothing = serde_json::json!({});
        let session = self.client.open_session(app);
        self.in_time(session.http_session_api.http_post(method, &nothing, None)).await
    }

    /// Waits for an answer no longer than [`PATIENCE`]: a Slack that takes connections and says nothing must hold nobody up.
    async fn in_time<A>(&self, asked: impl Future<Output = Result<A, SlackClientError>>) -> Result<A, ApiError> {
        tokio::select! {
            answer = asked => answer.map_err(failure).inspect_err(tell_of_token),
            () = self.clock.sleep(PATIENCE) => Err(ApiError::Ambiguous("it did not answer in time".into())),
        }
    }

    /// Sends a file's content to where Slack wants it.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(crate) async fn upload(&self, url: &str, content: &[u8]) -> Result<(), ApiError> {
        let unreadable = |error: url::ParseError| ApiError::Ambiguous(error.into());
        if !is_safe(url, "https", "http") {
            return Err(ApiError::Refused { code: "an upload URL that is not safe".to_owned(), details: Vec::new() });
        }
        let url: url::Url = url.parse().map_err(unreadable)?;
        let session = self.client.open_session(&self.bot);
        let sent = session.http_session_api.http_post_uri_binary::<serde_json::Value>(
            url,
            "text/plain; charset=utf-8".to_owned(),
            content,
            None,
        );
        self.in_time(sent).await.map(|_| ())
    }
}

/// Whether a URL is of the `safe` scheme, or of the `plain` one on loopback, where nobody can listen in.
pub(crate) fn is_safe(url: &str, safe: &str, plain: &str) -> bool {
    let Ok(url) = url.parse::<url::Url>() else { return false };
    let on_loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == safe || (url.scheme() == plain && on_loopback)
}

/// What a failure of the library means. The bodies that it carries may hold what people said, and are left out.
fn failure(error: SlackClientError) -> ApiError {
    match error {
        SlackClientError::RateLimitError(limit) => {
            ApiError::SlowDown(limit.retry_after.unwrap_or(USUAL_PAUSE).min(LONGEST_PAUSE))
        }
        SlackClientError::ApiError(refused) => {
            ApiError::Refused { code: refused.code, details: refused.errors.unwrap_or_default() }
        }
        SlackClientError::HttpError(answer) => {
            ApiError::Ambiguous(format!("it answered with HTTP status {}", answer.status_code).into())
        }
        SlackClientError::HttpProtocolError(broken) => match broken.cause {
            Some(cause) if never_connected(&*cause) => ApiError::Unreachable(cause),
            cause => ApiError::Ambiguous(cause.unwrap_or_else(|| "the connection broke".into())),
        },
        SlackClientError::ProtocolError(broken) => ApiError::Ambiguous(Box::new(broken.json_error)),
        SlackClientError::SystemError(_)
        | SlackClientError::EndOfStream(_)
        | SlackClientError::SocketModeProtocolError(_) => ApiError::Ambiguous("the connection broke".into()),
    }
}

/// What is to be said waits for a new token, in silence but for this.
fn tell_of_token(error: &ApiError) {
    if let ApiError::Refused { code, .. } = error
        && MENDED_BY_OPERATORS.contains(&code.as_str())
        && code != "missing_scope"
    {
        tracing::error!(code, "Slack refuses a token; `andon slack check` says which");
    }
}

fn never_connected(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    cause.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(hyper_util::client::legacy::Error::is_connect)
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn nothing_goes_unencrypted_but_to_this_machine() {
        let safe = |url| is_safe(url, "https", "http");
        assert!(safe("https://slack.com/api/") && safe("http://127.0.0.1:8080/api/") && safe("http://[::1]:80/"));
        assert!(
            !safe("http://slack.com/api/")
                && !safe("http://127.0.0.1.evil.example/")
                && !safe("ws://127.0.0.1/")
                && !safe("x")
        );
    }
}

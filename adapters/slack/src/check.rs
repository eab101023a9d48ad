//! Whether the app is set up as it should be: tokens, scopes, channels, and both directions, each with what to do where it is not.

use andon_core::Room;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::SLACK;
use crate::config::Mode;
use crate::manifest::features;
use crate::slack::{PLATFORM, Secrets, Slack};
use crate::socket;

/// How long each question may take.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: String,
    /// How it stands.
    pub standing: Standing,
}

/// How something stands that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All is well.
    Good,
    /// Nothing is wrong; what could be done.
    Note(String),
    /// What is wrong, and what to do.
    Missing(String),
}

impl Finding {
    fn good(what: impl Into<String>) -> Self {
        Self { what: what.into(), standing: Standing::Good }
    }

    fn bad(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { what: what.into(), standing: Standing::Missing(problem.into()) }
    }
}

#[derive(Deserialize)]
struct Info {
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    name: String,
    #[serde(default)]
    is_member: bool,
    #[serde(default)]
    is_archived: bool,
}

impl Slack {
    /// Looks at everything, and says something in the `ops` room where there is one.
    pub async fn check(&self, secrets: &Secrets, rooms: &[Room], ops: Option<&Room>) -> Vec<Finding> {
        let mut findings = vec![self.token().await];
        if findings.iter().any(|finding| finding.standing != Standing::Good) {
            return findings;
        }
        findings.extend(self.scopes(secrets).await);
        for room in rooms.iter().filter(|room| room.platform == PLATFORM) {
            findings.push(self.room(room).await);
        }
        findings.push(self.outwards(ops.filter(|room| room.platform == PLATFORM)).await);
        findings.push(self.inwards().await);
        findings
    }

    async fn token(&self) -> Finding {
        match self.introduce().await {
            Ok(()) => match self.parts().me().await {
                Ok(me) => Finding::good(format!("the bot token is of the workspace {} ({})", me.team_id, me.url)),
                Err(error) => Finding::bad("the bot token", format!("{error}; is {} reachable from here?", SLACK)),
            },
            Err(error) => Finding::bad("the bot token", error.to_string()),
        }
    }

    /// The scopes that Slack says the token has, by the header of any answer.
    async fn scopes(&self, secrets: &Secrets) -> Vec<Finding> {
        let url = secrets.api_url.as_deref().unwrap_or(SLACK);
        let token = secrets.bot_token.as_deref().unwrap_or_default();
        let granted = tokio::select! {
            granted = granted(url, token) => granted,
            () = self.parts().clock.sleep(PATIENCE) => None,
        };
        let Some(granted) = granted else {
            return vec![Finding::bad("the scopes", "Slack did not say which there are; try once more")];
        };
        let finding = |feature: crate::Feature| {
            let missing: Vec<_> =
                feature.scopes.iter().copied().filter(|scope| !granted.iter().any(|it| it == scope)).collect();
            let what = format!("the scopes for {}: {}", feature.name, feature.scopes.join(", "));
            match missing[..] {
                [] => Finding::good(what),
                _ => Finding::bad(
                    what,
                    format!(
                        "{} missing: update the app with `andon slack manifest`, and install it again",
                        missing.join(", ")
                    ),
                ),
            }
        };
        features(&self.parts().config).into_iter().map(finding).collect()
    }

    async fn room(&self, room: &Room) -> Finding {
        match self.parts().api.ask::<Info>("conversations.info", &[("channel", &room.channel)]).await {
            Ok(Info { channel }) if channel.is_archived => Finding::bad(format!("the room {room}"), "it is archived"),
            Ok(Info { channel }) if !channel.is_member => Finding::bad(
                format!("the room {room}"),
                format!("the bot is not in it: /invite it to #{}", channel.name),
            ),
            Ok(Info { channel }) => Finding::good(format!("the room {room} is #{}", channel.name)),
            Err(error) if error.is("channel_not_found") => {
                let why = "there is no such channel, or it is private and the bot is not in it: /invite it there";
                Finding::bad(format!("the room {room}"), why)
            }
            Err(error) => Finding::bad(format!("the room {room}"), error.to_string()),
        }
    }

    async fn outwards(&self, ops: Option<&Room>) -> Finding {
        let Some(room) = ops else {
            let why =
                "name an `ops_room` of Slack under [bot], where the bot says what concerns itself, to have it tried";
            return Finding { what: "outwards: not tried".to_owned(), standing: Standing::Note(why.to_owned()) };
        };
        let request = json!({ "channel": room.channel, "text": "`andon slack check`: I can be heard here" });
        match self.parts().api.call::<Value>("chat.postMessage", &request).await {
            Ok(_) => Finding::good(format!("outwards: something was said in {room}")),
            Err(error) => Finding::bad("outwards", error.to_string()),
        }
    }

    async fn inwards(&self) -> Finding {
        if self.parts().config.mode == Mode::Http {
            return Finding::good(
                "inwards: over HTTP only Slack can try; it does when the request URL is saved in the app's settings",
            );
        }
        match socket::greeting(self.parts()).await {
            Ok(()) => Finding::good("inwards: a socket was opened, and Slack said hello"),
            Err(error) => Finding::bad(
                "inwards",
                format!("{error}; is Socket Mode on, and has the app token `connections:write`?"),
            ),
        }
    }
}

async fn granted(url: &str, token: &str) -> Option<Vec<String>> {
    let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let request = axum::http::Request::post(format!("{}/auth.test", url.trim_end_matches('/')))
        .header("authorization", format!("Bearer {token}"))
        .body(axum::body::Body::empty())
        .ok()?;
    let answer = client.request(request).await.ok()?;
    let scopes = answer.headers().get("x-oauth-scopes")?.to_str().ok()?;
    Some(scopes.split(',').map(|scope| scope.trim().to_owned()).collect())
}

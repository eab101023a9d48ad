//! The manifest of the Slack app: what it may do and what it hears, no more than what is switched on.
//!
//! Source: Slack's "App manifest reference".

use serde_json::{Value, json};

use crate::config::{Config, Mode};
use crate::form::ASK;

/// What some scopes are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub name: &'static str,
    /// The scopes of the bot token that it needs.
    pub scopes: &'static [&'static str],
}

/// Features in the order of `docs/slack.md`, which gives the reason for each scope.
const SPEAKING: Feature = Feature { name: "speaking", scopes: &["chat:write", "im:write", "files:write"] };
const LISTENING: Feature = Feature { name: "listening", scopes: &["app_mentions:read", "im:history", "commands"] };
const ACCOUNTS: Feature = Feature { name: "accounts", scopes: &["users:read"] };
const ROOMS: Feature = Feature { name: "rooms", scopes: &["channels:read", "groups:read"] };
const EMAIL: Feature = Feature { name: "e-mail", scopes: &["users:read.email"] };
const RECONCILING: Feature = Feature { name: "reconciling", scopes: &["channels:history", "groups:history"] };

/// The features that are switched on.
pub fn features(config: &Config) -> Vec<Feature> {
    let mut features = vec![SPEAKING, LISTENING, ACCOUNTS, ROOMS];
    features.extend(config.matches_email.then_some(EMAIL));
    features.extend(config.reconcile.then_some(RECONCILING));
    features
}

/// The scopes that the bot token needs.
pub fn scopes(config: &Config) -> Vec<&'static str> {
    features(config).iter().flat_map(|feature| feature.scopes).copied().collect()
}

/// The manifest, as JSON. `url` is where the bot is reached over HTTP, such as `https://andon.example.org`.
pub fn manifest(config: &Config, name: &str, url: Option<&str>) -> Value {
    let over_http = config.mode == Mode::Http;
    let url = |path: &str| {
        over_http.then(|| format!("{}{path}", url.unwrap_or("https://andon.example.org").trim_end_matches('/')))
    };
    let mut manifest = json!({
        "display_information": { "name": name, "description": "Deploys, rolls back and keeps the record" },
        "features": {
            "app_home": { "home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": false },
            "bot_user": { "display_name": name, "always_online": true },
            "slash_commands": slash_commands(config, url("/slack/commands").as_deref()),
            "shortcuts": [
                { "name": "Ask Andon about this", "type": "message", "callback_id": ASK, "description": "Say a command in this message's thread" },
                { "name": "Ask Andon", "type": "global", "callback_id": ASK, "description": "Say a command in private" },
            ],
        },
        "oauth_config": { "scopes": { "bot": scopes(config) } },
        "settings": {
            "event_subscriptions": { "bot_events": ["app_home_opened", "app_mention", "message.im", "user_change"] },
            "interactivity": { "is_enabled": true },
            "org_deploy_enabled": false,
            "socket_mode_enabled": !over_http,
            "token_rotation_enabled": false,
        },
    });
    if over_http {
        let settings = &mut manifest["settings"];
        settings["event_subscriptions"]["request_url"] = url("/slack/events").into();
        settings["interactivity"]["request_url"] = url("/slack/interactions").into();
        settings["interactivity"]["message_menu_options_url"] = url("/slack/options").into();
    }
    manifest
}

fn slash_commands(config: &Config, url: Option<&str>) -> Vec<Value> {
    let command = |command: String, hint: &str, description: String| {
        let mut command = json!({
            "command": command, "description": description, "usage_hint": hint, "should_escape": true,
        });
        if let Some(url) = url {
            command["url"] = url.into();
        }
        command
    };
    let own = config.slash_commands.iter().map(|word| {
        command(
            format!("/{word}"),
            "what you would say after it",
            format!("Says {word} to Andon; alone it opens a form"),
        )
    });
    let all = command(
        "/andon".to_owned(),
        "deploy hello v2 --env staging",
        "Says anything to Andon; alone it shows help".to_owned(),
    );
    std::iter::once(all).chain(own).collect()
}

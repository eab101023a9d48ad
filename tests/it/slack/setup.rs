//! What whoever sets the app up sees: the manifest, and the check.

use andon_fake_slack::{ALL_SCOPES, Settings};
use andon_tests::{Chat, Playground};
use serde_json::{Value, json};

use crate::PROGRAM;

const ROOMS: &str = r#"
[bot]
ops_room = "slack:T0PLAY/ops"
[trail]
anchors = ["slack:T0PLAY/audit"]
[[rooms]]
room = "slack:T0PLAY/deploys"
services = ["hello"]
"#;

fn playground(chat: Chat, more: &str) -> Playground {
    Playground::in_slack(PROGRAM, chat, Settings::default(), &format!("{ROOMS}{more}"))
}

fn manifest(playground: &Playground, arguments: &[&str]) -> Value {
    let (shown, code) = playground.run_in_slack(&[&["slack", "manifest"], arguments].concat(), &[]);
    assert_eq!(code, Some(0), "{shown}");
    let start = shown.find('{').unwrap_or_default();
    serde_json::Deserializer::from_str(&shown[start..]).into_iter().next().expect("something").expect("JSON")
}

#[test]
fn the_manifest_asks_for_the_fewest_scopes() {
    let least = manifest(&playground(Chat::SlackSocket, "[slack]\nreconcile = false\n"), &[]);
    let scopes = [
        "chat:write",
        "im:write",
        "files:write",
        "app_mentions:read",
        "im:history",
        "commands",
        "users:read",
        "channels:read",
        "groups:read",
    ];
    assert_eq!(least["oauth_config"], json!({"scopes": {"bot": scopes}}));
    let usual = manifest(&playground(Chat::SlackSocket, ""), &[]);
    let usual_scopes = [&scopes[..], &["channels:history", "groups:history"]].concat();
    assert_eq!(usual["oauth_config"]["scopes"]["bot"], json!(usual_scopes));
    let matching =
        manifest(&playground(Chat::SlackSocket, "[slack]\nreconcile = false\nmatch_email = [\"T0PLAY\"]\n"), &[]);
    assert_eq!(matching["oauth_config"]["scopes"]["bot"], json!([&scopes[..], &["users:read.email"]].concat()));
}

#[test]
fn the_manifest_says_how_it_is_reached() {
    let socket = manifest(&playground(Chat::SlackSocket, ""), &[]);
    let events = json!(["app_home_opened", "app_mention", "message.im", "user_change"]);
    let settings = json!({
        "event_subscriptions": {"bot_events": events}, "interactivity": {"is_enabled": true},
        "org_deploy_enabled": false, "socket_mode_enabled": true, "token_rotation_enabled": false,
    });
    assert_eq!(socket["settings"], settings);
    assert!(!socket.to_string().contains("http"), "{socket}");
    let own = "[slack]\nslash_commands = [\"deploy\"]\n";
    let http = manifest(&playground(Chat::SlackHttp, own), &["--url", "https://bot.example.org"]);
    assert_eq!(http["settings"]["socket_mode_enabled"], false);
    let url = |pointer: &str| http.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let urls = [
        url("/settings/event_subscriptions/request_url"),
        url("/settings/interactivity/request_url"),
        url("/settings/interactivity/message_menu_options_url"),
        url("/features/slash_commands/0/url"),
        url("/features/slash_commands/1/url"),
    ];
    let paths = ["events", "interactions", "options", "commands", "commands"];
    assert_eq!(urls, paths.map(|path| format!("https://bot.example.org/slack/{path}")));
    let commands = ["0", "1"].map(|place| url(&format!("/features/slash_commands/{place}/command")));
    assert_eq!(commands, ["/andon", "/deploy"]);
}

/// A token of a workspace that is not listed.
#[test]
fn the_check_says_that_it_is_another_workspace() {
    let playground = Playground::in_slack(PROGRAM, Chat::SlackSocket, Settings::default(), "");
    let file = playground.data().join("elsewhere.toml");
    playground.run_in_slack(&["slack", "manifest"], &[]);
    let text = std::fs::read_to_string(playground.data().join("andon.toml")).expect("it was written");
    std::fs::write(&file, text.replace("workspaces = [\"T0PLAY\"]", "workspaces = [\"T0OTHER\"]")).expect("a file");
    let named = ["slack", "check", "--config", &file.display().to_string()].map(str::to_owned);
    let (shown, code) = playground.run_in_slack(&named.each_ref().map(String::as_str), &[]);
    assert_eq!(code, Some(1), "{shown}");
    expect(&shown, &["the bot token is of the workspace T0PLAY, which `[slack] workspaces` does not list"]);
}

fn check(playground: &Playground, changed: &[(&str, &str)], code: i32) -> String {
    let (shown, ended) = playground.run_in_slack(&["slack", "check"], changed);
    assert_eq!(ended, Some(code), "{shown}");
    shown
}

fn expect(shown: &str, texts: &[&str]) {
    for text in texts {
        assert!(shown.contains(text), "{text:?} is not in:\n{shown}");
    }
}

#[test]
fn the_check_says_that_all_is_well() {
    for chat in [Chat::SlackSocket, Chat::SlackHttp] {
        let playground = playground(chat, "");
        let shown = check(&playground, &[], 0);
        assert!(!shown.contains("missing"), "{shown}");
        let rooms = ["slack:T0PLAY/C0AUDIT is #audit", "slack:T0PLAY/C0DEPLOYS is #deploys", "C0OPS is #ops"];
        expect(&shown, &rooms);
        expect(&shown, &["ok       the bot token is of the workspace T0PLAY", "ok       outwards", "ok       inwards"]);
        let said = playground.slack().messages("ops");
        assert_eq!(said.len(), 1, "{said:?}");
    }
}

#[test]
fn the_check_takes_a_bot_without_an_ops_room() {
    let playground = Playground::in_slack(PROGRAM, Chat::SlackSocket, Settings::default(), "");
    let shown = check(&playground, &[], 0);
    expect(
        &shown,
        &["note     outwards: not tried\n         name an `ops_room` of Slack under [bot]", "ok       inwards"],
    );
    assert!(!shown.contains("missing"), "{shown}");
}

#[test]
fn the_check_says_what_is_missing() {
    let playground = playground(Chat::SlackSocket, "");
    let fewer: Vec<_> = ALL_SCOPES.iter().copied().filter(|scope| *scope != "files:write").collect();
    playground.slack().grant(&fewer);
    playground.slack().leave("andon", "deploys");
    playground.slack().archive("audit");
    let shown = check(&playground, &[], 1);
    expect(
        &shown,
        &["missing  the scopes for speaking", "files:write missing: update the app with `andon slack manifest`"],
    );
    expect(&shown, &["the bot is not in it: /invite it to #deploys", "C0AUDIT\n         it is archived"]);
}

#[test]
fn the_check_says_what_is_wrong_with_the_tokens() {
    let playground = playground(Chat::SlackSocket, "");
    let shown = check(&playground, &[("ANDON_SLACK_BOT_TOKEN", "xoxb-1-wrong")], 1);
    expect(&shown, &["Slack refuses ANDON_SLACK_BOT_TOKEN: invalid_auth"]);
    let shown = check(&playground, &[("ANDON_SLACK_APP_TOKEN", "xapp-1-wrong")], 1);
    expect(&shown, &["missing  inwards", "has the app token `connections:write`?"]);
    let other = Playground::in_slack(PROGRAM, Chat::SlackSocket, Settings::default(), "");
    other.slack().revoke_tokens();
    let shown = check(&other, &[], 1);
    expect(&shown, &["Slack refuses ANDON_SLACK_BOT_TOKEN: token_revoked"]);
    for (variable, value) in [("ANDON_SLACK_BOT_TOKEN", "xapp-1"), ("ANDON_SLACK_API_URL", "http://slack.com/api/")] {
        let (shown, ended) = playground.run_in_slack(&["slack", "check"], &[(variable, value)]);
        assert!(ended != Some(0), "{shown}");
        expect(&shown, &[variable]);
        assert!(!shown.contains(playground.slack().app_token()), "{shown}");
    }
}

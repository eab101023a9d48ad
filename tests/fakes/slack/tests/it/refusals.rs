//! Broken requests, each refused with Slack's error.

use std::time::Duration;

use andon_fake_slack::{ALL_SCOPES, Slack};
use serde_json::{Value, json};

use crate::client::{Socket, call, get, post, request};
use crate::{fake, unpaced};

/// Calls with a header of one's own; the error.
fn call_as(slack: &Slack, method: &str, headers: &[(&str, &str)], body: &str) -> String {
    let answer = request(&format!("{}{method}", slack.api_url()), "POST", headers, body).expect("an answer").json();
    answer["error"].as_str().unwrap_or("none").to_owned()
}

#[test]
fn who_may_call() {
    let slack = unpaced();
    let bearer = |token: &str| format!("Bearer {token}");
    let (bot, app, json) = (bearer(slack.bot_token()), bearer(slack.app_token()), ("content-type", "application/json"));
    let auth = |token: &str| call_as(&slack, "auth.test", &[("authorization", token)], "");
    assert_eq!(call_as(&slack, "auth.test", &[], ""), "not_authed");
    assert_eq!(auth("Bearer xoxb-wrong"), "invalid_auth");
    assert_eq!(auth(&bot), "none");
    let answer =
        request(&format!("{}auth.test", slack.api_url()), "GET", &[("authorization", &bot)], "").expect("an answer");
    assert_eq!(answer.header("x-oauth-scopes"), Some(&*ALL_SCOPES.join(",")));
    assert_eq!(call_as(&slack, "no.such", &[("authorization", &bot)], ""), "unknown_method");
    assert_eq!(call_as(&slack, "apps.connections.open", &[("authorization", &bot)], ""), "not_allowed_token_type");
    assert_eq!(call_as(&slack, "users.info", &[("authorization", &app)], ""), "not_allowed_token_type");
    let with_json = |body: &str| call_as(&slack, "chat.postMessage", &[("authorization", &bot), json], body);
    assert_eq!(with_json("{"), "invalid_json");
    assert_eq!(with_json("[]"), "json_not_object");
    let inside = json!({"token": slack.bot_token(), "channel": "C0OPS", "text": "x"}).to_string();
    assert_eq!(call_as(&slack, "chat.postMessage", &[json], &inside), "not_authed");
    let form = format!("token={}&channel=C0OPS&text=x", slack.bot_token());
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(call_as(&slack, "chat.postMessage", &kind, &form), "none");
    slack.revoke_tokens();
    assert_eq!(auth(&bot), "token_revoked");
}

#[test]
fn a_scope_that_is_missing_is_named() {
    let slack = unpaced();
    let less: Vec<&str> = ALL_SCOPES.iter().copied().filter(|scope| *scope != "chat:write").collect();
    slack.grant(&less);
    let answer = call(&slack, "chat.postMessage", json!({"channel": "C0OPS", "text": "x"}));
    assert_eq!((&answer["error"], &answer["needed"]), (&json!("missing_scope"), &json!("chat:write")));
    assert!(answer["provided"].as_str().is_some_and(|provided| provided.contains("commands")));
}

/// The error of a call.
fn error(slack: &Slack, method: &str, arguments: Value) -> String {
    call(slack, method, arguments)["error"].as_str().unwrap_or("none").to_owned()
}

#[test]
fn messages_that_cannot_be() {
    let slack = unpaced();
    slack.add_channel("outside", &["ana"]);
    slack.add_private_channel("secret", &["ana"]);
    slack.add_channel("old", &["andon"]);
    slack.archive("old");
    let anas = slack.say("ana", "ops", None, "mine");
    let answer = slack.say("ben", "ops", Some(&anas), "and mine");
    let posts: &[(Value, &str)] = &[
        (json!({"text": "x"}), "invalid_arguments"),
        (json!({"channel": 7, "text": "x"}), "invalid_arguments"),
        (json!({"channel": "C0NONE", "text": "x"}), "channel_not_found"),
        (json!({"channel": "C0SECRET", "text": "x"}), "channel_not_found"),
        (json!({"channel": "C0OLD", "text": "x"}), "is_archived"),
        (json!({"channel": "C0OUTSIDE", "text": "x"}), "none"),
        (json!({"channel": "C0OPS"}), "no_text"),
        (json!({"channel": "C0OPS", "text": ""}), "no_text"),
        (json!({"channel": "C0OPS", "text": "x".repeat(40_001)}), "msg_too_long"),
        (json!({"channel": "C0OPS", "text": "x", "txet": "y"}), "invalid_arguments"),
        (json!({"channel": "C0OPS", "text": "x", "unfurl_links": "no"}), "invalid_arguments"),
        (json!({"channel": "C0OPS", "text": "x", "username": "me"}), "missing_scope"),
        (json!({"channel": "C0OPS", "text": "x", "thread_ts": "1.000001"}), "thread_not_found"),
        (json!({"channel": "C0OPS", "text": "x", "thread_ts": "now"}), "invalid_thread_ts"),
        (json!({"channel": "C0OPS", "text": "x", "thread_ts": answer}), "cannot_reply_to_message"),
        (json!({"channel": "C0OPS", "text": "x", "metadata": {"event_type": "a"}}), "invalid_metadata_format"),
        (json!({"channel": "C0OPS", "text": "x", "metadata": []}), "invalid_metadata_format"),
        (json!({"channel": "C0OPS", "text": "x", "blocks": {}}), "invalid_blocks_format"),
    ];
    for (arguments, expected) in posts {
        assert_eq!(error(&slack, "chat.postMessage", arguments.clone()), *expected, "{arguments}");
    }
    let others = [
        ("chat.update", json!({"channel": "C0OPS", "ts": anas, "text": "x"}), "cant_update_message"),
        ("chat.update", json!({"channel": "C0OPS", "ts": "1.000001", "text": "x"}), "message_not_found"),
        ("chat.delete", json!({"channel": "C0OPS", "ts": anas}), "cant_delete_message"),
        ("chat.postEphemeral", json!({"channel": "C0OPS", "user": "U0NONE", "text": "x"}), "user_not_in_channel"),
        ("chat.postEphemeral", json!({"channel": "C0OUTSIDE", "user": "U0ANA", "text": "x"}), "not_in_channel"),
        ("reactions.add", json!({"channel": "C0OPS", "timestamp": anas, "name": "no good"}), "invalid_name"),
        ("conversations.open", json!({"users": "U0NONE"}), "user_not_found"),
        ("conversations.open", json!({}), "users_list_not_supplied"),
        ("conversations.setTopic", json!({"channel": "C0OPS", "topic": "x".repeat(251)}), "too_long"),
        ("usergroups.users.update", json!({"usergroup": "S0NONE", "users": "U0ANA"}), "no_such_subteam"),
    ];
    for (method, arguments, expected) in others {
        assert_eq!(error(&slack, method, arguments.clone()), expected, "{method} {arguments}");
    }
    let reads = [
        ("users.info", "user=U0NONE", "user_not_found"),
        ("users.lookupByEmail", "email=no%40example.com", "users_not_found"),
        ("conversations.list", "cursor=zz", "invalid_cursor"),
        ("conversations.list", "limit=2000", "invalid_limit"),
        ("conversations.info", "channel=C0OPS&colour=red", "invalid_arguments"),
        ("conversations.replies", "channel=C0OPS&ts=1.000001", "thread_not_found"),
        ("files.info", "file=F0NONE", "file_not_found"),
        ("bots.info", "bot=B0NONE", "bot_not_found"),
    ];
    for (method, query, expected) in reads {
        assert_eq!(get(&slack, method, query)["error"], expected, "{method} {query}");
    }
}

fn button(label: &str, action: &str) -> Value {
    json!({"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action, "value": "v"})
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

#[test]
fn blocks_that_cannot_be() {
    let slack = unpaced();
    let section = |text: String| json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    let actions = |elements: Vec<Value>| json!({"type": "actions", "elements": elements});
    let option = json!({"text": {"type": "plain_text", "text": "one"}, "value": "1"});
    let menu =
        |options: usize| json!({"type": "static_select", "action_id": "m", "options": vec![option.clone(); options]});
    let many = |count: usize| (0..count).map(|number| button("x", &format!("a{number}"))).collect::<Vec<_>>();
    let broken: Vec<(Vec<Value>, &str)> = vec![
        (vec![json!({"type": "divider"}); 51], "no more than 50 items"),
        (vec![section("x".repeat(3001))], "less than 3001"),
        (vec![section(String::new())], "more than 0"),
        (vec![json!({"type": "section"})], "text or fields"),
        (vec![json!({"type": "fancy"})], "unsupported type: fancy"),
        (vec![json!({"type": "divider", "colour": "red"})], "unknown field: colour"),
        (vec![json!({"type": "header", "text": {"type": "mrkdwn", "text": "x"}})], "unsupported type: mrkdwn"),
        (vec![json!({"type": "header", "text": {"type": "plain_text", "text": "x".repeat(151)}})], "less than 151"),
        (
            vec![json!({"type": "context", "elements": vec![json!({"type": "mrkdwn", "text": "x"}); 11]})],
            "no more than 10",
        ),
        (vec![actions(many(26))], "no more than 25"),
        (vec![actions(vec![])], "no fewer than 1"),
        (vec![actions(vec![button("x", "a"), button("y", "a")])], "`action_id` a already exists"),
        (vec![actions(vec![button(&"x".repeat(76), "a")])], "less than 76"),
        (vec![actions(vec![with(button("x", "a"), "style", json!("warning"))])], "must be one of primary, danger"),
        (vec![actions(vec![with(button("x", "a"), "value", json!("x".repeat(2001)))])], "less than 2001"),
        (
            vec![actions(vec![with(
                button("x", "a"),
                "confirm",
                json!({"title": {"type": "plain_text", "text": "x"}}),
            )])],
            "text",
        ),
        (vec![actions(vec![menu(101)])], "no more than 100"),
        (vec![json!({"type": "image", "image_url": "https://example.com/x.png"})], "alt_text"),
        (
            vec![json!({"type": "divider", "block_id": "b"}), json!({"type": "divider", "block_id": "b"})],
            "already exists",
        ),
        (vec![json!({"type": "markdown", "text": "x".repeat(12_001)})], "less than 12001"),
        (
            vec![json!({"type": "table", "rows": vec![json!([{"type": "raw_text", "text": "x"}]); 101]})],
            "no more than 100",
        ),
        (vec![json!({"type": "table", "rows": [vec![json!({"type": "raw_text", "text": "x"}); 21]]})], "1 to 20 cells"),
        (
            vec![json!({"type": "rich_text", "elements": [{"type": "rich_text_poem", "elements": []}]})],
            "rich_text_poem",
        ),
    ];
    for (blocks, expected) in broken {
        let answer = call(&slack, "chat.postMessage", json!({"channel": "C0OPS", "text": "x", "blocks": blocks}));
        assert_eq!(answer["error"], "invalid_blocks", "{expected}: {answer}");
        let messages = answer["response_metadata"]["messages"].to_string();
        assert!(messages.contains(expected), "{expected}: {messages}");
    }
    assert!(slack.messages("ops").is_empty());
}

#[test]
fn blocks_may_be_as_large_as_documented() {
    let slack = unpaced();
    let section = |text: String| json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    let option = json!({"text": {"type": "plain_text", "text": "one"}, "value": "1"});
    let menu = json!({"type": "static_select", "action_id": "m", "options": vec![option; 100]});
    let actions = json!({"type": "actions", "elements": [button("x", "a"), menu]});
    let wide = vec![section("ü".repeat(3000)); 50];
    assert_eq!(error(&slack, "chat.postMessage", json!({"channel": "C0OPS", "blocks": wide})), "msg_blocks_too_long");
    let good = vec![section("x".repeat(3000)), actions, json!({"type": "divider"})];
    assert_eq!(error(&slack, "chat.postMessage", json!({"channel": "C0OPS", "blocks": good})), "none");
}

#[test]
fn triggers_and_response_urls_run_out() {
    let slack = unpaced();
    let view = json!({"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []});
    let open = |trigger: &str| error(&slack, "views.open", json!({"trigger_id": trigger, "view": view}));
    let asked = slack.slash("ana", "ops", "/andon", "status");
    assert_eq!(open("1.2.x"), "invalid_trigger_id");
    assert_eq!(open(&asked.trigger_id), "none");
    assert_eq!(open(&asked.trigger_id), "exchanged_trigger_id");
    let late = slack.slash("ana", "ops", "/andon", "status");
    slack.fast_forward(Duration::from_secs(4));
    assert_eq!(open(&late.trigger_id), "expired_trigger_id");
    let answer = |url: &str| request(url, "POST", &[], r#"{"text": "x"}"#).expect("an answer");
    for _ in 0..5 {
        assert_eq!(answer(&asked.response_url).json()["ok"], true);
    }
    assert_eq!(answer(&asked.response_url).json()["error"], "used_url");
    slack.fast_forward(Duration::from_secs(1801));
    assert_eq!(answer(&late.response_url).json()["error"], "expired_url");
    assert_eq!(slack.ephemerals("ana").len(), 5);
}

#[test]
fn views_that_cannot_be() {
    let slack = unpaced();
    let text = |text: &str| json!({"type": "plain_text", "text": text});
    let view = json!({"type": "modal", "title": text("T"), "blocks": []});
    let input = json!({"type": "input", "label": text("L"), "element": {"type": "plain_text_input", "action_id": "a"}});
    let broken = [
        with(view.clone(), "title", text(&"x".repeat(25))),
        with(view.clone(), "submit", text(&"x".repeat(25))),
        with(view.clone(), "private_metadata", json!("x".repeat(3001))),
        with(view.clone(), "callback_id", json!("x".repeat(256))),
        with(view.clone(), "blocks", json!(vec![json!({"type": "divider"}); 101])),
        with(view.clone(), "blocks", json!([input])),
        with(view.clone(), "type", json!("home")),
        with(view.clone(), "colour", json!("red")),
        json!("not JSON"),
    ];
    for view in broken {
        let asked = slack.slash("ana", "ops", "/andon", "");
        let answer = call(&slack, "views.open", json!({"trigger_id": asked.trigger_id, "view": view}));
        assert_eq!(answer["error"], "invalid_arguments", "{view}");
        assert!(answer["response_metadata"]["messages"].is_array());
    }
    let named = with(view, "external_id", json!("mine"));
    let open = |view: &Value| {
        let asked = slack.slash("ana", "ops", "/andon", "");
        call(&slack, "views.open", json!({"trigger_id": asked.trigger_id, "view": view}))
    };
    let opened = open(&named);
    assert_eq!(open(&named)["error"], "duplicate_external_id");
    let update = |more: Value| {
        let mut arguments = json!({"view": named});
        arguments.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        error(&slack, "views.update", arguments)
    };
    assert_eq!(update(json!({"view_id": "V0NONE"})), "not_found");
    assert_eq!(update(json!({"view_id": opened["view"]["id"], "hash": "1.x"})), "hash_conflict");
    assert_eq!(update(json!({"external_id": "mine", "hash": opened["view"]["hash"]})), "none");
}

#[test]
fn tickets_are_good_once_and_for_half_a_minute() {
    let slack = unpaced();
    let ticket = Socket::address(&slack);
    assert!(Socket::try_connect(&ticket).is_some());
    assert!(Socket::try_connect(&ticket).is_none());
    assert!(Socket::try_connect(&ticket.replace("ticket=", "ticket=0")).is_none());
    let late = Socket::address(&slack);
    slack.fast_forward(Duration::from_secs(31));
    assert!(Socket::try_connect(&late).is_none());
}

#[test]
fn calls_are_paced() {
    let slack = fake(|_| {});
    for _ in 0..5 {
        post(&slack, "C0OPS", json!({}));
    }
    let refused = crate::client::try_call(&slack, "chat.postMessage", &json!({"channel": "C0OPS", "text": "x"}));
    let refused = refused.expect("an answer");
    assert_eq!((refused.status(), refused.header("retry-after")), (429, Some("1")));
    assert_eq!(refused.json()["error"], "ratelimited");
    post(&slack, "C0LOBBY", json!({}));
    slack.fast_forward(Duration::from_secs(1));
    post(&slack, "C0OPS", json!({}));
    let tiers = fake(|settings| settings.tier_limits = true);
    let answers: Vec<String> =
        (0..51).map(|_| error(&tiers, "conversations.open", json!({"users": "U0ANA"}))).collect();
    assert!(answers[..50].iter().all(|answer| answer == "none"));
    assert_eq!(answers[50], "ratelimited");
}

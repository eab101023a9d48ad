//! What people say and what the bot answers: text, threads, edits, reading it back.

use std::time::Duration;

use andon_fake_slack::{DeliveryKind, Ending, ShownKind};
use serde_json::{Value, json};

use crate::client::{PATIENCE, Socket, call, get, post, request};
use crate::{fake, unpaced};

#[test]
fn what_is_typed_is_escaped_and_links_and_names_are_marked() {
    let slack = unpaced();
    let mut socket = Socket::open(&slack);
    let ts = slack.say("ana", "#ops", None, "@andon deploy <a> & tell @ben (see https://example.com/a?b=1). @nobody");
    let event = socket.take();
    assert_eq!((&event["type"], &event["retry_attempt"]), (&json!("events_api"), &json!(0)));
    let payload = &event["payload"];
    assert_eq!(payload["event"]["type"], "app_mention");
    assert_eq!(
        payload["event"]["text"],
        "<@U0ANDON> deploy &lt;a&gt; &amp; tell <@U0BEN> (see <https://example.com/a?b=1>). @nobody"
    );
    assert_eq!((&payload["event"]["ts"], &payload["event"]["user"]), (&json!(ts), &json!("U0ANA")));
    assert_eq!((&payload["team_id"], &payload["api_app_id"]), (&json!("T0PLAY"), &json!("A0ANDON")));
    assert_eq!(payload["authorizations"][0]["user_id"], "U0ANDON");
    assert_eq!(
        payload["event"]["blocks"][0]["elements"][0]["elements"][0],
        json!({"type": "user", "user_id": "U0ANDON"})
    );
}

#[test]
fn the_bot_hears_of_mentions_where_it_is_and_of_direct_messages() {
    let slack = unpaced();
    slack.add_channel("outside", &["ana"]);
    let direct = slack.direct_with_bot("ana");
    let mut socket = Socket::open(&slack);
    slack.say("ana", "outside", None, "@andon are you here?");
    slack.say("ana", "ops", None, "no mention");
    slack.say("ana", &direct, None, "@andon status");
    let event = socket.take();
    assert_eq!(event["payload"]["event"]["channel_type"], "im");
    slack.add_stranger("zoe", "T0OTHER", "ops");
    slack.say("zoe", "ops", None, "@andon deploy");
    let event = socket.take()["payload"].clone();
    assert_eq!((&event["event"]["user_team"], &event["is_ext_shared_channel"]), (&json!("T0OTHER"), &json!(true)));
    let stranger = get(&slack, "users.info", "user=U0ZOE");
    assert_eq!((&stranger["user"]["is_stranger"], &stranger["user"]["profile"]["email"]), (&json!(true), &Value::Null));
    assert_eq!(get(&slack, "users.lookupByEmail", "email=zoe%40example.com")["error"], "users_not_found");
    assert_eq!(get(&slack, "users.lookupByEmail", "email=ANA%40example.com")["user"]["id"], "U0ANA");
    slack.deactivate("ana");
    assert_eq!(socket.take()["payload"]["event"]["type"], "user_change");
    assert_eq!(get(&slack, "users.info", "user=U0ANA")["user"]["deleted"], true);
    assert!(socket.is_silent_for(Duration::from_millis(50)));
}

#[test]
fn threads_and_edits_are_kept() {
    let slack = fake(|settings| {
        settings.post_pacing = None;
        settings.events.push("message.channels".to_owned());
    });
    let asked = slack.say("ana", "ops", None, "deploy?");
    let metadata = json!({"event_type": "andon_card", "event_payload": {"id": "1"}});
    let first = post(&slack, "C0OPS", json!({"thread_ts": asked, "metadata": metadata}));
    let second = post(&slack, "C0OPS", json!({"thread_ts": asked, "reply_broadcast": true}));
    let thread = slack.thread("ops", &asked);
    assert_eq!(thread.iter().map(|message| &message["ts"]).collect::<Vec<_>>(), [&asked, &first, &second]);
    assert_eq!((&thread[0]["reply_count"], &thread[0]["latest_reply"]), (&json!(2), &json!(second)));
    let history = |more: &str| get(&slack, "conversations.history", &format!("channel=C0OPS{more}"));
    let shown: Vec<Value> = history("")["messages"].as_array().expect("a list").clone();
    assert_eq!(shown.iter().map(|message| message["ts"].as_str()).collect::<Vec<_>>(), [Some(&*second), Some(&*asked)]);
    let replies = |more: &str| get(&slack, "conversations.replies", &format!("channel=C0OPS&ts={asked}{more}"));
    assert_eq!(replies("")["messages"][1]["metadata"], Value::Null);
    assert_eq!(replies("&include_all_metadata=true")["messages"][1]["metadata"], metadata);
    let page = history("&limit=1");
    let cursor = page["response_metadata"]["next_cursor"].as_str().expect("a cursor");
    assert_eq!(history(&format!("&limit=1&cursor={cursor}"))["messages"][0]["ts"], json!(asked));

    let mut socket = Socket::open(&slack);
    let blocks = json!([{"type": "section", "text": {"type": "plain_text", "text": "done"}}]);
    let update = |arguments: Value| call(&slack, "chat.update", arguments);
    assert_eq!(update(json!({"channel": "C0OPS", "ts": first, "blocks": blocks}))["ok"], true);
    let message = slack.message("ops", &first).expect("the message");
    assert_eq!((&message["text"], &message["edited"]["user"]), (&json!("hello"), &json!("U0ANDON")));
    assert_eq!((&message["metadata"], &message["thread_ts"]), (&metadata, &json!(asked)));
    assert_eq!(socket.take()["payload"]["event"]["subtype"], "message_changed");
    assert_eq!(update(json!({"channel": "C0OPS", "ts": first, "text": "", "blocks": []}))["error"], "no_text");
    assert_eq!(
        update(json!({"channel": "C0OPS", "ts": first, "text": "over"}))["message"]["blocks"][0]["type"],
        "section"
    );

    slack.edit_message("ana", "ops", &asked, "@andon deploy!");
    let kinds: Vec<Value> = (0..3).map(|_| socket.take()["payload"]["event"].clone()).collect();
    assert_eq!(kinds[1]["type"], "app_mention");
    assert_eq!(kinds[1]["edited"]["user"], "U0ANA");
    slack.delete_message("ana", "ops", &asked);
    assert_eq!(slack.thread("ops", &asked)[0]["subtype"], "tombstone");
    assert_eq!(call(&slack, "chat.delete", json!({"channel": "C0OPS", "ts": second}))["ok"], true);
    assert_eq!(slack.thread("ops", &asked).len(), 2);
}

#[test]
fn time_stamps_follow_the_fakes_time() {
    let slack = unpaced();
    let before = post(&slack, "C0OPS", json!({}));
    slack.fast_forward(Duration::from_secs(3600));
    let after = post(&slack, "C0OPS", json!({}));
    let seconds = |ts: &str| ts.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok()).expect("seconds");
    assert!(seconds(&after) - seconds(&before) >= 3600);
}

#[test]
fn a_slash_command_and_its_answers() {
    let slack = unpaced();
    let watch = slack.watch();
    let mut socket = Socket::open(&slack);
    let asked = slack.slash("ana", "ops", "/andon", "status & more");
    let envelope = socket.next().expect("an envelope");
    assert_eq!(envelope["payload"]["text"], "status &amp; more");
    assert_eq!((&envelope["type"], &envelope["accepts_response_payload"]), (&json!("slash_commands"), &json!(true)));
    socket.acknowledge(&envelope, Some(json!({"text": "looking"})));
    assert_eq!(asked.ending(), Ending::Acknowledged(Some(json!({"text": "looking"}))));
    assert_eq!(slack.ephemerals("ana")[0]["text"], "looking");
    let url = envelope["payload"]["response_url"].as_str().expect("a url");
    let body = r#"{"text": "all is well", "response_type": "in_channel"}"#;
    assert_eq!(request(url, "POST", &[], body).expect("an answer").status(), 200);
    let shown: Vec<_> = (0..2).map(|_| watch.recv_timeout(PATIENCE).expect("something shown")).collect();
    assert_eq!(shown[0].kind, ShownKind::Whispered { user: "U0ANA".to_owned() });
    assert_eq!((&shown[1].kind, &shown[1].message["text"]), (&ShownKind::Posted, &json!("all is well")));
    let refused = request(url, "POST", &[], r#"{"text": "x", "replace_original": true}"#).expect("an answer");
    assert_eq!(refused.json()["error"], "no_original");
}

#[test]
fn a_click_carries_the_message_and_its_answer_replaces_it() {
    let slack = unpaced();
    let approve = json!({
        "type": "button", "text": {"type": "plain_text", "text": "Approve"}, "action_id": "approve", "value": "7",
        "confirm": {
            "title": {"type": "plain_text", "text": "Sure?"}, "text": {"type": "plain_text", "text": "Really?"},
            "confirm": {"type": "plain_text", "text": "Yes"}, "deny": {"type": "plain_text", "text": "No"},
        },
    });
    let option = |text: &str| json!({"text": {"type": "plain_text", "text": text}, "value": text});
    let menu = json!({"type": "static_select", "action_id": "why", "options": [option("calm"), option("storm")]});
    let blocks = json!([{"type": "actions", "elements": [approve, menu]}]);
    let ts = post(&slack, "C0OPS", json!({"blocks": blocks}));
    let mut socket = Socket::open(&slack);
    slack.select("ben", "ops", &ts, "why", "storm");
    assert_eq!(socket.take()["payload"]["actions"][0]["selected_option"]["value"], "storm");
    let asked = slack.click("ben", "ops", &ts, "Approve");
    assert_eq!(asked.confirm.as_ref().map(|confirm| &confirm["title"]["text"]), Some(&json!("Sure?")));
    let envelope = socket.take();
    let payload = &envelope["payload"];
    assert_eq!((&payload["type"], &payload["user"]["id"]), (&json!("block_actions"), &json!("U0BEN")));
    assert_eq!(
        (&payload["actions"][0]["action_id"], &payload["actions"][0]["value"]),
        (&json!("approve"), &json!("7"))
    );
    assert_eq!((&payload["message"]["ts"], &payload["container"]["message_ts"]), (&json!(ts), &json!(ts)));
    let block = payload["actions"][0]["block_id"].as_str().expect("an id");
    assert_eq!(payload["state"]["values"][block]["why"]["selected_option"]["value"], "storm");
    let body = r#"{"text": "approved", "replace_original": true}"#;
    request(&asked.response_url, "POST", &[], body).expect("an answer");
    assert_eq!(slack.message("ops", &ts).expect("the message")["text"], "approved");
    let tampered =
        slack.click_with_payload("cy", "ops", &ts, "Approve", |payload| payload["user"]["id"] = json!("U0ANA"));
    assert_eq!(socket.take()["payload"]["user"]["id"], "U0ANA");
    assert_eq!(tampered.ending(), Ending::Acknowledged(None));
    assert!(slack.deliveries().iter().all(|delivered| delivered.kind == DeliveryKind::Interaction));
}

#[test]
fn shortcuts_files_reactions_topics_groups_and_lists() {
    let slack = unpaced();
    let mut socket = Socket::open(&slack);
    let ts = post(&slack, "C0OPS", json!({}));
    slack.shortcut("ana", "ops", &ts, "explain");
    assert_eq!(socket.take()["payload"]["message"]["ts"], json!(ts));
    slack.global_shortcut("ana", "new");
    assert_eq!(socket.take()["payload"]["type"], "shortcut");

    let place = get(&slack, "files.getUploadURLExternal", "filename=plan.txt&length=4");
    let upload = place["upload_url"].as_str().expect("a url");
    assert_eq!(request(upload, "POST", &[], "too long").expect("an answer").status(), 400);
    let complete =
        json!({"files": [{"id": place["file_id"], "title": "Plan"}], "channel_id": "C0OPS", "thread_ts": ts});
    assert_eq!(call(&slack, "files.completeUploadExternal", complete.clone())["error"], "file_not_uploaded");
    assert_eq!(request(upload, "POST", &[], "plan").expect("an answer").status(), 200);
    assert_eq!(call(&slack, "files.completeUploadExternal", complete)["files"][0]["title"], "Plan");
    assert_eq!(slack.files()[0]["content"], "plan");
    assert_eq!(slack.thread("ops", &ts)[1]["files"][0]["name"], "plan.txt");

    let reaction = json!({"channel": "C0OPS", "timestamp": ts, "name": "eyes"});
    assert_eq!(call(&slack, "reactions.add", reaction.clone())["ok"], true);
    assert_eq!(call(&slack, "reactions.add", reaction)["error"], "already_reacted");
    assert_eq!(call(&slack, "conversations.setTopic", json!({"channel": "C0OPS", "topic": "calm"}))["ok"], true);
    assert_eq!(slack.topic("ops"), "calm");
    let group = slack.add_group("on-call", &["ana"]);
    assert_eq!(call(&slack, "usergroups.users.update", json!({"usergroup": group, "users": "U0BEN,U0CY"}))["ok"], true);
    assert_eq!(slack.group(&group), ["U0BEN", "U0CY"]);

    slack.add_channels("many", 5000, &["ana"]);
    slack.add_users("person", 200);
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page = get(&slack, "conversations.list", &format!("limit=1000&cursor={cursor}"));
        seen += page["channels"].as_array().expect("a list").len();
        cursor = page["response_metadata"]["next_cursor"].as_str().expect("a cursor").to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 5004);
    assert_eq!(get(&slack, "users.list", "")["members"].as_array().map(Vec::len), Some(204));
    let calls = slack.calls();
    assert!(calls.iter().all(|call| !call.arguments.to_string().contains("xoxb")));
    assert!(
        calls.iter().any(|call| call.method == "reactions.add" && call.error.as_deref() == Some("already_reacted"))
    );
}

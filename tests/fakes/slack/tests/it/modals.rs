//! Modals and home tabs.

use andon_fake_slack::{Choice, Slack, SubmitResult};
use serde_json::{Value, json};

use crate::client::{Socket, call};
use crate::unpaced;

fn text(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn modal(title: &str) -> Value {
    let option = |name: &str| json!({"text": text(name), "value": name});
    let input = |block: &str, label: &str, element: Value| json!({"type": "input", "block_id": block, "label": text(label), "element": element});
    let mut external =
        input("target", "Target", json!({"type": "external_select", "action_id": "t", "min_query_length": 0}));
    external["dispatch_action"] = json!(true);
    json!({
        "type": "modal", "callback_id": "deploy", "title": text(title), "submit": text("Go"), "notify_on_close": true,
        "private_metadata": "m",
        "blocks": [
            input("why", "Reason", json!({"type": "plain_text_input", "action_id": "a", "max_length": 10})),
            input("where", "Where", json!({"type": "static_select", "action_id": "s", "options": [option("blue"), option("green")]})),
            external,
            {"type": "actions", "elements": [{"type": "button", "text": text("More"), "action_id": "more"}]},
        ],
    })
}

/// Opens the modal for ana; its id.
fn open(slack: &Slack) -> String {
    let asked = slack.global_shortcut("ana", "deploy");
    let answer = call(slack, "views.open", json!({"trigger_id": asked.trigger_id, "view": modal("Deploy")}));
    answer["view"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// Answers the next envelope on a thread of its own, while a person waits; the thread gives the envelope.
fn answer(mut socket: Socket, payload: Option<Value>) -> std::thread::JoinHandle<(Socket, Value)> {
    std::thread::spawn(move || {
        let envelope = socket.next().expect("an envelope");
        socket.acknowledge(&envelope, payload);
        (socket, envelope)
    })
}

fn fill_in(slack: &Slack, mut socket: Socket, view: &str) -> Socket {
    assert!(matches!(slack.fill("ana", view, "Reason", "because"), Choice::Kept));
    slack.fill("ana", view, "Where", "green");
    let options = json!({"options": [{"text": text("web"), "value": "web-1"}]});
    let answering = answer(socket, Some(options));
    assert_eq!(slack.suggest("ana", view, "Target", "w").map(|options| options.len()), Ok(1));
    let (back, envelope) = answering.join().expect("an answer");
    socket = back;
    assert_eq!(
        (&envelope["payload"]["type"], &envelope["payload"]["value"]),
        (&json!("block_suggestion"), &json!("w"))
    );
    assert!(matches!(slack.choose("ana", view, "Target", "web"), Choice::Told(_)));
    assert_eq!(socket.take()["payload"]["actions"][0]["selected_option"]["value"], "web-1");
    socket
}

#[test]
fn a_modal_is_filled_in_and_submitted() {
    let slack = unpaced();
    let view = open(&slack);
    assert_eq!(slack.views("ana")[0]["title"]["text"], "Deploy");
    assert_eq!(
        slack.submit("ana", &view),
        SubmitResult::Incomplete(["why", "where", "target"].map(str::to_owned).to_vec())
    );
    slack.fill("ana", &view, "Reason", "far too long a reason");
    let socket = fill_in(&slack, Socket::open(&slack), &view);

    let answering = answer(socket, Some(json!({"response_action": "errors", "errors": {"why": "say more"}})));
    let shown = slack.submit("ana", &view);
    assert_eq!(shown, SubmitResult::Errors([("why".to_owned(), "say more".to_owned())].into()));
    let (socket, envelope) = answering.join().expect("an answer");
    let submitted = &envelope["payload"]["view"];
    assert_eq!(
        (&envelope["payload"]["type"], &submitted["private_metadata"]),
        (&json!("view_submission"), &json!("m"))
    );
    assert_eq!(submitted["state"]["values"]["why"]["a"]["value"], "because");
    assert_eq!(submitted["state"]["values"]["where"]["s"]["selected_option"]["value"], "green");

    let answering = answer(socket, Some(json!({"response_action": "errors", "errors": {"nowhere": "x"}})));
    assert!(matches!(slack.submit("ana", &view), SubmitResult::Trouble(_)));
    let (socket, _) = answering.join().expect("an answer");
    let answering = answer(socket, Some(json!({"response_action": "push", "view": modal("Second")})));
    let SubmitResult::Pushed(second) = slack.submit("ana", &view) else { panic!("nothing was pushed") };
    let (socket, _) = answering.join().expect("an answer");
    assert_eq!(slack.views("ana")[1]["previous_view_id"], json!(view));
    let mut socket = socket;
    slack.close_view("ana", &second);
    assert_eq!(socket.take()["payload"]["type"], "view_closed");
    let answering = answer(socket, Some(json!({"response_action": "update", "view": modal("Again")})));
    assert_eq!(slack.submit("ana", &view), SubmitResult::Updated(view.clone()));
    let (socket, _) = answering.join().expect("an answer");
    let kept = &slack.views("ana")[0]["state"]["values"]["why"]["a"]["value"];
    assert_eq!(kept, "because");
    let answering = answer(socket, None);
    assert_eq!(slack.submit("ana", &view), SubmitResult::Closed);
    answering.join().expect("an answer");
    assert!(slack.views("ana").is_empty());
}

#[test]
fn modals_lie_on_each_other_three_deep() {
    let slack = unpaced();
    let mut socket = Socket::open(&slack);
    let mut top = open(&slack);
    socket.take();
    let push = |top: &str| {
        let asked = slack.click_in_view("ana", top, "More");
        call(&slack, "views.push", json!({"trigger_id": asked.trigger_id, "view": modal("Next")}))
    };
    for _ in 0..2 {
        let pushed = push(&top);
        assert_eq!(pushed["view"]["root_view_id"], slack.views("ana")[0]["id"]);
        top = pushed["view"]["id"].as_str().expect("an id").to_owned();
    }
    assert_eq!(push(&top)["error"], "push_limit_reached");
    let outside = slack.global_shortcut("ana", "x");
    let push = json!({"trigger_id": outside.trigger_id, "view": modal("Next")});
    assert_eq!(call(&slack, "views.push", push)["error"], "not_found");
}

#[test]
fn two_presses_are_two_submissions() {
    let slack = unpaced();
    let view = open(&slack);
    let mut socket = Socket::open(&slack);
    socket = fill_in(&slack, socket, &view);
    let answering = std::thread::spawn(move || [socket.take(), socket.take()]);
    assert_eq!(slack.submit_twice("ana", &view), (SubmitResult::Closed, SubmitResult::Closed));
    let [first, second] = answering.join().expect("two answers");
    assert_eq!(first["payload"]["view"]["id"], second["payload"]["view"]["id"]);
    assert_ne!(first["envelope_id"], second["envelope_id"]);
}

#[test]
fn a_home_tab_is_published_and_its_buttons_work() {
    let slack = unpaced();
    let mut socket = Socket::open(&slack);
    slack.open_home("ana");
    assert_eq!(socket.take()["payload"]["event"]["tab"], "home");
    let more = json!({"type": "actions", "elements": [{"type": "button", "text": text("More"), "action_id": "more"}]});
    let publish = |more: Value| {
        let mut arguments = json!({"user_id": "U0ANA", "view": {"type": "home", "blocks": [more]}});
        if let Some(hash) = slack.home("ana").map(|home| home["hash"].clone()) {
            arguments["hash"] = hash;
        }
        call(&slack, "views.publish", arguments)
    };
    let home = publish(more.clone())["view"].clone();
    assert_eq!(publish(more)["view"]["id"], home["id"]);
    slack.click_in_view("ana", home["id"].as_str().expect("an id"), "More");
    assert_eq!(socket.take()["payload"]["view"]["type"], "home");
    let stale = json!({"user_id": "U0ANA", "hash": home["hash"], "view": {"type": "home", "blocks": []}});
    assert_eq!(call(&slack, "views.publish", stale)["error"], "hash_conflict");
}

//! Orders: taken once, refused where they come too late, withdrawn where it is not too late.

use andon_core::ports::{Deployer as _, DeployerError, Effect, Lookup};
use andon_deployers::keeper::{Request, Response};

use crate::stage::{Stage, runs, target};

#[tokio::test]
async fn an_order_is_carried_out_once() {
    let stage = Stage::new("").await;
    stage.make("v1", &[]);
    let mut order = stage.order("v1").await;
    assert_eq!(stage.lookup(order.operation).await, Lookup::NotStarted);
    stage.start(&order).await.unwrap();
    stage.start(&order).await.unwrap();
    stage.end(order.operation).await;
    let before = stage.who().await;
    // A later worker with a newer fence asks once more; after it, the one before is refused.
    order.fence = 3;
    stage.start(&order).await.unwrap();
    assert_eq!(stage.who().await, before);
    order.fence = 2;
    assert!(matches!(stage.start(&order).await, Err(DeployerError::Fenced)));
}

#[tokio::test]
async fn an_order_for_what_is_no_longer_so_is_refused() {
    let stage = Stage::new("").await;
    stage.make("v2", &[]);
    let late = stage.order("v2").await;
    stage.serve("v1").await;
    assert!(matches!(stage.start(&late).await, Err(DeployerError::Moved(_))));
    assert_eq!(stage.lookup(late.operation).await, Lookup::NotStarted);
    assert_eq!(stage.who().await.0, "v1");
}

#[tokio::test]
async fn of_two_orders_at_once_one_is_taken() {
    let stage = Stage::new("").await;
    stage.make("v1", &[]);
    stage.make("v2", &[]);
    let (one, two) = (stage.order("v1").await, stage.order("v2").await);
    let (first, second) = tokio::join!(stage.start(&one), stage.start(&two));
    assert_ne!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
    let (taken, refused) = if first.is_ok() { (one, second) } else { (two, first) };
    assert!(matches!(refused, Err(DeployerError::Moved(_))));
    stage.end(taken.operation).await;
    assert_eq!(stage.who().await.0, taken.artifact.version.as_str());
}

#[tokio::test]
async fn what_is_withdrawn_before_the_switch_changes_nothing() {
    let stage = Stage::new("ready_within = \"60s\"").await;
    stage.serve("v1").await;
    let before = stage.who().await;
    stage.make("v2", &["--never-ready"]);
    let order = stage.order("v2").await;
    stage.start(&order).await.unwrap();
    stage.phase(order.operation, "waiting").await;
    stage.deployer().cancel(&target(), order.operation).await.unwrap();
    assert_eq!(stage.end(order.operation).await, Effect::Cancelled);
    assert_eq!(stage.who().await, before);
}

#[tokio::test]
async fn what_is_live_cannot_be_withdrawn_and_this_is_said() {
    let stage = Stage::new("stop_within = \"20s\"").await;
    stage.serve("v1").await;
    let old = stage.who().await.2;
    let mut visitor = stage.visitor().await;
    let streaming = tokio::spawn(async move { visitor.send("/stream", "").await });
    stage.make("v2", &[]);
    let order = stage.order("v2").await;
    stage.start(&order).await.unwrap();
    stage.phase(order.operation, "too late to cancel").await;
    let cancel = Request::Cancel { target: target(), operation: order.operation };
    let says = async || match stage.client().ask(&cancel).await.unwrap() {
        Response::TooLate { reason } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(says().await, "it is live already");
    stage.deployer().cancel(&target(), order.operation).await.unwrap();
    Stage::tell(old, "/finish").await;
    assert!(matches!(stage.end(order.operation).await, Effect::Succeeded { .. }));
    assert_eq!(says().await, "it has ended already");
    assert_eq!(streaming.await.unwrap().unwrap().0, 200);
    assert_eq!(stage.who().await.0, "v2");
}

#[tokio::test]
async fn going_down_ends_what_serves_and_what_was_about_to() {
    let stage = Stage::new("ready_within = \"60s\"").await;
    stage.serve("v1").await;
    let pid = stage.who().await.1;
    stage.make("v2", &["--never-ready"]);
    let order = stage.order("v2").await;
    stage.start(&order).await.unwrap();
    stage.phase(order.operation, "waiting").await;
    let state = std::fs::read(stage.state(&format!("operations/{}/state.json", order.operation))).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    let started = i32::try_from(state["process"]["pid"].as_i64().unwrap()).unwrap();
    assert!(runs(pid) && runs(started));
    assert!(matches!(stage.client().ask(&Request::Down).await.unwrap(), Response::Taken));
    assert!(!runs(pid) && !runs(started));
}

#[tokio::test]
async fn so_many_releases_are_kept_as_the_setting_says() {
    let stage = Stage::new("keep = 3").await;
    let kept = || {
        let folder = std::fs::read_dir(stage.data().join("releases/hello/staging")).unwrap();
        let versions = folder.map(|release| std::fs::read_to_string(release.unwrap().path().join("andon.toml")));
        let mut versions: Vec<_> = versions.map(|text| text.unwrap()[2..4].to_owned()).collect();
        versions.sort();
        versions
    };
    for version in ["v1", "v2", "v3", "v4", "v5"] {
        stage.serve(version).await;
    }
    assert_eq!(kept(), ["v3", "v4", "v5"]);
    // What never served pushes nothing out.
    for version in ["w1", "w2", "w3"] {
        stage.make(version, &["--exit", "1"]);
        assert!(matches!(stage.deploy(version).await, Effect::Failed { .. }));
    }
    assert_eq!(kept(), ["v3", "v4", "v5"]);
    stage.serve("v6").await;
    assert_eq!(kept(), ["v4", "v5", "v6"]);
}

#[tokio::test]
async fn the_release_to_go_back_to_is_the_last_that_was_healthy() {
    let stage = Stage::new("").await;
    stage.serve("v1").await;
    stage.serve("v2").await;
    let previous = async || stage.live().await.previous.unwrap().version.to_string();
    assert_eq!(previous().await, "v1");
    Stage::tell(stage.who().await.2, "/sicken").await;
    stage.serve("v3").await;
    assert_eq!(previous().await, "v1", "v2 was not healthy");
    // Back at v1, there is nothing that v1 itself could go back to but what was left.
    stage.serve("v1").await;
    assert_eq!(previous().await, "v3");
}

#[tokio::test]
async fn an_order_can_follow_as_soon_as_the_one_before_has_ended() {
    let stage = Stage::new("").await;
    stage.make("w", &["--exit", "1"]);
    for _ in 0..5 {
        // Moved, were the first one still under way in any sense.
        assert!(matches!(stage.deploy("w").await, Effect::Failed { .. }));
    }
}

#[tokio::test]
async fn going_down_takes_as_long_as_services_take_and_ends_the_keeper_though_nobody_waits() {
    let mut stage = Stage::new("stop_within = \"1s\"").await;
    // It hears no wish to end.
    stage.make_script("v1", "trap '' TERM; \"$0\" service & while :; do wait; done");
    assert!(matches!(stage.deploy("v1").await, Effect::Succeeded { .. }));
    let pid = stage.who().await.1;
    let socket = stage.data().join("keeper.sock");
    let mut asker = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    std::io::Write::write_all(&mut asker, b"{\"version\":1,\"request\":{\"ask\":\"down\"}}\n").unwrap();
    drop(asker);
    stage.ended().await;
    assert!(!runs(pid));
    assert!(!socket.exists());
}

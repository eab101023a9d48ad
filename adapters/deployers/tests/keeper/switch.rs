//! Switching versions while people use the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use andon_core::ports::{Deployer as _, Effect};

use crate::stage::{Stage, Visitor, target, until};

#[tokio::test(flavor = "multi_thread")]
async fn not_one_request_fails_while_versions_are_switched() {
    let stage = Stage::new("").await;
    stage.serve("v0").await;
    let (over, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut visitors = Vec::new();
    for number in 0..6 {
        let (mut visitor, over, served) = (stage.visitor().await, Arc::clone(&over), Arc::clone(&served));
        visitors.push(tokio::spawn(async move {
            let body = "x".repeat(number * 10_000);
            let path = if number == 0 { "/" } else { "/echo" };
            while !over.load(Ordering::SeqCst) {
                // One connection for all of it: an end of it is a failure too.
                let (status, text) = visitor.send(path, &body).await.unwrap();
                assert_eq!(status, 200, "{text}");
                assert!(number == 0 || text == body);
                served.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    for version in ["v1", "v2", "v3", "v4"] {
        let before = served.load(Ordering::SeqCst);
        until("requests", async || (served.load(Ordering::SeqCst) > before + 20).then_some(())).await;
        stage.serve(version).await;
        assert_eq!(stage.who().await.0, version);
    }
    over.store(true, Ordering::SeqCst);
    for visitor in visitors {
        visitor.await.unwrap();
    }
}

#[tokio::test]
async fn a_body_that_still_streams_is_under_way() {
    let stage = Stage::new("stop_within = \"20s\"").await;
    stage.serve("v1").await;
    let old = stage.who().await.2;
    let mut visitor = stage.visitor().await;
    let streaming = tokio::spawn(async move { visitor.send("/stream", "").await });
    stage.make("v2", &[]);
    let order = stage.order("v2").await;
    stage.start(&order).await.unwrap();
    stage.phase(order.operation, "finishes its requests").await;
    // New requests go to the new release while the old one still streams.
    assert_eq!(stage.who().await.0, "v2");
    assert!(!streaming.is_finished());
    Stage::tell(old, "/finish").await;
    let (status, text) = streaming.await.unwrap().unwrap();
    assert!(status == 200 && text.ends_with("drop "), "{status} {text}");
    assert!(matches!(stage.end(order.operation).await, Effect::Succeeded { .. }));
}

#[tokio::test]
async fn a_body_that_streams_for_too_long_is_not_waited_for() {
    let stage = Stage::new("stop_within = \"200ms\"").await;
    stage.serve("v1").await;
    let mut visitor = stage.visitor().await;
    let streaming = tokio::spawn(async move { visitor.send("/stream", "").await });
    stage.serve("v2").await;
    assert!(streaming.await.unwrap().is_err(), "it was cut off");
}

#[tokio::test]
async fn what_is_for_one_connection_only_goes_no_further() {
    let stage = Stage::new("").await;
    stage.serve("v1").await;
    let headers = [
        ("connection", "upgrade, x-mine"),
        ("upgrade", "websocket"),
        ("te", "trailers"),
        ("keep-alive", "timeout=5"),
        ("x-mine", "1"),
        ("x-yours", "1"),
    ];
    let (status, seen) = stage.visitor().await.send_with("/headers", "", &headers).await.unwrap();
    assert_eq!((status, seen.as_str()), (200, "host x-yours"));
}

#[tokio::test]
async fn the_proxy_moves_to_where_the_configuration_says() {
    let mut stage = Stage::new("").await;
    stage.serve("v1").await;
    let before = stage.live().await.address.unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.config.listen = free;
    assert_eq!(stage.live().await.address.unwrap(), format!("http://{free}"));
    assert_eq!(stage.who().await.0, "v1");
    let old: u16 = before.rsplit_once(':').unwrap().1.parse().unwrap();
    until("the end of the old place", async || Visitor::new(old).await.is_err().then_some(())).await;
    // A place that somebody has is named, and the one before stays.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    stage.config.listen = taken.local_addr().unwrap();
    let refused = format!("{:?}", stage.deployer().live(&target()).await.unwrap_err());
    assert!(refused.contains("cannot listen on"), "{refused}");
    assert!(Visitor::new(free.port()).await.is_ok());
}

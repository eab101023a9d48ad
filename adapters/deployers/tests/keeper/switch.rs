//! Switching versions while people use the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use andon_core::ports::Effect;

use crate::stage::{Stage, until};

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
    let stage = Stage::new("").await;
    stage.serve("v1").await;
    let mut visitor = stage.visitor().await;
    let streaming = tokio::spawn(async move { visitor.send("/stream", "").await });
    stage.make("v2", &[]);
    let order = stage.order("v2").await;
    stage.start(&order).await.unwrap();
    stage.phase(order.operation, "finishes its requests").await;
    // New requests go to the new release while the old one still streams.
    assert_eq!(stage.who().await.0, "v2");
    assert!(!streaming.is_finished());
    let (status, text) = streaming.await.unwrap().unwrap();
    assert_eq!((status, text.split_whitespace().count()), (200, 20));
    assert!(matches!(stage.end(order.operation).await, Effect::Succeeded { .. }));
}

#[tokio::test]
async fn a_body_that_streams_for_too_long_is_not_waited_for() {
    let stage = Stage::new("stop_within = \"200ms\"").await;
    stage.serve("v1").await;
    let mut visitor = stage.visitor().await;
    let streaming = tokio::spawn(async move { visitor.send("/stream", "").await });
    until("the request", async || {
        let mut visitor = stage.visitor().await;
        visitor.send("/", "").await.ok()
    })
    .await;
    stage.serve("v2").await;
    assert!(streaming.await.unwrap().is_err(), "it was cut off");
}

//! Services that do not do what they should.

use andon_core::ports::{Deployer as _, DeployerError, Effect};

use crate::stage::{Stage, runs, target, until};

async fn fails(arguments: &[&str], why: &str) -> Option<String> {
    let stage = Stage::new("ready_within = \"500ms\"").await;
    stage.serve("v1").await;
    let before = stage.who().await;
    stage.make("v2", arguments);
    let end = stage.deploy("v2").await;
    let Effect::Failed { reason, log, serving } = end else { panic!("{end:?}") };
    assert!(reason.contains(why), "{reason}");
    assert_eq!(serving.unwrap().as_str(), "v1");
    assert_eq!(stage.who().await, before);
    let live = stage.live().await;
    assert_eq!(live.running.unwrap().artifact.version.as_str(), "v1");
    log.map(|log| log.as_str().to_owned())
}

#[tokio::test]
async fn a_service_that_is_never_ready_changes_nothing() {
    let log = fails(&["--never-ready"], "/healthz did not answer 200 within 500ms").await;
    assert_eq!(log.unwrap(), "serving v2");
}

#[tokio::test]
async fn a_service_that_ends_at_once_changes_nothing_and_its_last_lines_are_given() {
    let log = fails(&["--exit", "3"], "it ended before it was ready: exit status: 3").await;
    assert_eq!(log.unwrap(), "cannot go on, [redacted]");
}

#[tokio::test]
async fn a_program_that_is_not_there_changes_nothing() {
    let stage = Stage::new("").await;
    stage.serve("v1").await;
    stage.make("v2", &[]);
    std::fs::write(stage.data().join("artifacts/v2/andon.toml"), "argv = [\"./nothing\"]").unwrap();
    let end = stage.deploy("v2").await;
    assert!(matches!(&end, Effect::Failed { reason, .. } if reason.contains("/nothing: No such file")), "{end:?}");
    assert_eq!(stage.who().await.0, "v1");
    assert_eq!(std::fs::read_dir(stage.state("pipes")).unwrap().count(), 2);
}

#[tokio::test]
async fn a_service_that_dies_is_started_again_more_and_more_slowly_and_this_is_told() {
    let stage = Stage::new("").await;
    stage.serve("v1").await;
    let mut pid = stage.who().await.1;
    for times in 1..=3 {
        // The connection breaks in the middle of the request, which the proxy calls a bad gateway.
        assert_eq!(stage.visitor().await.send("/die", "").await.unwrap().0, 502);
        let down = until("its end", async || stage.live().await.running.filter(|running| !running.healthy)).await;
        assert_eq!(down.artifact.version.as_str(), "v1");
        let up = until("its return", async || stage.live().await.running.filter(|running| running.healthy)).await;
        let words = if times == 1 { "1 time".to_owned() } else { format!("{times} times") };
        assert!(
            up.evidence.contains(&format!("ended {words} lately, the last time with signal: 6")),
            "{}",
            up.evidence
        );
        assert!(!runs(pid));
        pid = stage.who().await.1;
    }
    // 200 ms, 400 ms, 800 ms.
    let log = stage.log();
    let times = |text: &str| -> Vec<jiff::Timestamp> {
        let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let lines = lines.filter(|line| line["line"].as_str().unwrap().contains(text));
        lines.map(|line| line["time"].as_str().unwrap().parse().unwrap()).collect()
    };
    let (ends, starts) = (times("ended: signal"), times("started again as"));
    assert_eq!((ends.len(), starts.len()), (3, 3));
    for (number, (end, start)) in ends.iter().zip(&starts).enumerate() {
        let pause = start.duration_since(*end).as_millis();
        assert!(pause >= 200 << number, "{number}: {pause} ms");
    }
}

#[tokio::test]
async fn a_port_that_somebody_has_is_one_targets_trouble_and_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut stage = Stage::new(&format!("listen = \"{address}\"")).await;
    let error = stage.deployer().live(&target()).await.unwrap_err();
    assert!(matches!(error, DeployerError::Faulted(_)));
    assert!(format!("{error:?}").contains(&format!("cannot listen on {address}: Address already in use")), "{error:?}");
    drop(taken);
    stage.serve("v1").await;
    // A keeper that finds its port taken when it comes back goes on, and takes the port up when it is free.
    stage.kill();
    let taken = std::net::TcpListener::bind(address).unwrap();
    stage.open().await;
    assert!(stage.deployer().live(&target()).await.is_err());
    drop(taken);
    until("the port", async || stage.deployer().live(&target()).await.ok()).await;
    assert_eq!(stage.who().await.0, "v1");
}

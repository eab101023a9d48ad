//! Services that do not do what they should.

use std::sync::Arc;

use andon_core::ports::{Deployer as _, DeployerError, Effect};
use andon_deployers::keeper::{KeeperClient, Request, Response};

use crate::clock::MachineClock;
use crate::stage::{Stage, runs, target, until};

async fn fails(arguments: &[&str], why: &str) -> Option<String> {
    let mut stage = Stage::new("").await;
    stage.serve("v1").await;
    let before = stage.who().await;
    stage.config.ready_within = jiff::SignedDuration::from_millis(500);
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
async fn what_a_service_had_started_ends_with_it_and_before_it_is_started_again() {
    let stage = Stage::new("stop_within = \"1s\"").await;
    // The helper hears no wish to end, and outlives the shell that started it.
    stage.make_script("v1", "trap '' TERM; sleep 600 & echo helper $!; trap - TERM; \"$0\" service & wait");
    assert!(matches!(stage.deploy("v1").await, Effect::Succeeded { .. }));
    let helpers = || -> Vec<i32> {
        let log = stage.log();
        let words = log.split("helper ").skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok());
        words.collect()
    };
    until("the helper", async || (helpers().len() == 1).then_some(())).await;
    let first = helpers()[0];
    assert!(runs(first));
    let state = std::fs::read(stage.state("current.json")).unwrap();
    let shell = serde_json::from_slice::<serde_json::Value>(&state).unwrap()["process"]["pid"].as_i64().unwrap();
    let shell = rustix::process::Pid::from_raw(i32::try_from(shell).unwrap()).unwrap();
    rustix::process::kill_process(shell, rustix::process::Signal::KILL).unwrap();
    until("another helper", async || (helpers().len() == 2).then_some(())).await;
    assert!(!runs(first), "the crash left it behind");
    stage.serve("v2").await;
    assert!(!runs(helpers()[1]), "the end left it behind");
}

#[tokio::test]
async fn a_keeper_that_died_is_started_when_it_is_needed_and_takes_its_services_up() {
    let mut stage = Stage::new("").await;
    stage.serve("v1").await;
    let before = stage.who().await;
    let client = KeeperClient::connect_or_spawn(stage.data(), &stage.spawn(), Arc::new(MachineClock)).await.unwrap();
    stage.kill();
    // Two at once start one keeper.
    let live = Request::Live { spec: stage.spec() };
    let (one, two) = tokio::join!(client.ask(&live), client.ask(&live));
    for answer in [one, two] {
        let Ok(Response::Live { live }) = answer else { panic!("{answer:?}") };
        assert!(live.running.unwrap().evidence.contains(&format!("pid {}", before.1)));
    }
    assert_eq!(stage.who().await, before);
    // Of the copies that keepers are started from, one is left.
    assert_eq!(std::fs::read_dir(stage.data().join("keeper-bin")).unwrap().count(), 1);
    assert!(matches!(stage.client().ask(&Request::Down).await, Ok(Response::Taken)));
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
        let words = if times == 1 { "1 time".to_owned() } else { format!("{times} times") };
        let words = format!("ended {words} lately, the last time with signal: 6");
        let up = until("its return", async || {
            stage.live().await.running.filter(|running| running.healthy && running.evidence.contains(&words))
        });
        assert_eq!(up.await.artifact.version.as_str(), "v1");
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

//! The keeper dies, and another one takes up what it left.

use std::process::{Child, Command};

use andon_core::ports::{Effect, Lookup};
use serde_json::{Value, json};

use crate::stage::{Stage, Visitor, runs, until};

#[tokio::test]
async fn services_outlive_their_keeper_and_the_next_one_adopts_them() {
    let mut stage = Stage::new("").await;
    stage.serve("v1").await;
    let (_, pid, port) = stage.who().await;
    stage.kill();
    // Without a keeper only the proxy is away: the service answers, and what it says breaks nothing.
    let mut visitor = Visitor::new(port).await.unwrap();
    for number in 0..50 {
        let (status, _) = visitor.send("/say", &format!("alone {number} {}\n", "x".repeat(4_000))).await.unwrap();
        assert_eq!(status, 200);
    }
    stage.open().await;
    assert_eq!(stage.who().await, ("v1".to_owned(), pid, port));
    // What it said meanwhile is in its log, and what it says from now on too.
    stage.logged("alone 0 ").await;
    stage.logged("alone 49 ").await;
    visitor.send("/say", "not alone\n").await.unwrap();
    stage.logged("not alone").await;
    // An adopted service is switched away from and ended like any other.
    stage.serve("v2").await;
    assert_eq!(stage.who().await.0, "v2");
    until("the end of the adopted service", async || (!runs(pid)).then_some(())).await;
}

#[tokio::test]
async fn an_adopted_service_that_ends_is_started_again() {
    let mut stage = Stage::new("").await;
    stage.serve("v1").await;
    let (_, pid, port) = stage.who().await;
    stage.kill();
    stage.open().await;
    stage.live().await;
    assert!(Visitor::new(port).await.unwrap().send("/die", "").await.is_err());
    let fresh = until("another pid", async || {
        let running = stage.live().await.running?;
        (running.healthy && running.evidence != format!("pid {pid}")).then_some(running.evidence)
    });
    assert!(fresh.await.contains("an end that nobody saw"));
}

#[tokio::test]
async fn a_keeper_that_dies_while_it_switches_leaves_one_service_behind() {
    let mut stage = Stage::new("stop_within = \"2s\"").await;
    stage.serve("v1").await;
    let (_, old, _) = stage.who().await;
    let mut visitor = stage.visitor().await;
    let streaming = tokio::spawn(async move { visitor.send("/stream", "").await });
    stage.make("v2", &[]);
    let order = stage.order("v2").await;
    stage.start(&order).await.unwrap();
    stage.phase(order.operation, "live; ").await;
    stage.kill();
    assert!(streaming.await.unwrap().is_err());
    assert!(runs(old));
    stage.open().await;
    let end = stage.end(order.operation).await;
    assert!(matches!(&end, Effect::Succeeded { observed } if observed.healthy), "{end:?}");
    until("the end of the old release", async || (!runs(old)).then_some(())).await;
    assert_eq!(stage.who().await.0, "v2");
}

/// Somebody else's process, which leads a group like a service does.
struct Bystander(Child);

impl Bystander {
    fn new() -> Self {
        use std::os::unix::process::CommandExt as _;
        Self(Command::new("sleep").arg("600").process_group(0).spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Breaks the keeper off in the middle of an order whose instance is then said to be somebody else.
async fn broken_off(change: impl FnOnce(&mut Value, i32)) {
    let mut stage = Stage::new("ready_within = \"60s\"").await;
    stage.serve("v1").await;
    stage.make("v2", &["--never-ready"]);
    let order = stage.order("v2").await;
    stage.start(&order).await.unwrap();
    stage.phase(order.operation, "waiting").await;
    stage.kill();
    let mut bystander = Bystander::new();
    let mut orphan = 0;
    stage.rewrite(&format!("operations/{}/state.json", order.operation), |state| {
        orphan = i32::try_from(state["process"]["pid"].as_i64().unwrap()).unwrap();
        change(&mut state["process"], bystander.pid());
    });
    stage.open().await;
    // To see what is live waits for the keeper to have taken everything up.
    stage.live().await;
    let lookup = stage.lookup(order.operation).await;
    assert!(matches!(&lookup, Lookup::CannotTell { reason } if reason.contains("another process")), "{lookup:?}");
    assert!(bystander.0.try_wait().unwrap().is_none(), "the bystander was hit");
    assert_eq!(stage.who().await.0, "v1");
    // The real one, which the test hid from its keeper.
    rustix::process::kill_process(rustix::process::Pid::from_raw(orphan).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
}

#[tokio::test]
async fn a_pid_that_was_used_again_is_left_alone_and_nobody_can_tell() {
    broken_off(|process, pid| process["pid"] = json!(pid)).await;
}

#[tokio::test]
async fn after_a_reboot_a_pid_means_nothing() {
    broken_off(|process, _| process["boot"] = json!("another")).await;
}

#[tokio::test]
async fn what_serves_is_started_again_where_its_pid_is_somebody_else() {
    let mut stage = Stage::new("stop_within = \"1s\"").await;
    stage.serve("v1").await;
    let (_, pid, _) = stage.who().await;
    stage.kill();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
    let mut bystander = Bystander::new();
    stage.rewrite("current.json", |current| current["process"]["pid"] = json!(bystander.pid()));
    stage.open().await;
    until("the service", async || stage.live().await.running.filter(|running| running.healthy)).await;
    stage.serve("v2").await;
    assert!(bystander.0.try_wait().unwrap().is_none(), "the bystander was hit");
}

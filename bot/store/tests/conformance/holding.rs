//! Targets: at most one operation runs on each, and rollbacks go first.

use std::collections::BTreeSet;

use andon_core::{Cause, OperationNumber, OperationState};
use andon_store::{OperationRow, Store, StoreError};
use tokio::task::JoinSet;

use crate::both;
use crate::given::{Wish, operation, target};
use crate::world::{World, at, keep, look, unit};

both! {
    one_operation_runs_on_a_target,
    the_database_itself_knows_one_holder,
    rollbacks_go_first,
    a_held_target_is_not_claimed,
    a_rollback_does_not_wait_for_what_nobody_can_tell,
    a_rollback_gets_to_ask_the_holder_to_stop,
}

fn on(services: &[&str]) -> Wish {
    Wish { targets: services.iter().map(|service| target(service)).collect(), ..Wish::default() }
}

async fn claim(store: &Store, now: i64, until: i64, urgent_only: bool) -> Option<OperationRow> {
    keep!(store, |transaction| transaction.claim_operation("worker", at(now), at(until), urgent_only))
}

async fn advance(store: &Store, row: &OperationRow, cause: Cause) -> Result<OperationState, StoreError> {
    let row = row.clone();
    unit!(store, |transaction| transaction.advance(&row, cause, at(5), None)).await
}

/// The operation as it is now.
async fn now(store: &Store, number: OperationNumber) -> OperationRow {
    look!(store, |connection| connection.operation_by_number(number)).expect("no operation")
}

async fn one_operation_runs_on_a_target(world: World) {
    let store = world.open().await;
    for round in 0..64 {
        let services: &[&str] = [&["api"] as &[&str], &["web"], &["api", "web"], &["web", "api"]][round % 4];
        operation(&store, &world, &on(services)).await;
    }
    let mut claimed = Vec::new();
    while let Some(row) = claim(&store, 0, 1000, false).await {
        claimed.push(row);
    }
    assert_eq!(claimed.len(), 64, "nothing runs yet, so everything can be claimed");
    for _ in 0..4 {
        let starts: JoinSet<_> = claimed
            .iter()
            .cloned()
            .map(|row| {
                let store = store.clone();
                async move { (advance(&store, &row, Cause::Started).await, row) }
            })
            .collect();
        let mut held = BTreeSet::new();
        let mut running = Vec::new();
        for (start, row) in starts.join_all().await {
            match start {
                Ok(state) => {
                    assert_eq!(state, OperationState::Running);
                    row.targets
                        .iter()
                        .for_each(|target| assert!(held.insert(target.clone()), "{target} is held twice"));
                    running.push(row.number);
                }
                Err(StoreError::TargetHeld(holder)) => assert_ne!(holder, row.number),
                Err(other) => panic!("{}: neither started nor held: {other:?}", row.number),
            }
        }
        assert!(!running.is_empty(), "nobody got a free target");
        for number in running {
            let row = now(&store, number).await;
            advance(&store, &row, Cause::Succeeded).await.expect("what runs can end");
            claimed.retain(|row| row.number != number);
        }
        assert!(look!(store, |connection| connection.holder(&target("api"))).is_none(), "the end lets targets go");
    }
}

async fn the_database_itself_knows_one_holder(world: World) {
    let store = world.open().await;
    operation(&store, &world, &on(&["api"])).await;
    operation(&store, &world, &on(&["api"])).await;
    let refused = world.raw().await.execute("update operation_targets set holding = (1 = 1)").await;
    let refused = refused.expect_err("two holders of one target");
    assert!(refused.as_database_error().is_some_and(|error| error.is_unique_violation()), "{refused}");
}

async fn rollbacks_go_first(world: World) {
    let store = world.open().await;
    let mut numbers = Vec::new();
    for (service, urgent) in [("a", false), ("b", false), ("c", true), ("d", false), ("e", true)] {
        numbers.push(operation(&store, &world, &Wish { urgent, ..on(&[service]) }).await.1);
    }
    let first = claim(&store, 0, 1000, true).await.expect("a rollback");
    let second = claim(&store, 0, 1000, false).await.expect("a rollback");
    assert_eq!([first.number, second.number], [numbers[2], numbers[4]]);
    assert!(claim(&store, 0, 1000, true).await.is_none(), "the kept places are for rollbacks alone");
    for number in [numbers[0], numbers[1], numbers[3]] {
        assert_eq!(claim(&store, 0, 1000, false).await.expect("by age").number, number);
    }
}

async fn a_held_target_is_not_claimed(world: World) {
    let store = world.open().await;
    let (_, holder) = operation(&store, &world, &on(&["api", "web"])).await;
    let (_, waiting) = operation(&store, &world, &on(&["web"])).await;
    let row = claim(&store, 0, 1000, false).await.expect("the first");
    assert_eq!(row.number, holder);
    advance(&store, &row, Cause::Started).await.expect("started");
    assert!(claim(&store, 1, 1000, false).await.is_none(), "its target is held");
    let refused = advance(&store, &now(&store, waiting).await, Cause::Started).await;
    assert!(matches!(refused, Err(StoreError::TargetHeld(number)) if number == holder), "{refused:?}");
    advance(&store, &now(&store, holder).await, Cause::Failed).await.expect("ended");
    assert_eq!(claim(&store, 1, 1000, false).await.expect("free now").number, waiting);
}

async fn a_rollback_does_not_wait_for_what_nobody_can_tell(world: World) {
    let store = world.open().await;
    operation(&store, &world, &on(&["api"])).await;
    let row = claim(&store, 0, 10, false).await.expect("the first");
    advance(&store, &row, Cause::Started).await.expect("started");
    advance(&store, &now(&store, row.number).await, Cause::Lost).await.expect("lost");
    let held = look!(store, |connection| connection.holder(&target("api"))).map(|row| row.number);
    assert_eq!(held, Some(row.number), "what nobody can tell keeps its target");
    operation(&store, &world, &on(&["api"])).await;
    assert!(claim(&store, 100, 110, false).await.is_none(), "a deploy waits for a person");
    let (_, rollback) = operation(&store, &world, &Wish { urgent: true, ..on(&["api"]) }).await;
    let claimed = claim(&store, 100, 110, false).await.expect("the rollback");
    assert_eq!(claimed.number, rollback);
    let holder = row.id;
    keep!(store, |transaction| transaction.let_targets_go(holder));
    advance(&store, &claimed, Cause::Started).await.expect("it takes over");
}

async fn a_rollback_gets_to_ask_the_holder_to_stop(world: World) {
    let store = world.open().await;
    let (deploy, number) = operation(&store, &world, &on(&["api"])).await;
    let row = claim(&store, 0, 1000, false).await.expect("the deploy");
    advance(&store, &row, Cause::Started).await.expect("started");
    let (_, rollback) = operation(&store, &world, &Wish { urgent: true, ..on(&["api"]) }).await;
    let claimed = claim(&store, 1, 5, false).await.expect("nobody has asked the deploy to stop yet");
    assert_eq!(claimed.number, rollback);
    keep!(store, |transaction| transaction.request_cancel(deploy));
    assert!(now(&store, number).await.cancel_requested);
    assert!(claim(&store, 100, 110, false).await.is_none(), "once asked, the rollback waits for its end");
    advance(&store, &now(&store, number).await, Cause::Cancelled).await.expect("stopped");
    assert_eq!(claim(&store, 100, 110, false).await.expect("free now").number, rollback);
}

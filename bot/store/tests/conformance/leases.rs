//! Leases: nobody holds one that another holds, and whoever has lost one can no longer do anything with it.

use std::collections::BTreeMap;

use andon_core::{Cause, Outcome};
use andon_store::{OperationRow, Store, StoreError};
use tokio::task::JoinSet;

use crate::given::{self, Wish};
use crate::world::{World, at, keep, look, unit};
use crate::{both, given::operation};

both! {
    operations_are_never_held_twice,
    invocations_are_never_held_twice,
    named_leases_are_never_held_twice,
    an_old_fence_opens_nothing,
    who_is_alone_lets_all_leases_go,
}

/// Who held something, by its fence: from when until when.
type History = BTreeMap<i64, (i64, i64)>;

/// Claims from 64 tasks at random moments.
const CLAIMS: u64 = 64;
/// Each of these is another story.
const STORIES: u64 = 4;

/// A random moment and a random end of a lease from then on.
fn moment(world: &World) -> (i64, i64) {
    let now = i64::try_from(world.dice.below(200)).expect("a small number");
    (now, now + 1 + i64::try_from(world.dice.below(30)).expect("a small number"))
}

/// Fences grow by one each time, and nobody begins before whoever was there has ended.
fn check(name: &str, history: &History) {
    let fences: Vec<i64> = history.keys().copied().collect();
    assert_eq!(fences, (1..=history.len() as i64).collect::<Vec<_>>(), "{name}: fences");
    for ((fence, (from, until)), (next, _)) in
        history.iter().skip(1).zip(history.values()).map(|(b, a)| (b, (a.1, a.0)))
    {
        assert!(*from >= next, "{name}: {fence} began at {from} and ends at {until}, the one before ended at {next}");
    }
}

fn note(histories: &mut BTreeMap<String, History>, (name, fence, from, until): (String, i64, i64, i64)) {
    let twice = histories.entry(name.clone()).or_default().insert(fence, (from, until));
    assert_eq!(twice, None, "{name}: fence {fence} was given twice");
}

async fn claim(store: &Store, owner: &str, now: i64, until: i64) -> Option<OperationRow> {
    let owner = owner.to_owned();
    keep!(store, |transaction| transaction.claim_operation(&owner, at(now), at(until), false))
}

/// A claim, and now and then a longer lease, as far as it goes.
async fn hold(store: Store, world: World, owner: u64) -> Option<(String, i64, i64, i64)> {
    let (now, mut until) = moment(&world);
    let row = claim(&store, &format!("worker {owner}"), now, until).await?;
    if world.dice.below(3) == 0 {
        let longer = until + 20;
        let (id, fence) = (row.id, row.fence);
        if keep!(store, |transaction| transaction.renew_lease(id, fence, at(longer))) {
            until = longer;
        }
    }
    Some((row.number.to_string(), row.fence, now, until))
}

async fn operations_are_never_held_twice(world: World) {
    let store = world.open().await;
    for _ in 0..STORIES {
        for service in ["api", "web"] {
            operation(&store, &world, &Wish { targets: vec![given::target(service)], ..Wish::default() }).await;
        }
    }
    let mut claims: JoinSet<_> = (0..CLAIMS).map(|owner| hold(store.clone(), world.clone(), owner)).collect();
    let mut histories = BTreeMap::new();
    while let Some(claim) = claims.join_next().await {
        claim.expect("a claim broke").into_iter().for_each(|claim| note(&mut histories, claim));
    }
    assert!(histories.len() > 1, "hardly anything was claimed");
    histories.iter().for_each(|(name, history)| check(name, history));
}

async fn invocations_are_never_held_twice(world: World) {
    let store = world.open().await;
    for _ in 0..STORIES {
        given::accepted(&store, &world, 0).await;
    }
    let claims: JoinSet<_> = (0..CLAIMS)
        .map(|owner| {
            let (store, (now, until)) = (store.clone(), moment(&world));
            let owner = format!("worker {owner}");
            async move {
                let claim =
                    keep!(store, |transaction| { transaction.claim_invocations(&owner, at(now), at(until), false, 1) });
                let claimed = claim.first()?;
                let row = claimed.invocation();
                // Each claim is one attempt, so attempts count as fences do.
                Some((row.id.to_string(), row.attempts, now, until))
            }
        })
        .collect();
    let mut histories = BTreeMap::new();
    claims.join_all().await.into_iter().flatten().for_each(|claim| note(&mut histories, claim));
    assert!(histories.len() > 1, "hardly anything was claimed");
    histories.iter().for_each(|(name, history)| check(name, history));
}

async fn named_leases_are_never_held_twice(world: World) {
    let store = world.open().await;
    let claims: JoinSet<_> = (0..CLAIMS)
        .map(|owner| {
            let (store, (now, until)) = (store.clone(), moment(&world));
            let owner = format!("replica {owner}");
            async move {
                let fence = keep!(store, |transaction| transaction.take_lease("sequencer", &owner, at(now), at(until)));
                Some(("sequencer".to_owned(), fence?, now, until))
            }
        })
        .collect();
    let mut histories = BTreeMap::new();
    claims.join_all().await.into_iter().flatten().for_each(|claim| note(&mut histories, claim));
    histories.iter().for_each(|(name, history)| check(name, history));
    let fence = histories["sequencer"].len() as i64;
    let again = keep!(store, |transaction| transaction.take_lease("sequencer", "me", at(1000), at(1010)));
    assert_eq!(again, Some(fence + 1), "another owner has another fence");
    let renewed = keep!(store, |transaction| transaction.take_lease("sequencer", "me", at(1005), at(1020)));
    assert_eq!(renewed, Some(fence + 1), "its owner keeps the fence");
    assert_eq!(keep!(store, |transaction| transaction.take_lease("sequencer", "you", at(1019), at(1030))), None);
}

async fn an_old_fence_opens_nothing(world: World) {
    let store = world.open().await;
    let wish = Wish { targets: vec![given::target("api")], ..Wish::default() };
    let (id, _) = operation(&store, &world, &wish).await;
    let old = claim(&store, "a", 0, 10).await.expect("nothing to claim");
    let new = claim(&store, "b", 10, 20).await.expect("an expired lease is free");
    assert!(new.fence > old.fence);
    let started =
        |row: OperationRow| unit!(store, |transaction| transaction.advance(&row, Cause::Started, at(11), None));
    assert!(matches!(started(old.clone()).await, Err(StoreError::Conflict(_))));
    assert!(
        look!(store, |connection| connection.holder(&given::target("api"))).is_none(),
        "a lost lease holds nothing"
    );
    started(new.clone()).await.expect("its worker starts it");

    assert!(!keep!(store, |transaction| transaction.renew_lease(id, old.fence, at(99))));
    assert!(keep!(store, |transaction| transaction.renew_lease(id, new.fence, at(30))));
    assert!(!keep!(store, |transaction| transaction.set_phase(id, old.fence, "old")));
    assert!(keep!(store, |transaction| transaction.set_phase(id, new.fence, "new")));
    let running = look!(store, |connection| connection.operation(id)).expect("no operation");
    assert_eq!(running.phase.as_deref(), Some("new"));

    // A worker that was away too long: it knows everything but the fence.
    let late = OperationRow { fence: old.fence, ..running.clone() };
    let state = andon_core::OperationState::Succeeded;
    let outcome = Outcome { state, summary: "live".into(), observed: None, details: None };
    let ended = unit!(store, |transaction| transaction.advance(&late, Cause::Succeeded, at(12), Some(&outcome)));
    assert!(matches!(ended.await, Err(StoreError::Conflict(_))));
    let held = look!(store, |connection| connection.holder(&given::target("api")));
    assert_eq!(held.map(|row| row.id), Some(id), "the refused end let nothing go");
    assert!(claim(&store, "c", 29, 40).await.is_none(), "the longer lease holds");
    let taken = claim(&store, "c", 30, 40).await.expect("a running operation is taken over");
    assert!(taken.fence > new.fence);
    assert_eq!(taken.attempts, 2, "attempts are counted from the start, however often somebody looked before");
}

async fn who_is_alone_lets_all_leases_go(world: World) {
    let store = world.open().await;
    given::accepted(&store, &world, 0).await;
    operation(&store, &world, &Wish { targets: vec![given::target("api")], ..Wish::default() }).await;
    let invocations = || unit!(store, |transaction| transaction.claim_invocations("a", at(0), at(1000), false, 100));
    invocations().await.expect("no claim");
    let before = claim(&store, "a", 0, 1000).await.expect("nothing to claim");
    keep!(store, |transaction| transaction.release_all_leases());
    assert!(!invocations().await.expect("no claim").is_empty());
    let after = claim(&store, "b", 1, 1000).await.expect("nothing to claim");
    assert_eq!((after.id, after.fence), (before.id, before.fence + 1));
}

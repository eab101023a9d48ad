//! One human act makes one invocation, however often it is delivered, and one worker at a time goes on with it.

use andon_core::{Audience, InvocationId, Message, Receipt, RecordKind, Said};
use andon_store::{Acceptance, Accepted, InvocationState, NewInvocation, NewInvocationState, Store, StoreError};
use tokio::task::JoinSet;

use crate::world::{World, at, unit};
use crate::{both, given};

both! {
    sixteen_deliveries_make_one_invocation,
    what_was_refused_can_be_tried_again,
    many_presses_after_a_refusal_are_one_act,
    a_refused_unit_leaves_no_trace_of_the_act,
    an_expired_claim_is_taken_over,
    a_released_claim_is_free_at_once,
    the_oldest_is_claimed_first,
    what_cannot_wait_is_claimed_first,
    what_cannot_be_read_blocks_nobody,
    the_proof_goes_along,
    a_forgotten_act_is_new_again,
}

async fn claim(store: &Store, owner: &'static str, now: i64, until: i64) -> Option<Accepted> {
    let claimed = unit!(store, |transaction| transaction.claim_invocations(owner, at(now), at(until), false, 1));
    claimed.await.expect("invocations cannot be claimed").pop()
}

async fn finish(store: &Store, accepted: Accepted) -> Result<(), StoreError> {
    unit!(store, |transaction| transaction.finish_invocation(&accepted, InvocationState::Answered, "done")).await
}

async fn sixteen_deliveries_make_one_invocation(world: World) {
    let store = world.open().await;
    let mut deliveries = JoinSet::new();
    for _ in 0..16 {
        let (store, world) = (store.clone(), world.clone());
        let id = InvocationId::new(at(0), &*world.dice);
        deliveries.spawn(async move { (id, given::accept(&store, &world, id, "slack/T1/message/C1/1.2", 0).await) });
    }
    let (mut born, mut told) = (Vec::new(), Vec::new());
    for (id, acceptance) in deliveries.join_all().await {
        match acceptance {
            Acceptance::New => born.push(id),
            Acceptance::Duplicate(Receipt::Accepted { invocation, .. }) => told.push(invocation),
            Acceptance::Duplicate(_) => panic!("another receipt than the stored one"),
        }
    }
    let [id] = born[..] else { panic!("{} invocations were born", born.len()) };
    assert_eq!(told, vec![id; 15]);
    let mut raw = world.raw().await;
    assert_eq!(raw.number("select count(*) from invocations").await, 1);
    assert_eq!(raw.number("select count(*) from inbox").await, 1);
    assert_eq!(raw.number("select count(*) from records").await, 1, "a duplicate is not recorded again");
}

/// Delivers an attempt at one act, and says whether it is new.
async fn attempt(store: &Store, world: &World, attempt: &str, receipt: Receipt) -> Result<(), Receipt> {
    let said = Said { attempt: Some(attempt.to_owned()), ..given::said("slack/T1/view/V1/e3b0", 0) };
    let (records, id) = ([given::sealed(world, RecordKind::Asked, 0)], InvocationId::new(at(0), &*world.dice));
    let state = match receipt {
        Receipt::Refused { .. } => NewInvocationState::Refused,
        _ => NewInvocationState::Accepted,
    };
    let accepted = unit!(store, |transaction| transaction.accept(NewInvocation {
        id,
        said: &said,
        speaker: None,
        command: None,
        records: &records,
        receipt: &receipt,
        state,
        urgent: false,
    }));
    match accepted.await.expect("an act is not accepted") {
        Acceptance::New => Ok(()),
        Acceptance::Duplicate(receipt) => Err(receipt),
    }
}

async fn what_was_refused_can_be_tried_again(world: World) {
    let store = world.open().await;
    let refused = |why: &str| Receipt::Refused { message: Box::new(Message::new(why)), said: false };
    let accepted =
        || Receipt::Accepted { invocation: InvocationId::new(at(0), &*world.dice), audience: Audience::Room };
    let attempt = |name, receipt| attempt(&store, &world, name, receipt);
    assert_eq!(attempt("first", refused("too early")).await, Ok(()));
    // A second delivery of the same attempt is none, whatever would be decided by now.
    assert_eq!(attempt("first", accepted()).await, Err(refused("too early")));
    assert_eq!(attempt("second", refused("still")).await, Ok(()));
    assert_eq!(attempt("first", accepted()).await, Err(refused("too early")));
    assert_eq!(attempt("second", accepted()).await, Err(refused("still")));
    let last = accepted();
    assert_eq!(attempt("third", last.clone()).await, Ok(()));
    // What was accepted is not done again.
    for name in ["third", "fourth", "first"] {
        assert_eq!(attempt(name, accepted()).await, Err(last.clone()), "{name}");
    }
    assert_eq!(world.raw().await.number("select count(*) from invocations").await, 3);
}

async fn many_presses_after_a_refusal_are_one_act(world: World) {
    let store = world.open().await;
    let refused = Receipt::Refused { message: Box::new(Message::new("too early")), said: false };
    assert_eq!(attempt(&store, &world, "first", refused).await, Ok(()));
    let mut presses = JoinSet::new();
    for number in 0..16 {
        let (store, world) = (store.clone(), world.clone());
        let receipt =
            Receipt::Accepted { invocation: InvocationId::new(at(0), &*world.dice), audience: Audience::Room };
        presses.spawn(async move { attempt(&store, &world, &format!("press {number}"), receipt).await });
    }
    let told = presses.join_all().await;
    assert_eq!(told.iter().filter(|told| told.is_ok()).count(), 1, "{told:?}");
    assert!(told.iter().all(|told| !matches!(told, Err(Receipt::Refused { .. }))), "{told:?}");
}

async fn a_refused_unit_leaves_no_trace_of_the_act(world: World) {
    let store = world.open().await;
    // Two records under one identifier: the second is refused, and with it the key and the invocation.
    let record = given::sealed(&world, RecordKind::Asked, 0);
    let records = [record.clone(), record];
    let (said, receipt) = (given::said("console//line/1", 0), Receipt::Ignored);
    let id = InvocationId::new(at(0), &*world.dice);
    let refused = unit!(store, |transaction| transaction.accept(andon_store::NewInvocation {
        id,
        said: &said,
        speaker: None,
        command: None,
        records: &records,
        receipt: &receipt,
        state: andon_store::NewInvocationState::Accepted,
        urgent: false,
    }));
    assert!(matches!(refused.await, Err(StoreError::Database(_))));
    assert!(matches!(given::accept(&store, &world, id, "console//line/1", 0).await, Acceptance::New));
}

async fn an_expired_claim_is_taken_over(world: World) {
    let store = world.open().await;
    let id = given::accepted(&store, &world, 0).await;
    let first = claim(&store, "a", 0, 10).await.expect("nothing to claim");
    assert!(claim(&store, "b", 9, 19).await.is_none(), "a lease holds until its end");
    let second = claim(&store, "b", 10, 20).await.expect("an expired claim is free");
    assert_eq!((second.invocation().id, second.invocation().attempts), (id, 2));
    let late = finish(&store, first).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "who lost the lease cannot end it: {late:?}");
    finish(&store, second).await.expect("the holder ends it");
    assert!(claim(&store, "c", 100, 110).await.is_none(), "what has ended is not claimed");
    let row = store.read().await.expect("no reader").connection().invocation(id).await.expect("no row");
    assert_eq!(row.expect("no invocation").state, InvocationState::Answered);
}

async fn a_released_claim_is_free_at_once(world: World) {
    let store = world.open().await;
    given::accepted(&store, &world, 0).await;
    let first = claim(&store, "a", 0, 1000).await.expect("nothing to claim");
    unit!(store, |transaction| transaction.release_invocations("b")).await.expect("not released");
    assert!(claim(&store, "b", 1, 10).await.is_none(), "only the owner lets go");
    unit!(store, |transaction| transaction.release_invocations("a")).await.expect("not released");
    let second = claim(&store, "b", 1, 10).await.expect("nothing to claim");
    assert!(matches!(finish(&store, first).await, Err(StoreError::Conflict(_))));
    finish(&store, second).await.expect("the holder ends it");
}

async fn the_oldest_is_claimed_first(world: World) {
    let store = world.open().await;
    let mut born = Vec::new();
    for seconds in [5, 3, 9, 1] {
        born.push((seconds, given::accepted(&store, &world, seconds).await));
    }
    let waiting = store.read().await.expect("no reader").connection().waiting_invocations().await;
    assert_eq!(waiting.expect("no count"), (4, Some(at(1))));
    born.sort();
    for (_, id) in born {
        let claimed = claim(&store, "a", 10, 20).await.expect("nothing to claim");
        assert_eq!(claimed.invocation().id, id);
    }
    assert!(claim(&store, "a", 10, 20).await.is_none());
}

async fn what_cannot_wait_is_claimed_first(world: World) {
    let store = world.open().await;
    let slow = given::accepted(&store, &world, 1).await;
    let quick = InvocationId::new(at(2), &*world.dice);
    given::accept_in_lane(&store, &world, quick, "console//line/quick", 2, true).await;
    let only = async || unit!(store, |transaction| transaction.claim_invocations("a", at(10), at(20), true, 9)).await;
    let urgent: Vec<_> = only().await.expect("no claim").iter().map(|it| it.invocation().id).collect();
    assert_eq!(urgent, [quick]);
    assert!(only().await.expect("no claim").is_empty(), "places kept free are for what cannot wait");
    assert_eq!(claim(&store, "b", 10, 20).await.expect("the other waits").invocation().id, slow);
    // Once the lease of the first has run out, it goes first again.
    assert_eq!(claim(&store, "b", 20, 30).await.expect("it is free again").invocation().id, quick);
}

async fn what_cannot_be_read_blocks_nobody(world: World) {
    let store = world.open().await;
    let broken = given::accepted(&store, &world, 1).await;
    let whole = given::accepted(&store, &world, 2).await;
    let mut raw = world.raw().await;
    raw.execute(format!("update invocations set body = '{{}}' where id = '{broken}'")).await.expect("not broken");
    assert!(claim(&store, "a", 10, 20).await.is_none(), "nobody can proceed with it");
    assert_eq!(claim(&store, "a", 10, 20).await.expect("the next one").invocation().id, whole);
    let waiting = store.read().await.expect("no reader").connection().waiting_invocations().await;
    assert_eq!(waiting.expect("no count").0, 2, "it is not forgotten");
}

async fn the_proof_goes_along(world: World) {
    let store = world.open().await;
    let born = given::accepted(&store, &world, 0).await;
    let claimed = claim(&store, "a", 0, 10).await.expect("nothing to claim");
    let row = claimed.invocation();
    assert_eq!(row.said, given::said(&row.said.key.0, 0));
    assert_eq!(row.speaker, Some(given::speaker("ana")));
    assert_eq!(row.command, Some(given::command()));
    assert_eq!(row.state, InvocationState::Accepted);
    let mut reader = store.read().await.expect("no reader");
    assert_eq!(reader.connection().invocation(born).await.expect("no row").expect("none").attempts, 1);
}

async fn a_forgotten_act_is_new_again(world: World) {
    let store = world.open().await;
    let id = |world: &World| InvocationId::new(at(0), &*world.dice);
    given::accept(&store, &world, id(&world), "old", 0).await;
    given::accept(&store, &world, id(&world), "young", 10).await;
    unit!(store, |transaction| transaction.prune_inbox(at(10))).await.expect("not pruned");
    assert!(matches!(given::accept(&store, &world, id(&world), "old", 20).await, Acceptance::New));
    assert!(matches!(given::accept(&store, &world, id(&world), "young", 20).await, Acceptance::Duplicate(_)));
}

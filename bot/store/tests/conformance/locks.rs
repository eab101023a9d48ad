//! Locks and freezes are leases with an owner, a scope and an expiry; holds and releases are what is remembered of versions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use andon_core::{Artifact, Digest, OperationId, Target};
use andon_store::{Freeze, Lock, LockHeld, NewFreeze, NewLock, Scope, Store, StoreError, Watched};
use tokio::task::JoinSet;

use crate::both;
use crate::given::{room, speaker, target};
use crate::world::{World, at, keep, look};

both! {
    one_of_sixteen_gets_the_lock,
    a_lock_is_let_go_only_by_its_token,
    tokens_grow_over_releases_and_expiry,
    locks_end_by_themselves,
    a_freeze_covers_its_scope,
    a_freeze_is_lifted_once,
    nobody_freezes_between_a_look_and_what_follows,
    a_held_version_is_free_when_it_comes_back,
    releases_are_remembered_newest_first,
    what_is_watched_is_remembered_by_one,
}

async fn hold(store: &Store, target: &Target, owner: &str, from: i64, until: i64) -> LockHeld {
    let new = NewLock {
        target: target.clone(),
        owner: speaker(owner).person,
        reason: "looking into it".to_owned(),
        at: at(from),
        expires_at: at(until),
        operation: None,
        room: room(),
    };
    keep!(store, |transaction| transaction.hold_lock(&new))
}

fn held(held: LockHeld) -> Lock {
    match held {
        LockHeld::Held(lock) => lock,
        LockHeld::Taken(lock) => panic!("taken by {}", lock.owner),
    }
}

fn taken(held: LockHeld) -> Lock {
    match held {
        LockHeld::Taken(lock) => lock,
        LockHeld::Held(lock) => panic!("{} got a lock that another has", lock.owner),
    }
}

async fn release(store: &Store, lock: &Lock, seconds: i64) -> bool {
    let (target, token) = (lock.target.clone(), lock.token);
    keep!(store, |transaction| transaction.release_lock(&target, token, at(seconds)))
}

async fn one_of_sixteen_gets_the_lock(world: World) {
    let store = world.open().await;
    for (round, from) in [(1, 0), (2, 100)] {
        let attempts: JoinSet<_> = (0..16)
            .map(|owner| {
                let store = store.clone();
                async move { hold(&store, &target("api"), &format!("person{owner}"), from, from + 50).await }
            })
            .collect();
        let (mut winners, mut told) = (Vec::new(), Vec::new());
        for attempt in attempts.join_all().await {
            match attempt {
                LockHeld::Held(lock) => winners.push(lock),
                LockHeld::Taken(lock) => told.push(lock),
            }
        }
        let [winner] = &winners[..] else { panic!("{} hold the lock", winners.len()) };
        assert_eq!(winner.token, round);
        assert!(told.iter().all(|lock| lock == winner), "the others are told who has it");
        assert_eq!(look!(store, |connection| connection.locks(at(from))), winners);
    }
}

async fn a_lock_is_let_go_only_by_its_token(world: World) {
    let store = world.open().await;
    let first = held(hold(&store, &target("api"), "ana", 0, 100).await);
    let second = held(hold(&store, &target("api"), "ana", 10, 200).await);
    assert!(second.token > first.token, "who takes it again has another token");
    assert!(!release(&store, &first, 20).await, "an old token opens nothing");
    assert_eq!(taken(hold(&store, &target("api"), "ben", 20, 100).await), second);
    let elsewhere = Lock { target: target("web"), ..second.clone() };
    assert!(!release(&store, &elsewhere, 20).await);
    assert!(release(&store, &second, 20).await);
    assert!(!release(&store, &second, 21).await, "it is let go once");
    assert_eq!(look!(store, |connection| connection.lock(&target("api"), at(21))), None);
}

async fn tokens_grow_over_releases_and_expiry(world: World) {
    let store = world.open().await;
    let mut last = 0;
    for (from, owner) in [(0, "ana"), (10, "ben"), (20, "ana"), (30, "ana"), (40, "cy")] {
        let lock = held(hold(&store, &target("api"), owner, from, from + 10).await);
        assert!(lock.token > last, "{} after {last}", lock.token);
        last = lock.token;
        if from == 20 {
            assert!(release(&store, &lock, from + 5).await);
        }
    }
    let other = held(hold(&store, &target("web"), "ana", 0, 10).await);
    assert_eq!(other.token, 1, "each target counts for itself");
}

async fn locks_end_by_themselves(world: World) {
    let store = world.open().await;
    let lock = held(hold(&store, &target("api"), "ana", 0, 100).await);
    assert_eq!(look!(store, |connection| connection.lock(&target("api"), at(99))), Some(lock.clone()));
    assert_eq!(look!(store, |connection| connection.lock(&target("api"), at(100))), None);
    assert_eq!(look!(store, |connection| connection.lock(&target("web"), at(99))), None);
    assert_eq!(taken(hold(&store, &target("api"), "ben", 99, 200).await), lock);
    let next = held(hold(&store, &target("api"), "ben", 100, 200).await);
    assert!(!release(&store, &lock, 101).await, "whose lock has run out cannot let go of the next one");
    assert_eq!(look!(store, |connection| connection.locks(at(101))), [next]);
}

async fn pull(store: &Store, scope: Scope, until: i64) -> i64 {
    let owner = speaker("ana").person;
    let new = NewFreeze { scope, owner, reason: "smoke".to_owned(), at: at(0), expires_at: at(until), room: room() };
    keep!(store, |transaction| transaction.pull_freeze(&new))
}

fn scope(service: Option<&str>, environment: Option<&str>) -> Scope {
    Scope {
        service: service.map(|name| name.parse().expect("a service")),
        environment: environment.map(|name| name.parse().expect("an environment")),
    }
}

async fn a_freeze_covers_its_scope(world: World) {
    let store = world.open().await;
    let all = pull(&store, scope(None, None), 10).await;
    let api = pull(&store, scope(Some("api"), None), 20).await;
    let prod = pull(&store, scope(None, Some("prod")), 30).await;
    let staging = pull(&store, scope(Some("api"), Some("staging")), 40).await;
    let over = |target: &'static str, seconds| {
        let store = store.clone();
        async move {
            let target = target.parse().expect("a target");
            let freezes: Vec<Freeze> = look!(store, |connection| connection.freezes_over(&target, at(seconds)));
            freezes.into_iter().map(|freeze| freeze.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(over("api/prod", 9).await, [all, api, prod]);
    assert_eq!(over("api/staging", 9).await, [all, api, staging]);
    assert_eq!(over("web/staging", 9).await, [all]);
    assert_eq!(over("api/prod", 10).await, [api, prod], "the widest has run out");
    assert_eq!(over("api/prod", 20).await, [prod]);
    assert_eq!(over("api/prod", 30).await, [0; 0]);
    let freezes = look!(store, |connection| connection.freezes(at(35)));
    assert_eq!(freezes.iter().map(|freeze| freeze.scope.to_string()).collect::<Vec<_>>(), ["api/staging"]);
}

async fn a_freeze_is_lifted_once(world: World) {
    let store = world.open().await;
    let first = pull(&store, scope(None, None), 100).await;
    let second = pull(&store, scope(None, None), 100).await;
    assert_ne!(first, second, "two people may pull it");
    assert!(keep!(store, |transaction| transaction.lift_freeze(first, at(1))));
    assert!(!keep!(store, |transaction| transaction.lift_freeze(first, at(2))));
    assert!(!keep!(store, |transaction| transaction.lift_freeze(second + 1, at(2))), "there is no such freeze");
    let left = look!(store, |connection| connection.freezes(at(3)));
    assert_eq!(left.iter().map(|freeze| freeze.id).collect::<Vec<_>>(), [second]);
}

fn artifact(version: &str) -> Artifact {
    Artifact { version: version.parse().expect("a version"), digest: Digest::of(version) }
}

async fn release_of(store: &Store, world: &World, version: &str, seconds: i64) -> OperationId {
    let id = OperationId::new(at(seconds), &*world.dice);
    let (artifact, by) = (artifact(version), speaker("ana").person);
    keep!(store, |transaction| transaction.record_release(&target("api"), &artifact, id, &by, at(seconds)));
    // An operation that is taken over may see the same release twice.
    let (artifact, by) = (self::artifact(version), speaker("ana").person);
    keep!(store, |transaction| transaction.record_release(&target("api"), &artifact, id, &by, at(seconds + 1)));
    id
}

async fn a_held_version_is_free_when_it_comes_back(world: World) {
    let store = world.open().await;
    let digest = Digest::of("v2");
    for seconds in [10, 30] {
        let (id, v2) = (OperationId::new(at(seconds), &*world.dice), artifact("v2"));
        keep!(store, |transaction| transaction.hold_version(&target("api"), &v2, id, at(seconds)));
        let hold = look!(store, |connection| connection.version_hold(&target("api"), &digest)).expect("no hold");
        assert_eq!((hold.version.as_str(), hold.at), ("v2", at(seconds)));
        assert_eq!(look!(store, |connection| connection.version_hold(&target("web"), &digest)), None);
        assert_eq!(look!(store, |connection| connection.version_hold(&target("api"), &Digest::of("v3"))), None);
        release_of(&store, &world, "v3", seconds + 1).await;
        assert!(look!(store, |connection| connection.version_hold(&target("api"), &digest)).is_some());
        release_of(&store, &world, "v2", seconds + 3).await;
        assert_eq!(look!(store, |connection| connection.version_hold(&target("api"), &digest)), None);
    }
}

async fn releases_are_remembered_newest_first(world: World) {
    let store = world.open().await;
    let mut operations = Vec::new();
    // The clock stands still between the second and the third, and goes backwards before the fourth.
    for (version, seconds) in [("v1", 0), ("v2", 10), ("v3", 10), ("v1", 5)] {
        operations.push(release_of(&store, &world, version, seconds).await);
    }
    let releases = look!(store, |connection| connection.releases(&target("api"), 3));
    let seen: Vec<_> = releases.iter().map(|row| (row.artifact.version.to_string(), row.healthy_at)).collect();
    assert_eq!(seen, [("v1".to_owned(), at(5)), ("v3".to_owned(), at(10)), ("v2".to_owned(), at(10))]);
    assert!(releases.iter().map(|row| row.operation).eq(operations.into_iter().rev().take(3)));
    assert!(look!(store, |connection| connection.releases(&target("web"), 3)).is_empty());
}

async fn what_is_watched_is_remembered_by_one(world: World) {
    let store = world.open().await;
    let api = target("api");
    assert_eq!(look!(store, |connection| connection.watched(&api)), None);
    let first = Watched { operation: None, since: None, well: true, revision: 0 };
    let next = Watched {
        operation: Some(OperationId::new(at(0), &*world.dice)),
        since: Some(at(1)),
        well: false,
        revision: 1,
    };
    for seen in [first, next] {
        let attempts: JoinSet<_> = (0..8)
            .map(|_| {
                let (store, api, seen) = (store.clone(), api.clone(), seen.clone());
                async move { keep!(store, |transaction| transaction.remember_watched(&api, &seen)) }
            })
            .collect();
        let told = attempts.join_all().await;
        assert_eq!(told.into_iter().filter(|told| *told).count(), 1, "of all replicas, one tells");
        assert_eq!(look!(store, |connection| connection.watched(&api)), Some(seen));
    }
}

async fn nobody_freezes_between_a_look_and_what_follows(world: World) {
    let store = world.open().await;
    let frozen = Arc::new(AtomicBool::new(false));
    let (looked, look) = tokio::sync::oneshot::channel();
    let freezing = {
        let (store, frozen) = (store.clone(), Arc::clone(&frozen));
        tokio::spawn(async move {
            look.await.expect("somebody looks");
            pull(&store, scope(None, None), 100).await;
            frozen.store(true, Ordering::SeqCst);
        })
    };
    let seen = store.write(move |transaction| {
        Box::pin(async move {
            transaction.keep_obstacles().await?;
            let free = transaction.connection().freezes(at(1)).await?.is_empty();
            looked.send(()).expect("somebody wants to freeze");
            // Many more steps of the same unit, as a start has.
            for _ in 0..200 {
                transaction.connection().freezes(at(1)).await?;
            }
            Ok::<_, StoreError>((free, frozen.load(Ordering::SeqCst)))
        })
    });
    assert_eq!(seen.await.expect("kept"), (true, false), "a freeze was answered before what had looked was kept");
    freezing.await.expect("frozen afterwards");
}

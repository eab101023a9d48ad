//! The states of operations: the database keeps the same table as `OperationState::after`.

use andon_core::{Cause, OperationId, OperationState, Outcome, Speaker};
use andon_store::StoreError;

use crate::both;
use crate::given::{self, Wish, operation, speaker, target};
use crate::world::{Raw, World, at, keep, look, unit};

both! {
    every_cause_from_every_state,
    the_database_repeats_the_table,
    the_database_knows_no_other_states,
    an_operation_is_read_as_it_was_kept,
    approvals_are_one_a_person,
    what_waits_too_long_is_overdue,
}

/// Each cause names the one after it, so that a new one cannot be forgotten here.
const fn after(cause: Cause) -> Option<Cause> {
    Some(match cause {
        Cause::Approved => Cause::Denied,
        Cause::Denied => Cause::Expired,
        Cause::Expired => Cause::Cancelled,
        Cause::Cancelled => Cause::Started,
        Cause::Started => Cause::WorldMoved,
        Cause::WorldMoved => Cause::Succeeded,
        Cause::Succeeded => Cause::Failed,
        Cause::Failed => Cause::RolledBack,
        Cause::RolledBack => Cause::Lost,
        Cause::Lost => Cause::SettledSucceeded,
        Cause::SettledSucceeded => Cause::SettledFailed,
        Cause::SettledFailed => Cause::SettledCancelled,
        Cause::SettledCancelled => return None,
    })
}

fn causes() -> impl Iterator<Item = Cause> {
    std::iter::successors(Some(Cause::Approved), |cause| after(*cause))
}

/// An operation set into a state, past the table: only where it is born is a state not checked against the one before.
async fn born_in(raw: &mut Raw, like: OperationId, id: OperationId, state: &str) -> Result<u64, sqlx::Error> {
    raw.execute(format!(
        "insert into operations (id, invocation, body, state, urgent, created, expires_at) \
         select '{id}', invocation, body, '{state}', urgent, created, expires_at from operations where id = '{like}'"
    ))
    .await
}

async fn every_cause_from_every_state(world: World) {
    let store = world.open().await;
    let (like, _) = operation(&store, &world, &Wish::default()).await;
    let mut raw = world.raw().await;
    let mut legal = 0;
    for state in OperationState::ALL {
        for cause in causes() {
            let id = OperationId::new(at(0), &*world.dice);
            born_in(&mut raw, like, id, state.as_str()).await.expect("not born");
            let row = look!(store, |connection| connection.operation(id)).expect("no operation");
            let moved = unit!(store, |transaction| transaction.advance(&row, cause, at(7), None)).await;
            let row = look!(store, |connection| connection.operation(id)).expect("no operation");
            match state.after(cause) {
                Some(next) => {
                    legal += 1;
                    assert_eq!(moved.expect("a legal move"), next, "{state:?} {cause:?}");
                    assert_eq!(row.state, next);
                    assert_eq!(row.finished_at, next.is_final().then(|| at(7)));
                    assert_eq!(row.started_at, (next == OperationState::Running).then(|| at(7)));
                }
                None => {
                    assert!(matches!(moved, Err(StoreError::Conflict(_))), "{state:?} {cause:?}: {moved:?}");
                    assert_eq!(row.state, state, "a refused move leaves everything");
                }
            }
        }
    }
    assert_eq!(legal, 16, "the table has grown or shrunk: look at the migrations as well");
}

async fn the_database_repeats_the_table(world: World) {
    let store = world.open().await;
    let (like, _) = operation(&store, &world, &Wish::default()).await;
    let mut raw = world.raw().await;
    for from in OperationState::ALL {
        for to in OperationState::ALL {
            let id = OperationId::new(at(0), &*world.dice);
            born_in(&mut raw, like, id, from.as_str()).await.expect("not born");
            let moved = raw.execute(format!("update operations set state = '{}' where id = '{id}'", to.as_str())).await;
            let legal = from == to || causes().any(|cause| from.after(cause) == Some(to));
            assert_eq!(moved.is_ok(), legal, "from {from:?} to {to:?}: {moved:?}");
        }
    }
}

async fn the_database_knows_no_other_states(world: World) {
    let store = world.open().await;
    let (like, _) = operation(&store, &world, &Wish::default()).await;
    let mut raw = world.raw().await;
    for state in ["wandering", "", "Queued"] {
        let refused = born_in(&mut raw, like, OperationId::new(at(0), &*world.dice), state).await;
        let refused = refused.expect_err("an unknown state");
        assert!(refused.as_database_error().is_some_and(|error| error.is_check_violation()), "{refused}");
    }
    let refused = raw.execute("update invocations set state = 'wandering'").await.expect_err("an unknown state");
    assert!(refused.as_database_error().is_some_and(|error| error.is_check_violation()), "{refused}");
}

async fn an_operation_is_read_as_it_was_kept(world: World) {
    let store = world.open().await;
    let wish = Wish { targets: vec![target("api"), target("web")], approvals: 2, urgent: true };
    let (id, number) = operation(&store, &world, &wish).await;
    let row = look!(store, |connection| connection.operation(id)).expect("no operation");
    assert_eq!((row.id, row.number, row.state), (id, number, OperationState::WaitingApproval));
    assert_eq!((row.targets, row.approvals_needed, row.urgent), (wish.targets.clone(), 2, true));
    assert_eq!((row.plan, row.command), (given::plan(&wish.targets), given::command()));
    assert_eq!((row.asked_by, row.said.as_str()), (speaker("ana"), "deploy api v2 to prod"));
    assert_eq!((row.created, row.expires_at), (at(0), at(3600)));
    assert_eq!((row.started_at, row.finished_at, row.phase, row.outcome), (None, None, None, None));
    let of = look!(store, |connection| connection.operation_of(row.invocation));
    assert_eq!(of.map(|row| row.id), Some(id));
    assert_eq!(look!(store, |connection| connection.operations_of("web", Some("prod"), 10)).len(), 1);
    assert!(look!(store, |connection| connection.operations_of("web", Some("staging"), 10)).is_empty());
    let locked = keep!(store, |transaction| transaction.lock_operation(number)).expect("no operation");

    let outcome = Outcome {
        state: OperationState::Cancelled,
        summary: "withdrawn".into(),
        observed: Some("nothing".into()),
        details: None,
    };
    let kept = outcome.clone();
    keep!(store, |transaction| transaction.advance(&locked, Cause::Cancelled, at(9), Some(&kept)));
    let row = look!(store, |connection| connection.operation(id)).expect("no operation");
    assert_eq!(row.outcome, Some(outcome));
    assert!(look!(store, |connection| connection.open_operations(None, None)).is_empty());
}

async fn approvals_are_one_a_person(world: World) {
    let store = world.open().await;
    let (id, _) = operation(&store, &world, &Wish { approvals: 2, ..Wish::default() }).await;
    let digest = given::plan(&[]).digest().expect("no digest");
    for person in ["ben", "ben", "cy"] {
        let approval = andon_store::NewApproval { operation: id, by: speaker(person), digest, at: at(1) };
        keep!(store, |transaction| transaction.add_approval(&approval));
    }
    let approvals = look!(store, |connection| connection.approvals(id));
    let by: Vec<_> = approvals.iter().map(|approval| (approval.by.clone(), approval.digest)).collect();
    assert_eq!(by, [(speaker("ben"), digest), (speaker("cy"), digest)]);
    // Ben's first account may be nobody's by now: through another one he can still agree, once.
    let other = Speaker { identity: "slack:T1/ben".parse().expect("an account"), ..speaker("ben") };
    let approval = andon_store::NewApproval { operation: id, by: other.clone(), digest, at: at(2) };
    keep!(store, |transaction| transaction.add_approval(&approval));
    let approvals = look!(store, |connection| connection.approvals(id));
    let by: Vec<_> = approvals.into_iter().map(|approval| approval.by).collect();
    assert_eq!(by, [speaker("cy"), other]);
}

async fn what_waits_too_long_is_overdue(world: World) {
    let store = world.open().await;
    let (waiting, _) = operation(&store, &world, &Wish { approvals: 1, ..Wish::default() }).await;
    let (queued, _) = operation(&store, &world, &Wish::default()).await;
    assert!(look!(store, |connection| connection.overdue(at(3599))).is_empty());
    let overdue = look!(store, |connection| connection.overdue(at(3600)));
    assert_eq!(overdue.iter().map(|row| row.id).collect::<Vec<_>>(), [waiting, queued]);
}

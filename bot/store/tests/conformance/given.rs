//! What the tests keep: sayings, records, plans, operations.

use andon_core::{
    Change, DeliveryKey, Digest, InvocationId, Line, OperationId, OperationNumber, Plan, ProofStrength, Receipt,
    RecordId, RecordKind, Room, Said, Speaker, Target,
};
use andon_store::{Acceptance, Accepted, NewInvocation, NewInvocationState, NewOperation, Store, StoredCommand};
use andon_trail::{Index, Sealed, tree};
use serde_json::json;

use crate::world::{World, at, unit};

pub(crate) fn speaker(person: &str) -> Speaker {
    let identity = format!("console:{person}").parse().expect("an identity");
    Speaker { person: person.parse().expect("a person"), identity }
}

pub(crate) fn target(service: &str) -> Target {
    format!("{service}/prod").parse().expect("a target")
}

pub(crate) fn said(key: &str, seconds: i64) -> Said {
    Said {
        key: DeliveryKey(key.to_owned()),
        attempt: None,
        identity: speaker("ana").identity,
        account: None,
        proof: ProofStrength::Playground,
        room: room(),
        permalink: None,
        text: "deploy api v2 to prod".to_owned(),
        happened: at(seconds),
        received: at(seconds),
        audience_size: Some(3),
        guests_present: None,
        terminal: None,
        refusal_by_voice: false,
    }
}

pub(crate) fn command() -> StoredCommand {
    StoredCommand { path: vec!["deploy".to_owned()], arguments: json!({"version": "v2"}), flags: json!({}) }
}

/// A record, in a form that only the store has to understand.
pub(crate) fn sealed(world: &World, kind: RecordKind, seconds: i64) -> Sealed {
    let id = RecordId::new(at(seconds), &*world.dice);
    let leaf = json!({"id": id, "kind": kind, "when": {"recorded": at(seconds)}}).to_string().into_bytes();
    let index = Index {
        kind,
        recorded: at(seconds),
        person: None,
        targets: vec![target("api")],
        command: Some("deploy".to_owned()),
        outcome: None,
        operation: None,
        invocation: None,
    };
    Sealed { id, leaf_hash: tree::leaf_hash(&leaf), leaf, disclosures: Vec::new(), index, texts: Vec::new() }
}

/// Accepts a human act, as a new one.
pub(crate) async fn accepted(store: &Store, world: &World, seconds: i64) -> InvocationId {
    let id = InvocationId::new(at(seconds), &*world.dice);
    match accept(store, world, id, &format!("console//line/{id}"), seconds).await {
        Acceptance::New => id,
        Acceptance::Duplicate(receipt) => panic!("a new act has a receipt already: {receipt:?}"),
    }
}

/// The proof of an act that nobody has taken up, under a lease that ends at once.
async fn taken(store: &Store, id: InvocationId) -> Accepted {
    let claim = unit!(store, |transaction| transaction.claim_invocations("given", at(0), at(0), false, 1_000));
    let mut claimed = claim.await.expect("invocations cannot be claimed").into_iter();
    claimed.find(|accepted| accepted.invocation().id == id).expect("it was not accepted")
}

/// Delivers a human act.
pub(crate) async fn accept(store: &Store, world: &World, id: InvocationId, key: &str, seconds: i64) -> Acceptance {
    accept_in_lane(store, world, id, key, seconds, false).await
}

/// Delivers a human act that may be one that cannot wait.
pub(crate) async fn accept_in_lane(
    store: &Store,
    world: &World,
    id: InvocationId,
    key: &str,
    seconds: i64,
    urgent: bool,
) -> Acceptance {
    let (said, speaker, command) = (said(key, seconds), speaker("ana"), command());
    let records = [sealed(world, RecordKind::Asked, seconds)];
    let receipt = Receipt::Accepted { invocation: id, audience: andon_core::Audience::Room };
    let accepted = unit!(store, |transaction| transaction.accept(NewInvocation {
        id,
        said: &said,
        speaker: Some(&speaker),
        command: Some(&command),
        records: &records,
        receipt: &receipt,
        state: NewInvocationState::Accepted,
        urgent,
    }));
    accepted.await.expect("an act is not accepted")
}

pub(crate) fn plan(targets: &[Target]) -> Plan {
    let steps = targets.iter().map(|target| andon_core::Step {
        target: target.to_string(),
        from: Some("v1".to_owned()),
        to: Some("v2".to_owned()),
        artifacts: vec![Digest::of("v2")],
        generation: None,
        configuration: None,
    });
    let change =
        Change { command: vec!["deploy".to_owned()], arguments: json!({}), steps: steps.collect(), undo: None };
    Plan { summary: Line::from("deploys v2"), change, findings: Vec::new() }
}

/// What sets one operation apart from another.
#[derive(Clone, Default)]
pub(crate) struct Wish {
    pub(crate) targets: Vec<Target>,
    pub(crate) approvals: u32,
    pub(crate) urgent: bool,
}

/// Reserves an operation, with an invocation of its own.
pub(crate) async fn operation(store: &Store, world: &World, wish: &Wish) -> (OperationId, OperationNumber) {
    let accepted = taken(store, accepted(store, world, 0).await).await;
    let plan = plan(&wish.targets);
    let id = OperationId::new(at(0), &*world.dice);
    let new = NewOperation {
        id,
        command: command(),
        digest: plan.digest().expect("a plan without a digest"),
        plan,
        targets: wish.targets.clone(),
        asked_by: speaker("ana"),
        room: room(),
        created: at(0),
        expires_at: at(3600),
        approvals_needed: wish.approvals,
        urgent: wish.urgent,
        planned_record: RecordId::new(at(0), &*world.dice),
    };
    let number = unit!(store, |transaction| transaction.insert_operation(&accepted, &new)).await;
    (id, number.expect("an operation is not reserved"))
}

/// Where it is said.
pub(crate) fn room() -> Room {
    "console:ops".parse().expect("a room")
}

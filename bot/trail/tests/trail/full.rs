//! A record in which every field is filled in.

use andon_core::{
    ApprovalFacts, AuthorFacts, BypassFacts, Change, CheckFacts, ClockState, Decision, Digest, EffectFacts, GateFacts,
    GateState, InvocationId, OperationId, OperationNumber, OutcomeFacts, Place, PlanFacts, Private, ProofStrength,
    Record, RecordId, RecordKind, Saying, SourceFacts, Step, Target, When, Who,
};
use jiff::Timestamp;
use serde_json::json;

use crate::entropy;

fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn target(service: &str) -> Target {
    Target { service: service.parse().unwrap(), environment: "prod".parse().unwrap() }
}

pub(crate) fn record() -> Record {
    Record {
        schema: 1,
        origin: "trail.test".to_owned(),
        id: RecordId::new(at(), &entropy()),
        kind: RecordKind::Planned,
        andon: "0.1.0".to_owned(),
        operation: Some(OperationId::new(at(), &entropy())),
        operation_number: Some(OperationNumber(3)),
        invocation: Some(InvocationId::new(at(), &entropy())),
        parent: Some(RecordId::new(at(), &entropy())),
        incident: Some("inc-1".to_owned()),
        drill: true,
        targets: vec![target("hello")],
        when: When {
            happened: Some(at()),
            received: Some(at()),
            recorded: at(),
            clock: ClockState::Synchronised,
            offset: Some(-12),
        },
        who: Some(who()),
        place: Some(place()),
        said: Some(said()),
        decision: Some(decision()),
        plan: Some(plan()),
        approval: Some(approval()),
        bypass: Some(bypass()),
        effect: Some(effect()),
        outcome: Some(OutcomeFacts { state: "succeeded".to_owned(), text: Private::new("it is live") }),
        details: json!({ "evidence": Private::new("pid 7") }),
    }
}

fn who() -> Who {
    Who {
        number: Some(1),
        person: Some(Private::new("ana")),
        identity: Private::new("slack:T1/U1"),
        platform: "slack".to_owned(),
        teams: vec!["makers".parse().unwrap()],
        on_call: vec!["primary".to_owned()],
        proof: ProofStrength::Chat,
        terminal: Some(Private::new("ana (1000) on host")),
        on_behalf_of: Some(2),
    }
}

fn place() -> Place {
    Place {
        platform: "slack".to_owned(),
        room: Private::new("slack:T1/C1"),
        permalink: Some(Private::new("https://example.org/p1")),
        audience_size: Some(12),
        guests_present: Some(false),
    }
}

fn said() -> Saying {
    Saying {
        raw: Private::new("deploy hello v2 --env prod"),
        command: vec!["deploy".to_owned()],
        arguments: json!({ "service": "hello" }),
        alias: Some("d".to_owned()),
        reason: Some(Private::new("it is time")),
    }
}

fn decision() -> Decision {
    let gate = GateFacts { gate: "lock".to_owned(), state: GateState::Passed, saw: Private::new("no lock") };
    Decision {
        allowed: true,
        policies: vec!["owners".to_owned()],
        policy_version: Digest::of("policies"),
        configuration: Digest::of("configuration"),
        needs: vec!["nothing".to_owned()],
        approvals_needed: 1,
        gates: vec![gate],
    }
}

pub(crate) fn change() -> Change {
    let step = Step {
        target: "hello/prod".to_owned(),
        from: Some("v1".to_owned()),
        to: Some("v2".to_owned()),
        artifacts: vec![Digest::of("v2")],
        generation: Some("7".to_owned()),
        configuration: Some(Digest::of("deployer")),
    };
    let (command, arguments) = (vec!["deploy".to_owned()], json!({ "service": "hello" }));
    Change { command, arguments, steps: vec![step], undo: Some("rollback hello --env prod".to_owned()) }
}

pub(crate) fn plan() -> PlanFacts {
    let source = SourceFacts {
        commits: vec!["0a1b2c".to_owned()],
        authors: vec![AuthorFacts { number: Some(2), name: Private::new("Ben") }],
        pull_requests: vec![Private::new("https://example.org/pull/1")],
        checks: vec![CheckFacts {
            name: "build".to_owned(),
            state: "passed".to_owned(),
            run: Some(Private::new("https://example.org/runs/1")),
        }],
        provenance: Some(Digest::of("provenance")),
    };
    PlanFacts {
        digest: change().digest().unwrap(),
        change: change(),
        risk: "normal".to_owned(),
        rollback_target: Some("v1".to_owned()),
        source: Some(source),
        promoted_from: Some(OperationId::new(at(), &entropy())),
        ticket: Some(Private::new("CHG-1")),
    }
}

fn approval() -> ApprovalFacts {
    ApprovalFacts {
        digest: change().digest().unwrap(),
        eligible_by: vec!["owners".to_owned()],
        shown: Private::new("deploy hello v1 to v2 in prod"),
        shown_at: at(),
        answered_at: at(),
        step_up: true,
        independent_of_authors: Some(true),
        count: 1,
        needed: 1,
    }
}

fn bypass() -> BypassFacts {
    BypassFacts {
        controls: vec!["freeze".to_owned()],
        reason: Private::new("all is down"),
        told: vec![1, 2],
        reviewed_by: Some(2),
        reviewed_at: Some(at()),
    }
}

fn effect() -> EffectFacts {
    EffectFacts {
        backend: "local".to_owned(),
        key: "trail.test/1".to_owned(),
        reference: Some(Private::new("https://backend.example.org/1")),
        credential: Some("deployer".to_owned()),
        attempt: 1,
        fence: 1,
        started: Some(at()),
        ended: Some(at()),
        observed: Some(Private::new("200 on /")),
    }
}

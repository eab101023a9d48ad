//! Records as the engine writes them: what every record of an invocation or an operation has in common is filled in here, once.

use andon_core::{ClockState, Finding};
use andon_core::{
    Decision, Digest, Fault, GateFacts, Identity, OutcomeFacts, Place, Plan, PlanFacts, Private, ProofStrength, Record,
    RecordId, RecordKind, Said, Saying, Speaker, Target, Who,
};
use andon_store::{InvocationRow, OperationRow};
use andon_trail::Sealed;
use serde_json::Value;

use crate::house::{Configuration, House};
use crate::policy::Permit;

impl House {
    /// A record of `kind`, made now.
    pub(crate) fn record(&self, kind: RecordKind) -> Record {
        let now = self.clock.now();
        let now = now.round(jiff::Unit::Microsecond).unwrap_or(now);
        let mut record = Record::new(&self.origin, RecordId::new(now, &*self.entropy), kind, now);
        record.when.clock = clock_state();
        record
    }

    /// A record about something that was said.
    pub(crate) fn record_of_saying(&self, kind: RecordKind, said: &Said, speaker: Option<&Speaker>) -> Record {
        let mut record = self.record(kind);
        record.when.happened = Some(said.happened);
        record.when.received = Some(said.received);
        record.who = Some(self.who(&said.identity, speaker, said.proof, said.terminal.as_deref()));
        record.place = Some(Place {
            platform: said.room.platform.clone(),
            room: Private::new(&said.room),
            permalink: said.permalink.as_ref().map(Private::new),
            audience_size: said.audience_size,
            guests_present: said.guests_present,
        });
        record
    }

    /// A record about an invocation.
    pub(crate) fn record_of_invocation(&self, kind: RecordKind, invocation: &InvocationRow) -> Record {
        let mut record = self.record_of_saying(kind, &invocation.said, invocation.speaker.as_ref());
        record.invocation = Some(invocation.id);
        if let Some(command) = &invocation.command {
            record.said = Some(Saying {
                raw: Private::new(&invocation.said.text),
                command: command.path.clone(),
                arguments: command.arguments.clone(),
                alias: command.flags.get("alias").and_then(Value::as_str).map(str::to_owned),
                reason: command.flags.get("reason").and_then(Value::as_str).map(Private::new),
            });
        }
        record
    }

    /// A record about an operation, made by the bot itself.
    pub(crate) fn record_of_operation(&self, kind: RecordKind, operation: &OperationRow) -> Record {
        let mut record = self.record(kind);
        record.operation = Some(operation.id);
        record.operation_number = Some(operation.number);
        record.invocation = Some(operation.invocation);
        record.parent = Some(operation.planned_record);
        record.targets.clone_from(&operation.targets);
        record.place = Some(Place {
            platform: operation.room.platform.clone(),
            room: Private::new(&operation.room),
            permalink: operation.permalink.as_ref().map(Private::new),
            audience_size: None,
            guests_present: None,
        });
        record.who = Some(Who {
            on_behalf_of: self.number(&operation.asked_by.person),
            ..self.who(&operation.asked_by.identity, None, ProofStrength::Bot, None)
        });
        record
    }

    fn who(&self, identity: &Identity, speaker: Option<&Speaker>, proof: ProofStrength, terminal: Option<&str>) -> Who {
        let configuration = self.configuration();
        let person = speaker.and_then(|speaker| configuration.catalog.people.get(&speaker.person));
        Who {
            number: speaker.and_then(|speaker| self.number(&speaker.person)),
            person: speaker.map(|speaker| Private::new(&speaker.person)),
            identity: Private::new(identity),
            platform: identity.platform.clone(),
            teams: person.map(|person| person.teams.clone()).unwrap_or_default(),
            on_call: Vec::new(),
            proof,
            terminal: terminal.map(Private::new),
            on_behalf_of: None,
        }
    }

    /// Makes the record's bytes, which never change after this.
    pub(crate) fn seal(&self, record: &Record) -> Result<Sealed, Fault> {
        andon_trail::seal(record, &self.redactor, &*self.entropy).map_err(Fault::new)
    }
}

/// What was decided, for a record.
pub(crate) fn decision(
    configuration: &Configuration,
    answer: Result<&Permit, &crate::policy::Denial>,
    findings: &[Finding],
) -> Decision {
    let (policies, needs, approvals) = match answer {
        Ok(permit) => (permit.policies.clone(), Vec::new(), permit.approvals),
        Err(denial) => (denial.policies.clone(), denial.needs.clone(), 0),
    };
    Decision {
        allowed: answer.is_ok(),
        policies,
        policy_version: configuration.policies.version(),
        configuration: configuration.catalog.version,
        needs,
        approvals_needed: approvals,
        gates: findings.iter().filter_map(gate).collect(),
    }
}

fn gate(finding: &Finding) -> Option<GateFacts> {
    match finding {
        Finding::Gate { gate, state, reason } => {
            Some(GateFacts { gate: gate.as_str().to_owned(), state: *state, saw: Private::new(reason.plain()) })
        }
        Finding::Note { .. } => None,
    }
}

/// A plan, for a record.
pub(crate) fn plan(plan: &Plan, digest: Digest, rollback: bool) -> PlanFacts {
    // Only what is deployed can be gone back to; the steps of acts have other names.
    let deployed = plan.change.steps.first().filter(|step| step.target.parse::<Target>().is_ok());
    let rollback_target = deployed.and_then(|step| step.from.clone());
    PlanFacts {
        digest,
        change: plan.change.clone(),
        risk: if rollback { "standard" } else { "normal" }.to_owned(),
        rollback_target,
        source: None,
        promoted_from: None,
        ticket: None,
    }
}

/// An outcome, for a record.
pub(crate) fn outcome(state: &str, text: &str) -> OutcomeFacts {
    OutcomeFacts { state: state.to_owned(), text: Private::new(text) }
}

/// Whether systemd-timesyncd says that it has set the clock. The kernel's own word (`adjtimex`) cannot be had without unsafe code, and
/// without either nobody knows.
fn clock_state() -> ClockState {
    if std::path::Path::new("/run/systemd/timesync/synchronized").exists() {
        ClockState::Synchronised
    } else {
        ClockState::Unknown
    }
}

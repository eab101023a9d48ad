//! Foresight: what would be decided about a command, without doing it.

use andon_core::{Failure, Finding, GateState, Line, Plan, Refusal};
use serde_json::Value;

use crate::command::{Entry, Exemption, Run};
use crate::policy::Permit;
use crate::work::Work;
use crate::{authorize, card, gates, parse};

/// What would be decided.
pub struct Foresight {
    /// The policies that permit it.
    pub policies: Vec<String>,
    /// How many other people would have to agree.
    pub approvals: u32,
    /// The gates, as they stand now; none for what is no operation.
    pub gates: Vec<Line>,
    /// The gate that refuses it now, and the way through.
    pub closed: Option<Refusal>,
}

/// What would be decided if the asker of `work` said `words`.
///
/// # Errors
/// Refused as the command itself would be.
pub async fn can(work: &Work, words: Vec<String>) -> Result<Foresight, Failure> {
    let asked = parse::command(&work.house.grammar, work.catalog(), words)?;
    let work = Work { flags: asked.flags.clone(), ..work.clone() };
    let (entry, arguments) = (asked.entry, asked.arguments);
    let permit = permit(&work, entry, &arguments, None).await?;
    match &entry.run {
        Run::Read { .. } => Ok(open(permit)),
        Run::Act { plan, .. } => {
            let plan = plan(&arguments, &work).await?;
            Ok(open(self::permit(&work, entry, &arguments, Some(&plan)).await?))
        }
        Run::Operation { plan, exemption, .. } => {
            let plan = plan(&arguments, &work).await?;
            let permit = self::permit(&work, entry, &arguments, Some(&plan)).await?;
            let exemption = exemption(&arguments, &plan)?;
            gated(&work, plan, permit, exemption).await
        }
    }
}

async fn permit(work: &Work, entry: &Entry, arguments: &Value, plan: Option<&Plan>) -> Result<Permit, Failure> {
    let resources = (entry.resources)(arguments, work).await?;
    let action = entry.name();
    let answer = authorize::ask(work, &action, &resources, arguments, plan);
    answer.map_err(|denial| authorize::refusal(work.asker(), &action, &denial).into())
}

fn open(permit: Permit) -> Foresight {
    Foresight { policies: permit.policies, approvals: 0, gates: Vec::new(), closed: None }
}

/// What would be decided about an operation: its gates come after its plan.
async fn gated(work: &Work, mut plan: Plan, permit: Permit, exemption: Exemption) -> Result<Foresight, Failure> {
    let mut reader = work.house.store.read().await?;
    let findings = gates::evaluate(&mut reader.connection(), work, &plan, &permit, exemption, work.now).await?;
    let approvals = gates::approvals_needed(&permit, exemption);
    let gates = findings.iter().filter_map(gate).collect();
    plan.findings.extend(findings);
    Ok(Foresight { gates, closed: gates::closed(&plan), approvals, policies: permit.policies })
}

fn gate(finding: &Finding) -> Option<Line> {
    match finding {
        Finding::Gate { gate, state, reason } => Some(named(gate.as_str(), *state, reason)),
        Finding::Note { .. } => None,
    }
}

fn named(gate: &str, state: GateState, reason: &Line) -> Line {
    Line::new().strong(gate).text(format!(" {} ", card::gate_mark(state))).line(reason)
}

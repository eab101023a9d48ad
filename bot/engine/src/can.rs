//! Foresight: what would be decided about a command, without doing it.

use andon_core::{Failure, Finding, Line, Refusal};

use crate::command::{Exemption, Run};
use crate::policy::Permit;
use crate::work::Work;
use crate::{authorize, gates};

/// What would be decided.
pub struct Foresight {
    /// The policies that permit it.
    pub policies: Vec<String>,
    /// How many other people would have to agree.
    pub approvals: u32,
    /// The gates, as they stand now; none for what is no operation.
    pub gates: Vec<Line>,
}

/// What would be decided if the asker of `work` said `words`.
///
/// # Errors
/// Refused as the command itself would be.
pub async fn can(work: &Work, words: Vec<String>) -> Result<Foresight, Failure> {
    let asked = work.house.grammar.understand(words).map_err(|error| Refusal::new(error.to_string(), "say `help`"))?;
    let work = Work { flags: asked.flags.clone(), ..work.clone() };
    let (entry, arguments) = (asked.entry, asked.arguments);
    let resources = (entry.resources)(&arguments, &work).await?;
    let refuse = |denial| Failure::from(authorize::refusal(work.asker(), &entry.name(), &denial));
    let permit = authorize::ask(&work, &entry.name(), &resources, &arguments, None).map_err(refuse)?;
    let Run::Operation { plan, exemption, .. } = &entry.run else {
        return Ok(Foresight { policies: permit.policies, approvals: 0, gates: Vec::new() });
    };
    let plan = plan(&arguments, &work).await?;
    let permit: Permit = authorize::ask(&work, &entry.name(), &resources, &arguments, Some(&plan)).map_err(refuse)?;
    let exemption: Exemption = exemption(&arguments, &plan)?;
    let mut reader = work.house.store.read().await?;
    let findings = gates::evaluate(&mut reader.connection(), &work, &plan, &permit, exemption, work.now).await?;
    let gates = findings.iter().filter_map(|finding| match finding {
        Finding::Gate { gate, reason, .. } => Some(Line::new().strong(gate.as_str()).text(" ").line(reason)),
        Finding::Note { .. } => None,
    });
    Ok(Foresight {
        gates: gates.collect(),
        approvals: gates::approvals_needed(&permit, exemption),
        policies: permit.policies,
    })
}

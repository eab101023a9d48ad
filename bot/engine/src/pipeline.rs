//! The way of one command, in order. Every way in (typed text, button, modal, slash command) goes through here, and there is no other:
//!
//! 1. [`deliver`]: who speaks, what is asked, may they; then one transaction that makes it durable. Only after it does the adapter
//!    acknowledge.
//! 2. [`proceed`]: what was accepted is answered, applied, or planned, and its gates are checked. A process that dies here loses nothing:
//!    the invocation is taken up again by whoever sweeps.
//! 3. Operations that passed their gates are started by `operations::worker`, after everything was decided once more.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use andon_core::{EffectKind, Failure, Fault, Plan, Receipt, Refusal, Said, Target};
use andon_store::Accepted;
use futures_util::FutureExt as _;
use serde_json::Value;

use crate::about;
use crate::accept;
use crate::authorize;
use crate::command::{Entry, Run};
use crate::house::House;
use crate::lease;
use crate::parse::{self, Parsed};
use crate::people;
use crate::plan;
use crate::policy::Permit;
use crate::probe::Point;
use crate::reply;
use crate::work::Work;

/// How often an invocation is taken up before it is given up, and its asker told.
const ATTEMPTS: i64 = 5;

/// Steps 1 to 4: person, grammar, policy, and the transaction that makes the intent durable.
pub(crate) async fn deliver(house: &Arc<House>, said: Said) -> Receipt {
    let configuration = house.configuration();
    let speaker = match people::recognise(house, &configuration, &said).await {
        Ok(Some(speaker)) => speaker,
        Ok(None) => return accept::stranger(house, said).await,
        // What is known of an account could not be kept; nothing that can be recorded is then done either.
        Err(failure) => match configuration.catalog.speaker(&said.identity) {
            Some(speaker) if said.account.as_ref().is_none_or(|account| account.active) => speaker,
            _ => return reply::broken_by(failure),
        },
    };
    let refused = accept::Refused::because;
    if let Some(refusal) = accept::out_of_time(said.happened, house.clock.now()) {
        return accept::refused(house, &configuration, said, speaker, None, refused(&refusal)).await;
    }
    let asked = match parse::parse(&house.grammar, &configuration.catalog, &house.redactor, &said.text) {
        Parsed::NotACommand => return Receipt::Ignored,
        Parsed::Refused(refusal) => {
            return accept::refused(house, &configuration, said, speaker, None, refused(&refusal)).await;
        }
        Parsed::Command(asked) => asked,
    };
    let work = Work::new(house, speaker.clone(), said.room.clone(), asked.flags.clone());
    let resources = match (asked.entry.resources)(&asked.arguments, &work).await {
        Ok(resources) => resources,
        Err(Failure::Refused(refusal)) => {
            return accept::refused(house, &configuration, said, speaker, Some(&asked), refused(&refusal)).await;
        }
        Err(Failure::Faulted(fault)) => return reply::broken(&fault),
    };
    let action = asked.entry.name();
    match authorize::ask(&work, &action, &resources, &asked.arguments, None) {
        Ok(_) if asked.entry.effect() != EffectKind::Read && house.trail_is_behind() => {
            let refusal = Refusal::new(
                "The audit trail cannot be signed, and nothing starts unsigned",
                "tell whoever runs Andon; what only answers still does",
            );
            accept::refused(house, &configuration, said, speaker, Some(&asked), refused(&refusal)).await
        }
        Ok(permit) => accept::accepted(&work, said, &asked, &resources, &permit).await,
        Err(denial) => {
            let refusal = authorize::refusal(&speaker.person, &action, &denial);
            let refused = accept::Refused { refusal: &refusal, denial: Some(&denial), resources: &resources };
            accept::refused(house, &configuration, said, speaker, Some(&asked), refused).await
        }
    }
}

/// Steps 5 and after: what was accepted is done, and its outcome recorded and said.
pub(crate) async fn proceed(house: &Arc<House>, accepted: Accepted) {
    (house.probe)(Point::Accepted);
    let accepted = Arc::new(accepted);
    let result = tokio::select! {
        result = AssertUnwindSafe(go_on(house, &accepted)).catch_unwind() => result,
        () = lease::keep(house, &accepted) => return,
    };
    if let Err(failure) = result.unwrap_or_else(|_| Err(Fault::new("a command panicked").into())) {
        reply::end_badly(house, &accepted, failure).await;
    }
}

async fn go_on(house: &Arc<House>, accepted: &Arc<Accepted>) -> Result<(), Failure> {
    let invocation = accepted.invocation();
    if invocation.attempts > ATTEMPTS {
        return Err(Fault::new("whoever took it up died of it, again and again").into());
    }
    let work = Work::of(house, invocation)?;
    let speaker = {
        let mut reader = work.reader().await?;
        people::speaker(work.catalog(), &mut reader.connection(), &invocation.said.identity).await?
    };
    if speaker.as_ref() != Some(&work.speaker) {
        return Err(Refusal::new("Your account is no longer linked", "ask whoever runs Andon to link it").into());
    }
    let (entry, arguments) = reply::command_of(house, invocation)?;
    match &entry.run {
        Run::Read { answer, .. } => {
            let message = answer(&arguments, &work).await?;
            reply::answered(house, accepted, message).await
        }
        Run::Act { plan: make_plan, apply } => {
            let plan = make_plan(&arguments, &work).await?;
            let (permit, about) = permitted(entry, &arguments, &work, &plan).await?;
            if work.flags.dry_run {
                return plan::show(&work, accepted, plan, permit, about).await;
            }
            plan::apply(&work, accepted, plan, permit, about, arguments, *apply).await
        }
        Run::Operation { plan: make_plan, exemption, .. } => {
            let plan = make_plan(&arguments, &work).await?;
            let (permit, about) = permitted(entry, &arguments, &work, &plan).await?;
            let planned = plan::Planned::new(plan, permit, about, |plan| exemption(&arguments, plan))?;
            if work.flags.dry_run {
                return plan::show_operation(&work, accepted, planned).await;
            }
            plan::reserve(&work, accepted, planned).await
        }
    }
}

/// Policy again, now with the plan, which is the one that was shown where one was; and what its records are about.
async fn permitted(
    entry: &Entry,
    arguments: &Value,
    work: &Work,
    plan: &Plan,
) -> Result<(Permit, Vec<Target>), Failure> {
    let resources = (entry.resources)(arguments, work).await?;
    let action = entry.name();
    let permit = authorize::ask(work, &action, &resources, arguments, Some(plan))
        .map_err(|denial| authorize::refusal(work.asker(), &action, &denial))?;
    plan::expect_as_shown(work, plan)?;
    Ok((permit, about::targets(entry, arguments, &resources, work.catalog())))
}

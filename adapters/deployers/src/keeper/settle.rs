//! After the keeper's own restart: what became of the orders in whose middle it ended.

use std::io;
use std::path::Path;

use andon_core::ports::{Effect, Running};
use andon_core::{Clock, OperationId};
use jiff::SignedDuration;
use rustix::process::Signal;

use super::process::{Found, Identity};
use super::proxy::answers;
use super::state::{Current, Folder, OrderState};

/// Between two looks at something that is about to happen.
pub(super) const LOOK_EVERY: SignedDuration = SignedDuration::from_millis(50);
/// The time that an instance of a broken-off order gets to end, or to answer.
const STOP_WITHIN: SignedDuration = SignedDuration::from_secs(5);
/// The time that the system gets to end what is killed.
const KILLED_WITHIN: SignedDuration = SignedDuration::from_secs(2);

/// Settles all orders of a target that were under way.
pub(super) async fn all(folder: &Folder, clock: &dyn Clock) -> io::Result<()> {
    let current = folder.current()?;
    for (operation, state) in folder.unfinished()? {
        let state = one(operation, state, current.as_ref(), clock).await;
        folder.set_order(operation, &state)?;
    }
    Ok(())
}

async fn one(
    operation: OperationId,
    mut state: OrderState,
    current: Option<&Current>,
    clock: &dyn Clock,
) -> OrderState {
    if let Some(current) = current.filter(|current| current.operation == operation) {
        if let Some(leaving) = state.leaving.as_ref().filter(|leaving| **leaving != current.process) {
            stop(leaving, current.config.stop_within, clock).await;
        }
        if comes_healthy(current, STOP_WITHIN, clock).await {
            state.effect = Effect::Succeeded { observed: running(current, true) };
        } else {
            state.lost = Some("the keeper ended while it switched, and what it switched to is not healthy".to_owned());
        }
        return state;
    }
    let Some(process) = &state.process else {
        state.lost = Some("the keeper ended just when it started an instance".to_owned());
        return state;
    };
    if process.look() == Found::Another && Path::new(&format!("/proc/{}", process.pid)).exists() {
        state.lost = Some(format!("pid {} is another process now", process.pid));
        return state;
    }
    stop(process, STOP_WITHIN, clock).await;
    let serving = current.filter(|current| current.process.runs()).map(|current| current.artifact.version.clone());
    state.effect = Effect::Failed { reason: "the keeper was restarted in the middle".to_owned(), log: None, serving };
    state
}

/// Whether what serves answers for its health within a time. A slow answer on a busy machine is no wrong one; that of a process that
/// has ended never comes.
pub(super) async fn comes_healthy(current: &Current, within: SignedDuration, clock: &dyn Clock) -> bool {
    let deadline = clock.now().saturating_add(within).unwrap_or(jiff::Timestamp::MAX);
    while current.process.runs() {
        if answers(current.port, &current.config.health, clock).await {
            return true;
        }
        if clock.now() >= deadline {
            return false;
        }
        clock.sleep(LOOK_EVERY).await;
    }
    false
}

/// Tells a process with all of its group to end, and kills what does not: what it started must not live on without it.
pub(super) async fn stop(process: &Identity, within: SignedDuration, clock: &dyn Clock) {
    for (signal, within) in [(Signal::TERM, within), (Signal::KILL, KILLED_WITHIN)] {
        process.signal(signal);
        let deadline = clock.now().saturating_add(within).unwrap_or(jiff::Timestamp::MAX);
        while process.group_runs() && clock.now() < deadline {
            clock.sleep(LOOK_EVERY).await;
        }
    }
}

/// Stops what serves on a target that was not taken up.
pub(super) async fn down(folder: &Folder, clock: &dyn Clock) -> io::Result<()> {
    let Some(current) = folder.current()? else { return Ok(()) };
    folder.clear_current()?;
    stop(&current.process, current.config.stop_within, clock).await;
    Ok(())
}

/// What serves, as it is told.
pub(super) fn running(current: &Current, healthy: bool) -> Running {
    let runs = if current.process.runs() { "" } else { " is not running" };
    let mut evidence = format!("pid {}{runs}", current.process.pid);
    if let Some(ended) = &current.ended {
        let (count, times) = (current.restarts.len(), if current.restarts.len() == 1 { "time" } else { "times" });
        evidence.push_str(&format!("; ended {count} {times} lately, the last time with {ended}"));
    }
    Running {
        artifact: current.artifact.clone(),
        since: Some(current.since),
        restarts: u32::try_from(current.restarts.len()).unwrap_or(u32::MAX),
        healthy,
        evidence,
        operation: Some(current.operation),
    }
}

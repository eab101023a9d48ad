//! Carrying out orders, one at a time: start, wait until it is ready, switch, let the old instance finish, stop it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use andon_core::Artifact;
use andon_core::ports::{Effect, Order};
use jiff::SignedDuration;

use super::instance::{self, Instance, Start};
use super::keeping::{Keeping, generation};
use super::protocol::{Response, TargetSpec};
use super::proxy::{Upstream, answers};
use super::releases;
use super::settle::{self, LOOK_EVERY};
use super::state::{Current, OrderState};

/// How long what serves may take to answer for its health before it is left. On a busy machine one slow answer means nothing.
const LAST_LOOK: SignedDuration = SignedDuration::from_secs(3);

/// An order with what it needs.
struct Job {
    spec: TargetSpec,
    order: Order,
    release: PathBuf,
}

enum Readiness {
    Ready,
    Withdrawn,
    Never(String),
}

impl Keeping {
    /// Takes an order, durably, and carries it out behind the caller's back.
    pub(super) fn take(self: &Arc<Self>, spec: TargetSpec, order: Order, release: PathBuf) -> io::Result<Response> {
        if let Some(known) = self.folder.fence(order.operation)? {
            if order.fence < known {
                return Ok(Response::Fenced);
            }
            self.folder.set_fence(order.operation, order.fence)?;
        }
        if self.folder.order(order.operation)?.is_some() {
            return Ok(Response::Taken);
        }
        let Ok(busy) = Arc::clone(&self.busy).try_lock_owned() else {
            return Ok(Response::Moved { reason: "another order is under way here".to_owned() });
        };
        if generation(self.folder.current()?.as_ref()) != order.generation {
            return Ok(Response::Moved { reason: "another release is live than when it was planned".to_owned() });
        }
        if !self.folder.claim(order.operation)? {
            return Ok(Response::Taken);
        }
        self.folder.set_fence(order.operation, order.fence)?;
        let effect = Effect::Running { phase: "handed over".to_owned() };
        let mut state = OrderState { effect, process: None, leaving: None, lost: None };
        self.folder.set_order(order.operation, &state)?;
        let (keeping, job) = (Arc::clone(self), Job { spec, order, release });
        tokio::spawn(async move {
            keeping.carry_out(&job, &mut state).await;
            // Whoever sees the end may give the next order.
            drop(busy);
            if let Err(error) = keeping.folder.set_order(job.order.operation, &state) {
                let operation = job.order.operation;
                tracing::error!(%error, %operation, "the end of an order could not be written down");
            }
        });
        Ok(Response::Taken)
    }

    async fn carry_out(self: &Arc<Self>, job: &Job, state: &mut OrderState) {
        state.effect = match self.switch(job, state).await {
            Ok(effect) => effect,
            Err(error) => {
                self.undo(state).await;
                self.failed(format!("it could not be started: {error}"), None)
            }
        };
        if let Err(error) = self.forget_old(job) {
            tracing::warn!(%error, "old releases could not be removed");
        }
    }

    async fn switch(self: &Arc<Self>, job: &Job, state: &mut OrderState) -> io::Result<Effect> {
        let Job { spec: TargetSpec { config, redaction, .. }, order, release } = job;
        self.phase(order, state, "starting")?;
        let pipes = self.folder.pipes(order.operation, self.clock.now());
        let what = Start { target: &self.target, config, release, artifact: &order.artifact, pipes };
        let instance = instance::start(what, &self.log)?;
        state.process = Some(instance.identity.clone());
        self.phase(order, state, "waiting until it is ready")?;
        let (instance, ready) = self.ready(instance, job).await;
        match ready {
            Readiness::Ready => {}
            Readiness::Withdrawn => {
                self.end(instance, config.stop_within).await;
                return Ok(Effect::Cancelled);
            }
            Readiness::Never(reason) => {
                let mut instance = self.end(instance, SignedDuration::from_secs(1)).await;
                return Ok(self.failed(reason, instance.said(&*self.clock).await));
            }
        }
        let was_healthy = match self.folder.current()? {
            Some(before) => settle::comes_healthy(&before, LAST_LOOK, &*self.clock).await,
            None => false,
        };
        let turn = self.turn.lock().await;
        if !self.wishes().pass(order.operation) {
            drop(turn);
            self.end(instance, config.stop_within).await;
            return Ok(Effect::Cancelled);
        }
        // Read again: it may just have been started again, under another pid.
        let before = self.folder.current()?;
        state.leaving = before.as_ref().map(|before| before.process.clone());
        self.phase(order, state, "switching")?;
        releases::touch(release, self.clock.now())?;
        let current = Current {
            artifact: order.artifact.clone(),
            operation: order.operation,
            release: release.clone(),
            process: instance.identity.clone(),
            port: instance.port,
            since: self.clock.now(),
            config: config.clone(),
            redaction: redaction.clone(),
            pipes: instance.pipes.clone(),
            restarts: Vec::new(),
            ended: None,
            previous: before.as_ref().and_then(|before| previous(before, order, was_healthy)),
        };
        self.folder.set_current(&current)?;
        let old = self.upstream.send_replace(Some(Upstream::new(instance.port)));
        self.watch(instance);
        drop(turn);
        self.leave(order, state, old, before.as_ref()).await;
        let current = self.folder.current()?.unwrap_or(current);
        let healthy = settle::comes_healthy(&current, config.ready_within, &*self.clock).await;
        Ok(Effect::Succeeded { observed: settle::running(&current, healthy) })
    }

    /// Lets what served before finish what is under way there, and ends it.
    async fn leave(&self, order: &Order, state: &mut OrderState, old: Option<Upstream>, before: Option<&Current>) {
        let Some(before) = before else { return };
        // That nobody can be told of it is no reason to leave it running.
        let _ = self.phase(order, state, "live; the release before finishes its requests, too late to cancel");
        let within = before.config.stop_within;
        let deadline = self.clock.now().saturating_add(within).unwrap_or(jiff::Timestamp::MAX);
        while old.as_ref().is_some_and(|old| old.under_way.load(Ordering::SeqCst) > 0) && self.clock.now() < deadline {
            self.clock.sleep(LOOK_EVERY).await;
        }
        self.stop(&before.process, within).await;
    }

    fn phase(&self, order: &Order, state: &mut OrderState, phase: &str) -> io::Result<()> {
        state.effect = Effect::Running { phase: phase.to_owned() };
        self.folder.set_order(order.operation, state)
    }

    async fn ready(&self, mut instance: Instance, job: &Job) -> (Instance, Readiness) {
        let config = &job.spec.config;
        let deadline = self.clock.now().saturating_add(config.ready_within).unwrap_or(jiff::Timestamp::MAX);
        loop {
            if let Ok(Some(status)) = instance.child.try_wait() {
                return (instance, Readiness::Never(format!("it ended before it was ready: {status}")));
            }
            if self.wishes().hold(job.order.operation) {
                return (instance, Readiness::Withdrawn);
            }
            // The port was free when it was chosen: what answers there may be somebody else, while this one cannot have it and ends.
            if answers(instance.port, &config.health, &*self.clock).await && instance.identity.runs() {
                return (instance, Readiness::Ready);
            }
            if self.clock.now() >= deadline {
                let reason = format!("{} did not answer 200 within {:#}", config.health, config.ready_within);
                return (instance, Readiness::Never(reason));
            }
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// Ends an instance that never served, and reaps it, since nobody else waits for it.
    async fn end(&self, mut instance: Instance, within: SignedDuration) -> Instance {
        self.stop(&instance.identity, within).await;
        let _ = instance.child.wait().await;
        instance
    }

    /// Where an order broke off, what it started is ended, unless it serves.
    async fn undo(&self, state: &OrderState) {
        let serves = |process: &super::process::Identity| matches!(self.folder.current(), Ok(Some(current)) if current.process == *process);
        if let Some(process) = state.process.as_ref().filter(|process| !serves(process)) {
            self.stop(process, SignedDuration::from_secs(1)).await;
        }
    }

    fn failed(&self, reason: String, log: Option<andon_core::Outside>) -> Effect {
        let serving = self.folder.current().ok().flatten().filter(|current| current.process.runs());
        Effect::Failed { reason, log, serving: serving.map(|current| current.artifact.version) }
    }

    /// Removes releases beyond the last ones, never the live one or the one before.
    fn forget_old(&self, job: &Job) -> io::Result<()> {
        let Some(folder) = job.release.parent() else { return Ok(()) };
        let current = self.folder.current()?;
        let needed = current.iter().flat_map(|current| std::iter::once(&current.artifact).chain(&current.previous));
        let needed: Vec<_> = needed.map(|artifact| artifact.digest).collect();
        releases::forget_old(folder, job.spec.config.keep, &needed)
    }
}

/// The release to go back to: what served, seen healthy, just before; where that was not healthy, the one that it was to go back to.
fn previous(before: &Current, order: &Order, was_healthy: bool) -> Option<Artifact> {
    let previous = if was_healthy && before.artifact != order.artifact {
        Some(before.artifact.clone())
    } else {
        before.previous.clone()
    };
    // To what is live itself, nobody goes back.
    previous.filter(|previous| *previous != order.artifact)
}

//! A target in the keeper's hands: what serves there, and carrying out one order at a time.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::ports::{Effect, Live, Order, Running};
use andon_core::{Clock, OperationId, Redactor, Target};
use jiff::SignedDuration;
use rustix::process::Signal;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::instance::{self, Instance};
use super::log::Log;
use super::process::Identity;
use super::protocol::{Response, TargetSpec};
use super::proxy::{self, Upstream, answers};
use super::state::{Current, Folder, OrderState};
use crate::local::Config;

/// Between two looks at something that is about to happen.
const LOOK_EVERY: SignedDuration = SignedDuration::from_millis(50);
/// A service that dies this often within a minute is left down.
const RESTARTS: usize = 5;

/// A target.
pub(super) struct Keeping {
    target: Target,
    folder: Folder,
    log: Arc<Log>,
    clock: Arc<dyn Clock>,
    upstream: watch::Sender<Option<Upstream>>,
    port: u16,
    busy: tokio::sync::Mutex<()>,
    withdrawn: Mutex<Vec<OperationId>>,
}

impl Keeping {
    /// Opens the proxy of a target.
    pub(super) async fn open(
        data: &std::path::Path,
        target: &Target,
        config: &Config,
        clock: Arc<dyn Clock>,
        redactor: Arc<Redactor>,
    ) -> io::Result<Arc<Self>> {
        let folder = Folder::of(data, target)?;
        let listener = listen(&folder, config).await?;
        let port = listener.local_addr()?.port();
        folder.set_port(port)?;
        let path = data.join("logs").join(format!("{}-{}.jsonl", target.service, target.environment));
        let log = Log::new(path, redactor, Arc::clone(&clock));
        let upstream = watch::Sender::new(None);
        tokio::spawn(proxy::serve(listener, upstream.subscribe()));
        let (busy, withdrawn) = (tokio::sync::Mutex::new(()), Mutex::default());
        Ok(Arc::new(Self { target: target.clone(), folder, log, clock, upstream, port, busy, withdrawn }))
    }

    /// After the keeper's own restart: adopts what still runs, starts again what does not, and settles orders that were under way.
    pub(super) async fn recover(self: &Arc<Self>) -> io::Result<()> {
        let current = self.folder.current()?;
        for (operation, state) in self.folder.unfinished()? {
            let state = self.settle(operation, state, current.as_ref()).await;
            self.folder.set_order(operation, &state)?;
        }
        let Some(current) = current else { return Ok(()) };
        if current.process.runs() {
            self.log.note(&format!("adopted pid {}", current.process.pid));
            self.upstream.send_replace(Some(Upstream::new(current.port)));
            let (keeping, process) = (Arc::clone(self), current.process);
            tokio::spawn(async move {
                while process.runs() {
                    keeping.clock.sleep(SignedDuration::from_millis(500)).await;
                }
                keeping.ended(process, "it was not seen ending".to_owned(), Vec::new()).await;
            });
        } else {
            self.ended(current.process, "it ended while the keeper was away".to_owned(), Vec::new()).await;
        }
        Ok(())
    }

    /// What became of an order in whose middle the keeper ended.
    async fn settle(&self, operation: OperationId, mut state: OrderState, current: Option<&Current>) -> OrderState {
        if let Some(current) = current.filter(|current| current.operation == operation) {
            let healthy = current.process.runs() && answers(current.port, &current.config.health, &*self.clock).await;
            if healthy {
                state.effect = Effect::Succeeded { observed: self.running(current, true) };
            } else {
                state.lost =
                    Some("the keeper ended while it switched, and what it switched to is not healthy".to_owned());
            }
            return state;
        }
        let Some(process) = &state.process else {
            state.lost = Some("the keeper ended just when it started an instance".to_owned());
            return state;
        };
        if process.runs() {
            self.stop(process, SignedDuration::from_secs(5)).await;
        } else if std::path::Path::new(&format!("/proc/{}", process.pid)).exists() {
            state.lost = Some(format!("pid {} is another process now", process.pid));
            return state;
        }
        let serving = current.map(|current| current.artifact.version.clone());
        state.effect =
            Effect::Failed { reason: "the keeper was restarted in the middle".to_owned(), log: None, serving };
        state
    }

    /// What serves, as seen now.
    pub(super) async fn live(&self) -> io::Result<Live> {
        let current = self.folder.current()?;
        let generation = current.as_ref().map_or_else(|| "none".to_owned(), |current| current.operation.to_string());
        let address = Some(format!("http://127.0.0.1:{}", self.port));
        let previous = current.as_ref().and_then(|current| current.previous.clone());
        let running = match current.filter(|current| current.process.runs()) {
            Some(current) => {
                let healthy = answers(current.port, &current.config.health, &*self.clock).await;
                Some(self.running(&current, healthy))
            }
            None => None,
        };
        Ok(Live { running, previous, generation, address })
    }

    fn running(&self, current: &Current, healthy: bool) -> Running {
        Running {
            artifact: current.artifact.clone(),
            since: Some(current.since),
            healthy,
            evidence: format!("pid {}", current.process.pid),
            operation: Some(current.operation),
        }
    }

    pub(super) fn cancel(&self, operation: OperationId) {
        self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
    }

    /// Takes an order, durably, and carries it out behind the caller's back.
    pub(super) fn take(self: &Arc<Self>, spec: TargetSpec, order: Order, release: PathBuf) -> io::Result<Response> {
        if let Some(known) = self.folder.order(order.operation)? {
            return Ok(if order.fence < known.fence { Response::Fenced } else { Response::Taken });
        }
        let generation =
            self.folder.current()?.map_or_else(|| "none".to_owned(), |current| current.operation.to_string());
        if generation != order.generation {
            return Ok(Response::Moved { reason: "another release is live than when it was planned".to_owned() });
        }
        let keeping = Arc::clone(self);
        let Ok(busy) = keeping.busy.try_lock() else {
            return Ok(Response::Moved { reason: "another order is under way here".to_owned() });
        };
        drop(busy);
        if !self.folder.claim(order.operation)? {
            return Ok(Response::Taken);
        }
        let state = OrderState {
            fence: order.fence,
            effect: Effect::Running { phase: "taken".to_owned() },
            process: None,
            lost: None,
        };
        self.folder.set_order(order.operation, &state)?;
        tokio::spawn(async move {
            let _busy = keeping.busy.lock().await;
            keeping.carry_out(spec.config, order, release, state).await;
        });
        Ok(Response::Taken)
    }

    async fn carry_out(self: &Arc<Self>, config: Config, order: Order, release: PathBuf, mut state: OrderState) {
        let before = self.folder.current().ok().flatten();
        let end = self.switch(&config, &order, &release, &mut state, before.as_ref()).await;
        state.effect = match end {
            Ok(effect) => effect,
            Err(error) => failed(format!("it could not be started: {error}"), None, before.as_ref()),
        };
        if let Err(error) = self.folder.set_order(order.operation, &state) {
            tracing::error!(%error, operation = %order.operation, "the end of an order could not be written down");
        }
        if let Err(error) = self.forget_old(&release, config.keep) {
            tracing::warn!(%error, "old releases could not be removed");
        }
    }

    async fn switch(
        self: &Arc<Self>,
        config: &Config,
        order: &Order,
        release: &std::path::Path,
        state: &mut OrderState,
        before: Option<&Current>,
    ) -> io::Result<Effect> {
        self.phase(order, state, "starting")?;
        let instance = instance::start(&self.target, config, release, &order.artifact, &self.log)?;
        state.process = Some(instance.identity.clone());
        self.phase(order, state, "waiting until it is ready")?;
        let (mut instance, ready) = self.ready(instance, config, order.operation).await;
        match ready {
            Readiness::Ready => {}
            Readiness::Withdrawn => {
                self.stop(&instance.identity, seconds(config.stop_within)).await;
                return Ok(Effect::Cancelled);
            }
            Readiness::Never(reason) => {
                self.stop(&instance.identity, SignedDuration::from_secs(1)).await;
                // Reaped here: nobody else waits for it.
                let _ = instance.child.wait().await;
                return Ok(failed(reason, instance.said(), before));
            }
        }
        self.phase(order, state, "switching")?;
        let healthy_before = match before {
            Some(before) => before.process.runs() && answers(before.port, &before.config.health, &*self.clock).await,
            None => false,
        };
        let current = Current {
            artifact: order.artifact.clone(),
            operation: order.operation,
            release: release.to_owned(),
            process: instance.identity.clone(),
            port: instance.port,
            since: self.clock.now(),
            config: config.clone(),
            previous: before.filter(|_| healthy_before).map(|before| before.artifact.clone()),
        };
        self.folder.set_current(&current)?;
        let old = self.upstream.send_replace(Some(Upstream::new(instance.port)));
        self.watch(instance, Vec::new());
        if let Some(before) = before {
            self.drain(old, seconds(before.config.stop_within)).await;
            self.stop(&before.process, seconds(before.config.stop_within)).await;
        }
        let healthy = answers(current.port, &config.health, &*self.clock).await;
        Ok(Effect::Succeeded { observed: self.running(&current, healthy) })
    }

    fn phase(&self, order: &Order, state: &mut OrderState, phase: &str) -> io::Result<()> {
        state.effect = Effect::Running { phase: phase.to_owned() };
        self.folder.set_order(order.operation, state)
    }

    async fn ready(&self, mut instance: Instance, config: &Config, operation: OperationId) -> (Instance, Readiness) {
        let deadline = self.clock.now().saturating_add(seconds(config.ready_within)).unwrap_or(jiff::Timestamp::MAX);
        loop {
            if let Ok(Some(status)) = instance.child.try_wait() {
                return (instance, Readiness::Never(format!("it ended before it was ready: {status}")));
            }
            if self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner).contains(&operation) {
                return (instance, Readiness::Withdrawn);
            }
            if answers(instance.port, &config.health, &*self.clock).await {
                return (instance, Readiness::Ready);
            }
            if self.clock.now() >= deadline {
                let reason = format!("{} did not answer 200 within {} s", config.health, config.ready_within);
                return (instance, Readiness::Never(reason));
            }
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for an instance to end, and starts it again where it still should serve.
    fn watch(self: &Arc<Self>, mut instance: Instance, restarts: Vec<jiff::Timestamp>) {
        let keeping = Arc::clone(self);
        tokio::spawn(async move {
            let status =
                instance.child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
            keeping.ended(instance.identity, status, restarts).await;
        });
    }

    async fn ended(self: &Arc<Self>, process: Identity, status: String, mut restarts: Vec<jiff::Timestamp>) {
        self.log.note(&format!("pid {} ended: {status}", process.pid));
        let current = match self.folder.current() {
            Ok(Some(current)) if current.process == process => current,
            _ => return,
        };
        let now = self.clock.now();
        restarts.retain(|at| now.duration_since(*at) < SignedDuration::from_mins(1));
        if restarts.len() >= RESTARTS {
            self.log.note("it ended too often, and is left down");
            self.upstream.send_replace(None);
            return;
        }
        restarts.push(now);
        self.clock.sleep(SignedDuration::from_millis(200 * restarts.len() as i64)).await;
        let started = instance::start(&self.target, &current.config, &current.release, &current.artifact, &self.log);
        match started {
            Ok(instance) => {
                let again = Current {
                    process: instance.identity.clone(),
                    port: instance.port,
                    since: self.clock.now(),
                    ..current
                };
                if let Err(error) = self.folder.set_current(&again) {
                    tracing::error!(%error, "a restarted service could not be written down");
                }
                self.upstream.send_replace(Some(Upstream::new(again.port)));
                self.watch(instance, restarts);
            }
            Err(error) => {
                self.log.note(&format!("it could not be started again: {error}"));
                self.upstream.send_replace(None);
            }
        }
    }

    /// Lets requests that are under way on the old instance finish.
    async fn drain(&self, old: Option<Upstream>, within: SignedDuration) {
        let deadline = self.clock.now().saturating_add(within).unwrap_or(jiff::Timestamp::MAX);
        while old.as_ref().is_some_and(|old| old.under_way.load(Ordering::SeqCst) > 0) && self.clock.now() < deadline {
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    async fn stop(&self, process: &Identity, within: SignedDuration) {
        process.signal(Signal::TERM);
        let deadline = self.clock.now().saturating_add(within).unwrap_or(jiff::Timestamp::MAX);
        while process.runs() && self.clock.now() < deadline {
            self.clock.sleep(LOOK_EVERY).await;
        }
        process.signal(Signal::KILL);
    }

    /// Stops what serves, for good.
    pub(super) async fn down(&self) -> io::Result<()> {
        let current = self.folder.current()?;
        self.folder.clear_current()?;
        self.upstream.send_replace(None);
        if let Some(current) = current {
            self.stop(&current.process, seconds(current.config.stop_within)).await;
        }
        Ok(())
    }

    /// Removes releases beyond the last `keep`, never the live one or the one before.
    fn forget_old(&self, release: &std::path::Path, keep: usize) -> io::Result<()> {
        let Some(releases) = release.parent() else { return Ok(()) };
        let current = self.folder.current()?;
        let needed: Vec<String> = current
            .iter()
            .flat_map(|current| std::iter::once(&current.artifact).chain(&current.previous))
            .map(|artifact| artifact.digest.to_string())
            .collect();
        let mut found = Vec::new();
        for entry in std::fs::read_dir(releases)? {
            let entry = entry?;
            found.push((entry.metadata()?.modified()?, entry.path()));
        }
        found.sort();
        let excess = found.len().saturating_sub(keep.max(2) * 2);
        for (_, path) in found.into_iter().take(excess) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if !needed.contains(&name) {
                std::fs::remove_dir_all(path)?;
            }
        }
        Ok(())
    }
}

enum Readiness {
    Ready,
    Withdrawn,
    Never(String),
}

fn failed(reason: String, log: Option<andon_core::Outside>, before: Option<&Current>) -> Effect {
    Effect::Failed { reason, log, serving: before.map(|before| before.artifact.version.clone()) }
}

fn seconds(count: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The proxy's address: the configured one; where its port is 0, the one that was chosen at first.
async fn listen(folder: &Folder, config: &Config) -> io::Result<TcpListener> {
    let mut address = config.listen;
    if let Some(port) = folder.port().filter(|_| address.port() == 0) {
        address.set_port(port);
        if let Ok(listener) = TcpListener::bind(address).await {
            return Ok(listener);
        }
        address.set_port(0);
    }
    TcpListener::bind(address).await
}

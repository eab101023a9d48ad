//! A target in the keeper's hands: what serves there, seen to its end and started again.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::ports::Live;
use andon_core::{Clock, OperationId, Redactor, Target};
use jiff::SignedDuration;
use rustix::process::Signal;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::instance::{self, Instance, Start};
use super::log::Log;
use super::process::Identity;
use super::protocol::{Response, TargetSpec};
use super::proxy::{self, Upstream, answers};
use super::settle;
use super::state::{Current, Folder};
use crate::local::Config;

/// Between two looks at an adopted service, whose end nobody tells its new keeper.
const ADOPTED_LOOK: SignedDuration = SignedDuration::from_millis(500);
/// The pause before a service is started again: doubled with every end within [`LATELY`], up to the longest.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_millis(200);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
const LATELY: SignedDuration = SignedDuration::from_mins(10);
/// Wishes to withdraw that are remembered, of operations that may never come.
const WISHES: usize = 100;

/// A target.
pub(super) struct Keeping {
    pub(super) target: Target,
    pub(super) folder: Folder,
    pub(super) log: Arc<Log>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) upstream: watch::Sender<Option<Upstream>>,
    bound: Mutex<Bound>,
    /// Held by the one order that is under way.
    pub(super) busy: Arc<tokio::sync::Mutex<()>>,
    /// Held while it changes what serves, which orders and restarts do.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) wishes: Mutex<Wishes>,
}

/// Where the proxy listens, and what takes its connections.
struct Bound {
    address: SocketAddr,
    serving: AbortHandle,
}

/// Wishes to withdraw operations.
#[derive(Default)]
pub(super) struct Wishes {
    withdrawn: Vec<OperationId>,
    /// The order that has switched last, and can be withdrawn no more.
    switched: Option<OperationId>,
    /// All orders are withdrawn, since the keeper goes down.
    closing: bool,
}

impl Wishes {
    pub(super) fn hold(&self, operation: OperationId) -> bool {
        self.closing || self.withdrawn.contains(&operation)
    }

    /// The point of no return; false where somebody was quicker.
    pub(super) fn pass(&mut self, operation: OperationId) -> bool {
        let free = !self.hold(operation);
        if free {
            self.switched = Some(operation);
        }
        free
    }
}

impl Keeping {
    /// Opens the proxy of a target, and takes up what an earlier keeper left: adopts what still runs, starts again what does not, and
    /// settles orders that were under way, while what runs serves.
    pub(super) async fn open(data: &Path, spec: &TargetSpec, clock: Arc<dyn Clock>) -> io::Result<Arc<Self>> {
        let TargetSpec { target, config, redaction } = spec;
        let folder = Folder::of(data, target)?;
        let redactor = redactor(redaction)?;
        let listener = listen(&folder, config).await?;
        let address = listener.local_addr()?;
        folder.set_port(address.port())?;
        let path = data.join("logs").join(target.service.as_str()).join(format!("{}.jsonl", target.environment));
        let log = Log::new(path, redactor, Arc::clone(&clock));
        let upstream = watch::Sender::new(None);
        let serving = tokio::spawn(proxy::serve(listener, upstream.subscribe(), Arc::clone(&clock))).abort_handle();
        let bound = Mutex::new(Bound { address, serving });
        let (target, busy, turn, wishes) = (target.clone(), Arc::default(), Default::default(), Mutex::default());
        let keeping = Arc::new(Self { target, folder, log, clock, upstream, bound, busy, turn, wishes });
        let recovered = keeping.recover().await;
        recovered.inspect_err(|_| keeping.bound().serving.abort())?;
        Ok(keeping)
    }

    async fn recover(self: &Arc<Self>) -> io::Result<()> {
        let current = self.folder.current()?;
        if let Some(current) = current.as_ref().filter(|current| current.process.runs()) {
            self.log.note(&format!("adopted pid {}", current.process.pid));
            instance::listen_again(&self.log, &current.artifact, &current.pipes);
            self.upstream.send_replace(Some(Upstream::new(current.port)));
        }
        settle::all(&self.folder, &*self.clock).await?;
        let Some(current) = current else { return Ok(()) };
        let keeping = Arc::clone(self);
        let runs = current.process.runs();
        tokio::spawn(async move {
            while current.process.runs() {
                keeping.clock.sleep(ADOPTED_LOOK).await;
            }
            let how = if runs { "an end that nobody saw" } else { "an end that the keeper was away for" };
            keeping.ended(current.process, how.to_owned()).await;
        });
        Ok(())
    }

    /// Listens where the configuration says from now on; connections that are open already stay.
    pub(super) async fn listen_as(&self, config: &Config) -> io::Result<()> {
        let wanted = |bound: SocketAddr| match config.listen {
            any if any.port() == 0 => SocketAddr::new(any.ip(), bound.port()),
            other => other,
        };
        let is_there = |bound: SocketAddr| wanted(bound) == bound;
        if is_there(self.bound().address) {
            return Ok(());
        }
        // Of two who ask at once, the second finds it done.
        let _turn = self.turn.lock().await;
        let bound = self.bound().address;
        if is_there(bound) {
            return Ok(());
        }
        let wanted = wanted(bound);
        let listener = bind(wanted).await?;
        self.folder.set_port(wanted.port())?;
        let serving = tokio::spawn(proxy::serve(listener, self.upstream.subscribe(), Arc::clone(&self.clock)));
        let before = std::mem::replace(&mut *self.bound(), Bound { address: wanted, serving: serving.abort_handle() });
        before.serving.abort();
        self.log.note(&format!("listens on {wanted}, no longer on {}", before.address));
        Ok(())
    }

    fn bound(&self) -> std::sync::MutexGuard<'_, Bound> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes secrets out of the log as the bot says from now on.
    pub(super) fn redact_by(&self, patterns: &[String]) -> io::Result<()> {
        self.log.redact_by(redactor(patterns)?);
        Ok(())
    }

    /// What serves, as seen now.
    pub(super) async fn live(&self) -> io::Result<Live> {
        let current = {
            // In the middle of a change, what is written down is a moment ahead of what the proxy does.
            let _turn = self.turn.lock().await;
            self.folder.current()?
        };
        let generation = generation(current.as_ref());
        let address = Some(format!("http://{}", self.bound().address));
        let previous = current.as_ref().and_then(|current| current.previous.clone());
        let running = match current {
            Some(current) => {
                let healthy = current.process.runs() && self.healthy(&current).await;
                Some(settle::running(&current, healthy))
            }
            None => None,
        };
        Ok(Live { running, previous, generation, address })
    }

    pub(super) async fn healthy(&self, current: &Current) -> bool {
        answers(current.port, &current.config.health, &*self.clock).await
    }

    /// Withdraws an operation, where it is not too late.
    pub(super) fn cancel(&self, operation: OperationId) -> io::Result<Response> {
        let known = self.folder.order(operation)?;
        let mut wishes = self.wishes();
        if known.is_some_and(|known| known.ended()) {
            return Ok(Response::TooLate { reason: "it has ended already".to_owned() });
        }
        if wishes.switched == Some(operation) {
            return Ok(Response::TooLate { reason: "it is live already".to_owned() });
        }
        if wishes.withdrawn.len() == WISHES {
            wishes.withdrawn.remove(0);
        }
        wishes.withdrawn.push(operation);
        Ok(Response::Taken)
    }

    pub(super) fn wishes(&self) -> std::sync::MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for an instance to end, and starts it again where it still should serve.
    pub(super) fn watch(self: &Arc<Self>, mut instance: Instance) {
        let keeping = Arc::clone(self);
        tokio::spawn(async move {
            let status =
                instance.child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
            keeping.ended(instance.identity, status).await;
        });
    }

    async fn ended(self: &Arc<Self>, process: Identity, mut status: String) {
        self.log.note(&format!("pid {} ended: {status}", process.pid));
        loop {
            let pause = match self.note_end(&process, &status).await {
                Ok(Some(pause)) => pause,
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, target = %self.target, "the end of a service could not be written down");
                    LONGEST_PAUSE
                }
            };
            self.clock.sleep(pause).await;
            match self.start_again(&process).await {
                Ok(()) => return,
                Err(error) => status = format!("no start: {error}"),
            }
            self.log.note(&status);
        }
    }

    /// Writes down that what serves has ended, and says how long to wait until it is started again; nothing where something else serves.
    async fn note_end(&self, process: &Identity, status: &str) -> io::Result<Option<SignedDuration>> {
        let _turn = self.turn.lock().await;
        let Some(mut current) = self.serving_as(process)? else { return Ok(None) };
        // Its port may be anybody's from now on.
        self.upstream.send_replace(None);
        // What it had started must not stand in the way of its return.
        process.signal(Signal::KILL);
        let now = self.clock.now();
        current.restarts.retain(|at| now.duration_since(*at) < LATELY);
        current.restarts.push(now);
        current.ended = Some(status.to_owned());
        self.folder.set_current(&current)?;
        let doublings = u32::try_from(current.restarts.len() - 1).unwrap_or(u32::MAX).min(10);
        let pause = FIRST_PAUSE.checked_mul(1 << doublings).unwrap_or(LONGEST_PAUSE);
        Ok(Some(pause.min(LONGEST_PAUSE)))
    }

    async fn start_again(self: &Arc<Self>, process: &Identity) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        let Some(current) = self.serving_as(process)? else { return Ok(()) };
        let now = self.clock.now();
        let what = Start {
            target: &self.target,
            config: &current.config,
            release: &current.release,
            artifact: &current.artifact,
            pipes: self.folder.pipes(current.operation, now),
        };
        let instance = instance::start(what, &self.log)?;
        let again = Current {
            process: instance.identity.clone(),
            port: instance.port,
            pipes: instance.pipes.clone(),
            since: now,
            ..current
        };
        if let Err(error) = self.folder.set_current(&again) {
            // Nobody would find it again.
            self.stop(&instance.identity, SignedDuration::ZERO).await;
            return Err(error);
        }
        self.log.note(&format!("started again as pid {}", again.process.pid));
        self.upstream.send_replace(Some(Upstream::new(again.port)));
        self.watch(instance);
        Ok(())
    }

    fn serving_as(&self, process: &Identity) -> io::Result<Option<Current>> {
        Ok(self.folder.current()?.filter(|current| current.process == *process))
    }

    pub(super) async fn stop(&self, process: &Identity, within: SignedDuration) {
        settle::stop(process, within, &*self.clock).await;
    }

    /// Stops what serves, for good, and withdraws what is under way.
    pub(super) async fn down(&self) -> io::Result<()> {
        self.wishes().closing = true;
        let _busy = self.busy.lock().await;
        let _turn = self.turn.lock().await;
        let current = self.folder.current()?;
        self.folder.clear_current()?;
        self.upstream.send_replace(None);
        if let Some(current) = current {
            self.stop(&current.process, current.config.stop_within).await;
        }
        Ok(())
    }
}

/// What orders must name to be taken.
pub(super) fn generation(current: Option<&Current>) -> String {
    current.map_or_else(|| "none".to_owned(), |current| current.operation.to_string())
}

fn redactor(patterns: &[String]) -> io::Result<Arc<Redactor>> {
    let redactor = Redactor::new(patterns);
    redactor.map(Arc::new).map_err(|error| io::Error::other(format!("a redaction pattern is wrong: {error}")))
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
    bind(address).await
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

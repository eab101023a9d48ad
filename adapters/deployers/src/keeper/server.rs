//! The keeper's own process: one a data folder, listening on a socket that only its user can open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use andon_core::{Clock, Digest, Target};
use futures_util::future::join_all;
use rustix::fs::{FlockOperation, flock};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, mpsc};

use super::keeping::Keeping;
use super::private;
use super::process::{close_inherited, raise_descriptor_limit};
use super::protocol::{Envelope, LINE_LIMIT, Request, Response, TargetSpec, VERSION};
use super::proxy::ACCEPT_AGAIN;
use super::settle;
use super::state::Folder;

/// The longest path that a unix socket can have, less the terminating zero (unix(7)).
const SOCKET_PATH: usize = 107;

/// What the keeper is started with.
pub struct KeeperOptions {
    /// The data folder.
    pub data: PathBuf,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Where the keeper of a data folder listens. Where that path would be too long for a socket, it is one in `/tmp` that only this folder has.
pub(super) fn socket_path(data: &Path) -> PathBuf {
    let path = data.join("keeper.sock");
    if path.as_os_str().len() <= SOCKET_PATH {
        return path;
    }
    let folder = fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    let name = Digest::of(folder.as_os_str().as_encoded_bytes()).short();
    std::env::temp_dir().join(format!("andon-keeper-{}-{name}.sock", rustix::process::getuid().as_raw()))
}

/// A target's place: empty until it was taken up, and held meanwhile.
type Place = Arc<Mutex<Option<Arc<Keeping>>>>;

struct Keeper {
    data: PathBuf,
    clock: Arc<dyn Clock>,
    targets: std::sync::Mutex<BTreeMap<Target, Place>>,
    down: mpsc::Sender<()>,
}

/// Keeps until it is told to go down.
///
/// # Errors
/// Another keeper has the folder, or the socket cannot be opened.
pub async fn run(options: KeeperOptions) -> io::Result<()> {
    close_inherited()?;
    raise_descriptor_limit();
    private::folder(&options.data)?;
    let lock = private::options().write(true).truncate(false).open(options.data.join("keeper.lock"))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| io::Error::other("another keeper has this folder"))?;
    // A process of its own, which no terminal's end reaches. It fails where it is so already.
    let _ = rustix::process::setsid();
    let (down, mut gone) = mpsc::channel(1);
    let targets = std::sync::Mutex::default();
    let keeper = Arc::new(Keeper { data: options.data, clock: options.clock, targets, down });
    let path = socket_path(&keeper.data);
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    let recovering = Arc::clone(&keeper);
    tokio::spawn(async move { recovering.recover().await });
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let keeper = Arc::clone(&keeper);
                    tokio::spawn(async move { keeper.converse(stream).await });
                }
                // Out of descriptors, say: what serves must go on.
                Err(error) => {
                    tracing::error!(%error, "a conversation was not accepted");
                    keeper.clock.sleep(ACCEPT_AGAIN).await;
                }
            },
            _ = gone.recv() => {
                let _ = fs::remove_file(&path);
                return Ok(());
            }
        }
    }
}

impl Keeper {
    /// Takes up all targets at once: one whose old release takes long to end holds up nobody else.
    async fn recover(&self) {
        join_all(known(&self.data).into_iter().map(async |target| {
            // One target's trouble, such as a port that somebody has taken, is not all the others'. It is tried again when it is asked for.
            if let Err(error) = self.take_up(&target).await {
                tracing::error!(%error, %target, "a target could not be taken up");
            }
        }))
        .await;
    }

    async fn take_up(&self, target: &Target) -> io::Result<()> {
        let place = self.place(target);
        let mut place = place.lock().await;
        let folder = Folder::of(&self.data, target)?;
        if place.is_some() {
            return Ok(());
        }
        let Some(current) = folder.current()? else { return settle::all(&folder, &*self.clock).await };
        let (config, redaction) = (current.config, current.redaction);
        let spec = TargetSpec { target: target.clone(), config, redaction };
        *place = Some(Keeping::open(&self.data, &spec, Arc::clone(&self.clock)).await?);
        Ok(())
    }

    fn place(&self, target: &Target) -> Place {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(targets.entry(target.clone()).or_default())
    }

    async fn keeping(&self, spec: &TargetSpec) -> io::Result<Arc<Keeping>> {
        let place = self.place(&spec.target);
        let mut place = place.lock().await;
        if let Some(keeping) = &*place {
            keeping.redact_by(&spec.redaction)?;
            keeping.listen_as(&spec.config).await?;
            return Ok(Arc::clone(keeping));
        }
        let keeping = Keeping::open(&self.data, spec, Arc::clone(&self.clock)).await?;
        *place = Some(Arc::clone(&keeping));
        Ok(keeping)
    }

    /// Stops what serves on all targets, also those that could not be taken up.
    async fn down(&self) -> io::Result<()> {
        let mut targets = known(&self.data);
        targets.extend(self.targets.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned());
        let stopped = targets.iter().map(async |target| {
            let place = self.place(target);
            let place = place.lock().await;
            match &*place {
                Some(keeping) => keeping.down().await,
                None => settle::down(&Folder::of(&self.data, target)?, &*self.clock).await,
            }
        });
        join_all(stopped).await.into_iter().collect()
    }

    async fn converse(&self, stream: UnixStream) {
        let (read, mut write) = stream.into_split();
        let mut line = String::new();
        if let Err(error) = BufReader::new(read.take(LINE_LIMIT)).read_line(&mut line).await {
            tracing::warn!(%error, "a conversation broke off");
            return;
        }
        let request = serde_json::from_str(&line).map_err(|error| format!("that is no request: {error}"));
        let (response, last) = match request.and_then(Envelope::open) {
            Ok(request) => {
                let last = matches!(request, Request::Down);
                let response = self.answer(request).await;
                (response.unwrap_or_else(|error| Response::Broken { reason: error.to_string() }), last)
            }
            Err(reason) => (Response::Broken { reason }, false),
        };
        if let Err(error) = tell(&mut write, &response).await {
            tracing::warn!(%error, "whoever asked has gone");
        }
        if last {
            // Whatever became of the answer: nothing serves any more. The receiver is there for as long as the keeper runs.
            let _ = self.down.send(()).await;
        }
    }

    async fn answer(&self, request: Request) -> io::Result<Response> {
        Ok(match request {
            Request::Hello => Response::Hello { pid: std::process::id(), version: VERSION },
            Request::Live { spec } => Response::Live { live: self.keeping(&spec).await?.live().await? },
            Request::Start { spec, order, release } => self.keeping(&spec).await?.take(spec, order, release)?,
            Request::Lookup { target, operation } => {
                Response::Lookup { lookup: Folder::of(&self.data, &target)?.lookup(operation) }
            }
            Request::Cancel { target, operation } => match &*self.place(&target).lock().await {
                Some(keeping) => keeping.cancel(operation)?,
                None => Response::Taken,
            },
            Request::Down => self.down().await.map(|()| Response::Taken)?,
        })
    }
}

async fn tell(write: &mut OwnedWriteHalf, response: &Response) -> io::Result<()> {
    let mut answer = serde_json::to_vec(response)?;
    answer.push(b'\n');
    write.write_all(&answer).await?;
    write.shutdown().await
}

/// The targets of which something is written down. Whatever else lies there is not the keeper's.
fn known(data: &Path) -> BTreeSet<Target> {
    let inside = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let mut targets = BTreeSet::new();
    for service in inside(&data.join("keeper")) {
        for environment in inside(&service.path()) {
            let (service, environment) = (service.file_name(), environment.file_name());
            let name = format!("{}/{}", service.to_string_lossy(), environment.to_string_lossy());
            targets.extend(name.parse::<Target>());
        }
    }
    targets
}

//! The keeper's own process: one a data folder, listening on a socket that only its user can open.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use andon_core::{Clock, Digest, Target};
use futures_util::future::try_join_all;
use rustix::fs::{FlockOperation, flock};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, mpsc};

use super::keeping::Keeping;
use super::process::close_inherited;
use super::protocol::{Envelope, LINE_LIMIT, Request, Response, TargetSpec, VERSION};
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

struct Keeper {
    data: PathBuf,
    clock: Arc<dyn Clock>,
    targets: Mutex<BTreeMap<Target, Arc<Keeping>>>,
    down: mpsc::Sender<()>,
}

/// Keeps until it is told to go down.
///
/// # Errors
/// Another keeper has the folder, or the socket cannot be opened.
pub async fn run(options: KeeperOptions) -> io::Result<()> {
    close_inherited()?;
    fs::create_dir_all(&options.data)?;
    let lock = fs::File::create(options.data.join("keeper.lock"))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| io::Error::other("another keeper has this folder"))?;
    // A process of its own, which no terminal's end reaches. It fails where it is so already.
    let _ = rustix::process::setsid();
    let (down, mut gone) = mpsc::channel(1);
    let keeper = Arc::new(Keeper { data: options.data, clock: options.clock, targets: Mutex::default(), down });
    keeper.recover().await?;
    let path = socket_path(&keeper.data);
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let keeper = Arc::clone(&keeper);
                let (stream, _) = accepted?;
                tokio::spawn(async move {
                    if let Err(error) = keeper.converse(stream).await {
                        tracing::warn!(%error, "a conversation broke off");
                    }
                });
            }
            _ = gone.recv() => {
                let _ = fs::remove_file(&path);
                return Ok(());
            }
        }
    }
}

impl Keeper {
    async fn recover(&self) -> io::Result<()> {
        for target in known(&self.data)? {
            let folder = Folder::of(&self.data, &target)?;
            let taken_up = match folder.current() {
                Ok(Some(current)) => {
                    let (config, redaction) = (current.config, current.redaction);
                    self.keeping(&TargetSpec { target: target.clone(), config, redaction }).await.map(drop)
                }
                Ok(None) => settle::all(&folder, &*self.clock).await,
                Err(error) => Err(error),
            };
            // One target's trouble, such as a port that somebody has taken, is not all the others'. It is tried again when it is asked for.
            if let Err(error) = taken_up {
                tracing::error!(%error, %target, "a target could not be taken up");
            }
        }
        Ok(())
    }

    async fn keeping(&self, spec: &TargetSpec) -> io::Result<Arc<Keeping>> {
        let mut targets = self.targets.lock().await;
        if let Some(keeping) = targets.get(&spec.target) {
            keeping.redact_by(&spec.redaction)?;
            return Ok(Arc::clone(keeping));
        }
        let keeping = Keeping::open(&self.data, spec, Arc::clone(&self.clock)).await?;
        targets.insert(spec.target.clone(), Arc::clone(&keeping));
        Ok(keeping)
    }

    async fn converse(&self, stream: UnixStream) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut line = String::new();
        BufReader::new(read.take(LINE_LIMIT)).read_line(&mut line).await?;
        let (response, last) = match serde_json::from_str::<Envelope>(&line) {
            Ok(Envelope { version: VERSION, request }) => {
                let last = matches!(request, Request::Down);
                let response = self.answer(request).await;
                (response.unwrap_or_else(|error| Response::Broken { reason: error.to_string() }), last)
            }
            Ok(envelope) => {
                let reason = format!(
                    "this keeper speaks version {VERSION} and was asked in version {}; stop it with `--down`",
                    envelope.version
                );
                (Response::Broken { reason }, false)
            }
            Err(error) => (Response::Broken { reason: format!("that is no request: {error}") }, false),
        };
        let mut answer = serde_json::to_vec(&response)?;
        answer.push(b'\n');
        write.write_all(&answer).await?;
        write.shutdown().await?;
        if last {
            // The receiver is there for as long as the keeper runs.
            let _ = self.down.send(()).await;
        }
        Ok(())
    }

    async fn answer(&self, request: Request) -> io::Result<Response> {
        Ok(match request {
            Request::Hello => Response::Hello { pid: std::process::id() },
            Request::Live { spec } => Response::Live { live: self.keeping(&spec).await?.live().await? },
            Request::Start { spec, order, release } => self.keeping(&spec).await?.take(spec, order, release)?,
            Request::Lookup { target, operation } => {
                Response::Lookup { lookup: Folder::of(&self.data, &target)?.lookup(operation) }
            }
            Request::Cancel { target, operation } => match self.targets.lock().await.get(&target) {
                Some(keeping) => keeping.cancel(operation)?,
                None => Response::Taken,
            },
            Request::Down => {
                let targets = self.targets.lock().await;
                try_join_all(targets.values().map(|keeping| keeping.down())).await?;
                Response::Taken
            }
        })
    }
}

/// The targets of which something is written down.
fn known(data: &Path) -> io::Result<Vec<Target>> {
    let mut targets = Vec::new();
    let root = data.join("keeper");
    if !root.exists() {
        return Ok(targets);
    }
    for service in fs::read_dir(root)? {
        let service = service?;
        for environment in fs::read_dir(service.path())? {
            let (service, environment) = (service.file_name(), environment?.file_name());
            let name = format!("{}/{}", service.to_string_lossy(), environment.to_string_lossy());
            targets.extend(name.parse::<Target>());
        }
    }
    Ok(targets)
}

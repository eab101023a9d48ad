//! The bot's side: asks the keeper, and starts one where there is none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use andon_core::{Clock, Digest};
use jiff::SignedDuration;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::protocol::{Envelope, LINE_LIMIT, Request, Response, VERSION};
use super::server::socket_path;

/// The longest time that an answer may take.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// How long a new keeper may take to be there.
const START: SignedDuration = SignedDuration::from_secs(10);

/// The keeper did not answer.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// There is none, or it does not listen.
    #[error("the keeper cannot be reached")]
    Unreachable(#[source] io::Error),
    /// It took too long.
    #[error("the keeper did not answer in time")]
    TimedOut,
    /// It said something else than the protocol.
    #[error("the keeper speaks another language")]
    Garbled(#[source] serde_json::Error),
    /// It could not be started.
    #[error("the keeper cannot be started")]
    Spawn(#[source] io::Error),
}

/// How a keeper is started.
#[derive(Clone, Debug)]
pub struct SpawnKeeper {
    /// The executable, of which a copy is kept in the data folder so that an upgrade of the bot does not disturb the keeper.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// Asks the keeper of a data folder.
#[derive(Clone)]
pub struct KeeperClient {
    socket: PathBuf,
    clock: Arc<dyn Clock>,
}

impl KeeperClient {
    /// A client of the keeper in `data`, whether or not there is one.
    pub fn new(data: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { socket: socket_path(data), clock }
    }

    /// A client of the keeper in `data`, which is started where there is none.
    ///
    /// # Errors
    /// It cannot be started, or does not come up in time.
    pub async fn connect_or_spawn(
        data: &Path,
        spawn: &SpawnKeeper,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeeperError> {
        let client = Self::new(data, clock);
        if client.ask(&Request::Hello).await.is_ok() {
            return Ok(client);
        }
        start(data, spawn).map_err(KeeperError::Spawn)?;
        let deadline = client.clock.now().saturating_add(START).unwrap_or(jiff::Timestamp::MAX);
        loop {
            match client.ask(&Request::Hello).await {
                Ok(_) => return Ok(client),
                Err(error) if client.clock.now() >= deadline => return Err(error),
                Err(_) => client.clock.sleep(SignedDuration::from_millis(50)).await,
            }
        }
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// See [`KeeperError`]. What was asked may have been done all the same.
    pub async fn ask(&self, request: &Request) -> Result<Response, KeeperError> {
        tokio::select! {
            answer = self.exchange(request) => answer,
            () = self.clock.sleep(PATIENCE) => Err(KeeperError::TimedOut),
        }
    }

    async fn exchange(&self, request: &Request) -> Result<Response, KeeperError> {
        let mut stream = UnixStream::connect(&self.socket).await.map_err(KeeperError::Unreachable)?;
        let envelope = Envelope { version: VERSION, request: request.clone() };
        let mut line = serde_json::to_vec(&envelope).map_err(KeeperError::Garbled)?;
        line.push(b'\n');
        stream.write_all(&line).await.map_err(KeeperError::Unreachable)?;
        let mut answer = String::new();
        let mut reader = BufReader::new(stream.take(LINE_LIMIT));
        reader.read_line(&mut answer).await.map_err(KeeperError::Unreachable)?;
        serde_json::from_str(&answer).map_err(KeeperError::Garbled)
    }
}

/// Starts a keeper from a copy of the executable. It belongs to nobody's terminal and inherits nothing.
fn start(data: &Path, spawn: &SpawnKeeper) -> io::Result<()> {
    let program = keep_program(data, &spawn.program)?;
    let log = fs::OpenOptions::new().create(true).append(true).open(data.join("keeper.log"))?;
    Command::new(program)
        .args(&spawn.arguments)
        .current_dir(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(log))
        .spawn()
        .map(|_| ())
}

/// The copy of the executable in the data folder, by its digest.
///
/// # Errors
/// It cannot be copied.
pub fn keep_program(data: &Path, program: &Path) -> io::Result<PathBuf> {
    let found = fs::metadata(program)?;
    let modified = found.modified()?.duration_since(std::time::UNIX_EPOCH).map_or(0, |age| age.as_nanos());
    let name = Digest::of(format!("{} {} {modified}", program.display(), found.len())).short();
    let folder = data.join("keeper-bin");
    let kept = folder.join(name);
    if kept.exists() {
        return Ok(kept);
    }
    fs::create_dir_all(&folder)?;
    let fresh = kept.with_extension("new");
    fs::copy(program, &fresh)?;
    fs::rename(&fresh, &kept)?;
    Ok(kept)
}

//! The bot's side: asks the keeper, and starts one where there is none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use andon_core::{Clock, Digest};
use jiff::SignedDuration;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::sync::Mutex;

use super::private;
use super::protocol::{Envelope, LINE_LIMIT, Request, Response, VERSION};
use super::server::socket_path;

/// The longest time that an answer may take.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// How long a new keeper may take to be there.
const START: SignedDuration = SignedDuration::from_secs(10);

/// The keeper did not answer.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// There is none, or it does not listen. Nothing was asked.
    #[error("the keeper cannot be reached")]
    Unreachable(#[source] io::Error),
    /// It broke off in the middle.
    #[error("the keeper broke off")]
    BrokeOff(#[source] io::Error),
    /// It took too long.
    #[error("the keeper did not answer in time")]
    TimedOut,
    /// It said something else than the protocol.
    #[error("the keeper speaks another language")]
    Garbled(#[source] serde_json::Error),
    /// It is of another version.
    #[error(
        "the keeper that runs in this data folder is of another version; stop it and its services with \
         `andon keeper --down --data DIR`, and start again"
    )]
    OtherVersion,
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
    data: PathBuf,
    clock: Arc<dyn Clock>,
    /// How it is started where there is none. Held while somebody starts it.
    spawn: Option<Arc<Mutex<SpawnKeeper>>>,
}

impl KeeperClient {
    /// A client of the keeper in `data`, whether or not there is one.
    pub fn new(data: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { data: data.to_owned(), clock, spawn: None }
    }

    /// The same one, which starts a keeper whenever there is none.
    #[must_use]
    pub fn spawning(mut self, spawn: SpawnKeeper) -> Self {
        self.spawn = Some(Arc::new(Mutex::new(spawn)));
        self
    }

    /// A client of the keeper in `data`, which is started where there is none, now and later.
    ///
    /// # Errors
    /// It cannot be started, does not come up in time, or is of another version.
    pub async fn connect_or_spawn(
        data: &Path,
        spawn: &SpawnKeeper,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeeperError> {
        let client = Self::new(data, clock).spawning(spawn.clone());
        client.ask(&Request::Hello).await?;
        Ok(client)
    }

    /// Whether a keeper is there; none is started.
    ///
    /// # Errors
    /// See [`KeeperError`].
    pub async fn hello(&self) -> Result<(), KeeperError> {
        self.ask_once(&Request::Hello).await.map(drop)
    }

    /// Asks and waits for the answer. Where there is no keeper, and this client may, it starts one and asks that.
    ///
    /// # Errors
    /// See [`KeeperError`]. What was asked may have been done all the same, unless nobody could be reached.
    pub async fn ask(&self, request: &Request) -> Result<Response, KeeperError> {
        let Some(spawn) = &self.spawn else { return self.ask_once(request).await };
        match self.ask_once(request).await {
            Err(KeeperError::Unreachable(_)) => {}
            answer => return answer,
        }
        let spawn = spawn.lock().await;
        // Somebody else may just have started it.
        if let Err(KeeperError::Unreachable(error)) = self.hello().await {
            tracing::info!(%error, "no keeper answers, so one is started");
            self.start(&spawn).await?;
        }
        drop(spawn);
        self.ask_once(request).await
    }

    async fn start(&self, spawn: &SpawnKeeper) -> Result<(), KeeperError> {
        start(&self.data, spawn).map_err(KeeperError::Spawn)?;
        let deadline = self.clock.now().saturating_add(START).unwrap_or(jiff::Timestamp::MAX);
        loop {
            match self.hello().await {
                Err(KeeperError::Unreachable(_)) if self.clock.now() < deadline => {}
                answer => return answer,
            }
            self.clock.sleep(SignedDuration::from_millis(50)).await;
        }
    }

    async fn ask_once(&self, request: &Request) -> Result<Response, KeeperError> {
        // Services get their time to end, however long that is.
        if matches!(request, Request::Down) {
            return self.exchange(request).await;
        }
        tokio::select! {
            answer = self.exchange(request) => answer,
            () = self.clock.sleep(PATIENCE) => Err(KeeperError::TimedOut),
        }
    }

    async fn exchange(&self, request: &Request) -> Result<Response, KeeperError> {
        let mut stream = UnixStream::connect(socket_path(&self.data)).await.map_err(KeeperError::Unreachable)?;
        let envelope = Envelope::new(request).map_err(KeeperError::Garbled)?;
        let mut line = serde_json::to_vec(&envelope).map_err(KeeperError::Garbled)?;
        line.push(b'\n');
        stream.write_all(&line).await.map_err(KeeperError::BrokeOff)?;
        let mut answer = String::new();
        let mut reader = BufReader::new(stream.take(LINE_LIMIT));
        reader.read_line(&mut answer).await.map_err(KeeperError::BrokeOff)?;
        if answer.is_empty() {
            return Err(KeeperError::BrokeOff(io::ErrorKind::UnexpectedEof.into()));
        }
        match (request, serde_json::from_str(&answer)) {
            (Request::Hello, Ok(response @ Response::Hello { version: VERSION, .. })) => Ok(response),
            // Older keepers refuse even this question, or tell no version.
            (Request::Hello, _) => Err(KeeperError::OtherVersion),
            (_, answer) => answer.map_err(KeeperError::Garbled),
        }
    }
}

/// What a keeper gets of the bot's environment, which may hold secrets that are none of its business.
const ENVIRONMENT: [&str; 6] = ["PATH", "HOME", "TMPDIR", "TZ", "RUST_BACKTRACE", "ANDON_LOG"];

/// Starts a keeper from a copy of the executable. It belongs to nobody's terminal and inherits nothing but what is listed.
fn start(data: &Path, spawn: &SpawnKeeper) -> io::Result<()> {
    let program = keep_program(data, "keeper-bin", &spawn.program)?;
    forget_programs(&program)?;
    let log = private::options().append(true).open(data.join("keeper.log"))?;
    let mut keeper = Command::new(program)
        .args(&spawn.arguments)
        .current_dir(data)
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(log))
        .spawn()?;
    // It outlives this process; where it does not, its end is seen.
    tokio::spawn(async move {
        match keeper.wait().await {
            Ok(status) => tracing::warn!(%status, "the keeper has ended; its log says why"),
            Err(error) => tracing::warn!(%error, "the keeper cannot be waited for"),
        }
    });
    Ok(())
}

/// The copy of an executable in a folder of the data folder, by the path, size and time of what was copied.
///
/// # Errors
/// It cannot be copied.
pub fn keep_program(data: &Path, folder: &str, program: &Path) -> io::Result<PathBuf> {
    let found = fs::metadata(program)?;
    let modified = found.modified()?.duration_since(std::time::UNIX_EPOCH).map_or(0, |age| age.as_nanos());
    let name = Digest::of(format!("{} {} {modified}", program.display(), found.len())).short();
    let folder = data.join(folder);
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

/// Removes all copies but the one that is about to be started; no other runs, since no keeper answers.
fn forget_programs(needed: &Path) -> io::Result<()> {
    let Some(folder) = needed.parent() else { return Ok(()) };
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path != needed {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

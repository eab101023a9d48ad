//! The bot: engine and HTTP server, until it is told to end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::ports::Edge;
use andon_core::{Directory, Entropy, Line, Message, Tone};
use andon_store::Purpose;
use anyhow::{Context as _, Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::chats::Chats;
use crate::config::{self, Loaded};
use crate::data::{Data, named_database};
use crate::system::SystemEntropy;
use crate::{Machine, checks, http, place, wiring};

/// Where the server listens unless somebody says otherwise.
const LISTEN: &str = "127.0.0.1:8300";

/// Where the configuration is: as named, or by `ANDON_CONFIG`.
///
/// # Errors
/// Nobody says.
pub(crate) fn config_path(named: Option<PathBuf>) -> Result<PathBuf> {
    named
        .or_else(|| std::env::var_os("ANDON_CONFIG").map(PathBuf::from))
        .context("name the configuration with --config")
}

/// Loads and checks a configuration with its policies; prints every warning.
///
/// # Errors
/// Everything that is wrong with them, at once.
pub(crate) fn load(path: &Path) -> Result<Loaded> {
    let loaded = config::load(path, &wiring::deployers());
    let mut problems: Vec<String> = Vec::new();
    let files = match &loaded {
        Ok(loaded) => loaded.bot.policies.clone(),
        Err(found) => {
            problems.extend(found.iter().map(ToString::to_string));
            config::policies(path)
        }
    };
    problems.extend(wiring::policies(&files).err().unwrap_or_default());
    let Ok(loaded) = loaded else { bail!(problems.join("\n")) };
    problems.extend(checks::aliases(&loaded));
    problems.extend(checks::addresses(&loaded)?);
    if !problems.is_empty() {
        bail!(problems.join("\n"));
    }
    for warning in loaded.warnings.iter().map(ToString::to_string).chain(checks::warnings(&loaded)?) {
        eprintln!("warning: {warning}");
    }
    Ok(loaded)
}

/// Runs the bot until SIGTERM or SIGINT.
///
/// # Errors
/// In words for the operator.
pub(crate) async fn run(config: Option<PathBuf>, data: Option<&Path>, machine: Machine) -> Result<()> {
    // First of all: whoever ends it while it starts wants it to end in good order, too.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let path = config_path(config)?;
    let loaded = load(&path)?;
    let named = std::env::var_os("ANDON_DATA").map(PathBuf::from);
    let Some(data) = data.map(Path::to_owned).or(named) else {
        bail!("name the data folder with --data or ANDON_DATA")
    };
    let data = Data::open(&data)?;
    let database = named_database()?.unwrap_or_else(|| data.database());
    let origin = loaded.bot.origin.clone().unwrap_or_else(|| format!("andon.{}", place::host()));
    let listen = address(loaded.bot.listen)?;
    // Before anything is on record: a bot that cannot listen never opened.
    let server = tokio::net::TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let (directory, entropy) = (Directory::default(), Arc::new(SystemEntropy) as Arc<dyn Entropy>);
    let chats = Chats::open(&loaded.bot, &directory, &machine.clock, &entropy).await?;
    let plan = wiring::Plan {
        keeper: wiring::keeper(&data)?,
        purpose: Purpose::Serve,
        voices: chats.voices(),
        directory,
        entropy,
        clock: machine.clock,
        data,
        database,
        origin,
        loaded,
        probe: machine.probe,
    };
    let warnings = Mutex::new(checks::warnings(&plan.loaded)?);
    let health = Arc::new(http::Health { wired: wiring::build(plan).await?, warnings, chats: chats.platforms() });
    let engine = health.wired.engine.clone();
    tracing::info!(%listen, "andon is open");
    let edge: Arc<dyn Edge> = Arc::new(engine.clone());
    let stop_listening = watch::Sender::new(false);
    let stop = stop_listening.subscribe();
    let serving = tokio::spawn(http::serve(server, Arc::clone(&health), chats.router(&edge, &stop)));
    let mut listening = chats.listen(&edge, &stop);
    let ending = engine.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // What comes in from now on waits for the next start: its platform keeps it.
        stop_listening.send_replace(true);
        while listening.join_next().await.is_some() {}
        ending.stop();
    });
    let reloading = tokio::spawn(reload_on_hangup(signal(SignalKind::hangup())?, health, path));
    let ended = engine.run().await;
    reloading.abort();
    serving.abort();
    engine.house().store().close().await;
    ended.map_err(|failure| anyhow::anyhow!("the end could not be recorded: {failure:?}"))
}

/// Where the configuration at `path` says that the server listens.
pub(crate) fn listens_at(path: &Path) -> Option<SocketAddr> {
    config::load(path, &wiring::deployers()).ok()?.bot.listen
}

/// Where the server listens, by the environment or else by the configuration.
///
/// # Errors
/// `ANDON_LISTEN` is no address.
pub(crate) fn address(configured: Option<SocketAddr>) -> Result<SocketAddr> {
    match (std::env::var("ANDON_LISTEN"), configured) {
        (Ok(address), _) => address.parse().context("ANDON_LISTEN is no address"),
        (Err(_), Some(address)) => Ok(address),
        (Err(_), None) => Ok(LISTEN.parse()?),
    }
}

/// Loads the configuration again at each SIGHUP. One that is wrong changes nothing; the log is told, and the ops room once a chat is there.
async fn reload_on_hangup(mut hangup: Signal, health: Arc<http::Health>, path: PathBuf) {
    let wired = &health.wired;
    while hangup.recv().await.is_some() {
        let reloaded = async {
            let loaded = load(&path)?;
            let warnings = checks::warnings(&loaded)?;
            wired.reload(loaded, "SIGHUP").await?;
            *health.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
            anyhow::Ok(())
        };
        let message = match reloaded.await {
            Ok(()) => {
                tracing::info!("the configuration was loaded again");
                continue;
            }
            Err(error) => {
                tracing::error!("the configuration was not loaded again, the old one stays: {error:#}");
                let fact = Line::new().text("The configuration was not loaded again. The old one stays");
                Message::new(fact).tone(Tone::Bad).paragraph("Next: `andon config check`, and the log, say why")
            }
        };
        if let Err(error) = wired.engine.tell_operators(message).await {
            tracing::warn!(%error, "the ops room could not be told");
        }
    }
}

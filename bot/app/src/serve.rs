//! The bot: engine and HTTP server, until it is told to end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use andon_core::{Line, Message, Tone};
use andon_store::{DatabaseUrl, Purpose};
use anyhow::{Context as _, Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{self, Loaded};
use crate::data::Data;
use crate::system::SystemEntropy;
use crate::{Machine, checks, http, wiring};

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

/// Loads and checks a configuration with its policies; prints every problem.
///
/// # Errors
/// There are problems.
pub(crate) fn load(path: &Path) -> Result<Loaded> {
    let loaded = config::load(path, &wiring::deployers()).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })?;
    wiring::policies(&loaded).map_err(|problems| anyhow::anyhow!("{}", problems.join("\n")))?;
    checks::aliases(&loaded).map_err(|problems| anyhow::anyhow!("{}", problems.join("\n")))?;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    for warning in checks::as_own_user(&loaded)? {
        eprintln!("warning: {warning}");
    }
    Ok(loaded)
}

/// Runs the bot until SIGTERM or SIGINT.
///
/// # Errors
/// In words for the operator.
pub(crate) async fn run(config: Option<PathBuf>, data: Option<&Path>, machine: Machine) -> Result<()> {
    let path = config_path(config)?;
    let loaded = load(&path)?;
    let named = std::env::var_os("ANDON_DATA").map(PathBuf::from);
    let Some(data) = data.map(Path::to_owned).or(named) else {
        bail!("name the data folder with --data or ANDON_DATA")
    };
    let data = Data::open(&data)?;
    let database = match config::secret("ANDON_DATABASE_URL")? {
        Some(url) => url.expose().parse::<DatabaseUrl>().map_err(anyhow::Error::msg)?,
        None => data.database(),
    };
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let origin = loaded.bot.origin.clone().unwrap_or_else(|| format!("andon.{host}"));
    let listen = match (std::env::var("ANDON_LISTEN"), loaded.bot.listen) {
        (Ok(address), _) => address.parse().context("ANDON_LISTEN is no address")?,
        (Err(_), Some(address)) => address,
        (Err(_), None) => LISTEN.parse()?,
    };
    let plan = wiring::Plan {
        keeper: wiring::keeper(&data)?,
        purpose: Purpose::Serve,
        voices: Vec::new(),
        entropy: Arc::new(SystemEntropy),
        clock: machine.clock,
        data,
        database,
        origin,
        loaded,
        probe: machine.probe,
    };
    let warnings = checks::as_own_user(&plan.loaded)?;
    let wired = wiring::build(plan).await?;
    let engine = wired.engine.clone();
    let server = tokio::net::TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(%listen, "andon is open");
    let serving = tokio::spawn(http::serve(server, engine.clone(), warnings));
    let ending = engine.clone();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        ending.stop();
    });
    let reloading = tokio::spawn(reload_on_hangup(signal(SignalKind::hangup())?, wired, path));
    let ended = engine.run().await;
    reloading.abort();
    serving.abort();
    engine.house().store().close().await;
    ended.map_err(|failure| anyhow::anyhow!("the end could not be recorded: {failure:?}"))
}

/// Loads the configuration again at each SIGHUP. One that is wrong changes nothing, and the log and the ops room are told.
async fn reload_on_hangup(mut hangup: Signal, wired: wiring::Wired, path: PathBuf) {
    while hangup.recv().await.is_some() {
        let reloaded = async { wired.reload(load(&path)?).await };
        let message = match reloaded.await {
            Ok(()) => {
                tracing::info!("the configuration was loaded again");
                continue;
            }
            Err(error) => {
                tracing::error!("the configuration was not loaded again, the old one stays: {error:#}");
                let fact = Line::new().text("The configuration was not loaded again: it is wrong. The old one stays");
                Message::new(fact).tone(Tone::Bad).paragraph("Next: `andon config check` says where")
            }
        };
        if let Err(error) = wired.engine.tell_operators(message).await {
            tracing::warn!(%error, "the ops room could not be told");
        }
    }
}

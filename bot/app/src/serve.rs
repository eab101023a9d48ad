//! The bot: engine and HTTP server, until it is told to end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use andon_core::Clock;
use andon_engine::Probe;
use andon_store::{DatabaseUrl, Purpose};
use anyhow::{Context as _, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, Loaded};
use crate::data::Data;
use crate::system::{SystemClock, SystemEntropy};
use crate::{http, wiring};

/// Where the server listens unless somebody says otherwise.
const LISTEN: &str = "127.0.0.1:8300";

/// Loads and checks a configuration with its policies; prints every problem.
///
/// # Errors
/// There are problems.
pub(crate) fn load(path: Option<PathBuf>) -> Result<Loaded> {
    let path = path
        .or_else(|| std::env::var_os("ANDON_CONFIG").map(PathBuf::from))
        .context("name the configuration with --config")?;
    let loaded = config::load(&path, &wiring::deployers()).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })?;
    wiring::policies(&loaded).map_err(|problems| anyhow::anyhow!("{}", problems.join("\n")))?;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(loaded)
}

/// Runs the bot until SIGTERM or SIGINT.
///
/// # Errors
/// In words for the operator.
pub(crate) async fn run(config: Option<PathBuf>, data: Option<&Path>, probe: Probe) -> Result<()> {
    let loaded = load(config)?;
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
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let plan = wiring::Plan {
        keeper: wiring::keeper(&data)?,
        purpose: Purpose::Serve,
        voices: Vec::new(),
        entropy: Arc::new(SystemEntropy),
        clock,
        data,
        database,
        origin,
        loaded,
        probe,
    };
    let (engine, records, texts) = wiring::build(plan).await?;
    let server = tokio::net::TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(%listen, "andon is open");
    let serving = tokio::spawn(http::serve(server, engine.clone()));
    let ending = engine.clone();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        ending.stop();
    });
    let ended = engine.run(records, texts).await;
    serving.abort();
    engine.house().store().close().await;
    ended.map_err(|failure| anyhow::anyhow!("the end could not be recorded: {failure:?}"))
}

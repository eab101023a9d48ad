//! The binary `andon`: configuration, wiring, HTTP server, shutdown.
//!
//! It knows everybody and decides nothing: which part gets which stands in `wiring`, what the command line can say in `cli`. It is a library
//! with a `main` so that tests can run the very same program with a probe in it.

mod audit;
mod changes;
mod chats;
mod checks;
mod cli;
pub mod config;
mod data;
mod http;
mod place;
mod playground;
mod serve;
mod slack;
mod system;
mod wiring;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use andon_core::Clock;
use andon_deployers::{demo, keeper};
use andon_engine::Probe;
use andon_store::{Purpose, Store};
use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use jiff::SignedDuration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command, ConfigCommand};
pub use system::{SystemClock, SystemEntropy};

/// What the program takes from the machine that it runs on.
pub struct Machine {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Called at named points of the pipeline; production gives one that does nothing.
    pub probe: Probe,
    /// Added to the playground's own configuration; production adds nothing.
    pub more: String,
}

/// How long a health check waits for its answer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(3);

/// Runs the program with this process's arguments.
pub fn main(machine: Machine) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            // Help and mistakes go where clap sends them; a closed stream has no use for them.
            let _ = error.print();
            return code;
        }
    };
    log(&cli.command);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("andon: the runtime cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run(cli.command, machine));
    // Somebody may still read from a terminal that nobody types at.
    runtime.shutdown_background();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("andon: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error; `ANDON_LOG` says how much (`info`, `andon_engine=debug`).
fn log(command: &Command) {
    let usual =
        if matches!(command, Command::Serve { .. } | Command::Keeper { down: false, .. }) { "info" } else { "error" };
    let filter = EnvFilter::try_from_env("ANDON_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if matches!(command, Command::Serve { json: true, .. }) {
        builder.json().init();
    } else {
        builder.init();
    }
}

async fn run(command: Command, machine: Machine) -> Result<u8> {
    match command {
        Command::Playground { data, down: true } => playground::down(&data, machine.clock).await.map(|()| 0),
        Command::Playground { data, down: false } => Ok(u8::from(!playground::run(&data, machine).await?)),
        Command::Serve { config, data, json: _ } => serve::run(config, data.as_deref(), machine).await.map(|()| 0),
        Command::Keeper { data, down: true } => playground::keeper_down(&data, machine.clock).await.map(|()| 0),
        Command::Keeper { data, down: false } => {
            let options = keeper::KeeperOptions { data, clock: machine.clock };
            keeper::run(options).await.context("the keeper cannot run").map(|()| 0)
        }
        Command::Config { command: ConfigCommand::Check { config } } => {
            let loaded = serve::load(&serve::config_path(config)?)?;
            let (people, services) = (loaded.catalog.people.len(), loaded.catalog.services.len());
            println!("The configuration is good: {people} people, {services} services.");
            Ok(0)
        }
        Command::Slack { command } => slack::run(command, machine.clock).await,
        Command::Audit { command } => audit::run(command).await,
        Command::Migrate(place) => {
            let store = Store::open(&audit::database(&place)?, Purpose::Serve, machine.clock).await?;
            store.close().await;
            println!("The database is at migration {}.", andon_store::newest());
            Ok(0)
        }
        Command::Healthcheck { listen, config } => healthcheck(listen, config, &*machine.clock).await,
        Command::DemoService { never_ready } => demo_service(never_ready).await.map(|()| 0),
    }
}

async fn demo_service(never_ready: bool) -> Result<()> {
    let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let port = variable("PORT")?.parse().context("PORT is no port")?;
    let options = demo::DemoOptions { port, service: variable("SERVICE")?, version: variable("VERSION")?, never_ready };
    Ok(demo::serve(options).await?)
}

/// Exit 0 where `/healthz` answers 200.
async fn healthcheck(listen: Option<SocketAddr>, config: Option<PathBuf>, clock: &dyn Clock) -> Result<u8> {
    let address = match listen {
        Some(address) => address,
        // What is wrong with a configuration is not this check's business: the bot may run on with the one before.
        None => serve::address(serve::config_path(config).ok().and_then(|path| serve::listens_at(&path)))?,
    };
    tokio::select! {
        well = is_healthy(address) => Ok(u8::from(!well?)),
        () = clock.sleep(PATIENCE) => bail!("{address} does not answer within {PATIENCE:#}"),
    }
}

async fn is_healthy(address: SocketAddr) -> Result<bool> {
    let mut stream =
        tokio::net::TcpStream::connect(address).await.with_context(|| format!("nothing answers at {address}"))?;
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    Ok(answer.ends_with(b" 200"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn something_that_never_answers_is_not_well_and_not_waited_for_for_ever() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        let error = healthcheck(Some(address), None, &SystemClock).await.unwrap_err().to_string();
        assert!(error.contains("does not answer within"), "{error}");
    }
}

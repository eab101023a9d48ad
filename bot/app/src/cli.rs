//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A ChatOps bot: deploys, rollbacks and what belongs to them, from chat, on the record.
#[derive(Parser)]
#[command(name = "andon", version)]
pub(crate) struct Cli {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the program can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Try it: a terminal room with two services, two environments and three people
    Playground {
        /// The data folder
        #[arg(long, default_value = "andon-data/playground")]
        data: PathBuf,
        /// Stop the services that it started, and do nothing else
        #[arg(long)]
        down: bool,
    },
    /// Run the bot
    Serve {
        /// The configuration: a file or a folder
        #[arg(long)]
        config: Option<PathBuf>,
        /// The data folder
        #[arg(long)]
        data: Option<PathBuf>,
        /// The log as JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Keep the local deployer's services; started by the bot itself
    Keeper {
        /// The data folder
        #[arg(long)]
        data: PathBuf,
        /// Stop the keeper of this folder with all its services, and do nothing else
        #[arg(long)]
        down: bool,
    },
    /// Look at the configuration
    Config {
        /// What to do with it
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Look into the audit trail
    Audit {
        /// What to do with it
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Bring the database to this version
    Migrate(Place),
    /// Ask a running bot whether it is well; for containers
    Healthcheck {
        /// Its address
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// The configuration that names its address
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Set Slack up
    Slack {
        /// What
        #[command(subcommand)]
        command: SlackCommand,
    },
    /// The playground's service
    #[command(hide = true)]
    DemoService {
        /// Never say that it is ready
        #[arg(long)]
        never_ready: bool,
    },
}

/// What can be done about the Slack app.
#[derive(Subcommand)]
pub(crate) enum SlackCommand {
    /// Print the app's manifest: paste it at api.slack.com/apps, "From a manifest"
    Manifest {
        /// A file or a folder; without one, the app of a playground
        #[arg(long)]
        config: Option<PathBuf>,
        /// Where Slack reaches the bot over HTTP, such as https://andon.example.org
        #[arg(long)]
        url: Option<String>,
    },
    /// Try tokens, scopes, rooms and both directions, and say what is missing
    Check {
        /// A file or a folder
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

/// What can be done with a configuration.
#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say everything that is wrong with it
    Check {
        /// A file or a folder
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

/// Where a trail is.
#[derive(Args)]
pub(crate) struct Place {
    /// The data folder
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// The database: sqlite:PATH or postgres://…
    #[arg(long)]
    pub(crate) database: Option<String>,
}

/// What can be done with the audit trail from outside.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Print origin and public key, to be pinned elsewhere
    Key {
        /// The data folder
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// Check all of it; exit 0 only if it holds and the signer is the pinned one
    Verify {
        /// Where
        #[command(flatten)]
        place: Place,
        /// The file with the pinned public key
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Print records as JSON lines, newest first
    Search {
        /// Where
        #[command(flatten)]
        place: Place,
        /// Who acted
        #[arg(long)]
        person: Option<String>,
        /// About this service
        #[arg(long)]
        service: Option<String>,
        /// About this environment
        #[arg(long)]
        env: Option<String>,
        /// Of this command
        #[arg(long)]
        command: Option<String>,
        /// With this outcome
        #[arg(long)]
        outcome: Option<String>,
        /// Not older than this, such as 2h or 2026-03-01T00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Older than this
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Print one record
    Show {
        /// Where
        #[command(flatten)]
        place: Place,
        /// Its number, such as 812
        record: String,
    },
}

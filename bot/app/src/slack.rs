//! `andon slack`: what whoever sets the app up needs of it.

use std::sync::Arc;

use andon_core::{Clock, Directory, Room};
use andon_slack::{Config, Mode, Slack, Standing};
use anyhow::{Context as _, Result, bail};

use crate::chats::slack_secrets;
use crate::cli::SlackCommand;
use crate::config::Loaded;
use crate::serve;
use crate::system::SystemEntropy;

/// Runs one of them; the exit code.
///
/// # Errors
/// The configuration is wrong, or says nothing of Slack.
pub(crate) async fn run(command: SlackCommand, clock: Arc<dyn Clock>) -> Result<u8> {
    match command {
        SlackCommand::Manifest { config, url } => {
            let (config, name) = match serve::config_path(config) {
                Ok(path) => {
                    let loaded = serve::load(&path)?;
                    (settings(&loaded)?, loaded.bot.name)
                }
                Err(_) => (playground(Vec::new()), "andon".to_owned()),
            };
            if config.mode == Mode::Http && url.is_none() {
                bail!("name where Slack reaches the bot over HTTP, such as --url https://andon.example.org");
            }
            println!("{:#}", andon_slack::manifest(&config, &name, url.as_deref()));
            Ok(0)
        }
        SlackCommand::Check { config } => check(&serve::load(&serve::config_path(config)?)?, clock).await,
    }
}

/// Slack as a playground has it: everything that needs no choice.
pub(crate) const fn playground(workspaces: Vec<String>) -> Config {
    Config { mode: Mode::Socket, workspaces, matches_email: false, reconcile: true, slash_commands: Vec::new() }
}

fn settings(loaded: &Loaded) -> Result<Config> {
    loaded.bot.slack.clone().context("the configuration has no [slack] section")
}

async fn check(loaded: &Loaded, clock: Arc<dyn Clock>) -> Result<u8> {
    let (config, secrets) = (settings(loaded)?, slack_secrets()?);
    let slack = Slack::new(config, &secrets, Directory::default(), clock, Arc::new(SystemEntropy))?;
    let mut bad = false;
    for finding in slack.check(&secrets, &rooms(loaded), loaded.catalog.ops_room.as_ref()).await {
        match finding.standing {
            Standing::Good => println!("ok       {}", finding.what),
            Standing::Note(note) => println!("note     {}\n         {note}", finding.what),
            Standing::Missing(problem) => {
                bad = true;
                println!("missing  {}\n         {problem}", finding.what);
            }
        }
    }
    Ok(u8::from(bad))
}

/// Every room that the configuration names, each once.
fn rooms(loaded: &Loaded) -> Vec<Room> {
    let catalog = &loaded.catalog;
    let routed = catalog.rooms.iter().map(|route| &route.room);
    let mut rooms: Vec<Room> = routed.chain(&catalog.ops_room).chain(&catalog.anchor_rooms).cloned().collect();
    rooms.sort();
    rooms.dedup();
    rooms
}

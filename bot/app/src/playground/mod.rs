//! The playground: the whole bot on embedded defaults, in a terminal room where anybody may speak as anybody.

mod personas;

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use andon_console::{ConsoleVoice, Look, Options, Speaking, interactive, piped};
use andon_core::ports::{Marker, Placement, Voice, VoiceError};
use andon_core::{Clock, Directory, Entropy, Identity, InvocationId, Message, ProofStrength, Room};
use andon_deployers::demo;
use andon_deployers::keeper::{KeeperClient, KeeperError, Request, Response, keep_program};
use andon_engine::Engine;
use andon_slack::Slack;
use andon_store::{Purpose, Store};
use anyhow::{Context as _, Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OnceCell, watch};

use crate::chats::slack_secrets;
use crate::config::{self, Loaded, playground};
use crate::data::{Data, named_database};
use crate::system::SystemEntropy;
use crate::{Machine, place, wiring};
use personas::{Cast, Personas};

/// The platform's name in rooms and identities.
const PLATFORM: &str = "console";
/// Where its people have accounts: here, and on platforms of which only the names are real (`/room slack:T0PLAY/deploys`).
const PLACES: [&str; 3] = ["console:", "slack:T0PLAY/", "discord:"];
/// The trail's name.
const ORIGIN: &str = "andon.playground";
/// The versions of its services; the last one never becomes ready.
const VERSIONS: [(&str, bool); 3] = [("v1", false), ("v2", false), ("v3", true)];

const WELCOME: &str = "\
Andon playground: you are ana, whose team owns the services hello and shop.
  deploy hello v1 --env staging   put a version live; then see: status
  deploy hello v3 --env staging   v3 never becomes ready: see what happens
  rollback hello --env staging    back to the release just before
  deploy hello v1 --env prod      needs somebody else: /as ben, approve op-N
  audit search, audit verify      what was recorded, and whether it holds
  help                            all that can be asked; Tab completes
/as NAME speaks as ana, ben or cy; anybody else is a stranger.
/quit leaves; the services go on until `andon playground --down`.";

const WELCOME_IN_SLACK: &str = "\
It is open in Slack, too: /invite @andon to a channel and say @andon status there. Whoever speaks first is ana, the second ben;
@andon as ben lets you be ben.";

/// Opens the room; true where no command failed.
///
/// # Errors
/// In words for whoever started it.
pub(crate) async fn run(path: &Path, machine: Machine) -> Result<bool> {
    let data = Data::open(path)?;
    let Machine { clock, probe, more } = machine;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let artifacts = data.path().join("artifacts");
    let loaded = loaded(&artifacts, &more, &Cast::new())?;
    let directory = Directory::default();
    let slack = real_slack(&directory, &clock, &entropy).await?;
    let database = named_database()?.unwrap_or_else(|| data.database());
    let voice = LateVoice::default();
    let in_slack = slack.as_ref().map_or_else(|| voice.on("slack"), |(slack, _)| slack.voice());
    let plan = wiring::Plan {
        keeper: wiring::keeper(&data)?,
        purpose: Purpose::Playground,
        origin: ORIGIN.to_owned(),
        voices: vec![voice.on(PLATFORM), in_slack, voice.on("discord")],
        directory,
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        data: data.clone(),
        database,
        loaded,
        probe,
    };
    let wired = Arc::new(wiring::build(plan).await?);
    let engine = wired.engine.clone();
    // Only now: data of somebody else were refused, and nothing was written beside them.
    write_artifacts(&data, &artifacts)?;
    let running = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.run().await })
    };
    let stop_listening = watch::Sender::new(false);
    let listening = slack.map(|(slack, workspace)| {
        let edge = Arc::new(Personas::new(Arc::clone(&wired), artifacts.clone(), more.clone(), workspace));
        let stop = stop_listening.subscribe();
        tokio::spawn(async move { slack.listen(edge, stop).await })
    });
    let options = options(&data, &clock, &*entropy, listening.is_some());
    let well = talk(Speaking::new(options), &engine, &voice).await;
    stop_listening.send_replace(true);
    if let Some(listening) = listening {
        listening.await?;
    }
    engine.stop();
    running.await?.map_err(|failure| anyhow::anyhow!("the end could not be recorded: {failure:?}"))?;
    engine.house().store().close().await;
    well
}

/// Lets people speak until they leave, or the process is told to end; true where no command failed.
async fn talk(speaking: Speaking, engine: &Engine, voice: &LateVoice) -> Result<bool> {
    let at_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut terminate = signal(SignalKind::terminate())?;
    let before = rustix::termios::tcgetattr(std::io::stdin());
    let talk = async {
        match at_terminal {
            true => at_a_terminal(speaking, engine, voice).await,
            false => in_a_pipe(speaking, engine, voice).await,
        }
    };
    tokio::select! {
        well = talk => well,
        _ = terminate.recv() => {
            // The line editor was broken off; whoever types next wants to see it.
            if let Ok(before) = before {
                let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, &before);
            }
            Ok(true)
        }
    }
}

/// The world of the playground, with `more` in it, and the accounts that play its people.
fn loaded(artifacts: &Path, more: &str, cast: &Cast) -> Result<Loaded> {
    // Accounts of a workspace that is only played would be as real as the others.
    let text = playground::text(artifacts, &PLACES, cast) + more;
    let mut loaded = config::load_text("playground", &text, &wiring::deployers())
        .map_err(|problems| anyhow::anyhow!("the playground's configuration is wrong: {problems:?}"))?;
    loaded.bot.redaction = Vec::new();
    Ok(loaded)
}

/// A real workspace, where its two tokens are set and nothing else.
async fn real_slack(
    directory: &Directory,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Option<(Slack, String)>> {
    let secrets = slack_secrets()?;
    if secrets.bot_token.is_none() || secrets.app_token.is_none() {
        return Ok(None);
    }
    let slack = |workspaces| {
        let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
        Slack::new(crate::slack::playground(workspaces), &secrets, directory.clone(), clock, entropy)
    };
    let workspace = slack(Vec::new())?.workspace().await.context("Slack does not say which workspace this is")?;
    Ok(Some((slack(vec![workspace.clone()])?, workspace)))
}

async fn at_a_terminal(speaking: Speaking, engine: &Engine, voice: &LateVoice) -> Result<bool> {
    let look = Look {
        colour: std::env::var_os("NO_COLOR").is_none(),
        width: width(),
        time_zone: jiff::tz::TimeZone::system(),
    };
    let voice = voice.clone();
    interactive(speaking, Arc::new(engine.clone()), look, move |made| voice.set(made)).await?;
    Ok(true)
}

/// The terminal's width in columns.
fn width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(100, |size| usize::from(size.ws_col).max(40))
}

async fn in_a_pipe(speaking: Speaking, engine: &Engine, late: &LateVoice) -> Result<bool> {
    let look = Look { colour: false, width: 200, time_zone: jiff::tz::TimeZone::UTC };
    let sink: andon_console::Sink = Arc::new(|text| {
        use std::io::Write as _;
        // A reader that is gone has no use for the text.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    });
    let voice = Arc::new(ConsoleVoice::new(lobby(), look, sink));
    late.set(Arc::clone(&voice));
    let input = tokio::io::BufReader::new(tokio::io::stdin());
    piped(speaking, engine, &voice, input).await.context("standard input cannot be read")
}

/// Stops a playground's services and their keeper.
///
/// # Errors
/// There is no keeper, or the data are not a playground's.
pub(crate) async fn down(path: &Path, clock: Arc<dyn Clock>) -> Result<()> {
    let otherwise = || format!("`andon keeper --down --data {}` stops any keeper", path.display());
    if !path.is_dir() {
        bail!("there is no data folder {}", path.display());
    }
    let database = match named_database()? {
        Some(database) => database,
        None => Data::open(path)?.database(),
    };
    let store = Store::open_read_only(&database, Arc::clone(&clock)).await.with_context(otherwise)?;
    let is_playground = store.read().await?.connection().is_playground().await?;
    store.close().await;
    if !is_playground {
        bail!("{} holds no playground's data; {}", path.display(), otherwise());
    }
    keeper_down(path, clock).await
}

/// Stops the services of a data folder and their keeper, whoever started them.
///
/// # Errors
/// There is no keeper, or not all could be stopped.
pub(crate) async fn keeper_down(path: &Path, clock: Arc<dyn Clock>) -> Result<()> {
    let client = KeeperClient::new(path, clock);
    match client.ask(&Request::Down).await {
        Ok(Response::Taken) => {
            println!("The services are stopped.");
            Ok(())
        }
        Ok(Response::Broken { reason }) => bail!("not all services could be stopped: {reason}"),
        Ok(other) => bail!("the keeper answered something else: {other:?}"),
        Err(KeeperError::Unreachable(error)) => Err(error).context("no services are running here"),
        Err(error) => Err(error).context("whether the services are stopped is not known"),
    }
}

fn write_artifacts(data: &Data, artifacts: &Path) -> Result<()> {
    let versions = playground::SERVICES.iter().flat_map(|service| VERSIONS.map(|version| (service, version)));
    for (service, (version, never_ready)) in versions {
        let folder = artifacts.join(service).join(version);
        // Written once: a version's content never changes. So the program that it names stays where it is.
        if !folder.exists() {
            let program = keep_program(data.path(), "demo-bin", &std::env::current_exe()?)?;
            demo::write_artifact(&folder, &program, never_ready)?;
        }
    }
    Ok(())
}

fn lobby() -> Room {
    Room { platform: PLATFORM.to_owned(), workspace: None, channel: "lobby".to_owned(), thread: None }
}

fn options(data: &Data, clock: &Arc<dyn Clock>, entropy: &dyn Entropy, in_slack: bool) -> Options {
    let user = std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
    let host = place::host();
    Options {
        room: lobby(),
        user: playground::PEOPLE[0].to_owned(),
        may_switch: true,
        proof: ProofStrength::Playground,
        terminal: Some(format!("{user} uid {} on {host}", rustix::process::getuid().as_raw())),
        session: InvocationId::new(clock.now(), entropy).to_string(),
        welcome: if in_slack { format!("{WELCOME}\n{WELCOME_IN_SLACK}") } else { WELCOME.to_owned() },
        history: Some(data.path().join("history")),
        clock: Arc::clone(clock),
    }
}

/// The terminal's voice, which can exist only once the terminal does. Until then nothing is said, and the outbox waits.
#[derive(Clone, Default)]
struct LateVoice {
    platform: &'static str,
    voice: Arc<OnceCell<Arc<ConsoleVoice>>>,
}

impl LateVoice {
    /// The same terminal as the voice of a platform.
    fn on(&self, platform: &'static str) -> Arc<dyn Voice> {
        Arc::new(Self { platform, voice: Arc::clone(&self.voice) })
    }

    fn set(&self, voice: Arc<ConsoleVoice>) {
        // Set once, by the one terminal.
        let _ = self.voice.set(voice);
    }

    fn voice(&self) -> Result<&Arc<ConsoleVoice>, VoiceError> {
        self.voice.get().ok_or_else(|| VoiceError::Unreachable("the terminal is not open yet".into()))
    }
}

#[async_trait::async_trait]
impl Voice for LateVoice {
    fn platform(&self) -> &str {
        self.platform
    }

    async fn post(
        &self,
        room: &Room,
        asker: Option<&Identity>,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        self.voice()?.post(room, asker, message, marker).await
    }

    async fn follow_up(
        &self,
        room: &Room,
        card: &Placement,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        self.voice()?.follow_up(room, card, message, marker).await
    }

    async fn edit(&self, room: &Room, placement: &Placement, message: &Message) -> Result<(), VoiceError> {
        self.voice()?.edit(room, placement, message).await
    }

    async fn find(
        &self,
        room: &Room,
        asker: Option<&Identity>,
        under: Option<&Placement>,
        marker: &Marker,
    ) -> Result<Option<Placement>, VoiceError> {
        self.voice()?.find(room, asker, under, marker).await
    }
}

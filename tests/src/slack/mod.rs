//! The bot in Slack: a life that is told and shown the same things as one in the terminal room, but every line is said in Slack, and
//! everything shown is what Slack shows. So every scenario runs there too.

mod bot;
mod clocks;
mod pending;
mod printing;
mod terminal;

pub use bot::SlackBot;
pub use clocks::Watch;
pub use printing::{text_elements, words};

use std::io::{Read as _, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use andon_engine::Point;
use andon_fake_slack::{Delivery, Settings, Slack};

use crate::life::Life;
use crate::scene::Chat;
use crate::{Playground, free_port};
use terminal::Terminal;

/// The versions that the playground has; the last one never becomes ready.
const VERSIONS: [(&str, bool); 3] = [("v1", false), ("v2", false), ("v3", true)];

/// A Slack of its own, and how the bot hears of it.
pub(crate) struct Workspace {
    pub(crate) slack: Slack,
    port: Option<u16>,
}

impl Workspace {
    /// One for a chat that is Slack.
    pub(crate) fn new(chat: Chat) -> Option<Self> {
        Self::with(chat, Settings::default())
    }

    /// As `new`, in a Slack with these settings.
    pub(crate) fn with(chat: Chat, settings: Settings) -> Option<Self> {
        let port = match chat {
            Chat::Terminal => return None,
            Chat::SlackSocket => None,
            Chat::SlackHttp => Some(free_port()),
        };
        let slack = Slack::start(settings).expect("no fake Slack");
        if let Some(port) = port {
            slack.deliver_by(Delivery::Http(format!("http://127.0.0.1:{port}")));
        }
        Some(Self { slack, port })
    }

    /// What the bot has to be told of it.
    pub(crate) fn tell(&self, command: &mut Command) {
        command
            .env("ANDON_SLACK_BOT_TOKEN", self.slack.bot_token())
            .env("ANDON_SLACK_APP_TOKEN", self.slack.app_token())
            .env("ANDON_SLACK_SIGNING_SECRET", self.slack.signing_secret())
            .env("ANDON_SLACK_API_URL", self.slack.api_url());
        command.env("ANDON_LISTEN", format!("127.0.0.1:{}", self.port.unwrap_or(0)));
    }

    /// Whether the bot listens.
    fn is_heard(&self) -> bool {
        match self.port {
            None => !self.slack.sockets().is_empty(),
            Some(port) => healthy(port),
        }
    }
}

/// Whether the bot answers on its port.
fn healthy(port: u16) -> bool {
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = [0; 12];
    let asked = stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").and_then(|()| stream.read_exact(&mut answer));
    asked.is_ok() && answer.ends_with(b" 200")
}

/// The playground's world as a configuration of Slack, with `more` in it; what that says under `[slack]` is added to the section.
pub(crate) fn configuration(artifacts: &Path, more: &str, over_http: bool) -> String {
    let mode = if over_http { "http" } else { "socket" };
    let world = andon::config::playground::text(
        artifacts,
        &["console:", "slack:T0PLAY/", "discord:"],
        &std::collections::BTreeMap::new(),
    );
    let section = format!("[slack]\nmode = \"{mode}\"\nworkspaces = [\"T0PLAY\"]\n");
    let more = match more.contains("[slack]") {
        true => more.replace("[slack]", &section),
        false => format!("{more}\n{section}"),
    };
    slack_names(&format!("{world}\n{more}"))
}

/// Accounts and rooms as Slack names them: `slack:T0PLAY/ana` is `slack:T0PLAY/U0ANA`, and `slack:T0PLAY/deploys` is
/// `slack:T0PLAY/C0DEPLOYS`. What is named so already stays.
fn slack_names(text: &str) -> String {
    const PLACE: &str = "slack:T0PLAY/";
    let mut parts = text.split(PLACE);
    let mut named = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let kind = if ["ana", "ben", "cy"].contains(&name) { "U0" } else { "C0" };
        let kind = if name.starts_with(char::is_uppercase) { "" } else { kind };
        named += &format!("{PLACE}{kind}{}{rest}", name.to_ascii_uppercase());
    }
    named
}

/// Makes the channels that a configuration names, with everybody in them.
fn make_channels(slack: &Slack, text: &str) {
    for named in text.split("slack:T0PLAY/C0").skip(1) {
        let end = named.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(named.len());
        let name = named[..end].to_ascii_lowercase();
        if !slack.has_channel(&name) {
            slack.add_channel(&name, &["ana", "ben", "cy", "andon"]);
        }
    }
}

/// Writes the playground's versions.
pub(crate) fn write_artifacts(artifacts: &Path, program: &Path) {
    for service in andon::config::playground::SERVICES {
        for (version, never_ready) in VERSIONS {
            let folder = artifacts.join(service).join(version);
            andon_deployers::demo::write_artifact(&folder, program, never_ready).expect("a version cannot be written");
        }
    }
}

/// What starts the bot.
pub(crate) fn serve(playground: &Playground, workspace: &Workspace) -> Command {
    let artifacts = playground.data().join("artifacts");
    if !artifacts.exists() {
        write_artifacts(&artifacts, playground.program());
    }
    let file = playground.data().join("andon.toml");
    let text = configuration(&artifacts, &playground.more(), workspace.port.is_some());
    make_channels(&workspace.slack, &text);
    std::fs::write(&file, text).expect("the configuration cannot be written");
    let mut command = playground.command(&["serve"]);
    command.arg("--config").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    workspace.tell(&mut command);
    command
}

/// Starts the bot, in a process that ends itself at a point where one is named, and somebody who sits at Slack for it.
pub(crate) fn start(playground: &Playground, workspace: &Workspace, die_at: Option<Point>) -> Life {
    let mut command = serve(playground, workspace);
    crate::life::kill_at(&mut command, die_at);
    // Before the bot says anything.
    let shown = workspace.slack.watch();
    let child = command.spawn().expect("the program cannot be run");
    let (input, said) = channel();
    let (output, lines) = channel();
    let terminal = Terminal::new(playground, workspace, i32::try_from(child.id()).expect("a pid"), shown, output);
    std::thread::spawn(move || terminal.run(&said));
    (child, Box::new(Lines { input, begun: Vec::new() }), lines)
}

/// What is written, line by line.
struct Lines {
    input: Sender<String>,
    begun: Vec<u8>,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.input.send(line).map_err(|_| std::io::Error::from(std::io::ErrorKind::BrokenPipe))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What arrives at the terminal.
pub(crate) type Said = Receiver<String>;

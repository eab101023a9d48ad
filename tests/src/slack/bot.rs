//! A bot that runs in a Slack which a test drives by its handle.

use std::process::{Child, ExitStatus};
use std::time::Duration;

use andon_fake_slack::{Settings, Slack};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::pending::{PACED, pending};
use super::{Workspace, healthy, printing, serve};
use crate::deadline::Deadline;
use crate::scene::Chat;
use crate::{Playground, until};

/// How long nothing may come of what was said.
const PATIENCE: Duration = Duration::from_secs(55);
const LOOK_EVERY: Duration = Duration::from_millis(15);

impl Playground {
    /// One in a Slack with these settings, with `more` in its configuration.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn in_slack(program: &str, chat: Chat, settings: Settings, more: &str) -> Self {
        let mut playground = Self::with(program, crate::Database::Sqlite, more);
        playground.workspace = Workspace::with(chat, settings);
        playground
    }

    /// Where the bot listens for Slack.
    ///
    /// # Panics
    /// It is in none, or not over HTTP.
    pub fn slack_port(&self) -> u16 {
        self.workspace.as_ref().and_then(|workspace| workspace.port).expect("it does not listen")
    }

    /// Runs `andon slack …` with the secrets of its Slack; `changed` are variables that are otherwise.
    ///
    /// # Panics
    /// It is in no Slack, or the program cannot be run.
    pub fn run_in_slack(&self, arguments: &[&str], changed: &[(&str, &str)]) -> (String, Option<i32>) {
        let workspace = self.workspace.as_ref().expect("it is in no Slack");
        drop(serve(self, workspace));
        let mut command = std::process::Command::new(&self.program);
        command.args(arguments).env("ANDON_CONFIG", self.data().join("andon.toml")).env("ANDON_LOG", "off");
        workspace.tell(&mut command);
        let output = command.envs(changed.iter().copied()).output().expect("the program cannot be run");
        let shown = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&shown).into_owned(), output.status.code())
    }
}

/// A running bot in a Slack.
#[must_use = "what is not closed was not checked"]
pub struct SlackBot<'p> {
    playground: &'p Playground,
    variables: Vec<(String, String)>,
    child: Child,
    /// The newest socket that there was before this one started: its own are newer.
    before: u64,
}

impl<'p> SlackBot<'p> {
    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(playground: &'p Playground) -> Self {
        Self::start_with(playground, &[])
    }

    /// As [`SlackBot::start`], with variables that are otherwise. With `ANDON_LOG` among them its log is kept for [`SlackBot::log`].
    ///
    /// # Panics
    /// It does not start.
    pub fn start_with(playground: &'p Playground, variables: &[(&str, &str)]) -> Self {
        let variables: Vec<_> = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let before = newest_socket(playground);
        let bot = Self { child: begin(playground, &variables), variables, playground, before };
        bot.wait_until_heard();
        bot
    }

    /// Starts the playground's room, with Slack's two tokens and nothing else said of Slack.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_playground(playground: &'p Playground) -> Self {
        let workspace = playground.workspace.as_ref().expect("it is in no Slack");
        let mut command = playground.command(&["playground"]);
        workspace.tell(&mut command);
        // Nobody types at the terminal, and nobody closes it.
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let before = newest_socket(playground);
        let child = command.spawn().expect("the program cannot be run");
        let bot = Self { child, variables: Vec::new(), playground, before };
        bot.wait_until_heard();
        bot
    }

    /// As [`SlackBot::start`], where Slack may not let it in.
    pub fn start_unheard(playground: &'p Playground) -> Self {
        let before = newest_socket(playground);
        Self { child: begin(playground, &[]), variables: Vec::new(), playground, before }
    }

    /// Waits until it listens.
    ///
    /// # Panics
    /// It does not.
    pub fn wait_until_heard(&self) {
        let workspace = self.playground.workspace.as_ref().expect("it is in no Slack");
        until("the bot listens", || match workspace.port {
            Some(port) => healthy(port),
            None => self.sockets().len() >= 2,
        });
        if let Some(port) = workspace.port {
            // Whatever it answers: then it serves.
            crate::ask(&format!("http://127.0.0.1:{port}"), "/");
        }
    }

    /// The numbers of the open sockets that are newer than those which were there before it started.
    pub fn sockets(&self) -> Vec<u64> {
        self.slack().sockets().into_iter().filter(|socket| *socket > self.before).collect()
    }

    /// Its Slack.
    pub fn slack(&self) -> &'p Slack {
        self.playground.slack()
    }

    /// A person speaks to it in a channel; waits until nothing more comes of it. The message's time stamp.
    ///
    /// # Panics
    /// It does not come to rest.
    pub fn say(&self, person: &str, channel: &str, line: &str) -> String {
        let ts = self.slack().say(person, channel, None, &format!("@andon {line}"));
        self.settle();
        ts
    }

    /// A person presses the newest button of this label in a channel; waits until nothing more comes of it.
    ///
    /// # Panics
    /// There is none.
    pub fn click(&self, person: &str, channel: &str, label: &str) {
        let ts = self.slack().newest_with(channel, label);
        let ts = ts.unwrap_or_else(|| panic!("there is no {label}:\n{}", self.shown(channel)));
        drop(self.slack().click(person, channel, &ts, label));
        self.settle();
    }

    /// Waits until nothing more comes of what was said.
    ///
    /// # Panics
    /// It does not come to rest.
    pub fn settle(&self) {
        let mut paced = Deadline::within(PACED);
        self.wait_for(|work, unsaid| {
            if work > 0 {
                paced = Deadline::within(PACED);
            } else if unsaid > 0 && paced.has_passed() {
                self.playground.fast_forward(Duration::from_secs(1));
                paced = Deadline::within(PACED);
            }
            (work, unsaid) == (0, 0)
        });
    }

    /// Waits until what was said is worked off, and its answers are about to be said.
    ///
    /// # Panics
    /// It does not come to rest.
    pub fn work(&self) {
        self.wait_for(|work, _| work == 0);
    }

    fn wait_for(&self, mut rests: impl FnMut(usize, usize) -> bool) {
        let (slack, mut database) = (self.slack(), self.playground.raw().watcher());
        let deadline = Deadline::within(PATIENCE);
        loop {
            let (work, unsaid) = pending(slack, &mut database, None);
            if rests(work, unsaid) {
                return;
            }
            let heard = slack.on_the_way();
            assert!(!deadline.has_passed(), "it does not rest: {work} to do, {unsaid} to say, {heard} to hear");
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Everything that stands in a channel, as people read it.
    pub fn shown(&self, channel: &str) -> String {
        self.slack().messages(channel).iter().map(written).collect()
    }

    /// What only this person was shown.
    pub fn whispered(&self, person: &str) -> String {
        self.slack().ephemerals(person).iter().map(written).collect()
    }

    /// Only this person was shown a text so many times.
    ///
    /// # Panics
    /// They were not; all that they were shown is printed.
    pub fn expect_whisper(&self, person: &str, text: &str, times: usize) -> &Self {
        let shown = self.whispered(person);
        assert_eq!(shown.matches(text).count(), times, "{text:?} for {person}:\n{shown}");
        self
    }

    /// A channel shows a text.
    ///
    /// # Panics
    /// It does not; all that it shows is printed.
    pub fn expect(&self, channel: &str, text: &str) -> &Self {
        let shown = self.shown(channel);
        assert!(shown.contains(text), "{text:?} is not in {channel}:\n{shown}");
        self
    }

    /// A channel shows a text so many times.
    ///
    /// # Panics
    /// It does not; all that it shows is printed.
    pub fn expect_times(&self, channel: &str, text: &str, times: usize) -> &Self {
        let shown = self.shown(channel);
        assert_eq!(shown.matches(text).count(), times, "{text:?} in {channel}:\n{shown}");
        self
    }

    /// Waits until a person sees a modal that holds a text; its id.
    ///
    /// # Panics
    /// Nobody opens it.
    pub fn view(&self, person: &str, text: &str) -> String {
        let mut found = None;
        until(&format!("{person} sees a view with {text:?}"), || {
            let views = self.slack().views(person);
            let uppermost = views.last().filter(|view| printing::words(view).contains(text));
            found = uppermost.and_then(|view| view["id"].as_str()).map(str::to_owned);
            found.is_some()
        });
        found.expect("waited for above")
    }

    /// Ends it in good order and starts it again.
    ///
    /// # Panics
    /// It does not end well, or does not start.
    pub fn restart(&mut self) {
        self.end();
        self.revive();
    }

    /// Starts it again after its end.
    ///
    /// # Panics
    /// It does not start.
    pub fn revive(&mut self) {
        self.before = newest_socket(self.playground);
        self.child = begin(self.playground, &self.variables);
        self.wait_until_heard();
    }

    /// Ends it by `kill -9`.
    ///
    /// # Panics
    /// It cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("the program cannot be killed");
        let _ = self.child.wait().expect("the program is gone");
    }

    /// What it has said to its operator so far.
    ///
    /// # Panics
    /// It was not kept.
    pub fn log(&self) -> String {
        std::fs::read_to_string(log_file(self.playground)).expect("ANDON_LOG is among its variables")
    }

    /// Tells it to end, and does not wait for it.
    ///
    /// # Panics
    /// It is gone.
    pub fn begin_to_end(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid")).expect("a process");
        kill_process(pid, Signal::TERM).expect("the program can be told");
    }

    /// Ends it in good order.
    ///
    /// # Panics
    /// It does not end well.
    pub fn end(&mut self) {
        self.begin_to_end();
        self.wait_until_ended();
    }

    /// Waits until it has ended in good order.
    ///
    /// # Panics
    /// It does not end well.
    pub fn wait_until_ended(&mut self) {
        let mut ended: Option<ExitStatus> = None;
        until("the bot ends", || {
            ended = self.child.try_wait().expect("the program is gone");
            ended.is_some()
        });
        assert!(ended.is_some_and(|ended| ended.success()), "it ended with {ended:?}");
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// Nobody can tell.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("the program is there").is_none()
    }

    /// Ends it in good order, and the trail holds.
    ///
    /// # Panics
    /// It does not end well, a record is open, or the trail does not verify.
    pub fn close(&mut self) {
        self.end();
        self.playground.expect_trail();
    }
}

impl Drop for SlackBot<'_> {
    fn drop(&mut self) {
        // Where the test failed before its end; a child that has ended is no error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_file(playground: &Playground) -> std::path::PathBuf {
    playground.data().join("bot.log")
}

fn newest_socket(playground: &Playground) -> u64 {
    playground.slack().sockets().into_iter().max().unwrap_or(0)
}

fn begin(playground: &Playground, variables: &[(String, String)]) -> Child {
    let workspace = playground.workspace.as_ref().expect("it is in no Slack");
    let mut command = serve(playground, workspace);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    if variables.iter().any(|(name, _)| name == "ANDON_LOG") {
        let log = std::fs::File::options().create(true).append(true).open(log_file(playground));
        command.stderr(log.expect("the log can be written"));
    }
    command.spawn().expect("the program cannot be run")
}

/// A message of the bot as people read it; what people wrote is left out.
fn written(message: &Value) -> String {
    if message["bot_id"].is_null() { String::new() } else { printing::text(message) }
}

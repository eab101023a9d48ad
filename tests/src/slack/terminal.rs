//! Somebody who sits at Slack and does what a session says: says lines, one after the other, and tells what Slack shows. As in the terminal
//! room, the next line is said once nothing more comes of the last one.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::Duration;

use andon_fake_slack::{Shown, Slack};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};

use super::pending::{PACED, pending};
use super::printing::Printer;
use super::{Said, Workspace};
use crate::database::Watcher;
use crate::deadline::Deadline;
use crate::{Playground, fast_forward};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(15);
/// How long nothing may come of a line.
const PATIENCE: Duration = Duration::from_secs(55);
/// The room that is home.
const LOBBY: &str = "lobby";

/// A person at Slack.
pub(super) struct Terminal {
    slack: Slack,
    clock: PathBuf,
    database: Watcher,
    process: OwnedFd,
    heard: Box<dyn Fn() -> bool + Send>,
    shown: Receiver<Shown>,
    output: Sender<String>,
    printer: Printer,
    person: String,
    channel: String,
}

impl Terminal {
    pub(super) fn new(
        playground: &Playground,
        workspace: &Workspace,
        pid: i32,
        shown: Receiver<Shown>,
        output: Sender<String>,
    ) -> Self {
        let (slack, port) = (workspace.slack.clone(), workspace.port);
        let there = Workspace { slack: slack.clone(), port };
        Self {
            printer: Printer::new(LOBBY),
            clock: playground.clock(),
            database: playground.raw().watcher(),
            process: pidfd_open(Pid::from_raw(pid).expect("a process"), PidfdFlags::empty())
                .expect("it was just started"),
            heard: Box::new(move || there.is_heard()),
            person: "ana".to_owned(),
            channel: LOBBY.to_owned(),
            slack,
            shown,
            output,
        }
    }

    /// Runs until the bot is dead.
    pub(super) fn run(mut self, said: &Said) {
        while !(self.heard)() && !self.is_dead() {
            std::thread::sleep(LOOK_EVERY);
        }
        let mut leaving = false;
        loop {
            self.print();
            if self.is_dead() {
                self.print();
                return;
            }
            match said.try_recv() {
                Ok(line) => self.take(&line),
                Err(TryRecvError::Disconnected) if !leaving => {
                    leaving = true;
                    // One that is gone already needs no telling.
                    let _ = pidfd_send_signal(&self.process, Signal::TERM);
                }
                Err(_) => std::thread::sleep(LOOK_EVERY),
            }
        }
    }

    fn take(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("/as", person)) => {
                self.person = person.to_owned();
                self.tell(&format!("· You speak as {person} now"));
            }
            Some(("/room", room)) => {
                self.channel = room.rsplit(['/', ':']).next().unwrap_or(room).to_owned();
                self.tell(&format!("· You are in {room} now"));
            }
            _ => {
                self.settle_in();
                let ts = self.slack.say(&self.person, &self.channel, None, &format!("@andon {line}"));
                self.wait_for_quiet(&ts);
            }
        }
    }

    /// Makes the channel and the person, where they are not there, and puts the person in.
    fn settle_in(&self) {
        if !self.slack.has_channel(&self.channel) {
            self.slack.add_channel(&self.channel, &["ana", "ben", "cy", "andon"]);
        }
        if !self.slack.has_user(&self.person) {
            self.slack.add_user(&self.person);
        }
        self.slack.join(&self.person, &self.channel);
    }

    /// Waits until nothing more comes of what was said.
    fn wait_for_quiet(&mut self, ts: &str) {
        let deadline = Deadline::within(PATIENCE);
        let mut paced = Deadline::within(PACED);
        while !self.is_dead() && !deadline.has_passed() {
            self.print();
            let (work, unsaid) = pending(&self.slack, &mut self.database, Some(ts));
            if work == 0 && unsaid == 0 {
                break;
            }
            if work > 0 {
                paced = Deadline::within(PACED);
            } else if paced.has_passed() {
                fast_forward(&self.clock, Some(&self.slack), Duration::from_secs(1));
                paced = Deadline::within(PACED);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.print();
    }

    fn print(&mut self) {
        while let Ok(shown) = self.shown.try_recv() {
            if let Some(text) = self.printer.print(&shown) {
                self.tell(&text);
            }
        }
    }

    fn tell(&self, text: &str) {
        for line in text.lines() {
            // A test that ended reads no more.
            let _ = self.output.send(line.to_owned());
        }
    }

    /// Whether the process has ended. It is asked for by its descriptor: once the session has asked how it ended, its number is another's.
    fn is_dead(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::PidFd(self.process.as_fd()), options), Ok(None))
    }
}

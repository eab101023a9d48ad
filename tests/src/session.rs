//! One life of the bot, with people in its rooms. What a test does not read is a failure: so is an operation that never ended, and a record
//! that was left open.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use andon_engine::Point;

use crate::Playground;
use crate::deadline::Deadline;
use crate::life::start;

/// How long anything may take to be shown, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// A state of a card that a chat with a pace of its own may pass over: what is shown is where it stands, not every step.
const PASSED_OVER: &str = "… Queued";

/// Longer than any lease of a process that is gone.
const LEASES: Duration = Duration::from_secs(20);

/// One thing that was shown: a message, an edit of a card, a line in its thread.
struct Shown {
    text: String,
    read: bool,
}

/// A running bot.
#[must_use = "what is not closed was not checked"]
pub struct Session<'p> {
    playground: &'p Playground,
    child: Child,
    input: Option<Box<dyn std::io::Write + Send>>,
    lines: Receiver<String>,
    shown: Vec<Shown>,
    /// Where what was shown since the last line begins.
    since: usize,
    /// What may be left behind.
    left: BTreeSet<String>,
    /// The state of the newest operation at each kill. After one, since the terminal has no memory of its own, what was said may be said
    /// once more, and cards drawn anew.
    kills: Vec<String>,
    /// Whether everything was accounted for.
    closed: bool,
}

impl<'p> Session<'p> {
    pub(crate) fn open(playground: &'p Playground) -> Self {
        let (child, input, lines) = start(playground, None);
        Self {
            playground,
            child,
            input: Some(input),
            lines,
            shown: Vec::new(),
            since: 0,
            left: BTreeSet::new(),
            kills: Vec::new(),
            closed: false,
        }
    }

    /// A person says a line in the present room; returns once it was answered and what it set going is at rest.
    ///
    /// # Panics
    /// The bot is gone, or does not answer.
    pub fn say(&mut self, person: &str, line: &str) -> &mut Self {
        self.now_speaks(person);
        self.since = self.shown.len();
        self.send(line);
        self.now_speaks(person);
        self
    }

    /// A person says a line, and nobody waits for what comes of it.
    ///
    /// # Panics
    /// The bot is gone.
    pub fn begin(&mut self, person: &str, line: &str) -> &mut Self {
        self.now_speaks(person);
        self.since = self.shown.len();
        self.send(line);
        self
    }

    /// A further line of the same person, also without waiting.
    ///
    /// # Panics
    /// The bot is gone.
    pub fn begin_unheard(&mut self, line: &str) -> &mut Self {
        self.send(line);
        self
    }

    /// Reads all that was shown so far, whatever it is.
    pub fn read_all(&mut self) -> &mut Self {
        self.shown.iter_mut().for_each(|shown| shown.read = true);
        self
    }

    /// Goes to another room: `lobby`, or one of a simulated platform such as `slack:T0PLAY/deploys`.
    ///
    /// # Panics
    /// See [`Session::say`].
    pub fn go_to(&mut self, room: &str) -> &mut Self {
        self.send(&format!("/room {room}"));
        self.wait_for(|shown| !shown.read && shown.text.starts_with("· You are in "), "You are in");
        self
    }

    /// A person presses a button: the newest one of this label that was shown since the last line.
    ///
    /// # Panics
    /// There is none.
    pub fn click(&mut self, person: &str, label: &str) -> &mut Self {
        let button = format!("  [{label}] ");
        let mut lines = self.shown.iter().rev().flat_map(|shown| shown.text.lines().rev());
        let line = lines.find_map(|line| line.strip_prefix(&button)).map(str::to_owned);
        let line = line.unwrap_or_else(|| panic!("there is no button {label:?}:\n{}", self.transcript()));
        self.say(person, &line)
    }

    /// What was shown since the last line, or is shown in a while, holds this text; the message that holds it counts as read.
    ///
    /// # Panics
    /// It is not shown.
    pub fn expect(&mut self, text: &str) -> &mut Self {
        let since = self.since;
        let passed_over = self.playground.is_paced() && text.contains(PASSED_OVER);
        if !self.read_since(since, text) && !passed_over {
            self.wait_for(|shown| shown.text.contains(text), text);
        }
        self
    }

    /// Nothing that was shown since the last line holds this text.
    ///
    /// # Panics
    /// It was shown.
    pub fn expect_not(&mut self, text: &str) -> &mut Self {
        let found = self.shown[self.since..].iter().any(|shown| shown.text.contains(text));
        assert!(!found, "{text:?} was shown:\n{}", self.transcript());
        self
    }

    /// A change went through: its card, its end, and the word to its asker.
    ///
    /// # Panics
    /// Any of them is not shown.
    pub fn expect_done(&mut self, asker: &str, change: &str) -> &mut Self {
        self.expect(&format!("… Queued: {change}"));
        self.expect(&format!("✓ Done: {change}"));
        self.expect(&format!("└ ✓ @{asker} Done: {change}"))
    }

    /// A change waits: its card, and the word to whoever can approve it.
    ///
    /// # Panics
    /// Any of them is not shown.
    pub fn expect_asked(&mut self, approver: &str, change: &str) -> &mut Self {
        self.expect(&format!("? Approve? {change}"));
        self.expect(&format!("└ ? @{approver} Approve? {change}"))
    }

    /// The lines in which something was shown since the last line that was said.
    pub fn seen(&self) -> String {
        self.shown[self.since..].iter().map(|shown| shown.text.as_str()).collect()
    }

    /// Says that an operation is left unfinished on purpose.
    pub fn leave(&mut self, operation: &str) -> &mut Self {
        self.left.insert(operation.to_owned());
        self
    }

    /// Ends the bot in good order and starts it again.
    ///
    /// # Panics
    /// It does not end well, or does not start.
    pub fn restart(&mut self) -> &mut Self {
        self.end().revive()
    }

    /// Ends the bot by `kill -9` and starts it again, once its leases have run out. What it had said counts as read: nobody can tell how
    /// far it came.
    ///
    /// # Panics
    /// It does not start.
    pub fn kill(&mut self) -> &mut Self {
        self.end_by_kill().revive()
    }

    /// Ends the bot by `kill -9`, and leaves it dead.
    ///
    /// # Panics
    /// It cannot be killed.
    pub fn end_by_kill(&mut self) -> &mut Self {
        self.child.kill().expect("the program cannot be killed");
        self.dies()
    }

    /// Starts the bot again so that it ends itself, as by `kill -9`, when it comes to a point of the pipeline.
    ///
    /// # Panics
    /// It does not end well, or does not start.
    pub fn die_at(&mut self, point: Point) -> &mut Self {
        self.end();
        self.start(Some(point));
        self
    }

    /// Waits until the bot is dead, looks where that hit, and lets its leases run out.
    ///
    /// # Panics
    /// It does not die, or by itself.
    pub fn dies(&mut self) -> &mut Self {
        let ended = self.wait();
        assert!(ended.code().is_none(), "it was not killed:\n{}", self.transcript());
        self.shown.iter_mut().for_each(|shown| shown.read = true);
        self.since = self.shown.len();
        let newest = self.playground.raw().rows("select state from operations order by number desc limit 1");
        self.kills.push(newest.into_iter().next().unwrap_or_else(|| "no operation".to_owned()));
        self.playground.fast_forward(LEASES);
        self
    }

    /// Starts the bot again after its death or its end.
    ///
    /// # Panics
    /// It does not start.
    pub fn revive(&mut self) -> &mut Self {
        self.start(None);
        self
    }

    /// Starts the bot again after its death, so that it dies again at a point of the pipeline.
    ///
    /// # Panics
    /// It does not start.
    pub fn revive_to_die_at(&mut self, point: Point) -> &mut Self {
        self.start(Some(point));
        self
    }

    /// The state of the newest operation, as the database had it, at each kill so far.
    pub fn kills(&self) -> &[String] {
        &self.kills
    }

    /// Moves the bot's time forward.
    pub fn fast_forward(&mut self, by: Duration) -> &mut Self {
        self.playground.fast_forward(by);
        self
    }

    /// Ends the bot and accounts for everything.
    ///
    /// # Panics
    /// Something was not read, an operation is unfinished, a record is open, or the trail does not verify.
    pub fn close(&mut self) {
        let status = self.say("ana", "status").expect("  target ").seen();
        for line in status.lines().filter_map(|line| line.trim().strip_prefix("- op-")) {
            let operation = format!("op-{}", line.split(' ').next().unwrap_or_default());
            assert!(self.left.contains(&operation), "{operation} is unfinished:\n{}", self.transcript());
        }
        self.end();
        let unread: Vec<_> = (0..self.shown.len()).filter(|place| !self.is_accounted_for(*place)).collect();
        let unread: Vec<_> = unread.into_iter().map(|place| self.shown[place].text.as_str()).collect();
        assert!(unread.is_empty(), "nobody read:\n{}\nin:\n{}", unread.concat(), self.transcript());
        self.playground.expect_trail();
        self.closed = true;
    }

    /// Ends the bot in good order, in the middle of whatever it does.
    ///
    /// # Panics
    /// It does not end well.
    pub fn end(&mut self) -> &mut Self {
        self.input = None;
        let ended = self.wait();
        // 1 tells that some command was refused, which the test has read.
        assert!(matches!(ended.code(), Some(0 | 1)), "it ended with {ended}:\n{}", self.transcript());
        self
    }

    fn start(&mut self, die_at: Option<Point>) {
        let (child, input, lines) = start(self.playground, die_at);
        (self.child, self.input, self.lines) = (child, Some(input), lines);
    }

    /// Reads what is still said, until the process is gone.
    fn wait(&mut self) -> ExitStatus {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.take(line);
        }
        // A process that does not die of itself takes the end of its input for its own.
        self.input = None;
        self.child.wait().expect("the program is gone")
    }

    fn is_accounted_for(&self, place: usize) -> bool {
        let shown = &self.shown[place];
        let said_before = || self.shown[..place].iter().any(|before| before.text == shown.text);
        let passing = self.playground.is_paced() && shown.text.contains(PASSED_OVER);
        shown.read
            || passing
            || (!self.kills.is_empty() && (shown.text.contains("\n  operation   op-") || said_before()))
    }

    fn now_speaks(&mut self, person: &str) {
        self.send(&format!("/as {person}"));
        self.wait_for(|shown| !shown.read && shown.text.starts_with("· You speak as "), "You speak as");
    }

    fn send(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it is open");
        writeln!(input, "{line}")
            .unwrap_or_else(|error| panic!("the program is gone ({error}):\n{}", transcript(&self.shown)));
    }

    /// Takes what is shown until something is as wanted, and marks that read.
    fn wait_for(&mut self, wanted: impl Fn(&Shown) -> bool, text: &str) {
        let deadline = Deadline::within(PATIENCE);
        let mut looked = self.since;
        loop {
            // The newest may still grow; but what it has said, it has said.
            let found = self.shown[looked..].iter().position(&wanted);
            if let Some(found) = found {
                self.shown[looked + found].read = true;
                return;
            }
            looked = self.shown.len().saturating_sub(1).max(self.since);
            match self.lines.recv_timeout(deadline.left()) {
                Ok(line) => self.take(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{text:?} was not shown:\n{}", self.transcript())
                }
            }
        }
    }

    fn read_since(&mut self, since: usize, text: &str) -> bool {
        let mut found = false;
        for shown in &mut self.shown[since..] {
            if shown.text.contains(text) {
                shown.read = true;
                found = true;
            }
        }
        found
    }

    /// Takes a line in: it begins something new, or belongs to what was shown last.
    fn take(&mut self, line: String) {
        let belongs = line.starts_with("  ") && !line.starts_with("  └");
        let tagged = self.shown.last().is_some_and(|last| last.text.ends_with("]\n") && last.text.starts_with('['));
        match self.shown.last_mut() {
            Some(last) if belongs || tagged => last.text += &(line + "\n"),
            _ => {
                // The echo of a line was said here, not heard.
                let echo = line.split_once("> ").is_some_and(|(who, _)| who.chars().all(|c| c.is_ascii_alphanumeric()));
                self.shown.push(Shown { text: format!("{line}\n"), read: echo });
            }
        }
        // How far it has come is an edit of a card: shown, and no news.
        if let Some(last) = self.shown.last_mut() {
            let mut lines = last.text.lines().filter(|line| !line.starts_with('['));
            last.read |= lines.all(|line| line.starts_with("  Running: ") || line.starts_with("… Running: "));
        }
    }

    /// Everything that was shown.
    pub fn transcript(&self) -> String {
        transcript(&self.shown)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // Where the test failed before its end; a child that has ended is no error.
        let _ = self.child.kill();
        let _ = self.child.wait();
        assert!(
            self.closed || std::thread::panicking(),
            "a session was not closed, so nothing of it was accounted for"
        );
    }
}

fn transcript(shown: &[Shown]) -> String {
    shown.iter().map(|shown| shown.text.as_str()).collect()
}

//! A bot in a Slack, and people who speak there as fast as they are told to.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use andon_fake_slack::{Settings, Shown, ShownKind, Slack};

use crate::machine::{now, since};

/// How long an answer may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// The bot, its Slack, and who speaks where.
pub(crate) struct Load {
    slack: Slack,
    shown: Receiver<Shown>,
    child: Child,
    folder: tempfile::TempDir,
    people: Vec<String>,
    channels: Vec<String>,
    next: usize,
}

impl Load {
    /// Starts a bot that knows so many people, in so many channels. At Slack's `pace`, everything is written down, too.
    pub(crate) fn start(people: usize, channels: usize, pace: bool) -> Self {
        let post_pacing = Settings::default().post_pacing.filter(|_| pace);
        let settings = Settings { post_pacing, logging: pace, ..Settings::default() };
        let slack = Slack::start(settings).expect("no Slack");
        let people = slack.add_users("p", people);
        let names: Vec<&str> = people.iter().map(String::as_str).chain(["andon"]).collect();
        let channels = slack.add_channels("c", channels, &names);
        let folder = tempfile::tempdir().expect("no temporary folder");
        let program = Path::new(env!("CARGO_BIN_EXE_andon-under-test"));
        std::fs::write(folder.path().join("andon.toml"), configuration(&people)).expect("it cannot be written");
        let shown = slack.watch();
        let child = Command::new(program)
            .args(["serve", "--config"])
            .arg(folder.path().join("andon.toml"))
            .arg("--data")
            .arg(folder.path().join("data"))
            .env("ANDON_SLACK_BOT_TOKEN", slack.bot_token())
            .env("ANDON_SLACK_APP_TOKEN", slack.app_token())
            .env("ANDON_SLACK_API_URL", slack.api_url())
            .env("ANDON_LISTEN", "127.0.0.1:0")
            .env("ANDON_LOG", "error")
            .stdin(Stdio::null())
            .spawn()
            .expect("the program cannot be run");
        let begun = now();
        while slack.sockets().len() < 2 {
            assert!(since(begun) < PATIENCE, "the bot does not open its sockets");
            std::thread::yield_now();
        }
        Self { slack, shown, child, folder, people, channels, next: 0 }
    }

    pub(crate) const fn slack(&self) -> &Slack {
        &self.slack
    }

    /// Says a line so often, with so many in flight.
    pub(crate) fn say(&mut self, times: usize, in_flight: usize, line: &str) -> Vec<f64> {
        let mut asked: HashMap<String, Instant> = HashMap::new();
        let mut taken = Vec::with_capacity(times);
        let mut said = 0;
        while taken.len() < times {
            while said < times && asked.len() < in_flight {
                let channel = self.channels[self.next % self.channels.len()].clone();
                let person = &self.people[self.next % self.people.len()];
                self.next += 1;
                said += 1;
                asked.insert(channel.clone(), now());
                self.slack.say(person, &channel, None, line);
            }
            let shown = self.shown.recv_timeout(PATIENCE).expect("no answer");
            let channel = shown.channel.filter(|_| shown.kind == ShownKind::Posted).unwrap_or_default();
            if let Some(begun) = asked.remove(&channel) {
                taken.push(since(begun).as_secs_f64() * 1e3);
            }
        }
        taken.sort_by(f64::total_cmp);
        taken
    }

    /// As [`Load::say`], and how much processor time the bot spent.
    pub(crate) fn measured(&mut self, times: usize, in_flight: usize, line: &str) -> (Vec<f64>, Duration) {
        let before = self.processor();
        let taken = self.say(times, in_flight, line);
        (taken, self.processor() - before)
    }

    /// Says a line so often, all at once.
    pub(crate) fn burst(&self, times: usize, line: &str) {
        for place in 0..times {
            let (person, channel) = (place % self.people.len(), place % self.channels.len());
            self.slack.say(&self.people[person], &self.channels[channel], None, line);
        }
    }

    /// How many answers come until there are as many as wanted, or time is up.
    pub(crate) fn answers(&self, wanted: usize, patience: Duration) -> usize {
        let (begun, mut answers) = (now(), 0);
        while answers < wanted && since(begun) < patience {
            match self.shown.recv_timeout(Duration::from_secs(20)) {
                Ok(shown) if shown.kind == ShownKind::Posted => answers += 1,
                Ok(_) => {}
                Err(_) => break,
            }
        }
        // One too many would come now.
        while self.shown.recv_timeout(Duration::from_secs(2)).is_ok() {
            answers += 1;
        }
        answers
    }

    /// The bot's memory, in MiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1_024
    }

    /// The processor time that the bot has spent, in ticks of a hundredth of a second.
    fn processor(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks: u64 = after.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Ends the bot in good order.
    pub(crate) fn stop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let ended = self.child.wait().expect("it is gone");
        assert!(ended.success(), "it ended with {ended}");
    }

    /// Ends the bot, and tells how many commands are on record as asked and as answered.
    pub(crate) fn stop_and_count(&mut self) -> String {
        self.stop();
        let raw = andon_tests::Raw::new(None, &self.folder.path().join("data"));
        let counts =
            raw.rows("select kind || ' ' || count(*) from records where kind in ('asked', 'answered') group by kind");
        counts.join(", ")
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // One that has ended needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(people: &[String]) -> String {
    let mut text = String::from(
        "[slack]\nworkspaces = [\"T0PLAY\"]\n[environments.staging]\nproduction = false\n[services.hello]\nowners = [\"makers\"]\n",
    );
    let keys: Vec<String> = (0..people.len()).map(|place| format!("p{place}")).collect();
    for (key, user) in keys.iter().zip(people) {
        text += &format!("[people.{key}]\nidentities = [\"slack:T0PLAY/{user}\"]\n");
    }
    text + &format!("[teams.makers]\nmembers = {keys:?}\n")
}

/// The value below which so many of a hundred lie, of sorted ones.
pub(crate) fn percentile(sorted: &[f64], hundredths: usize) -> f64 {
    match sorted.len() {
        0 => f64::NAN,
        count => sorted[(count * hundredths / 100).min(count - 1)],
    }
}

//! What happens to a machine while the bot runs on it: processes that die, files that tell an old story. It reads what the keeper writes
//! down, as an operator with a shell would.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::Playground;
use crate::deadline::Deadline;

/// How long the keeper may take to write something down.
const PATIENCE: Duration = Duration::from_secs(30);

impl Playground {
    /// Stops the keeper as a debugger would, while an order is under way on a target: it is there, and answers nothing, until what this
    /// gives is dropped.
    ///
    /// # Panics
    /// There is no keeper, or nothing is under way.
    pub fn freeze_keeper(&self, target: &str) -> Frozen {
        let keeper = process(self.keeper(target));
        kill_process(keeper, Signal::STOP).expect("it can be stopped");
        Frozen(keeper)
    }

    fn keeper(&self, target: &str) -> i32 {
        let instance = self.order_under_way(target).1["process"]["pid"].as_i64().expect("an instance");
        let status = std::fs::read_to_string(format!("/proc/{instance}/status")).expect("the instance runs");
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).expect("it has a parent");
        parent.trim().parse().expect("a pid")
    }

    /// Ends what serves on a target by `kill -9`.
    ///
    /// # Panics
    /// Nothing serves there.
    pub fn kill_service(&self, target: &str) {
        let path = self.data().join("keeper").join(target).join("current.json");
        let current: Value =
            serde_json::from_slice(&std::fs::read(path).expect("it serves")).expect("as the keeper wrote it");
        kill(i32::try_from(current["process"]["pid"].as_i64().expect("an instance")).expect("a pid"));
    }

    /// Ends the keeper by `kill -9` while an order is under way on a target, and makes it look as if the instance that the order has started
    /// had ended meanwhile, and this very process had got its pid. The services go on. The keeper stands still until all is done: the bot
    /// starts another one as soon as it is gone.
    fn kill_keeper_and_reuse_pid(&self, target: &str) {
        let keeper = self.keeper(target);
        kill_process(process(keeper), Signal::STOP).expect("it can be stopped");
        let (path, mut state) = self.order_under_way(target);
        kill(i32::try_from(state["process"]["pid"].as_i64().expect("an instance")).expect("a pid"));
        state["process"]["pid"] = std::process::id().into();
        std::fs::write(path, state.to_string()).expect("the keeper's file can be written");
        kill(keeper);
    }

    /// Stops the keeper's clock: what is not ready stays so without running out of time, until [`Playground::start_keepers_clock`].
    ///
    /// # Panics
    /// The data folder cannot be written.
    pub fn stop_keepers_clock(&self) {
        std::fs::write(self.clock().with_extension("stands"), "").expect("the clock can be stopped");
    }

    /// Lets the keeper's clock go on, at what is the time by now.
    ///
    /// # Panics
    /// It does not stand.
    pub fn start_keepers_clock(&self) {
        std::fs::remove_file(self.clock().with_extension("stands")).expect("the clock stands");
    }

    /// Leaves an operation on a service of staging whose end nobody can tell, by a line that takes it to v3: the keeper dies in its middle,
    /// and under the pid of what it had started is another process, this very test. The bot neither guesses nor signals it.
    ///
    /// # Panics
    /// The bot tells how it ended.
    pub fn leave_unknown(&self, room: &mut crate::Session<'_>, line: &str) {
        let service = line.split(' ').nth(1).expect("a service");
        self.stop_keepers_clock();
        room.begin("ana", line).expect("waiting until it is ready").end_by_kill();
        self.kill_keeper_and_reuse_pid(&format!("{service}/staging"));
        self.start_keepers_clock();
        room.revive().expect("Unknown how it ended: ").expect("is another process now").expect("└ ");
    }

    /// How many orders the keeper has taken on a target.
    ///
    /// # Panics
    /// The keeper's folder cannot be read.
    pub fn orders(&self, target: &str) -> usize {
        let orders = std::fs::read_dir(self.data().join("keeper").join(target).join("operations"));
        orders.map_or(0, Iterator::count)
    }

    /// Whether an order on a target has started an instance and not ended.
    pub fn is_under_way(&self, target: &str) -> bool {
        self.find_order_under_way(target).is_some()
    }

    fn order_under_way(&self, target: &str) -> (PathBuf, Value) {
        let deadline = Deadline::within(PATIENCE);
        while !deadline.has_passed() {
            if let Some(found) = self.find_order_under_way(target) {
                return found;
            }
            std::thread::yield_now();
        }
        panic!("nothing is under way on {target}")
    }

    fn find_order_under_way(&self, target: &str) -> Option<(PathBuf, Value)> {
        let folder = self.data().join("keeper").join(target).join("operations");
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let states = entries.map(|entry| entry.path().join("state.json")).map(|path| {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            (path, serde_json::from_str::<Value>(&text).unwrap_or_default())
        });
        let mut running =
            states.filter(|(_, state)| state["effect"]["effect"] == "running" && state["process"]["pid"].is_i64());
        running.next()
    }
}

/// A process that stands still for as long as this lives.
#[must_use = "it goes on at once"]
pub struct Frozen(Pid);

impl Drop for Frozen {
    fn drop(&mut self) {
        // A test that fails leaves nothing standing; what is gone need not go on.
        let _ = kill_process(self.0, Signal::CONT);
    }
}

fn process(pid: i32) -> Pid {
    Pid::from_raw(pid).expect("a pid")
}

fn kill(pid: i32) {
    let pid = process(pid);
    kill_process(pid, Signal::KILL).expect("it can be killed");
    // Gone is gone only once nothing answers to the pid, or only its grave does.
    let grave = format!("/proc/{}/stat", pid.as_raw_nonzero());
    let deadline = Deadline::within(PATIENCE);
    while std::fs::read_to_string(&grave).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(!deadline.has_passed(), "{grave} is still there");
        std::thread::yield_now();
    }
}

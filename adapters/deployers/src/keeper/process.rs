//! Processes by their identity: a pid alone means nothing, since pids are used again.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, setrlimit};
use serde::{Deserialize, Serialize};

/// A process, so that it is recognised later: a pid is somebody else's after a reboot or where it was used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) pid: i32,
    /// Clock ticks from boot to its start: field 22 of `/proc/<pid>/stat` (proc(5)).
    pub(super) start: u64,
    pub(super) boot: String,
}

/// What is found under the pid of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This very process, and it runs.
    Running,
    /// Nothing, or what the system still knows of this very process after its end.
    Ended,
    /// Somebody else, or it was before the last boot.
    Another,
}

impl Identity {
    /// The identity of a child that nobody has waited for yet, even if it has ended already.
    pub(super) fn of(child: i32) -> io::Result<Self> {
        Ok(Self { pid: child, start: Stat::of(child)?.start, boot: boot_id()? })
    }

    /// What is there now.
    pub(super) fn look(&self) -> Found {
        if !boot_id().is_ok_and(|boot| boot == self.boot) {
            return Found::Another;
        }
        match Stat::of(self.pid) {
            Ok(stat) if stat.start != self.start => Found::Another,
            Ok(stat) if stat.zombie => Found::Ended,
            Ok(_) => Found::Running,
            Err(_) => Found::Ended,
        }
    }

    /// Whether this very process still runs. A zombie does not.
    pub(super) fn runs(&self) -> bool {
        self.look() == Found::Running
    }

    /// Whether anything of its process group still runs: it may have ended before what it started. A pid is not given away while a group
    /// has its number, so where nobody else has the pid, the group is this one's.
    pub(super) fn group_runs(&self) -> bool {
        match self.look() {
            Found::Running => true,
            Found::Ended => members(self.pid).is_ok_and(|count| count > 0),
            Found::Another => false,
        }
    }

    /// Signals its process group, or what is left of it, only where it is not somebody else's.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(group) = Pid::from_raw(self.pid).filter(|_| self.group_runs()) {
            // It may end between the look and the signal; then there is nothing to signal.
            let _ = kill_process_group(group, signal);
        }
    }
}

/// What `/proc/<pid>/stat` says (proc(5)).
struct Stat {
    zombie: bool,
    group: i32,
    start: u64,
}

impl Stat {
    fn of(pid: i32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The second field is the name in parentheses, which may hold anything; what follows the last one is plain.
        let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let read = || Some((*fields.first()?, fields.get(2)?.parse().ok()?, fields.get(19)?.parse().ok()?));
        let (state, group, start) = read().ok_or_else(|| io::Error::other("unreadable"))?;
        Ok(Self { zombie: matches!(state, "Z" | "X"), group, start })
    }
}

/// How many processes of a group run.
fn members(group: i32) -> io::Result<usize> {
    let pids = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(pids.filter_map(|pid| Stat::of(pid).ok()).filter(|stat| stat.group == group && !stat.zombie).count())
}

fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// Closes what this process was born with beyond its standard streams, so that no service inherits it. What the process opened itself is
/// closed in its children anyway, and stays.
pub(super) fn close_inherited() -> io::Result<()> {
    /// `O_CLOEXEC`, as `/proc/<pid>/fdinfo` shows it (proc(5)): octal, on all architectures but alpha, parisc and sparc.
    const CLOSED_IN_CHILDREN: u32 = 0o2_000_000;
    let mut inherited = Vec::new();
    for entry in fs::read_dir("/proc/self/fdinfo")? {
        let entry = entry?;
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // The descriptor of this very listing is gone when the listing has ended.
        let Ok(info) = fs::read_to_string(entry.path()) else { continue };
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).unwrap_or(CLOSED_IN_CHILDREN);
        if number > 2 && flags & CLOSED_IN_CHILDREN == 0 {
            inherited.push(number);
        }
    }
    for number in inherited {
        nix::unistd::close(number)?;
    }
    Ok(())
}

/// Lets this process have as many descriptors as it may: every connection of every service takes two. Services inherit the number.
pub(super) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // The usual number will do for a while where this fails.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// The user and group ids of a user, from `/etc/passwd` (passwd(5)).
pub(crate) fn user_ids(name: &str) -> io::Result<(u32, u32)> {
    let passwd = fs::read_to_string(Path::new("/etc/passwd"))?;
    let ids =
        passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields.first() == Some(&name));
    let ids = ids.and_then(|fields| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)));
    ids.ok_or_else(|| io::Error::other(format!("there is no user {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_that_was_used_again_is_somebody_else() {
        let me = Identity::of(std::process::id().cast_signed()).unwrap();
        assert!(me.runs());
        for other in [Identity { start: me.start + 1, ..me.clone() }, Identity { boot: "another".to_owned(), ..me }] {
            assert!(!other.runs() && !other.group_runs());
        }
    }
}

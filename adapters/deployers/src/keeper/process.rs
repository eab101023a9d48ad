//! Processes by their identity: a pid alone means nothing, since pids are used again.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};
use serde::{Deserialize, Serialize};

/// A process, so that it is recognised later: a pid is somebody else's after a reboot or where it was used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) pid: i32,
    /// Clock ticks from boot to its start: field 22 of `/proc/<pid>/stat` (proc(5)).
    pub(super) start: u64,
    pub(super) boot: String,
}

impl Identity {
    /// The identity of a process that runs now.
    pub(super) fn of(pid: i32) -> io::Result<Self> {
        Ok(Self { pid, start: start_of(pid)?, boot: boot_id()? })
    }

    /// Whether this very process still runs. A zombie does not.
    pub(super) fn runs(&self) -> bool {
        let alive = Pid::from_raw(self.pid).is_some_and(|pid| test_kill_process(pid).is_ok());
        alive
            && boot_id().is_ok_and(|boot| boot == self.boot)
            && start_of(self.pid).is_ok_and(|start| start == self.start)
    }

    /// Signals its process group, only if it still is this very process.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.runs()) {
            // It may end between the look and the signal; then there is nothing to signal.
            let _ = kill_process_group(pid, signal);
        }
    }
}

fn start_of(pid: i32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the name in parentheses, which may hold anything; what follows the last one is plain.
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let mut fields = rest.split_whitespace();
    if fields.next() == Some("Z") {
        return Err(io::Error::other("it has ended"));
    }
    fields.nth(18).and_then(|field| field.parse().ok()).ok_or_else(|| io::Error::other("unreadable"))
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
        assert!(!Identity { start: me.start + 1, ..me.clone() }.runs());
        assert!(!Identity { boot: "another".to_owned(), ..me }.runs());
    }
}

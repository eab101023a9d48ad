//! An instance of a release: started with nothing but what is listed, watched until it ends.

use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::{Artifact, Clock, Digest, Outside, Target};
use futures_util::future::join_all;
use jiff::SignedDuration;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::log::{Log, Tail};
use super::pipe::{self, STREAMS};
use super::process::{Identity, user_ids};
use crate::local::{Config, MANIFEST, Manifest};

/// Where children find programs; nothing of the keeper's own environment reaches them.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The ports that instances get: below those that the system gives to whoever asks for any (from 32768 on, ip(7)), so that no connection
/// of somebody else takes one between its choice here and its use there.
const PORTS: std::ops::Range<u16> = 10_000..20_000;
/// How many ports are tried.
const TRIES: u16 = 200;

/// How long the last words of something that has ended may take to come out of its pipes.
const LAST_WORDS: SignedDuration = SignedDuration::from_secs(1);

/// What is started.
pub(super) struct Start<'a> {
    pub(super) target: &'a Target,
    pub(super) config: &'a Config,
    pub(super) release: &'a Path,
    pub(super) artifact: &'a Artifact,
    /// Where its pipes will lie.
    pub(super) pipes: PathBuf,
}

/// A running instance of ours.
pub(super) struct Instance {
    pub(super) child: Child,
    pub(super) identity: Identity,
    pub(super) port: u16,
    pub(super) pipes: PathBuf,
    tail: Tail,
    /// Those who write down what it says.
    followers: Vec<JoinHandle<()>>,
}

impl Instance {
    /// The last lines that it said, once it has ended.
    pub(super) async fn said(&mut self, clock: &dyn Clock) -> Option<Outside> {
        tokio::select! {
            _ = join_all(self.followers.drain(..)) => {}
            // Something that got away from its group may hold the pipes still.
            () = clock.sleep(LAST_WORDS) => {}
        }
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        // The end says why; the beginning gives way where not all of it can be shown.
        let (mut lines, mut room) = (VecDeque::new(), Outside::LIMIT);
        for line in tail.iter().rev() {
            let length = line.chars().count() + 1;
            if length > room {
                break;
            }
            room -= length;
            lines.push_front(line.as_str());
        }
        (!lines.is_empty()).then(|| Outside::new(&Vec::from(lines).join("\n")))
    }
}

/// Starts an instance on a free loopback port.
pub(super) fn start(what: Start<'_>, log: &Arc<Log>) -> io::Result<Instance> {
    let Start { target, config, release, artifact, pipes } = what;
    let manifest = Manifest::read(&std::fs::read_to_string(release.join(MANIFEST))?).map_err(io::Error::other)?;
    let Manifest { program, arguments } = manifest;
    let program = program.strip_prefix("./").map_or_else(|| program.clone().into(), |inside| release.join(inside));
    let port = free_port(&pipes)?;
    let mut command = Command::new(&program);
    command
        .args(arguments)
        .current_dir(release)
        .env_clear()
        .envs(&config.environment)
        .env("PATH", PATH)
        .env("PORT", port.to_string())
        .env("SERVICE", target.service.as_str())
        .env("ENVIRONMENT", target.environment.as_str())
        .env("VERSION", artifact.version.as_str())
        .stdin(Stdio::null())
        .process_group(0);
    if let Some(name) = &config.run_as {
        let (uid, gid) = user_ids(name)?;
        may_run_as(name, uid, gid, release)?;
        command.uid(uid).gid(gid);
    }
    let tail: Tail = Arc::new(Mutex::new(VecDeque::new()));
    let mut ends = Vec::new();
    for stream in STREAMS {
        let (receiver, end) = pipe::make(&pipe::path(&pipes, stream))?;
        let end = Stdio::from(end);
        _ = if stream == "stdout" { command.stdout(end) } else { command.stderr(end) };
        ends.push((receiver, stream));
    }
    let spawned = command.spawn();
    // The services' ends go with the command, so that the pipes end when the service has.
    drop(command);
    let child = spawned
        .inspect_err(|_| forget(&pipes))
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
    let follow = |(receiver, stream)| follow(log, receiver, stream, artifact, &tail, &pipes);
    let followers = ends.into_iter().map(follow).collect();
    let pid = child.id().ok_or_else(|| io::Error::other("it ended at once"))?;
    let identity = Identity::of(pid.cast_signed())?;
    Ok(Instance { child, identity, port, pipes, tail, followers })
}

/// A port on loopback that nobody listens on, by the place of the instance's pipes, which no other instance has. Whoever takes it in
/// between makes the start fail, which is noticed.
fn free_port(pipes: &Path) -> io::Result<u16> {
    let digest = Digest::of(pipes.as_os_str().as_encoded_bytes());
    let first = u16::from_be_bytes([digest.as_bytes()[0], digest.as_bytes()[1]]);
    let mut ports = (0..TRIES).map(|step| PORTS.start + first.wrapping_add(step) % (PORTS.end - PORTS.start));
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(free).ok_or_else(|| io::Error::other("no port is free for it"))
}

/// Goes on writing what an instance says that an earlier keeper started.
pub(super) fn listen_again(log: &Arc<Log>, artifact: &Artifact, pipes: &Path) {
    for stream in STREAMS {
        match pipe::open(&pipe::path(pipes, stream)) {
            Ok(receiver) => drop(follow(log, receiver, stream, artifact, &Tail::default(), pipes)),
            Err(error) => log.note(&format!("what it says on {stream} is lost: {error}")),
        }
    }
}

fn follow(
    log: &Arc<Log>,
    receiver: tokio::net::unix::pipe::Receiver,
    stream: &'static str,
    artifact: &Artifact,
    tail: &Tail,
    pipes: &Path,
) -> JoinHandle<()> {
    let (log, version, tail) = (Arc::clone(log), artifact.version.to_string(), Arc::clone(tail));
    let path = pipe::path(pipes, stream);
    tokio::spawn(async move {
        log.follow(receiver, stream, version, tail).await;
        // Nobody holds its other end any more.
        let _ = std::fs::remove_file(path);
    })
}

fn forget(pipes: &Path) {
    for stream in STREAMS {
        let _ = std::fs::remove_file(pipe::path(pipes, stream));
    }
}

/// Says in words what the system would only call a lack of permission.
fn may_run_as(name: &str, uid: u32, gid: u32, release: &Path) -> io::Result<()> {
    let own = rustix::process::geteuid();
    if uid == own.as_raw() {
        return Ok(());
    }
    if !own.is_root() {
        return Err(io::Error::other(format!("run_as = {name:?} needs a keeper that runs as root")));
    }
    for folder in release.ancestors() {
        let found = std::fs::metadata(folder)?;
        let bit = match (found.uid() == uid, found.gid() == gid) {
            (true, _) => 0o100,
            (_, true) => 0o010,
            _ => 0o001,
        };
        if found.mode() & bit == 0 {
            return Err(io::Error::other(format!("the user {name} may not enter {}", folder.display())));
        }
    }
    Ok(())
}

//! An instance of a release: started with nothing but what is listed, watched until it ends.

use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::{Artifact, Outside, Target};
use serde::Deserialize;
use tokio::process::{Child, Command};

use super::log::{Log, Tail};
use super::process::{Identity, user};
use crate::local::{Config, MANIFEST};

/// Where children find programs; nothing of the keeper's own environment reaches them.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How a release is run: `andon.toml` in its root.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Program and arguments; a program with `./` lies in the release.
    argv: Vec<String>,
}

/// A running instance of ours.
pub(super) struct Instance {
    pub(super) child: Child,
    pub(super) identity: Identity,
    pub(super) port: u16,
    pub(super) tail: Tail,
}

impl Instance {
    /// The last lines that it said.
    pub(super) fn said(&self) -> Option<Outside> {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<_> = tail.iter().map(String::as_str).collect();
        (!lines.is_empty()).then(|| Outside::new(&lines.join("\n")))
    }
}

/// Starts an instance on a free loopback port.
pub(super) fn start(
    target: &Target,
    config: &Config,
    release: &Path,
    artifact: &Artifact,
    log: &Arc<Log>,
) -> io::Result<Instance> {
    let text = std::fs::read_to_string(release.join(MANIFEST))?;
    let manifest: Manifest = toml::from_str(&text).map_err(|error| io::Error::other(format!("{MANIFEST}: {error}")))?;
    let (program, arguments) =
        manifest.argv.split_first().ok_or_else(|| io::Error::other(format!("{MANIFEST}: argv is empty")))?;
    let program = program.strip_prefix("./").map_or_else(|| program.into(), |inside| release.join(inside));
    // Taken and let go: whoever takes it in between makes the start fail, which is noticed.
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let mut command = Command::new(program);
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
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(name) = &config.run_as {
        let (uid, gid) = user(name)?;
        command.uid(uid).gid(gid);
    }
    let mut child = command.spawn()?;
    let pid = child.id().ok_or_else(|| io::Error::other("it ended at once"))?;
    let tail: Tail = Arc::new(Mutex::new(VecDeque::new()));
    let version = artifact.version.to_string();
    if let Some(output) = child.stdout.take() {
        tokio::spawn(Arc::clone(log).follow(output, "stdout", version.clone(), Arc::clone(&tail)));
    }
    if let Some(output) = child.stderr.take() {
        tokio::spawn(Arc::clone(log).follow(output, "stderr", version, Arc::clone(&tail)));
    }
    let identity = Identity::of(pid.cast_signed())?;
    Ok(Instance { child, identity, port, tail })
}

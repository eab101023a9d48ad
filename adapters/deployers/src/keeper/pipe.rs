//! The pipes from a service to its keeper. They have names, and the service's own end is open for reading too, so that a service neither
//! breaks nor loses its voice when its keeper dies: what it says waits in the pipe for the next keeper.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio::net::unix::pipe::{self, Receiver};

use super::private;

/// The bytes that wait in a pipe while no keeper reads; beyond them the service waits when it says more.
const CAPACITY: usize = 1 << 20;

/// Both streams of an instance.
pub(super) const STREAMS: [&str; 2] = ["stdout", "stderr"];

/// Where the pipe of a stream lies, by the place that an instance's pipes share.
pub(super) fn path(place: &Path, stream: &str) -> PathBuf {
    place.with_extension(stream)
}

/// A fresh pipe: the keeper's end, and the service's.
pub(super) fn make(path: &Path) -> io::Result<(Receiver, File)> {
    if let Some(folder) = path.parent() {
        private::folder(folder)?;
    }
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    let receiver = open(path)?;
    let service = OpenOptions::new().read(true).write(true).open(path)?;
    // The kernel's bound for all pipes of a user may be reached; the usual size does as well.
    let _ = rustix::pipe::fcntl_setpipe_size(&service, CAPACITY);
    Ok((receiver, service))
}

/// The keeper's end of a pipe that a service has already.
pub(super) fn open(path: &Path) -> io::Result<Receiver> {
    pipe::OpenOptions::new().open_receiver(path)
}

//! A real PostgreSQL server for tests: one for each test process, in a folder of its own, reached over a unix socket, gone with the process.
//!
//! Its binaries come from the folder named by `ANDON_TEST_POSTGRES_BIN`, else from the path, else from where Debian puts them. It refuses to
//! run as root, so root runs it as the user `postgres`. What it does not do: it never skips a test; without a server the test fails.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

struct Server {
    folder: tempfile::TempDir,
    binaries: PathBuf,
    /// Ends the server when its standard input closes, which it does when this process ends, however it ends.
    _watcher: Child,
}

static SERVER: OnceLock<Server> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The address of a fresh, empty database.
///
/// # Panics
/// There are no PostgreSQL binaries, or the server does not start: the message says why.
pub fn database() -> String {
    let server = SERVER.get_or_init(start);
    let name = format!("test{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    let socket = server.folder.path().display();
    let made = Command::new(server.binaries.join("psql"))
        .args(["-h", &socket.to_string(), "-U", "andon", "-d", "postgres", "-qc", &format!("create database {name}")])
        .output()
        .expect("psql cannot be run");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let encoded = socket.to_string().replace('/', "%2F");
    format!("postgres://andon@{encoded}/{name}")
}

fn binaries() -> PathBuf {
    if let Some(folder) = std::env::var_os("ANDON_TEST_POSTGRES_BIN") {
        return folder.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let found = places.into_iter().find(|place| place.join("initdb").exists() && place.join("psql").exists());
    found.expect("PostgreSQL's initdb is nowhere; tests/run installs it")
}

fn start() -> Server {
    let binaries = binaries();
    let folder = tempfile::Builder::new().prefix("andon-pg").tempdir_in("/tmp").expect("no temporary folder");
    let as_root = std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if as_root {
        run(Command::new("chown").arg("postgres").arg(folder.path()));
    }
    let data = folder.path().join("data");
    run(command(as_root, &binaries.join("initdb"))
        .args(["-U", "andon", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"])
        .arg(&data));
    let script = "\"$0\" -D \"$1\" -k \"$2\" -c listen_addresses= -c max_connections=200 >\"$2/log\" 2>&1 & server=$!; \
                  read -r _; kill -INT $server; wait $server";
    let mut watcher = command(as_root, Path::new("sh"));
    watcher.args(["-c", script]).arg(binaries.join("postgres")).arg(&data).arg(folder.path());
    let mut watcher =
        watcher.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("no shell");
    wait_until_ready(&binaries, folder.path());
    if let Some(input) = &mut watcher.stdin {
        input.flush().expect("the watcher is gone");
    }
    Server { folder, binaries, _watcher: watcher }
}

fn command(as_root: bool, program: &Path) -> Command {
    if !as_root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/tmp");
    command
}

fn run(command: &mut Command) {
    let output = command.output().expect("a command cannot be run");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn wait_until_ready(binaries: &Path, socket: &Path) {
    for _ in 0..300 {
        let ready = Command::new(binaries.join("pg_isready")).arg("-h").arg(socket).stdout(Stdio::null()).status();
        if ready.is_ok_and(|status| status.success()) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let log = std::fs::read_to_string(socket.join("log")).unwrap_or_default();
    panic!("PostgreSQL did not start within 30 s:\n{log}");
}

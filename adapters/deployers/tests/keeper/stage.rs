//! A data folder with a keeper of its own, artifacts to deploy, and the requests that a visitor makes.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use andon_core::ports::{Deployer as _, DeployerError, Effect, Live, Lookup, Order};
use andon_core::{Clock as _, OperationId, Target};
use andon_deployers::keeper::{KeeperClient, Request, SpawnKeeper, TargetSpec};
use andon_deployers::local::{Config, LocalDeployer};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use serde_json::Value;

use crate::clock::MachineClock;

/// A place for one test.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    keeper: Option<Child>,
    pub(crate) config: Config,
    pub(crate) redaction: Vec<String>,
    orders: AtomicI64,
}

/// The program that plays keeper and service.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/stage");
    assert!(program.exists(), "cargo builds {} with `cargo test -p andon-deployers`", program.display());
    program
}

pub(crate) fn target() -> Target {
    "hello/staging".parse().unwrap()
}

/// Waits until something is so; the test fails where it is not within 20 s.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = MachineClock.now() + SignedDuration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(MachineClock.now() < deadline, "never came: {what}");
        MachineClock.sleep(SignedDuration::from_millis(20)).await;
    }
}

impl Stage {
    pub(crate) async fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path().join("artifacts");
        let config = toml::from_str(&format!("artifacts = {artifacts:?}\n{settings}")).unwrap();
        let mut stage = Self { folder, keeper: None, config, redaction: Vec::new(), orders: AtomicI64::new(1) };
        stage.open().await;
        stage
    }

    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the keeper, with a descriptor that it was not meant to have.
    pub(crate) async fn open(&mut self) {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exec 7</dev/null; exec \"$0\" keeper \"$1\""]).arg(program()).arg(self.data());
        command.env("NOT_FOR_SERVICES", "1").stdin(Stdio::null());
        self.keeper = Some(command.spawn().unwrap());
        until("a keeper", async || self.client().ask(&Request::Hello).await.ok()).await;
    }

    /// Kills the keeper, and nothing else.
    pub(crate) fn kill(&mut self) {
        let mut keeper = self.keeper.take().unwrap();
        keeper.kill().unwrap();
        keeper.wait().unwrap();
    }

    /// Waits until the keeper has ended by itself.
    pub(crate) async fn ended(&mut self) {
        let mut keeper = self.keeper.take().unwrap();
        until("the keeper's end", async || keeper.try_wait().unwrap()).await;
    }

    pub(crate) fn spec(&self) -> TargetSpec {
        TargetSpec { target: target(), config: self.config.clone(), redaction: self.redaction.clone() }
    }

    /// How a keeper is started, as the bot does it.
    pub(crate) fn spawn(&self) -> SpawnKeeper {
        let arguments = vec!["keeper".to_owned(), self.data().display().to_string()];
        SpawnKeeper { program: program(), arguments }
    }

    pub(crate) fn client(&self) -> KeeperClient {
        KeeperClient::new(self.data(), Arc::new(MachineClock))
    }

    pub(crate) fn deployer(&self) -> LocalDeployer {
        let targets = BTreeMap::from([(target(), self.config.clone())]);
        LocalDeployer::new(targets, self.data().join("releases"), self.client()).with_redaction(self.redaction.clone())
    }

    /// Makes a version that runs the service with these arguments.
    pub(crate) fn make(&self, version: &str, arguments: &[&str]) {
        let folder = self.data().join("artifacts").join(version);
        std::fs::create_dir_all(&folder).unwrap();
        let program = program();
        let argv = [&[program.to_str().unwrap(), "service"], arguments].concat();
        std::fs::write(folder.join("andon.toml"), format!("# {version}\nargv = {argv:?}\n")).unwrap();
    }

    pub(crate) fn operation(&self) -> OperationId {
        format!("{:026}", self.orders.fetch_add(1, Ordering::SeqCst)).parse().unwrap()
    }

    pub(crate) async fn live(&self) -> Live {
        self.deployer().live(&target()).await.unwrap()
    }

    pub(crate) async fn order(&self, version: &str) -> Order {
        let artifact = self.deployer().resolve(&target(), &version.parse().unwrap()).await.unwrap();
        let (operation, generation) = (self.operation(), self.live().await.generation);
        Order { operation, key: format!("test/{operation}"), fence: 1, target: target(), generation, artifact }
    }

    pub(crate) async fn start(&self, order: &Order) -> Result<(), DeployerError> {
        self.deployer().start(order).await
    }

    pub(crate) async fn lookup(&self, operation: OperationId) -> Lookup {
        self.deployer().lookup(&target(), operation).await.unwrap()
    }

    /// What becomes of an operation.
    pub(crate) async fn end(&self, operation: OperationId) -> Effect {
        until("the end of an order", async || match self.lookup(operation).await {
            Lookup::Found(Effect::Running { .. }) => None,
            Lookup::Found(end) => Some(end),
            other => panic!("{other:?}"),
        })
        .await
    }

    /// Waits until an operation is in a phase.
    pub(crate) async fn phase(&self, operation: OperationId, wanted: &str) {
        until(wanted, async || match self.lookup(operation).await {
            Lookup::Found(Effect::Running { phase }) => phase.contains(wanted).then_some(()),
            other => panic!("{other:?}"),
        })
        .await;
    }

    /// Deploys a version and waits for it.
    pub(crate) async fn deploy(&self, version: &str) -> Effect {
        let order = self.order(version).await;
        self.start(&order).await.unwrap();
        self.end(order.operation).await
    }

    /// Deploys a well-behaved version, which must succeed.
    pub(crate) async fn serve(&self, version: &str) {
        self.make(version, &[]);
        let end = self.deploy(version).await;
        assert!(matches!(&end, Effect::Succeeded { observed } if observed.healthy), "{end:?}");
    }

    pub(crate) async fn visitor(&self) -> Visitor {
        Visitor::new(self.live().await.address.unwrap().rsplit_once(':').unwrap().1.parse().unwrap()).await.unwrap()
    }

    /// Version, pid and port of what answers.
    pub(crate) async fn who(&self) -> (String, i32, u16) {
        let (status, text) = self.visitor().await.send("/who", "").await.unwrap();
        assert_eq!(status, 200, "{text}");
        let mut words = text.split(' ');
        let mut next = || words.next().unwrap();
        (next().to_owned(), next().parse().unwrap(), next().parse().unwrap())
    }

    /// Tells the service behind a port something, past the proxy.
    pub(crate) async fn tell(port: u16, path: &str) {
        let (status, _) = Visitor::new(port).await.unwrap().send(path, "").await.unwrap();
        assert_eq!(status, 200);
    }

    /// Makes a version that is run by a shell with this script.
    pub(crate) fn make_script(&self, version: &str, script: &str) {
        let folder = self.data().join("artifacts").join(version);
        std::fs::create_dir_all(&folder).unwrap();
        let service = program();
        let argv = ["/bin/sh", "-c", script, service.to_str().unwrap()];
        std::fs::write(folder.join("andon.toml"), format!("# {version}\nargv = {argv:?}\n")).unwrap();
    }

    pub(crate) fn state(&self, path: &str) -> PathBuf {
        self.data().join("keeper/hello/staging").join(path)
    }

    /// Changes what the keeper wrote down.
    pub(crate) fn rewrite(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let path = self.state(path);
        let mut value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(path, value.to_string()).unwrap();
    }

    /// The service's log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data().join("logs/hello/staging.jsonl")).unwrap_or_default()
    }

    pub(crate) async fn logged(&self, text: &str) {
        until(text, async || self.log().contains(text).then_some(())).await;
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Ok(mut stream) = std::os::unix::net::UnixStream::connect(self.data().join("keeper.sock")) {
            let _ = stream.write_all(b"{\"version\":2,\"request\":{\"ask\":\"down\"}}\n");
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let Some(mut keeper) = self.keeper.take() else { return };
        let _ = keeper.kill();
        let _ = keeper.wait();
    }
}

/// One connection that is kept alive.
pub(crate) struct Visitor(SendRequest<Full<Bytes>>);

impl Visitor {
    pub(crate) async fn new(port: u16) -> std::io::Result<Self> {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends a request, with a body by POST, and reads the whole answer. Nothing is ever sent again.
    pub(crate) async fn send(&mut self, path: &str, body: &str) -> Result<(u16, String), hyper::Error> {
        self.send_with(path, body, &[]).await
    }

    pub(crate) async fn send_with(
        &mut self,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Result<(u16, String), hyper::Error> {
        self.0.ready().await?;
        let method = if body.is_empty() { "GET" } else { "POST" };
        let body = Full::new(Bytes::from(body.to_owned()));
        let mut request = hyper::Request::builder().method(method).uri(path).header("host", "service");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.0.send_request(request.body(body).unwrap()).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// Whether a process runs, and is no zombie.
pub(crate) fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

//! Which part gets which: a list, no logic.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use andon_commands::COMMANDS;
use andon_core::ports::{Deployer, Voice};
use andon_core::{Clock, Digest, Directory, Entropy, Private, Record, RecordKind, Redactor, Target};
use andon_deployers::keeper::{KeeperClient, SpawnKeeper};
use andon_deployers::{NAMES, local};
use andon_engine::policy::{self, Policies};
use andon_engine::{Configuration, Engine, Grammar, House, Parts, Probe};
use andon_store::{DatabaseUrl, Purpose, Store};
use andon_trail::SigningKey;
use anyhow::{Context as _, Result, bail};

use crate::config::{Deployers, Loaded};
use crate::data::Data;
use crate::{changes, place};

/// What the engine is built from.
pub(crate) struct Plan {
    /// The data folder.
    pub(crate) data: Data,
    /// The database.
    pub(crate) database: DatabaseUrl,
    /// Whose data it is.
    pub(crate) purpose: Purpose,
    /// The trail's name.
    pub(crate) origin: String,
    /// The configuration.
    pub(crate) loaded: Loaded,
    /// The chats.
    pub(crate) voices: Vec<Arc<dyn Voice>>,
    /// Whose account is whose, for the chats.
    pub(crate) directory: Directory,
    /// How a keeper is started.
    pub(crate) keeper: SpawnKeeper,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Randomness.
    pub(crate) entropy: Arc<dyn Entropy>,
    /// For tests.
    pub(crate) probe: Probe,
}

/// How the configuration's targets are checked by their deployers.
pub(crate) fn deployers() -> Deployers<'static> {
    Deployers {
        names: NAMES,
        check: &|_, table| {
            // In full, it also names the key.
            let config: local::Config = table.try_into().map_err(|error: toml::de::Error| error.to_string())?;
            config.check()
        },
    }
}

/// The policies of a configuration: the files beside it, and the default one unless a file of its name is there.
///
/// # Errors
/// All problems, in words.
pub(crate) fn policies(files: &[(String, String)]) -> Result<Policies, Vec<String>> {
    let mut files = files.to_vec();
    if files.iter().all(|(name, _)| name != policy::DEFAULT.0) {
        files.insert(0, (policy::DEFAULT.0.to_owned(), policy::DEFAULT.1.to_owned()));
    }
    let grammar = Grammar::new(COMMANDS);
    Policies::load(&files, grammar.specs()).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// Builds the engine, and records that it opens.
///
/// # Errors
/// Whatever keeps it from starting, in words for an operator.
pub(crate) async fn build(plan: Plan) -> Result<Wired> {
    let policies = policies(&plan.loaded.bot.policies)
        .map_err(|problems| anyhow::anyhow!("the policies are wrong:\n{}", problems.join("\n")))?;
    let store = Store::open(&plan.database, plan.purpose, Arc::clone(&plan.clock)).await?;
    let fresh = store.read().await?.connection().tree_size().await? == 0;
    let key = signing_key(&plan, fresh)?;
    crate::audit::hold_against_anchor(&store, &plan.data, key.verifier_key()).await?;
    let texts = vec![plan.loaded.catalog.text.clone(), policies.texts().to_owned()];
    let redactor = Arc::new(Redactor::new(&plan.loaded.bot.redaction).context("a redaction pattern is wrong")?);
    let outside = Outside {
        data: plan.data.clone(),
        keeper: plan.keeper,
        clock: Arc::clone(&plan.clock),
        store: store.clone(),
        asked: Mutex::default(),
    };
    let deployers = outside.connect(&plan.loaded).await?;
    let (loaded, policy_version) = (plan.loaded.catalog.version, policies.version());
    let build = (plan.purpose == Purpose::Serve).then(build_digest).transpose()?;
    let parts = Parts {
        origin: plan.origin.clone(),
        store,
        clock: Arc::clone(&plan.clock),
        entropy: Arc::clone(&plan.entropy),
        redactor,
        commands: COMMANDS,
        configuration: Configuration { catalog: plan.loaded.catalog, policies, deployers },
        voices: plan.voices,
        directory: plan.directory,
        key,
        anchor: plan.data.anchor(),
        owner: owner(&*plan.entropy),
        probe: plan.probe,
    };
    let engine = Engine::new(Arc::new(House::new(parts).await?));
    let mut opened = engine.record(RecordKind::Opened);
    opened.details = serde_json::json!({ "pid": std::process::id(), "commit": COMMIT, "build": build });
    let configured = configured(&engine, loaded, policy_version, "start");
    let kept = engine.open(vec![opened, configured], texts).await;
    kept.map_err(|failure| anyhow::anyhow!("the start could not be recorded: {failure:?}"))?;
    Ok(Wired { engine, outside })
}

/// The key that signs. Where one is pinned, none is ever made, and an empty trail is somebody else's database.
fn signing_key(plan: &Plan, fresh: bool) -> Result<SigningKey> {
    let pinned = plan.loaded.bot.public_key.as_ref();
    if fresh && pinned.is_some() {
        bail!(
            "the trail is empty although `[trail] public_key` pins its key: is this the right database? For a new trail, take the pin out \
             until its key is made"
        );
    }
    let key = plan.data.signing_key(&plan.origin, fresh, &*plan.entropy)?;
    if pinned.is_some_and(|pinned| *pinned != key.verifier_key().to_string()) {
        bail!("the signing key is not the one that `[trail] public_key` pins");
    }
    Ok(key)
}

/// The commit that the program was built from, where whoever built it said so.
const COMMIT: Option<&str> = option_env!("ANDON_COMMIT");

/// The digest of this very program.
fn build_digest() -> Result<Digest> {
    let program = std::fs::read("/proc/self/exe").context("cannot read my own program")?;
    Ok(Digest::of(program))
}

/// The record of a load: what is in force from now on, and what made it so.
fn configured(engine: &Engine, catalog: Digest, policies: Digest, by: &str) -> Record {
    let mut record = engine.record(RecordKind::ConfigurationLoaded);
    let uid = rustix::process::getuid().as_raw();
    record.details = serde_json::json!({ "configuration": catalog, "policies": policies, "by": by, "uid": uid });
    record
}

/// The engine, and what it takes to wire a changed configuration to it.
pub(crate) struct Wired {
    /// The engine.
    pub(crate) engine: Engine,
    outside: Outside,
}

impl Wired {
    /// What is wrong outside, though the bot itself is well.
    pub(crate) async fn outside_trouble(&self) -> Vec<String> {
        let keeper = self.outside.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(keeper) = keeper else { return Vec::new() };
        match keeper.hello().await {
            Ok(()) => Vec::new(),
            Err(error) => vec![format!("{error}; a keeper that has ended is started when it is needed next")],
        }
    }

    /// Puts another configuration in force. Voices, listener, origin and redaction stay as they are until the next start.
    ///
    /// # Errors
    /// Whatever is wrong with it; the old one stays.
    pub(crate) async fn reload(&self, loaded: Loaded, by: &str) -> Result<()> {
        let policies = policies(&loaded.bot.policies)
            .map_err(|problems| anyhow::anyhow!("the policies are wrong:\n{}", problems.join("\n")))?;
        let deployers = self.outside.connect(&loaded).await?;
        let mut record = configured(&self.engine, loaded.catalog.version, policies.version(), by);
        let before = self.engine.house().configuration();
        let changed = changes::lines(&before.catalog.text, &loaded.catalog.text).join("\n");
        record.details["changed"] = serde_json::to_value(Private::new(changed))?;
        record.details["policies_changed"] = (before.policies.version() != policies.version()).into();
        let texts = vec![loaded.catalog.text.clone(), policies.texts().to_owned()];
        let configuration = Configuration { catalog: loaded.catalog, policies, deployers };
        let reloaded = self.engine.reload(configuration, record, texts).await;
        reloaded.map_err(|failure| anyhow::anyhow!("it could not be recorded: {failure:?}"))
    }
}

/// What deployers are connected to.
struct Outside {
    data: Data,
    keeper: SpawnKeeper,
    clock: Arc<dyn Clock>,
    store: Store,
    /// The keeper that is asked, where there are local targets.
    asked: Mutex<Option<KeeperClient>>,
}

impl Outside {
    /// One deployer a backend, for all targets that name it.
    async fn connect(&self, loaded: &Loaded) -> Result<BTreeMap<String, Arc<dyn Deployer>>> {
        let mut deployers: BTreeMap<String, Arc<dyn Deployer>> = BTreeMap::new();
        let local_targets = local_targets(loaded)?;
        if !local_targets.is_empty() {
            let data = self.data.path();
            place::claim(&self.store, data, &local_targets).await?;
            let keeper = KeeperClient::connect_or_spawn(data, &self.keeper, Arc::clone(&self.clock)).await?;
            *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper.clone());
            let deployer = local::LocalDeployer::new(local_targets, data.join("releases"), keeper)
                .with_redaction(loaded.bot.redaction.clone());
            deployers.insert("local".to_owned(), Arc::new(deployer));
        }
        Ok(deployers)
    }
}

/// The targets of the local deployer. A relative folder of artifacts is beside the file that names it, wherever the bot is started.
///
/// # Errors
/// The file's folder is gone.
pub(crate) fn local_targets(loaded: &Loaded) -> Result<BTreeMap<Target, local::Config>> {
    let mut targets = BTreeMap::new();
    for (target, config) in &loaded.targets {
        let mut local: local::Config = config.settings.clone().try_into()?;
        if local.artifacts.is_relative() {
            let file = Path::new(&*config.position.file);
            let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
            let folder = folder.canonicalize().with_context(|| format!("cannot find {}", folder.display()))?;
            local.artifacts = folder.join(&local.artifacts);
        }
        targets.insert(target.clone(), local);
    }
    Ok(targets)
}

/// This process among all replicas.
fn owner(entropy: &dyn Entropy) -> String {
    let mut random = [0; 8];
    entropy.fill(&mut random);
    format!("{}-{}", std::process::id(), hex::encode(random))
}

/// How this very program is started as a keeper.
///
/// # Errors
/// The program's own path cannot be found.
pub(crate) fn keeper(data: &Data) -> Result<SpawnKeeper> {
    let program: PathBuf = std::env::current_exe().context("cannot find my own program")?;
    Ok(SpawnKeeper {
        program,
        arguments: vec!["keeper".to_owned(), "--data".to_owned(), data.path().display().to_string()],
    })
}

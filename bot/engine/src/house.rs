//! What the engine works with: the parts handed in by whoever starts it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use andon_core::ports::{Deployer, Voice};
use andon_core::{Catalog, Clock, Directory, Entropy, Identity, PersonId, Redactor, Refusal, Target};
use andon_store::{AccountRow, Store, StoreError};
use andon_trail::{SigningKey, VerifierKey};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::command::Entry;
use crate::parse::Grammar;
use crate::policy::Policies;
use crate::probe::Probe;

/// Everything that a reload replaces at once.
pub struct Configuration {
    /// People, services, environments.
    pub catalog: Catalog,
    /// Who may do what.
    pub policies: Policies,
    /// Deployers by name.
    pub deployers: BTreeMap<String, Arc<dyn Deployer>>,
}

/// What the engine is started with.
pub struct Parts {
    /// The trail's name in checkpoints.
    pub origin: String,
    /// The database.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Finds secrets.
    pub redactor: Arc<Redactor>,
    /// What can be asked.
    pub commands: &'static [Entry],
    /// The present configuration.
    pub configuration: Configuration,
    /// The chats.
    pub voices: Vec<Arc<dyn Voice>>,
    /// Whose account is whose, for the chats; kept up to date by the house.
    pub directory: Directory,
    /// Signs checkpoints.
    pub key: SigningKey,
    /// Where the latest checkpoint is copied to: the first anchor outside the database.
    pub anchor: PathBuf,
    /// This process among all replicas: the owner of leases.
    pub owner: String,
    /// For tests.
    pub probe: Probe,
}

/// The engine's parts, shared by all its tasks.
pub struct House {
    pub(crate) origin: String,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) grammar: Grammar,
    pub(crate) voices: Vec<Arc<dyn Voice>>,
    directory: Directory,
    pub(crate) key: SigningKey,
    pub(crate) anchor: PathBuf,
    pub(crate) owner: String,
    pub(crate) probe: Probe,
    /// The size of the latest signed checkpoint.
    pub(crate) signed: watch::Sender<u64>,
    /// How many wait for a signature.
    pub(crate) wanted: watch::Sender<usize>,
    /// Since when records go unsigned although somebody tries.
    pub(crate) unsigned_since: watch::Sender<Option<Timestamp>>,
    /// Held while the trail is verified, which reads all of it.
    pub(crate) verifying: tokio::sync::Mutex<()>,
    configuration: RwLock<Arc<Configuration>>,
    numbers: RwLock<BTreeMap<PersonId, i64>>,
    /// What chats have told of accounts, as far as this process knows.
    accounts: RwLock<BTreeMap<Identity, AccountRow>>,
}

impl House {
    /// Takes the parts in and numbers the people of the configuration.
    ///
    /// # Errors
    /// The database refused.
    pub async fn new(parts: Parts) -> Result<Self, StoreError> {
        let house = Self {
            origin: parts.origin,
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            redactor: parts.redactor,
            grammar: Grammar::new(parts.commands),
            voices: parts.voices,
            directory: parts.directory,
            key: parts.key,
            anchor: parts.anchor,
            owner: parts.owner,
            probe: parts.probe,
            signed: watch::Sender::new(0),
            wanted: watch::Sender::new(0),
            unsigned_since: watch::Sender::new(None),
            verifying: tokio::sync::Mutex::default(),
            configuration: RwLock::new(Arc::new(parts.configuration)),
            numbers: RwLock::default(),
            accounts: RwLock::default(),
        };
        let known = house.store.read().await?.connection().accounts().await?;
        *house.accounts.write().unwrap_or_else(PoisonError::into_inner) =
            known.into_iter().map(|row| (row.identity.clone(), row)).collect();
        house.number_people(&house.configuration().catalog).await?;
        if !house.store.is_postgres() {
            // One process has the file: whoever held a lease died with it.
            house.store.write(|transaction| Box::pin(async move { transaction.release_all_leases().await })).await?;
        }
        Ok(house)
    }

    /// The present configuration. Whoever decides something takes it once and decides all of it under the same one.
    pub fn configuration(&self) -> Arc<Configuration> {
        self.configuration.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The key that verifies what is signed now.
    pub fn verifier_key(&self) -> VerifierKey {
        self.key.verifier_key().clone()
    }

    /// The latest checkpoint as it stands in the anchor outside the database.
    pub fn anchored(&self) -> Option<String> {
        std::fs::read_to_string(&self.anchor).ok()
    }

    /// What can be asked.
    pub fn grammar(&self) -> &Grammar {
        &self.grammar
    }

    /// The number that stands for a person in the trail.
    pub(crate) fn number(&self, person: &PersonId) -> Option<i64> {
        self.numbers.read().unwrap_or_else(PoisonError::into_inner).get(person).copied()
    }

    pub(crate) fn voice(&self, platform: &str) -> Option<&Arc<dyn Voice>> {
        self.voices.iter().find(|voice| voice.platform() == platform)
    }

    /// Puts another configuration in force: whatever is decided from now on is decided under it.
    pub(crate) async fn replace(&self, configuration: Configuration) -> Result<(), StoreError> {
        self.number_people(&configuration.catalog).await?;
        *self.configuration.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(configuration);
        Ok(())
    }

    /// What a chat has told of an account, as far as this process knows.
    pub(crate) fn account(&self, identity: &Identity) -> Option<AccountRow> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(identity).cloned()
    }

    pub(crate) fn remember_account(&self, row: AccountRow) {
        self.accounts.write().unwrap_or_else(PoisonError::into_inner).insert(row.identity.clone(), row);
        self.list_accounts(&self.configuration().catalog);
    }

    /// Tells the chats whose account is whose.
    fn list_accounts(&self, catalog: &Catalog) {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let open = |identity: &Identity| accounts.get(identity).is_none_or(|row| !row.closed);
        let by_email = |person: &PersonId| {
            let theirs = accounts.values().filter(|row| row.person.as_ref() == Some(person));
            theirs.map(|row| row.identity.clone()).collect::<Vec<_>>()
        };
        let listed = catalog.people.values().map(|person| {
            let all = person.identities.iter().cloned().chain(by_email(&person.id));
            (person.id.clone(), all.filter(open).collect())
        });
        self.directory.replace(listed);
    }

    async fn number_people(&self, catalog: &Catalog) -> Result<(), StoreError> {
        let people: Vec<_> = catalog.people.keys().cloned().collect();
        let numbers = self
            .store
            .write(move |transaction| {
                Box::pin(async move {
                    let mut numbers = BTreeMap::new();
                    for person in people {
                        let number = transaction.person_number(&person).await?;
                        numbers.insert(person, number);
                    }
                    Ok::<_, StoreError>(numbers)
                })
            })
            .await?;
        *self.numbers.write().unwrap_or_else(PoisonError::into_inner) = numbers;
        self.list_accounts(catalog);
        Ok(())
    }
}

impl Configuration {
    /// The deployer of a target.
    ///
    /// # Errors
    /// Refused where the service is not deployed there.
    pub fn deployer(&self, target: &Target) -> Result<&Arc<dyn Deployer>, Refusal> {
        let settings = self.catalog.target(target);
        settings.and_then(|settings| self.deployers.get(&settings.deployer)).ok_or_else(|| {
            let places = self
                .catalog
                .services
                .get(&target.service)
                .map(|service| service.targets.keys().map(ToString::to_string).collect::<Vec<_>>().join(", "));
            Refusal::new(
                format!("{} is not deployed to {}", target.service, target.environment),
                format!("choose one of: {}", places.unwrap_or_default()),
            )
        })
    }
}

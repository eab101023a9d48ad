//! Everything the parts of the fake share, and how they get at it.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::runtime::Handle;

use crate::clock::FakeClock;
use crate::faults::Faults;
use crate::log::Log;
use crate::pacing::Pace;
use crate::settings::{Delivery, Settings};
use crate::wire::http_delivery::Client;
use crate::wire::sockets::Sockets;
use crate::world::World;

/// What a mutex holds, also after a test that panicked while it had it.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The secrets of the app under test.
pub(crate) struct Secrets {
    pub(crate) bot_token: String,
    pub(crate) app_token: String,
    pub(crate) signing_secret: String,
    /// The old verification token that payloads still carry.
    pub(crate) verification: String,
}

/// The shared middle. Locks are held shortly, and never two of them the other way round: `world` comes first.
pub(crate) struct Hub {
    pub(crate) settings: Settings,
    pub(crate) secrets: Secrets,
    pub(crate) clock: Arc<FakeClock>,
    world: Mutex<World>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) pace: Mutex<Pace>,
    pub(crate) sockets: Sockets,
    pub(crate) log: Log,
    /// Deliveries whose attempt has not ended.
    pub(crate) on_the_way: AtomicUsize,
    pub(crate) delivery: Mutex<Delivery>,
    pub(crate) scopes: Mutex<Vec<String>>,
    pub(crate) revoked: Mutex<bool>,
    pub(crate) client: Client,
    pub(crate) runtime: Handle,
    pub(crate) port: u16,
    /// A port that is taken and where nobody listens.
    pub(crate) deaf_port: u16,
}

impl Hub {
    pub(crate) fn new(settings: Settings, runtime: Handle, port: u16, deaf_port: u16) -> Self {
        let clock = Arc::new(FakeClock::default());
        let mut world = World::new(&settings, Arc::clone(&clock));
        let secrets = Secrets {
            bot_token: format!("xoxb-1000000000-{}", world.random.hex(24)),
            app_token: format!("xapp-1-A0ANDON-2000000000-{}", world.random.hex(64)),
            signing_secret: world.random.hex(32),
            verification: world.random.hex(24),
        };
        Self {
            secrets,
            clock,
            world: Mutex::new(world),
            faults: Mutex::new(Faults::new(settings.seed)),
            pace: Mutex::default(),
            sockets: Sockets::new(settings.seed),
            log: Log::new(settings.logging),
            on_the_way: AtomicUsize::new(0),
            delivery: Mutex::new(settings.delivery.clone()),
            scopes: Mutex::new(settings.scopes.clone()),
            revoked: Mutex::new(false),
            client: Client::default(),
            runtime,
            port,
            deaf_port,
            settings,
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.world)
    }

    /// An address on this fake.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// The address whose last part a response URL's key is.
    pub(crate) fn response_url(&self, key: &str) -> String {
        self.url(&format!("response/{}/{key}", crate::world::HOME))
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        locked(&self.scopes).iter().any(|granted| granted == scope)
    }

    pub(crate) fn hears(&self, event: &str) -> bool {
        self.settings.events.iter().any(|wanted| wanted == event)
    }
}

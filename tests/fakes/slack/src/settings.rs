//! What a test can choose before the fake starts.

use std::time::Duration;

/// Everything the bot is granted unless a test says otherwise.
pub const ALL_SCOPES: &[&str] = &[
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "chat:write.public",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "mpim:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "usergroups:write",
    "users:read",
    "users:read.email",
];

/// Events the app is subscribed to unless a test says otherwise.
pub const USUAL_EVENTS: &[&str] = &["app_mention", "message.im", "app_home_opened", "user_change"];

/// How the bot is told of things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Over the web sockets that the bot opened.
    Socket,
    /// By signed requests to this address, such as `http://127.0.0.1:8080`, to which paths like `/slack/events` are added.
    Http(String),
}

/// A bucket of calls that fills again at a steady rate.
#[derive(Clone, Copy, Debug)]
pub struct Pacing {
    /// How many go at once.
    pub burst: u32,
    /// How many come back in a second.
    pub per_second: f64,
}

/// What a test can choose before the fake starts; `Default` is what real Slack does.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on 127.0.0.1; nought takes a free one.
    pub port: u16,
    /// Seed of identifiers and of faults that come by chance.
    pub seed: u64,
    /// Scopes of the bot's token.
    pub scopes: Vec<String>,
    /// Events the app is subscribed to, such as `message.channels`.
    pub events: Vec<String>,
    /// How the bot is told of things.
    pub delivery: Delivery,
    /// How long the bot has to acknowledge, in the machine's time.
    pub acknowledge_within: Duration,
    /// Before which waits an event that was not acknowledged is sent again, in the fake's time.
    pub retries: Vec<Duration>,
    /// How long a trigger can be exchanged for a view, in the fake's time.
    pub trigger_lifetime: Duration,
    /// How fast one channel takes `chat.postMessage`; nothing for no limit.
    pub post_pacing: Option<Pacing>,
    /// Whether calls above the limit of the method's tier are refused.
    pub tier_limits: bool,
    /// How long a web socket stays open after `refresh_requested`, in the machine's time.
    pub refresh_grace: Duration,
    /// Whether calls and deliveries are written down. Without, there is less to hold in memory when many come.
    pub logging: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            port: 0,
            seed: 1,
            scopes: owned(ALL_SCOPES),
            events: owned(USUAL_EVENTS),
            delivery: Delivery::Socket,
            acknowledge_within: Duration::from_secs(3),
            retries: vec![Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300)],
            trigger_lifetime: Duration::from_secs(3),
            post_pacing: Some(Pacing { burst: 5, per_second: 1.0 }),
            tier_limits: false,
            refresh_grace: Duration::from_secs(10),
            logging: true,
        }
    }
}

//! What Slack says of the accounts that speak: whether they are active, guests, and their confirmed addresses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use andon_core::{Account, Clock};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::api::{Api, ApiError};

/// How long an answer is believed. A change in between is told by the event `user_change`, and noticed by asking again where that is lost.
const BELIEVED: SignedDuration = SignedDuration::from_secs(60);
/// How long Slack is not asked again about an account after it has not answered.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// How long an old answer still serves while Slack does not answer.
const STALE: SignedDuration = SignedDuration::from_hours(1);
/// How long Slack may take: the delivery waits to be acknowledged within three seconds.
const PATIENCE: SignedDuration = SignedDuration::from_millis(1_900);
/// How long Slack is waited for, where it asks for it, before it is asked once more.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// The most accounts that are remembered.
const REMEMBERED: usize = 10_000;

/// A user as Slack describes it (`users.info`, `user_change`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) team_id: Option<String>,
    deleted: bool,
    is_bot: bool,
    is_restricted: bool,
    is_ultra_restricted: bool,
    is_stranger: bool,
    is_email_confirmed: Option<bool>,
    /// When it was last changed, in seconds since 1970.
    updated: i64,
    profile: Profile,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Profile {
    email: Option<String>,
}

impl User {
    /// What the house wants to know of it. Guests, people of other workspaces and bots are never matched by address.
    pub(crate) fn account(&self, workspace: &str, as_of: Timestamp) -> Account {
        let foreign = self.team_id.as_deref().is_some_and(|team| team != workspace);
        Account {
            active: !self.deleted,
            guest: foreign || self.is_bot || self.is_restricted || self.is_ultra_restricted || self.is_stranger,
            email: self.profile.email.clone().filter(|_| self.is_email_confirmed == Some(true)),
            as_of,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    user: User,
}

/// What was last heard of one account, and when. Held while Slack is asked, so that many deliveries at once ask once.
type Known = Arc<tokio::sync::Mutex<Entry>>;

/// What is known, and when Slack was last asked in vain: it is not asked again at once, since every delivery of that person would wait.
#[derive(Default)]
struct Entry {
    heard: Option<Heard>,
    failed: Option<(Timestamp, Failed)>,
}

/// Why nothing is known of an account.
#[derive(Clone, Copy)]
enum Failed {
    /// Slack says that it has nothing to say of it.
    Refused,
    /// Slack did not answer.
    Unanswered,
}

/// Slack did not answer: who it is may be known later.
pub(crate) struct Unanswered;

impl Entry {
    fn told(&self) -> Result<Option<Account>, Unanswered> {
        match (&self.heard, self.failed) {
            (Some(heard), _) => Ok(Some(heard.account.clone())),
            (None, Some((_, Failed::Unanswered))) => Err(Unanswered),
            (None, _) => Ok(None),
        }
    }
}

/// What was heard, and of which change of the user.
struct Heard {
    account: Account,
    updated: i64,
}

/// Asks and remembers.
pub(crate) struct Accounts {
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<String, Known>>,
}

impl Accounts {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: Mutex::default() }
    }

    /// What Slack says of a user of `workspace`; nothing where it refuses to say anything.
    ///
    /// # Errors
    /// It does not answer in time, and has not lately.
    pub(crate) async fn account(&self, api: &Api, workspace: &str, user: &str) -> Result<Option<Account>, Unanswered> {
        let entry = self.entry(workspace, user);
        let mut known = entry.lock().await;
        let now = self.clock.now();
        let age = |heard: &Heard| now.duration_since(heard.account.as_of);
        let failed_lately = known.failed.is_some_and(|(at, _)| now.duration_since(at) <= ASK_AGAIN);
        if failed_lately || known.heard.as_ref().is_some_and(|heard| age(heard) <= BELIEVED) {
            return known.told();
        }
        let asked = tokio::select! {
            answer = self.ask(api, user) => answer,
            () = self.clock.sleep(PATIENCE) => Err(ApiError::Ambiguous("Slack did not answer in time".into())),
        };
        match asked {
            Ok(Answer { user }) => {
                known.heard = Some(Heard { account: user.account(workspace, now), updated: user.updated });
                known.failed = None;
            }
            Err(error) => {
                tracing::warn!(%error, "an account cannot be looked up");
                known.failed = Some((now, if error.is_final() { Failed::Refused } else { Failed::Unanswered }));
                drop(known.heard.take_if(|heard| age(heard) > STALE));
            }
        }
        known.told()
    }

    /// Asks, once more where Slack wants to be waited for no longer than the delivery can.
    async fn ask(&self, api: &Api, user: &str) -> Result<Answer, ApiError> {
        let arguments = [("user", user)];
        match api.ask("users.info", &arguments).await {
            Err(ApiError::SlowDown(wait)) if wait <= LONGEST_WAIT => {
                self.clock.sleep(SignedDuration::try_from(wait).unwrap_or(PATIENCE)).await;
                api.ask("users.info", &arguments).await
            }
            answered => answered,
        }
    }

    /// Slack says by itself that a user has changed: what it is now. Nothing where a later change is known already, since events come
    /// late, again, and in any order.
    pub(crate) async fn changed(&self, workspace: &str, user: &User) -> Option<Account> {
        let entry = self.entry(workspace, &user.id);
        let mut known = entry.lock().await;
        if known.heard.as_ref().is_some_and(|heard| heard.updated > user.updated) {
            return None;
        }
        let account = user.account(workspace, self.clock.now());
        *known = Entry { heard: Some(Heard { account: account.clone(), updated: user.updated }), failed: None };
        Some(account)
    }

    fn entry(&self, workspace: &str, user: &str) -> Known {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        Arc::clone(known.entry(format!("{workspace}/{user}")).or_default())
    }
}

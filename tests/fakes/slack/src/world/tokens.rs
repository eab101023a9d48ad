//! What Slack hands out for a short time: triggers, response URLs and tickets of web sockets.

use std::time::Duration;

use super::World;
use super::stamp::Stamp;
use crate::clock::{Micros, micros};

/// From how many on the old ones are thrown away. It doubles with what has to be kept, so that sweeping stays cheap.
pub(super) const SWEEP: usize = 4096;
/// How often a response URL can be used.
const RESPONSE_USES: u32 = 5;
/// How long a response URL can be used.
const RESPONSE_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The right to show somebody a view.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    pub(crate) user: String,
    /// The view in which it came about; what is pushed lies on it.
    pub(crate) view: Option<String>,
    made: Micros,
    exchanged: bool,
}

/// What a response URL answers to.
#[derive(Clone, Debug)]
pub(crate) struct ResponseUrl {
    pub(crate) user: String,
    pub(crate) channel: String,
    /// The message whose element was used; it can be replaced.
    pub(crate) original: Option<Stamp>,
    pub(crate) original_is_whisper: bool,
    pub(crate) thread: Option<Stamp>,
    made: Micros,
    uses: u32,
}

impl ResponseUrl {
    /// An answer to somebody in a channel, that replaces no message.
    pub(crate) fn to(user: &str, channel: &str) -> Self {
        Self {
            user: user.to_owned(),
            channel: channel.to_owned(),
            original: None,
            original_is_whisper: false,
            thread: None,
            made: 0,
            uses: 0,
        }
    }
}

impl World {
    pub(crate) fn make_trigger(&mut self, user: &str, view: Option<&str>) -> String {
        let made = self.now();
        let id = format!("{}.{}.{}", made / 1000, self.random.next() % 10_000_000_000, self.random.hex(32));
        let trigger = Trigger { user: user.to_owned(), view: view.map(str::to_owned), made, exchanged: false };
        // Those that can no longer be used are kept for a while, so that a late one is told from a wrong one.
        if self.triggers.len() >= self.sweep_triggers_at {
            let long_ago = made.saturating_sub(micros(Duration::from_secs(600)));
            self.triggers.retain(|_, trigger| trigger.made > long_ago);
            self.sweep_triggers_at = self.triggers.len().max(SWEEP) * 2;
        }
        self.triggers.insert(id.clone(), trigger);
        id
    }

    /// Looks a trigger up without using it: calls that are refused for another reason leave it whole.
    pub(crate) fn check_trigger(&self, id: &str, lifetime: Duration) -> Result<Trigger, &'static str> {
        let trigger = self.triggers.get(id).ok_or("invalid_trigger_id")?;
        if trigger.exchanged {
            return Err("exchanged_trigger_id");
        }
        if self.now() > trigger.made + micros(lifetime) {
            return Err("expired_trigger_id");
        }
        Ok(trigger.clone())
    }

    pub(crate) fn exchange_trigger(&mut self, id: &str) {
        if let Some(trigger) = self.triggers.get_mut(id) {
            trigger.exchanged = true;
        }
    }

    /// The last part of a response URL's path.
    pub(crate) fn make_response_url(&mut self, answer: ResponseUrl) -> String {
        let key = self.random.hex(24);
        let made = self.now();
        if self.response_urls.len() >= self.sweep_urls_at {
            let long_ago = made.saturating_sub(micros(RESPONSE_LIFETIME * 2));
            self.response_urls.retain(|_, url| url.made > long_ago);
            self.sweep_urls_at = self.response_urls.len().max(SWEEP) * 2;
        }
        self.response_urls.insert(key.clone(), ResponseUrl { made, ..answer });
        key
    }

    pub(crate) fn use_response_url(&mut self, key: &str) -> Result<ResponseUrl, &'static str> {
        let now = self.now();
        let url = self.response_urls.get_mut(key).ok_or("invalid_url")?;
        if now > url.made + micros(RESPONSE_LIFETIME) {
            return Err("expired_url");
        }
        if url.uses >= RESPONSE_USES {
            return Err("used_url");
        }
        url.uses += 1;
        Ok(url.clone())
    }
}

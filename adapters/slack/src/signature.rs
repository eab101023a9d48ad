//! Slack's signatures of HTTP requests, version v0: HMAC-SHA256 under the app's signing secret over `v0:<time>:<body>`, compared in
//! constant time; a request is taken once, and only within five minutes of its time stamp, on either side.
//!
//! Source: Slack's "Verifying requests from Slack". The library's own verifier reads the machine's clock and knows one secret.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::Clock;
use hmac::{Hmac, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

/// How far a request's time may be from ours.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// The most requests that are remembered in order to refuse them a second time. Beyond it the oldest are forgotten; what they asked for
/// is known by its human act.
const REMEMBERED: usize = 200_000;

/// A request that was taken: its time stamp and its signature.
type Seen = (i64, [u8; 32]);

/// Checks signatures.
#[derive(Clone)]
pub(crate) struct Signatures {
    secrets: Arc<[String]>,
    clock: Arc<dyn Clock>,
    seen: Arc<Mutex<BTreeSet<Seen>>>,
}

impl Signatures {
    /// Under any of `secrets`: while one is rotated, two are good.
    pub(crate) fn new(secrets: Vec<String>, clock: Arc<dyn Clock>) -> Self {
        Self { secrets: secrets.into(), clock, seen: Arc::default() }
    }

    /// Checks a request.
    ///
    /// # Errors
    /// Why it is turned away, as a fixed phrase.
    pub(crate) fn check(&self, signature: Option<&str>, time: Option<&str>, body: &[u8]) -> Result<(), &'static str> {
        let (Some(signature), Some(time)) = (signature, time) else { return Err("it was not signed") };
        let seconds: i64 = time.parse().map_err(|_| "its time stamp is none")?;
        let signed = self.signed(signature, time, body).ok_or("the signature is wrong")?;
        let at = Timestamp::from_second(seconds).map_err(|_| "its time stamp is none")?;
        let now = self.clock.now();
        if now.duration_since(at).abs() > WINDOW {
            return Err(if at < now { "it is older than five minutes" } else { "it is of the future" });
        }
        if self.is_new(seconds, signed, now) { Ok(()) } else { Err("it was delivered before, to the letter") }
    }

    /// Forgets a request that was checked and not taken: Slack delivers it again, perhaps within the same second.
    pub(crate) fn forget(&self, signature: Option<&str>, time: Option<&str>) {
        let (Some(signature), Some(Ok(seconds))) = (signature.and_then(digits), time.map(str::parse)) else { return };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&(seconds, signature));
    }

    /// The signature, where one of the secrets has made it. Whoever forges one learns nothing from how long this takes.
    fn signed(&self, signature: &str, time: &str, body: &[u8]) -> Option<[u8; 32]> {
        let claimed = digits(signature)?;
        let made_it = |secret: &String| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
            mac.update(b"v0:");
            mac.update(time.as_bytes());
            mac.update(b":");
            mac.update(body);
            mac.verify_slice(&claimed).is_ok()
        };
        self.secrets.iter().any(made_it).then_some(claimed)
    }

    fn is_new(&self, seconds: i64, signature: [u8; 32], now: Timestamp) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = now.saturating_sub(WINDOW * 2).unwrap_or(Timestamp::MIN).as_second();
        while seen.first().is_some_and(|(at, _)| *at < oldest) || seen.len() >= REMEMBERED {
            seen.pop_first();
        }
        seen.insert((seconds, signature))
    }
}

fn digits(signature: &str) -> Option<[u8; 32]> {
    hex::decode(signature.strip_prefix("v0=")?).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    struct At(i64);

    #[async_trait]
    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(self.0).expect("a time")
        }

        async fn sleep_until(&self, _: Timestamp) {}
    }

    /// The example in Slack's documentation.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIME: &str = "1531420618";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn check(secrets: &[&str], now: i64, signature: &str, body: &str) -> Result<(), &'static str> {
        let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        Signatures::new(secrets, Arc::new(At(now))).check(Some(signature), Some(TIME), body.as_bytes())
    }

    #[test]
    fn slacks_own_example_holds_under_the_new_and_the_old_secret() {
        let at = 1_531_420_618;
        assert_eq!(check(&[SECRET], at, SIGNATURE, BODY), Ok(()));
        assert_eq!(check(&["another", SECRET], at, SIGNATURE, BODY), Ok(()));
        assert_eq!(check(&["another"], at, SIGNATURE, BODY), Err("the signature is wrong"));
        assert_eq!(check(&[SECRET], at, SIGNATURE, "token=other"), Err("the signature is wrong"));
        assert_eq!(check(&[SECRET], at, &SIGNATURE[..20], BODY), Err("the signature is wrong"));
    }

    #[test]
    fn the_window_is_five_minutes_on_either_side() {
        let at = 1_531_420_618;
        assert_eq!(check(&[SECRET], at + 300, SIGNATURE, BODY), Ok(()));
        assert_eq!(check(&[SECRET], at + 301, SIGNATURE, BODY), Err("it is older than five minutes"));
        assert_eq!(check(&[SECRET], at - 301, SIGNATURE, BODY), Err("it is of the future"));
    }

    #[test]
    fn a_request_is_taken_once() {
        let signatures = Signatures::new(vec![SECRET.to_owned()], Arc::new(At(1_531_420_700)));
        let take = || signatures.check(Some(SIGNATURE), Some(TIME), BODY.as_bytes());
        assert_eq!(take(), Ok(()));
        assert_eq!(take(), Err("it was delivered before, to the letter"));
        assert_eq!(signatures.check(None, Some(TIME), b""), Err("it was not signed"));
        assert_eq!(signatures.check(Some(SIGNATURE), Some("soon"), b""), Err("its time stamp is none"));
    }
}

//! Starting the fake, and what the bot has to be told of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::hub::{Hub, locked};
use crate::server;
use crate::settings::{Delivery, Settings};
use crate::wire::http_delivery;

/// A running fake. Clones are the same one; it ends with the last of them.
#[derive(Clone)]
pub struct Slack {
    pub(crate) hub: Arc<Hub>,
    _ends: Arc<Ends>,
}

/// Ends the fake's threads, without waiting for them.
struct Ends(Option<Runtime>);

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Slack {
    /// Starts a fake on 127.0.0.1, with threads of its own.
    ///
    /// # Errors
    /// The port is taken, or the machine gives no thread.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("fake-slack").enable_all().build()?;
        let (listener, port) = server::bind(settings.port)?;
        let (deaf, deaf_port) = server::deaf_port()?;
        let hub = Arc::new(Hub::new(settings, runtime.handle().clone(), port, deaf_port));
        runtime.spawn(server::serve(Arc::clone(&hub), listener, deaf));
        Ok(Self { hub, _ends: Arc::new(Ends(Some(runtime))) })
    }

    /// Where the Web API is, with a slash at the end: `http://127.0.0.1:PORT/api/`.
    pub fn api_url(&self) -> String {
        self.hub.url("api/")
    }

    /// The bot's token, `xoxb-…`.
    pub fn bot_token(&self) -> &str {
        &self.hub.secrets.bot_token
    }

    /// The token for web sockets, `xapp-…`.
    pub fn app_token(&self) -> &str {
        &self.hub.secrets.app_token
    }

    /// What requests to the bot are signed with.
    pub fn signing_secret(&self) -> &str {
        &self.hub.secrets.signing_secret
    }

    /// Tells the bot of things another way from now on. An address is not checked; see [`verify_url`](Self::verify_url).
    pub fn deliver_by(&self, delivery: Delivery) {
        *locked(&self.hub.delivery) = delivery;
    }

    /// Sends the bot at this address the challenge that Slack sends when the address is entered.
    ///
    /// # Errors
    /// Slack would not take the address: why.
    pub fn verify_url(&self, base: &str) -> Result<(), String> {
        let (hub, base) = (Arc::clone(&self.hub), base.to_owned());
        let (sender, verified) = std::sync::mpsc::channel();
        self.hub.runtime.spawn(async move {
            // Somebody waits for it.
            let _ = sender.send(http_delivery::verify(&hub, &base).await);
        });
        verified.recv().unwrap_or_else(|_| Err("the fake ended".to_owned()))
    }

    /// The signature of a body sent at this time, under any secret: `v0=` and hexadecimal digits.
    pub fn sign(&self, secret: &str, seconds: u64, body: &str) -> String {
        http_delivery::sign(secret, seconds, body)
    }

    /// Replaces the scopes of the bot's token.
    pub fn grant(&self, scopes: &[&str]) {
        *locked(&self.hub.scopes) = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// Takes the tokens back: every call is answered with `token_revoked`.
    pub fn revoke_tokens(&self) {
        *locked(&self.hub.revoked) = true;
    }

    /// Moves the fake's time forward: what runs out has run out, and retries that were due in it come.
    pub fn fast_forward(&self, by: Duration) {
        self.hub.clock.fast_forward(by);
    }

    /// The fake's time, in seconds since 1970.
    pub fn now(&self) -> u64 {
        self.hub.clock.seconds()
    }

    /// Writes calls and deliveries down, or no longer.
    pub fn logging(&self, on: bool) {
        self.hub.log.switch(on);
    }
}

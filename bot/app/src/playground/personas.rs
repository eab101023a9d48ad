//! The playground in a real workspace: whoever speaks there first is ana, the second ben, everybody after them cy; `as NAME` changes that.
//! Each account is linked by loading the configuration again with it, which is on record as every load is: what is played is said to be.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use andon_core::ports::Edge;
use andon_core::{Account, CommandSpec, Identity, InvocationId, Line, Message, Receipt, Refusal, Said, Tone, Verdict};
use anyhow::Result;
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::loaded;
use crate::config::playground::PEOPLE;
use crate::wiring::Wired;

/// Accounts of a workspace, and whom each of them plays.
pub(super) type Cast = BTreeMap<Identity, &'static str>;

/// The house's edge, for people who play.
pub(super) struct Personas {
    wired: Arc<Wired>,
    artifacts: PathBuf,
    more: String,
    /// The workspace whose people play.
    workspace: String,
    play: Mutex<Play>,
}

/// Who plays whom.
#[derive(Default)]
struct Play {
    cast: Cast,
    /// As whom each account spoke last.
    last: BTreeMap<Identity, &'static str>,
}

impl Personas {
    pub(super) fn new(wired: Arc<Wired>, artifacts: PathBuf, more: String, workspace: String) -> Self {
        Self { wired, artifacts, more, workspace, play: Mutex::default() }
    }

    /// The account as which somebody plays: whom they wish to be, were last, or the first who is still free. Each person that an account
    /// plays has an account of its own, `U1-ben`, so that what it asked as ana is not lost once it is ben.
    async fn meet(&self, identity: &Identity, wish: Option<&'static str>) -> Result<Identity> {
        if identity.workspace.as_ref() != Some(&self.workspace) {
            // People of other workspaces are nobody here, either.
            return Ok(identity.clone());
        }
        let mut play = self.play.lock().await;
        let last = play.last.get(identity).copied();
        let free = || PEOPLE.into_iter().find(|person| !play.cast.values().any(|played| played == person));
        let person = wish.or(last).or_else(free).unwrap_or(PEOPLE[PEOPLE.len() - 1]);
        let first = play.cast.get(identity).copied().unwrap_or(person);
        let played = match first == person {
            true => identity.clone(),
            false => Identity { user: format!("{}-{person}", identity.user), ..identity.clone() },
        };
        if !play.cast.contains_key(&played) {
            let mut cast = play.cast.clone();
            cast.insert(played.clone(), person);
            self.wired.reload(loaded(&self.artifacts, &self.more, &cast)?, "playground").await?;
            play.cast = cast;
        }
        play.last.insert(identity.clone(), person);
        Ok(played)
    }
}

/// Whom a text wishes to be: `as ben`, or `/as ben`.
fn wish(text: &str) -> Option<&'static str> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let name = words.next().filter(|_| matches!(first, "as" | "/as"))?;
    PEOPLE.into_iter().find(|person| *person == name && words.next().is_none())
}

#[async_trait]
impl Edge for Personas {
    async fn deliver(&self, mut said: Said) -> Receipt {
        let ours = said.identity.workspace.as_ref() == Some(&self.workspace);
        let wish = wish(&said.text).filter(|_| ours);
        match (self.meet(&said.identity, wish).await, wish) {
            (Ok(played), None) => {
                said.identity = played;
                self.wired.engine.deliver(said).await
            }
            (Ok(_), Some(person)) => {
                let fact = Line::new().text("You speak as ").strong(person).text(" now, in this playground");
                let message = Message::new(fact).tone(Tone::Good).whisper();
                Receipt::Unrecorded { message: Box::new(message) }
            }
            (Err(error), _) => {
                tracing::error!("an account could not be linked: {error:#}");
                self.wired.engine.deliver(said).await
            }
        }
    }

    async fn refuse(&self, said: Said, refusal: Refusal) -> Receipt {
        self.wired.engine.refuse(said, refusal).await
    }

    async fn settled(&self, invocation: InvocationId) -> Verdict {
        self.wired.engine.settled(invocation).await
    }

    fn commands(&self) -> &[CommandSpec] {
        self.wired.engine.commands()
    }

    async fn knows(&self, identity: &Identity, account: Option<&Account>) -> bool {
        let played = self.meet(identity, None).await.unwrap_or_else(|error| {
            tracing::error!("an account could not be linked: {error:#}");
            identity.clone()
        });
        self.wired.engine.knows(&played, account).await
    }

    async fn complete(&self, line: &str) -> Vec<String> {
        self.wired.engine.complete(line).await
    }

    async fn account_changed(&self, identity: &Identity, account: &Account) {
        self.wired.engine.account_changed(identity, account).await;
    }

    async fn heard(&self, platform: &str, since: Timestamp) {
        self.wired.engine.heard(platform, since).await;
    }

    async fn turned_away(&self, platform: &str, way: &str, why: &str, times: u32) {
        self.wired.engine.turned_away(platform, way, why, times).await;
    }
}

#[cfg(test)]
mod tests {
    use super::wish;

    #[test]
    fn only_the_plays_own_people_can_be_played() {
        assert_eq!([wish("as ben"), wish("/as cy")], [Some("ben"), Some("cy")]);
        assert_eq!([wish("as mallory"), wish("as ben now"), wish("status"), wish("as")], [None; 4]);
    }
}

//! Chat, inwards.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{Account, CommandSpec, Identity, InvocationId, Receipt, Refusal, Said, Verdict};

/// The one way into the house for everything that people say. Implemented by the engine, called by chat adapters.
#[async_trait]
pub trait Edge: Send + Sync {
    /// Takes a delivery. When this returns, the intent is durable or nothing will ever run for it: the adapter may acknowledge. The same
    /// human act delivered again gets the stored receipt.
    async fn deliver(&self, said: Said) -> Receipt;

    /// Takes a delivery that the adapter itself does not let in, such as one of another workspace: it is recorded as refused.
    async fn refuse(&self, said: Said, refusal: Refusal) -> Receipt;

    /// Returns once the invocation has ended, or its operation waits for a person, and everything said about it so far has been handed to
    /// the voice.
    async fn settled(&self, invocation: InvocationId) -> Verdict;

    /// What can be asked, for native commands and completion.
    fn commands(&self) -> &[CommandSpec];

    /// Whether the account is a linked person's: nobody else is shown what there is to choose from.
    async fn knows(&self, identity: &Identity, account: Option<&Account>) -> bool;

    /// Values that could stand where the last word of `line` stands. Only for whoever is known.
    async fn complete(&self, line: &str) -> Vec<String>;

    /// The platform says that an account has changed: one that was deactivated speaks for nobody from now on.
    async fn account_changed(&self, identity: &Identity, account: &Account);

    /// The platform is being listened to, without a break since `since`. Said again and again while it is so: where the last time lies well
    /// before `since`, what was said between may have been missed, which is recorded and told to the operators.
    async fn heard(&self, platform: &str, since: Timestamp);

    /// Deliveries that nobody can be named for were turned away at the door, such as forged ones: `way` is where they came in, `why` a fixed
    /// phrase, `times` how many since the last time this was said.
    async fn turned_away(&self, platform: &str, way: &str, why: &str, times: u32);
}

//! Chat, inwards.

use async_trait::async_trait;

use crate::{CommandSpec, InvocationId, Receipt, Said, Verdict};

/// The one way into the house for everything that people say. Implemented by the engine, called by chat adapters.
#[async_trait]
pub trait Edge: Send + Sync {
    /// Takes a delivery. When this returns, the intent is durable or nothing will ever run for it: the adapter may acknowledge. The same
    /// human act delivered again gets the stored receipt.
    async fn deliver(&self, said: Said) -> Receipt;

    /// Returns once the invocation has ended, or its operation waits for a person, and everything said about it so far has been handed to
    /// the voice.
    async fn settled(&self, invocation: InvocationId) -> Verdict;

    /// What can be asked, for native commands and completion.
    fn commands(&self) -> &[CommandSpec];

    /// Values that could stand where the last word of `line` stands.
    async fn complete(&self, line: &str) -> Vec<String>;
}

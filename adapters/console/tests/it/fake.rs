//! A small house: answers what it is told to answer, and writes down what it hears.

use std::sync::{Arc, Mutex};

use andon_console::{ConsoleVoice, Look, Options, Sink, Speaking};
use andon_core::ports::{Edge, Marker, Voice as _};
use andon_core::{
    Account, Audience, Clock, CommandSpec, Identity, InvocationId, Message, ProofStrength, Receipt, Refusal, Room,
    Said, Tone, Verdict,
};
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Semaphore;

/// A clock that stands still.
struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

/// What was printed, and what was heard.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) printed: Mutex<String>,
    pub(crate) said: Mutex<Vec<Said>>,
}

impl Seen {
    pub(crate) fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }
}

/// A voice that prints to `seen`.
pub(crate) fn voice(seen: &Arc<Seen>, look: Look) -> Arc<ConsoleVoice> {
    let seen = Arc::clone(seen);
    let sink: Sink = Arc::new(move |text| seen.printed.lock().unwrap().push_str(text));
    Arc::new(ConsoleVoice::new(room(), look, sink))
}

pub(crate) fn room() -> Room {
    "console:lobby".parse().unwrap()
}

/// Ana in the lobby; `/as` is there where `may_switch` says so.
pub(crate) fn ana(may_switch: bool) -> Speaking {
    Speaking::new(Options {
        room: room(),
        user: "ana".into(),
        may_switch,
        proof: ProofStrength::Playground,
        terminal: Some("ana uid 1000 on host".into()),
        session: "session".into(),
        welcome: "Welcome".into(),
        history: None,
        clock: Arc::new(Still),
    })
}

/// Understands `read`, `change`, `approval`, `fail`, `refuse`, `chat` and `unrecorded`. What an invocation leads to is said only when it
/// is waited for, after a permit of `gate`.
pub(crate) struct FakeEdge {
    pub(crate) seen: Arc<Seen>,
    pub(crate) voice: Arc<ConsoleVoice>,
    pub(crate) gate: Semaphore,
}

impl FakeEdge {
    pub(crate) fn new(gate: usize) -> Self {
        let seen = Arc::<Seen>::default();
        let voice = voice(&seen, crate::look(80));
        Self { seen, voice, gate: Semaphore::new(gate) }
    }

    async fn post(&self, marker: &str, text: &str, tone: Tone) {
        let message = Message::new(text).tone(tone);
        self.voice.post(&room(), None, &message, &Marker(marker.to_owned())).await.unwrap();
    }
}

#[async_trait]
impl Edge for FakeEdge {
    async fn deliver(&self, said: Said) -> Receipt {
        let text = said.text.clone();
        let place = {
            let mut all = self.seen.said.lock().unwrap();
            all.push(said);
            all.len()
        };
        let message = |text: &str| Box::new(Message::new(text).tone(Tone::Bad));
        match text.as_str() {
            "chat" => return Receipt::Ignored,
            "refuse" => return Receipt::Refused { message: message("Refused: not you"), said: false },
            "unrecorded" => return Receipt::Unrecorded { message: message("Not recorded: the answer") },
            "change" => self.post("card", "Queued: the change", Tone::Working).await,
            _ => {}
        }
        let invocation = format!("0000000000000000000000000{place}").parse().unwrap();
        Receipt::Accepted { invocation, audience: Audience::Room }
    }

    async fn settled(&self, invocation: InvocationId) -> Verdict {
        self.gate.acquire().await.unwrap().forget();
        let place: usize = invocation.to_string().trim_start_matches('0').parse().unwrap();
        let said = self.seen.said.lock().unwrap()[place - 1].text.clone();
        match said.as_str() {
            "change" => self.post("done", "Done: the change", Tone::Good).await,
            "approval" => self.post("ask", "Approve? the change", Tone::Attention).await,
            "fail" => self.post("failed", "Failed: the change", Tone::Bad).await,
            other => self.post("answer", &format!("Answer to {other}"), Tone::Plain).await,
        }
        match said.as_str() {
            "approval" => Verdict::Waiting,
            "fail" => Verdict::Failed,
            _ => Verdict::Succeeded,
        }
    }

    fn commands(&self) -> &[CommandSpec] {
        &[]
    }

    async fn complete(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    // A terminal never calls what follows.

    async fn refuse(&self, _: Said, _: Refusal) -> Receipt {
        Receipt::Ignored
    }

    async fn knows(&self, _: &Identity, _: Option<&Account>) -> bool {
        false
    }

    async fn account_changed(&self, _: &Identity, _: &Account) {}

    async fn heard(&self, _: &str, _: Timestamp) {}

    async fn turned_away(&self, _: &str, _: &str, _: &str, _: u32) {}
}

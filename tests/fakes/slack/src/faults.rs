//! What goes wrong on demand. Tests say what and how often; the server and the deliveries ask here each time.

use std::time::Duration;

use crate::ids::Random;

/// What goes wrong with a call of the Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// HTTP 429 with `Retry-After` of so many seconds.
    RateLimited(u64),
    /// An answer with this HTTP status, such as 503, and no effect.
    ServerError(u16),
    /// An answer `"ok": false` with this error, and no effect.
    Error(String),
    /// The call takes so much longer, and then goes its way.
    Slow(Duration),
    /// The connection ends before anything happened.
    ResetBefore,
    /// It happens, and the connection ends before the answer.
    ResetAfter,
    /// It happens, and the answer is not JSON.
    Garbled,
}

/// What goes wrong with a delivery to the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryFault {
    /// The same envelope (or request) comes twice.
    Duplicate,
    /// The event comes in so many copies, each with an event id of its own. Only for events.
    Copies(u32),
    /// It comes so much later, in the machine's time.
    Late(Duration),
    /// The first so many acknowledgements are not taken, so that it is sent again. Only for events.
    Unheard(u32),
    /// It never comes.
    Lost,
}

/// What goes wrong when the bot opens a web socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectFault {
    /// `apps.connections.open` answers with this error.
    Error(String),
    /// It gives an address where nobody listens.
    Refused,
    /// The connection ends while it is made.
    Reset,
}

/// How often something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Often {
    /// The next so many times.
    Times(u32),
    /// Each time with this probability, from nought to one.
    Chance(f64),
}

/// Faults of one kind, with how often they come.
pub(crate) struct Planned<T> {
    planned: Vec<(Option<String>, T, Often)>,
    random: Random,
}

impl<T: Clone> Planned<T> {
    pub(crate) fn new(seed: u64) -> Self {
        Self { planned: Vec::new(), random: Random::new(seed) }
    }

    /// `about` names a method or a kind of delivery; nothing means any.
    pub(crate) fn plan(&mut self, about: Option<&str>, fault: T, often: Often) {
        self.planned.push((about.map(str::to_owned), fault, often));
    }

    pub(crate) fn clear(&mut self) {
        self.planned.clear();
    }

    /// Everything that goes wrong this time, in the order in which it was planned.
    pub(crate) fn next(&mut self, about: &str) -> Vec<T> {
        if self.planned.is_empty() {
            return Vec::new();
        }
        let mut now = Vec::new();
        for (subject, fault, often) in &mut self.planned {
            if subject.as_deref().is_some_and(|subject| subject != about) {
                continue;
            }
            let strikes = match often {
                Often::Times(left) => {
                    let strikes = *left > 0;
                    *left = left.saturating_sub(1);
                    strikes
                }
                Often::Chance(share) => self.random.share() < *share,
            };
            if strikes {
                now.push(fault.clone());
            }
        }
        self.planned.retain(|(_, _, often)| *often != Often::Times(0));
        now
    }
}

/// Everything that is planned to go wrong.
pub(crate) struct Faults {
    pub(crate) calls: Planned<CallFault>,
    pub(crate) deliveries: Planned<DeliveryFault>,
    pub(crate) connects: Planned<ConnectFault>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            calls: Planned::new(seed.wrapping_add(1)),
            deliveries: Planned::new(seed.wrapping_add(2)),
            connects: Planned::new(seed.wrapping_add(3)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Often, Planned};

    #[test]
    fn a_fault_comes_as_often_as_planned_and_only_where() {
        let mut planned = Planned::new(1);
        planned.plan(Some("chat.update"), "late", Often::Times(2));
        assert!(planned.next("chat.postMessage").is_empty());
        assert_eq!(planned.next("chat.update"), ["late"]);
        assert_eq!(planned.next("chat.update"), ["late"]);
        assert!(planned.next("chat.update").is_empty());
        planned.plan(None, "sometimes", Often::Chance(0.25));
        let struck = (0..1000).filter(|_| !planned.next("any").is_empty()).count();
        assert!((150..350).contains(&struck), "{struck}");
    }
}

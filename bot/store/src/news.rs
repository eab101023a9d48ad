//! What a unit of work is news about, so that only those wake who wait for it.

use tokio::sync::watch;

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Invocations to be taken up.
    Invocations,
    /// Operations to be taken up.
    Operations,
    /// Something to be said.
    Outbox,
    /// Records to be numbered and signed.
    Trail,
}

impl Topic {
    const ALL: [Self; 4] = [Self::Invocations, Self::Operations, Self::Outbox, Self::Trail];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct News(u8);

impl News {
    /// With one more topic.
    pub(crate) const fn note(&mut self, topic: Topic) {
        self.0 |= topic.bit();
    }

    /// As told to other replicas.
    pub(crate) fn tell(self) -> String {
        self.0.to_string()
    }

    /// As another replica told it; everything where that cannot be read, as from an older version.
    pub(crate) fn hear(text: &str) -> Self {
        Self(text.parse().unwrap_or(u8::MAX))
    }
}

/// Wakes those who wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bell {
    any: watch::Sender<u64>,
    topics: [watch::Sender<u64>; 4],
}

impl Bell {
    pub(crate) fn ring(&self, news: News) {
        self.any.send_modify(|count| *count += 1);
        for (topic, sender) in Topic::ALL.into_iter().zip(&self.topics) {
            if news.0 & topic.bit() != 0 {
                sender.send_modify(|count| *count += 1);
            }
        }
    }

    /// Counts up at every news.
    pub(crate) fn any(&self) -> watch::Receiver<u64> {
        self.any.subscribe()
    }

    /// Counts up at every news about a topic.
    pub(crate) fn about(&self, topic: Topic) -> watch::Receiver<u64> {
        self.topics[topic as usize].subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_wake_who_wait_for_it() {
        let (bell, mut news) = (Bell::default(), News::default());
        let receivers = || (bell.any(), bell.about(Topic::Outbox), bell.about(Topic::Trail));
        let (any, outbox, trail) = receivers();
        news.note(Topic::Outbox);
        bell.ring(News::hear(&news.tell()));
        let woken = [any, outbox, trail].map(|receiver| receiver.has_changed().unwrap_or(false));
        assert_eq!(woken, [true, true, false]);
        let (any, outbox, trail) = receivers();
        bell.ring(News::hear(""));
        assert!([any, outbox, trail].iter().all(|receiver| receiver.has_changed().unwrap_or(false)));
    }
}

//! What serves, watched: a service that ends, stops answering or vanishes after it was put live is recorded, and told in the room where it
//! was put live. Its end is seen by asking its deployer, as everything is; every replica looks, and one tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_core::ports::{DeployerError, Live, Running};
use andon_core::{
    Action, Catalog, Failure, Line, Message, OperationId, Private, Record, RecordKind, Room, Style, Target, Tone,
};
use andon_store::{NewMessage, OperationRow, Transaction, Watched};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::watch;

use crate::house::{Configuration, House};
use crate::{card, record};

/// How often to look.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// Looks in a row without a healthy answer until that is believed: a busy machine may miss one.
const SICK_LOOKS: u8 = 3;
/// How long an instance must have run, after another one ended, to be called well again: one that ends over and over is told once.
const WELL_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// How long such news are worth delivering.
const NEWS_EXPIRES: SignedDuration = SignedDuration::from_hours(24);

/// What is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// The instance ended, and another one was started.
    Ended,
    /// It does not answer as healthy.
    Unhealthy,
    /// The instance ended, and no other one could be started.
    Down,
    /// Nothing serves any more.
    Gone,
    /// All is well again.
    Well,
}

/// What this process remembers of its own looks at a target.
#[derive(Default)]
struct Looks {
    /// How many in a row found it not healthy.
    sick: u8,
    /// The instance that was seen last, and how many had ended before it.
    instance: Option<(Option<Timestamp>, u32)>,
    /// Whether that instance has ended since, without another one in its place.
    down: bool,
    /// Whether this process saw it gone last. Another one, that looks from elsewhere, may see it still; they must not take turns.
    gone: bool,
    /// Whether its deployer could not be reached last.
    unreachable: bool,
}

impl Looks {
    fn note(&mut self, live: &Live) {
        let running = live.running.as_ref();
        self.sick = if running.is_some_and(|running| !running.healthy) { self.sick.saturating_add(1) } else { 0 };
        let instance = running.map(|running| (running.since, running.restarts));
        match (self.instance, instance) {
            (Some((known, ended)), Some((since, restarts))) if known == since => self.down |= restarts > ended,
            _ => {
                self.instance = instance;
                self.down = false;
            }
        }
    }

    /// Notes whether the deployer could be reached, and tells the log when that changes.
    fn reached(&mut self, target: &Target, error: Option<&DeployerError>) {
        match error {
            Some(error) if !self.unreachable => tracing::warn!(%target, %error, "what is live cannot be seen"),
            None if self.unreachable => tracing::info!(%target, "what is live can be seen again"),
            _ => {}
        }
        self.unreachable = error.is_some();
    }
}

/// Watches until told to stop.
pub(crate) async fn watch(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut looks: BTreeMap<Target, Looks> = BTreeMap::new();
    while !*stop.borrow() {
        let configuration = house.configuration();
        for target in configuration.catalog.targets() {
            tokio::select! {
                looked = look(&house, &configuration, &target, looks.entry(target.clone()).or_default()) => if let Err(failure) = looked {
                    tracing::warn!(?failure, %target, "a target could not be watched");
                },
                _ = stop.changed() => return,
            }
        }
        tokio::select! {
            () = house.clock.sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn look(
    house: &Arc<House>,
    configuration: &Arc<Configuration>,
    target: &Target,
    looks: &mut Looks,
) -> Result<(), Failure> {
    // That a deployer cannot be reached says nothing about what it put live.
    let live = configuration.deployer(target)?.live(target).await;
    looks.reached(target, live.as_ref().err());
    let Ok(live) = live else { return Ok(()) };
    looks.note(&live);
    let before = house.store.read().await?.connection().watched(target).await?;
    let gone = live.running.is_none();
    if gone && looks.gone {
        return Ok(());
    }
    let (seen, news) = compare(before.as_ref(), &live, looks, house.clock.now());
    if before.as_ref() != Some(&seen) {
        let change = Change { target: target.clone(), operation: seen.operation, news, running: live.running };
        keep(house, configuration, seen, change).await?;
    }
    looks.gone = gone;
    Ok(())
}

/// What has changed on a target, and under which operation it was put live, where that is known.
struct Change {
    target: Target,
    operation: Option<OperationId>,
    news: Option<News>,
    running: Option<Running>,
}

/// Remembers what was seen, and tells what of it is news; only the first process to see it does.
async fn keep(
    house: &Arc<House>,
    configuration: &Arc<Configuration>,
    seen: Watched,
    change: Change,
) -> Result<(), Failure> {
    let (house, configuration, store) = (Arc::clone(house), Arc::clone(configuration), house.store.clone());
    store
        .write(move |transaction| {
            Box::pin(async move {
                if !transaction.remember_watched(&change.target, &seen).await? {
                    return Ok(());
                }
                let Some(news) = change.news else { return Ok(()) };
                let row = match change.operation {
                    Some(operation) => transaction.connection().operation(operation).await?,
                    None => None,
                };
                tell(&house, &configuration.catalog, transaction, news, &change, row.as_ref()).await
            })
        })
        .await
}

/// What is to be remembered of a target, and what of that is news.
fn compare(before: Option<&Watched>, live: &Live, looks: &Looks, now: Timestamp) -> (Watched, Option<News>) {
    let running = live.running.as_ref();
    // Kept to the microsecond.
    let since =
        running.and_then(|running| running.since).and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok());
    let operation = running.and_then(|running| running.operation);
    let Some(before) = before else {
        let ended = running.is_some_and(|running| running.restarts > 0);
        return (Watched { operation, since, well: !ended, revision: 0 }, ended.then_some(News::Ended));
    };
    let served = before.operation.is_some() || before.since.is_some();
    // What is gone has no operation of its own: it is the one that was there before.
    let operation = if running.is_some() { operation } else { before.operation };
    let news = match running {
        None => (served && before.well).then_some(News::Gone),
        // Another operation put it there, and has told how that ended; what came after, it cannot know.
        Some(running) if operation != before.operation => (running.restarts > 0).then_some(News::Ended),
        Some(_) if since != before.since => before.well.then_some(News::Ended),
        Some(running) => of_the_same(before, running, looks, now),
    };
    let well = match news {
        Some(news) => news == News::Well,
        None => before.well || operation != before.operation,
    };
    let seen = Watched { operation, since, well, revision: before.revision };
    let revision = before.revision + i64::from(seen != *before);
    (Watched { revision, ..seen }, news)
}

fn of_the_same(before: &Watched, running: &Running, looks: &Looks, now: Timestamp) -> Option<News> {
    let settled = running.since.is_none_or(|since| now.duration_since(since) >= WELL_AFTER);
    match (before.well, running.healthy) {
        (true, false) if looks.sick >= SICK_LOOKS && looks.down => Some(News::Down),
        (true, false) if looks.sick >= SICK_LOOKS => Some(News::Unhealthy),
        (false, true) if settled => Some(News::Well),
        _ => None,
    }
}

async fn tell(
    house: &House,
    catalog: &Catalog,
    transaction: &mut Transaction<'_>,
    news: News,
    change: &Change,
    row: Option<&OperationRow>,
) -> Result<(), Failure> {
    let message = message(news, change, row);
    transaction.append(&house.seal(&observed(house, news, change, &message, row))?).await?;
    let expires_at = house.clock.now().saturating_add(NEWS_EXPIRES).unwrap_or(Timestamp::MAX);
    for room in rooms(catalog, &change.target, row) {
        let asker = row.filter(|row| row.room == room).map(|row| row.asked_by.identity.clone());
        let new = NewMessage { asker, urgent: true, ..NewMessage::new(room, message.clone(), expires_at) };
        transaction.put_message(&new).await?;
    }
    Ok(())
}

/// Where it was put live, where the cards of the service appear, and where the bot's keepers are.
fn rooms(catalog: &Catalog, target: &Target, row: Option<&OperationRow>) -> Vec<Room> {
    let mut rooms = card::rooms(catalog, row.map(|row| &row.room), std::slice::from_ref(target));
    rooms.extend(catalog.ops_room.clone().filter(|room| !rooms.contains(room)));
    rooms
}

fn observed(house: &House, news: News, change: &Change, message: &Message, row: Option<&OperationRow>) -> Record {
    let kind = RecordKind::Observed;
    let mut record = row.map_or_else(|| house.record(kind), |row| house.record_of_operation(kind, row));
    record.targets = vec![change.target.clone()];
    let state = match news {
        News::Ended => "ended",
        News::Unhealthy => "unhealthy",
        News::Down => "down",
        News::Gone => "gone",
        News::Well => "healthy",
    };
    record.outcome = Some(record::outcome(state, &message.summary.plain()));
    let running = change.running.as_ref();
    record.details = json!({
        "version": running.map(|running| &running.artifact.version),
        "digest": running.map(|running| running.artifact.digest),
        "evidence": running.map(|running| Private::new(&running.evidence)),
    });
    record
}

fn message(news: News, change: &Change, row: Option<&OperationRow>) -> Message {
    let (target, running) = (&change.target, change.running.as_ref());
    let mut what = Line::new().code(&target.service).text(" ");
    if let Some(running) = running {
        what = what.code(&running.artifact.version).text(" ");
    }
    let (said, tone) = match news {
        News::Ended => ("has ended, and was started again", Tone::Bad),
        News::Unhealthy => ("does not answer as healthy", Tone::Bad),
        News::Down => ("has ended, and could not be started again", Tone::Bad),
        News::Gone => ("serves no more", Tone::Bad),
        News::Well => ("is healthy again", Tone::Good),
    };
    let mut message = Message::new(what.text(format!("in {} {said}", target.environment))).tone(tone);
    if let Some(running) = running {
        message = message.fact("seen", Line::new().outside(&running.evidence));
    }
    let put_live = match row {
        Some(row) => Line::new().text("by ").person(&row.asked_by.person).text(" with ").code(row.number),
        None => Line::from("not by me"),
    };
    message = message.fact("put live", put_live);
    match news {
        News::Ended | News::Unhealthy | News::Down => message.action(Action::new(
            "Roll back",
            Style::Danger,
            format!("rollback {} --env {}", target.service, target.environment),
        )),
        News::Gone | News::Well => message,
    }
}

#[cfg(test)]
mod tests {
    use andon_core::{Artifact, Digest};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn live(operation: u8, since: i64, healthy: bool) -> Live {
        let artifact = Artifact { version: "v1".parse().expect("a version"), digest: Digest::of("v1") };
        let operation =
            Some(format!("01J0000000000000000000000{operation}").parse::<OperationId>().expect("an identifier"));
        let running =
            Running { artifact, since: Some(at(since)), healthy, evidence: "pid 1".to_owned(), operation, restarts: 0 };
        Live { running: Some(running), previous: None, generation: "1".to_owned(), address: None }
    }

    fn nothing() -> Live {
        Live { running: None, previous: None, generation: "none".to_owned(), address: None }
    }

    /// What is told of a row of looks, each with how many sick ones came before it in a row, itself included, and its time.
    fn told(looks: &[(Live, u8, i64)]) -> Vec<Option<News>> {
        let mut before = None;
        looks
            .iter()
            .map(|(live, sick_looks, now)| {
                let looks = Looks { sick: *sick_looks, ..Looks::default() };
                let (seen, news) = compare(before.as_ref(), live, &looks, at(*now));
                before = Some(seen);
                news
            })
            .collect()
    }

    #[test]
    fn the_first_sight_and_a_new_operation_are_no_news() {
        assert_eq!(told(&[(nothing(), 0, 0), (live(1, 5, true), 0, 6), (live(2, 9, true), 0, 10)]), [None, None, None]);
    }

    #[test]
    fn an_end_right_after_the_deploy_is_seen() {
        let mut again = live(1, 9, true);
        again.running.iter_mut().for_each(|running| running.restarts = 1);
        assert_eq!(told(&[(nothing(), 0, 0), (again.clone(), 0, 10)]), [None, Some(News::Ended)]);
        assert_eq!(told(&[(again.clone(), 0, 10), (again, 0, 11)]), [Some(News::Ended), None]);
    }

    #[test]
    fn an_end_is_told_once_and_so_is_that_all_is_well_again() {
        let looks = [
            (live(1, 0, true), 0, 1),
            (live(1, 9, true), 0, 10),
            (live(1, 20, true), 0, 21),
            (live(1, 20, true), 0, 79),
            (live(1, 20, true), 0, 80),
        ];
        assert_eq!(told(&looks), [None, Some(News::Ended), None, None, Some(News::Well)]);
    }

    #[test]
    fn one_missed_answer_is_no_news() {
        let sick = |looks| (live(1, 0, false), looks, 100);
        let well = || (live(1, 0, true), 0, 100);
        assert_eq!(told(&[well(), sick(1), sick(2), well()]), [None; 4]);
        assert_eq!(
            told(&[well(), sick(1), sick(2), sick(3), sick(4), well()]),
            [None, None, None, Some(News::Unhealthy), None, Some(News::Well)]
        );
    }

    #[test]
    fn what_is_gone_is_told_once() {
        let looks = [(live(1, 0, true), 0, 1), (nothing(), 0, 2), (nothing(), 0, 3), (live(2, 4, true), 0, 5)];
        assert_eq!(told(&looks), [None, Some(News::Gone), None, None]);
        // What was not well before is no news when it goes as well.
        let sick = [(live(1, 0, true), 0, 1), (live(1, 0, false), 3, 70), (nothing(), 0, 71)];
        assert_eq!(told(&sick), [None, Some(News::Unhealthy), None]);
    }

    #[test]
    fn what_comes_back_after_it_was_gone_is_told_once_it_stays() {
        let looks = [
            (live(1, 0, true), 0, 1),
            (nothing(), 0, 2),
            (live(1, 3, true), 0, 4),
            (live(1, 3, true), 0, 63),
            (live(1, 3, true), 0, 64),
        ];
        assert_eq!(told(&looks), [None, Some(News::Gone), None, Some(News::Well), None]);
    }

    #[test]
    fn an_instance_that_could_not_be_replaced_is_told_as_such() {
        let mut looks = Looks::default();
        let before = Watched { operation: None, since: Some(at(0)), well: true, revision: 0 };
        let look = |restarts, healthy| {
            let mut live = live(1, 0, healthy);
            live.running.iter_mut().for_each(|running| (running.restarts, running.operation) = (restarts, None));
            live
        };
        looks.note(&look(1, true));
        for _ in 0..SICK_LOOKS {
            looks.note(&look(1, false));
        }
        assert_eq!(compare(Some(&before), &look(1, false), &looks, at(9)).1, Some(News::Unhealthy));
        looks.note(&look(2, false));
        assert_eq!(compare(Some(&before), &look(2, false), &looks, at(9)).1, Some(News::Down));
        looks.note(&live(1, 5, true));
        assert!(!looks.down, "another instance runs");
    }
}

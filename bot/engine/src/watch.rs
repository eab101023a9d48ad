//! What serves, watched: a service that ends, stops answering or vanishes after it was put live is recorded, and told in the room where it
//! was put live. Its end is seen by asking its deployer, as everything is; every replica looks, and one tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_core::ports::{Live, Running};
use andon_core::{Action, Failure, Line, Message, Private, Record, RecordKind, Room, Style, Target, Tone};
use andon_store::{NewMessage, OperationRow, Transaction, Watched};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::watch;

use crate::house::{Configuration, House};
use crate::record;

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
    /// It runs, and does not answer as healthy.
    Unhealthy,
    /// Nothing serves any more.
    Gone,
    /// All is well again.
    Well,
}

/// Watches until told to stop.
pub(crate) async fn watch(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut sick_looks = BTreeMap::new();
    while !*stop.borrow() {
        let configuration = house.configuration();
        for target in configuration.catalog.targets() {
            tokio::select! {
                looked = look(&house, &configuration, &target, &mut sick_looks) => if let Err(failure) = looked {
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
    configuration: &Configuration,
    target: &Target,
    sick_looks: &mut BTreeMap<Target, u8>,
) -> Result<(), Failure> {
    // That a deployer cannot be reached says nothing about what it put live.
    let Ok(live) = configuration.deployer(target)?.live(target).await else { return Ok(()) };
    let sick = live.running.as_ref().is_some_and(|running| !running.healthy);
    let looks = sick_looks.entry(target.clone()).or_default();
    *looks = if sick { looks.saturating_add(1) } else { 0 };
    let before = house.store.read().await?.connection().watched(target).await?;
    let (seen, news) = compare(before.as_ref(), &live, *looks, house.clock.now());
    if before.as_ref() == Some(&seen) {
        return Ok(());
    }
    let (house, store, target) = (Arc::clone(house), house.store.clone(), target.clone());
    // What ended is what was there before; what is gone has no operation of its own.
    let operation = seen.operation.or_else(|| before.and_then(|before| before.operation));
    store
        .write(move |transaction| {
            Box::pin(async move {
                if !transaction.remember_watched(&target, &seen).await? {
                    return Ok(());
                }
                let (Some(news), Some(operation)) = (news, operation) else { return Ok(()) };
                let Some(row) = transaction.connection().operation(operation).await? else { return Ok(()) };
                tell(&house, transaction, news, &target, live.running.as_ref(), &row).await
            })
        })
        .await
}

/// What is to be remembered of a target, and what of that is news.
fn compare(before: Option<&Watched>, live: &Live, sick_looks: u8, now: Timestamp) -> (Watched, Option<News>) {
    let running = live.running.as_ref();
    // Kept to the microsecond.
    let since =
        running.and_then(|running| running.since).and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok());
    let operation = running.and_then(|running| running.operation);
    let Some(before) = before else {
        let ended = running.is_some_and(|running| running.restarts > 0);
        return (Watched { operation, since, well: !ended, revision: 0 }, ended.then_some(News::Ended));
    };
    let news = match running {
        None => before.operation.is_some().then_some(News::Gone),
        // Another operation put it there, and has told how that ended; what came after, it cannot know.
        Some(running) if operation != before.operation => (running.restarts > 0).then_some(News::Ended),
        Some(_) if since != before.since => before.well.then_some(News::Ended),
        Some(running) => of_the_same(before, running, sick_looks, now),
    };
    let well = match news {
        Some(news) => news == News::Well,
        None => before.well || operation != before.operation,
    };
    let seen = Watched { operation, since, well, revision: before.revision };
    let revision = before.revision + i64::from(seen != *before);
    (Watched { revision, ..seen }, news)
}

fn of_the_same(before: &Watched, running: &Running, sick_looks: u8, now: Timestamp) -> Option<News> {
    let settled = running.since.is_none_or(|since| now.duration_since(since) >= WELL_AFTER);
    match (before.well, running.healthy) {
        (true, false) if sick_looks >= SICK_LOOKS => Some(News::Unhealthy),
        (false, true) if settled => Some(News::Well),
        _ => None,
    }
}

async fn tell(
    house: &House,
    transaction: &mut Transaction<'_>,
    news: News,
    target: &Target,
    running: Option<&Running>,
    row: &OperationRow,
) -> Result<(), Failure> {
    let message = message(news, target, running, row);
    transaction.append(&house.seal(&observed(house, news, target, &message, running, row))?).await?;
    let expires_at = house.clock.now().saturating_add(NEWS_EXPIRES).unwrap_or(Timestamp::MAX);
    for room in rooms(house, row) {
        let asker = (room == row.room).then(|| row.asked_by.identity.clone());
        let (message, operation) = (message.clone(), None);
        let new = NewMessage {
            room,
            asker,
            message,
            invocation: None,
            operation,
            under_card: false,
            urgent: true,
            expires_at,
        };
        transaction.put_message(&new).await?;
    }
    Ok(())
}

/// Where it was put live, and where the bot's keepers are.
fn rooms(house: &House, row: &OperationRow) -> Vec<Room> {
    let ops_room = house.configuration().catalog.ops_room.clone().filter(|room| *room != row.room);
    std::iter::once(row.room.clone()).chain(ops_room).collect()
}

fn observed(
    house: &House,
    news: News,
    target: &Target,
    message: &Message,
    running: Option<&Running>,
    row: &OperationRow,
) -> Record {
    let mut record = house.record_of_operation(RecordKind::Observed, row);
    record.targets = vec![target.clone()];
    let state = match news {
        News::Ended => "ended",
        News::Unhealthy => "unhealthy",
        News::Gone => "gone",
        News::Well => "healthy",
    };
    record.outcome = Some(record::outcome(state, &message.summary.plain()));
    record.details = json!({
        "version": running.map(|running| &running.artifact.version),
        "digest": running.map(|running| running.artifact.digest),
        "evidence": running.map(|running| Private::new(&running.evidence)),
    });
    record
}

fn message(news: News, target: &Target, running: Option<&Running>, row: &OperationRow) -> Message {
    let mut what = Line::new().code(&target.service).text(" ");
    if let Some(running) = running {
        what = what.code(&running.artifact.version).text(" ");
    }
    let (said, tone) = match news {
        News::Ended => ("has ended, and was started again", Tone::Bad),
        News::Unhealthy => ("runs, and does not answer as healthy", Tone::Bad),
        News::Gone => ("serves no more", Tone::Bad),
        News::Well => ("is healthy again", Tone::Good),
    };
    let mut message = Message::new(what.text(format!("in {} {said}", target.environment))).tone(tone);
    if let Some(running) = running {
        message = message.fact("seen", Line::new().outside(&running.evidence));
    }
    message =
        message.fact("put live", Line::new().text("by ").person(&row.asked_by.person).text(" with ").code(row.number));
    match news {
        News::Ended | News::Unhealthy => message.action(Action::new(
            "Roll back",
            Style::Danger,
            format!("rollback {} --env {}", target.service, target.environment),
        )),
        News::Gone | News::Well => message,
    }
}

#[cfg(test)]
mod tests {
    use andon_core::{Artifact, Digest, OperationId};

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
                let (seen, news) = compare(before.as_ref(), live, *sick_looks, at(*now));
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
    }
}

//! The sequencer: gives numbers to records (on PostgreSQL) and signs checkpoints over them. It alone holds the key. No effect starts
//! before its intent lies under a signed checkpoint: where an effect waits for one it is signed at once, and otherwise within half a second,
//! many records under one signature.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use andon_core::{Digest, Failure, Fault, RecordId};
use andon_store::{StoreError, Topic};
use andon_trail::sign;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::card;
use crate::house::House;
use crate::probe::Point;

/// Records integrated in one unit of work.
const BATCH: u32 = 256;
/// How long one replica is the sequencer without a sign of life.
const LEASE: SignedDuration = SignedDuration::from_secs(5);
/// How long to wait for news before looking all the same.
const LOOK_EVERY: SignedDuration = SignedDuration::from_millis(500);
/// How long records wait for a signature where nothing waits for it.
const SIGN_WITHIN: SignedDuration = SignedDuration::from_millis(500);
/// How long an effect waits for its checkpoint before it gives up for now.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// How long records may go unsigned until changes are refused.
const BEHIND: SignedDuration = SignedDuration::from_secs(5);

/// Whether this replica is the sequencer, by its own clock: asking the database at every change would make all replicas queue for one row.
enum Tenure {
    Holds { renew_at: Timestamp },
    Waits { try_at: Timestamp },
}

/// Integrates and signs until told to stop, then once more, so that what was written last is signed as well.
pub(crate) async fn sequence(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut changes = house.store.changes_about(Topic::Trail);
    let mut wanted = house.wanted.subscribe();
    let mut sign_at = Timestamp::MIN;
    let mut tenure = Tenure::Waits { try_at: Timestamp::MIN };
    loop {
        let stopping = *stop.borrow();
        changes.mark_unchanged();
        wanted.mark_unchanged();
        let now = house.clock.now();
        let signs =
            stopping || *house.wanted.borrow() > 0 || now >= sign_at || sign_at.duration_since(now) > SIGN_WITHIN;
        if signs {
            sign_at = now.saturating_add(SIGN_WITHIN).unwrap_or(now);
        }
        match round(&house, &mut tenure, signs).await {
            // A round that had nothing to sign says nothing about whether it could.
            Ok(comes_forward) if signs => note_progress(&house, comes_forward),
            Ok(_) => {}
            Err(fault) => {
                // Said once; every further attempt would say the same.
                if house.unsigned_since.borrow().is_none() {
                    tracing::error!(error = %fault.chain(), "the trail cannot be signed");
                }
                note_progress(&house, false);
            }
        }
        if stopping {
            hand_over(&house).await;
            return;
        }
        tokio::select! {
            // On PostgreSQL records are numbered as they come.
            _ = changes.changed(), if house.store.is_postgres() => {}
            _ = wanted.changed() => {}
            () = house.clock.sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Remembers since when records go unsigned.
fn note_progress(house: &House, comes_forward: bool) {
    let now = house.clock.now();
    house.unsigned_since.send_modify(|since| *since = if comes_forward { None } else { since.or(Some(now)) });
}

impl House {
    /// Whether records have gone unsigned for so long, although somebody tries, that nothing new may be set going.
    pub fn trail_is_behind(&self) -> bool {
        self.unsigned_since.borrow().is_some_and(|since| self.clock.now().duration_since(since) > BEHIND)
    }
}

/// One round: whoever is the sequencer signs, the others learn how far it has come. Tells whether the trail comes forward.
async fn round(house: &Arc<House>, tenure: &mut Tenure, signs: bool) -> Result<bool, Fault> {
    if is_sequencer(house, tenure).await.map_err(Fault::new)? {
        while integrate(house).await.map_err(Fault::new)? == BATCH as usize {}
        if signs {
            checkpoint(house).await?;
        }
        return Ok(true);
    }
    let (latest, note, written) = how_far(house).await.map_err(Fault::new)?;
    if latest > *house.signed.borrow() {
        // Every data folder has its anchor, whoever signs.
        anchor(&house.anchor, &note)?;
        house.signed.send_replace(latest);
        return Ok(true);
    }
    Ok(latest >= written)
}

async fn is_sequencer(house: &Arc<House>, tenure: &mut Tenure) -> Result<bool, StoreError> {
    if !house.store.is_postgres() {
        // One process at a time has the file.
        return Ok(true);
    }
    let here = house.clock.now();
    match *tenure {
        // A clock that was set back waits no longer than one that was not.
        Tenure::Holds { renew_at } if here < renew_at && renew_at.duration_since(here) <= LEASE / 3 => return Ok(true),
        Tenure::Waits { try_at } if here < try_at && try_at.duration_since(here) <= LOOK_EVERY => return Ok(false),
        _ => {}
    }
    let now = house.store.now().await?;
    let until = now.saturating_add(LEASE).unwrap_or(now);
    let owner = house.owner.clone();
    let fence = house.store.write_quietly(move |transaction| {
        Box::pin(async move { transaction.take_lease("sequencer", &owner, now, until).await })
    });
    let holds = fence.await?.is_some();
    let later = |wait: SignedDuration| here.saturating_add(wait).unwrap_or(here);
    *tenure =
        if holds { Tenure::Holds { renew_at: later(LEASE / 3) } } else { Tenure::Waits { try_at: later(LOOK_EVERY) } };
    Ok(holds)
}

/// Lets another replica be the sequencer at once.
async fn hand_over(house: &Arc<House>) {
    if !house.store.is_postgres() {
        return;
    }
    let owner = house.owner.clone();
    let now = house.clock.now().saturating_sub(LEASE).unwrap_or(Timestamp::MIN);
    let released = house.store.write_quietly(move |transaction| {
        Box::pin(async move { transaction.take_lease("sequencer", &owner, now, now).await })
    });
    if let Err(error) = released.await {
        tracing::warn!(%error, "the sequencer's lease runs out by itself");
    }
}

/// Gives numbers to what waits for them. The trail goes on whatever becomes of a card.
async fn integrate(house: &Arc<House>) -> Result<usize, StoreError> {
    if !house.store.is_postgres() {
        return Ok(0);
    }
    let waiting = house.store.read().await?.connection().waiting_records().await?.0;
    if waiting == 0 {
        return Ok(0);
    }
    match integrate_and_name(house).await {
        Ok(count) => Ok(count),
        Err(failure) => {
            tracing::warn!(?failure, "some cards do not name their record's number");
            let alone = house.store.write(|transaction| Box::pin(async move { transaction.integrate(BATCH).await }));
            Ok(alone.await?.count)
        }
    }
}

/// Together with the numbers come the cards that could name only the leaf of their plan's record.
async fn integrate_and_name(house: &Arc<House>) -> Result<usize, Failure> {
    let (drawing, store) = (Arc::clone(house), house.store.clone());
    store
        .write(move |transaction| {
            Box::pin(async move {
                let integrated = transaction.integrate(BATCH).await?;
                for operation in integrated.planned {
                    card::draw(&drawing, transaction, operation).await?;
                }
                Ok(integrated.count)
            })
        })
        .await
}

/// How far the trail is signed, the checkpoint that says so, and how far it is written.
async fn how_far(house: &House) -> Result<(u64, String, u64), StoreError> {
    let mut reader = house.store.read().await?;
    let mut connection = reader.connection();
    let (signed, _, note) = connection.latest_checkpoint().await?.unwrap_or((0, Digest::of(""), String::new()));
    let waiting = connection.waiting_records().await?.0;
    Ok((signed, note, connection.tree_size().await?.saturating_add(waiting)))
}

/// Signs the present size and root, keeps the checkpoint, and copies it to the anchor outside the database.
async fn checkpoint(house: &Arc<House>) -> Result<(), Fault> {
    let (size, root) = {
        let mut reader = house.store.read().await.map_err(Fault::new)?;
        let mut connection = reader.connection();
        let size = connection.tree_size().await.map_err(Fault::new)?;
        if size <= *house.signed.borrow() {
            return Ok(());
        }
        (size, connection.root(size).await.map_err(Fault::new)?)
    };
    let signed = sign(&house.key, size, root).map_err(Fault::new)?;
    (house.probe)(Point::Signing);
    let (kept, at) = (signed.clone(), house.clock.now());
    house
        .store
        .write(move |transaction| Box::pin(async move { transaction.put_checkpoint(&kept, at).await }))
        .await
        .map_err(Fault::new)?;
    anchor(&house.anchor, &signed.note)?;
    house.signed.send_replace(size);
    Ok(())
}

/// Replaces the anchor as a whole, durably: the new one or the old one stands there, never half of one.
fn anchor(path: &Path, note: &str) -> Result<(), Fault> {
    let beside = path.with_extension("new");
    let written = (|| {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        // The new name is durable once its folder is.
        path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
    })();
    written.map_err(Fault::new)
}

/// Says that a signature is waited for, until it is dropped.
struct Wanted<'a>(&'a House);

impl<'a> Wanted<'a> {
    fn new(house: &'a House) -> Self {
        house.wanted.send_modify(|waiting| *waiting += 1);
        Self(house)
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.wanted.send_if_modified(|waiting| {
            *waiting = waiting.saturating_sub(1);
            // Nobody has to wake for that.
            false
        });
    }
}

/// Returns once the record lies under a signed checkpoint.
///
/// # Errors
/// It does not come about in time.
pub(crate) async fn covered(house: &Arc<House>, record: RecordId) -> Result<(), Fault> {
    let deadline = house.clock.now().saturating_add(PATIENCE).unwrap_or(Timestamp::MAX);
    let _wanted = Wanted::new(house);
    let mut signed = house.signed.subscribe();
    loop {
        let size = *signed.borrow_and_update();
        let number = {
            let mut reader = house.store.read().await.map_err(Fault::new)?;
            reader.connection().record_number(record).await.map_err(Fault::new)?
        };
        if number.is_some_and(|number| number.0 < size) {
            return Ok(());
        }
        if house.clock.now() >= deadline {
            return Err(Fault::new("the audit trail was not signed in time"));
        }
        tokio::select! {
            _ = signed.changed() => {}
            () = house.clock.sleep(LOOK_EVERY) => {}
        }
    }
}

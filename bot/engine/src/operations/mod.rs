//! Durable operations: rows that workers take up, run, and take up again after whoever held them is gone.

mod begin;
mod lookup;
mod run;
mod sweeper;
mod worker;

use std::sync::Arc;

use andon_core::ports::Deployer;
use andon_core::{Failure, Fault, OperationState, Target};
use andon_store::{Connection, OperationRow, StoreError};

use crate::card;
use crate::work::Work;

pub(crate) use lookup::look_up;
pub(crate) use run::conclude;
pub(crate) use sweeper::sweep;
pub(crate) use worker::work;

/// An operation while it runs, as its command sees it.
pub struct Running<'a> {
    /// On behalf of whom.
    pub work: &'a Work,
    /// Which.
    pub operation: &'a OperationRow,
}

impl Running<'_> {
    /// The idempotency key that backends get.
    pub fn key(&self) -> String {
        format!("{}/{}", self.work.house.origin, self.operation.id)
    }

    /// The deployer of a target, as a fault where the configuration no longer has it.
    ///
    /// # Errors
    /// The target is gone from the configuration.
    pub fn deployer(&self, target: &Target) -> Result<Arc<dyn Deployer>, Fault> {
        let deployer = self.work.deployer(target).map_err(|refusal| Fault::new(refusal.fact.plain()))?;
        Ok(Arc::clone(deployer))
    }

    /// Shows what the backend is doing. The card is drawn again only where it says something new.
    ///
    /// # Errors
    /// The lease is lost: somebody else works on it now.
    pub async fn phase(&self, phase: &str) -> Result<(), Fault> {
        let (house, phase) = (Arc::clone(&self.work.house), phase.to_owned());
        let (id, fence) = (self.operation.id, self.operation.fence);
        let store = house.store.clone();
        let kept = store.write(move |transaction| {
            Box::pin(async move {
                let kept = transaction.set_phase(id, fence, &phase).await?;
                card::draw(&house, transaction, id).await?;
                Ok::<_, Failure>(kept)
            })
        });
        ours(kept.await)
    }

    /// Makes sure, just before a backend is told to begin, that this worker has the operation for longer than the call may take (10 s).
    ///
    /// # Errors
    /// The lease is lost: somebody else works on it now.
    pub async fn still_ours(&self) -> Result<(), Fault> {
        let OperationRow { id, fence, .. } = *self.operation;
        ours(worker::lease(&self.work.house, id, fence, worker::LEASE).await)
    }

    /// Whether somebody asked it to stop.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn cancel_requested(&self) -> Result<bool, Fault> {
        let row = async {
            let mut reader = self.work.house.store.read().await?;
            reader.connection().operation(self.operation.id).await
        };
        let row: Option<OperationRow> = row.await.map_err(|error: StoreError| Fault::new(error))?;
        Ok(row.is_some_and(|row| row.cancel_requested && row.state == OperationState::Running))
    }

    /// Waits a moment of the house's time.
    pub async fn pause(&self, milliseconds: i64) {
        self.work.house.clock.sleep(jiff::SignedDuration::from_millis(milliseconds)).await;
    }
}

/// Whether the lease was still ours, as a fault where not.
fn ours(kept: Result<bool, Failure>) -> Result<(), Fault> {
    match kept {
        Ok(true) => Ok(()),
        Ok(false) => Err(Fault::new("the lease is lost")),
        Err(Failure::Faulted(fault)) => Err(fault),
        Err(Failure::Refused(refusal)) => Err(Fault::new(refusal.fact.plain())),
    }
}

/// Whether an operation still holds all that it was to change: no rollback has taken over from it.
///
/// # Errors
/// The database cannot be read.
pub(crate) async fn holds_its_targets(connection: &mut Connection<'_>, row: &OperationRow) -> Result<bool, StoreError> {
    for target in &row.targets {
        if connection.holder(target).await?.is_none_or(|holder| holder.id != row.id) {
            return Ok(false);
        }
    }
    Ok(true)
}

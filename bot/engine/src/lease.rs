//! The lease of an invocation: whoever holds it proceeds, and nobody else.

use std::sync::Arc;

use andon_store::Accepted;
use jiff::SignedDuration;

use crate::house::House;

/// How long a process holds an invocation without a sign of life.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(10);

/// Keeps the lease while a command thinks, which may take long where an artifact is large. Returns only when it is lost.
pub(crate) async fn keep(house: &Arc<House>, accepted: &Arc<Accepted>) {
    loop {
        house.clock.sleep(LEASE / 3).await;
        let accepted = Arc::clone(accepted);
        let renewed = async {
            let now = house.store.now().await?;
            let until = now.saturating_add(LEASE).unwrap_or(now);
            let renew = house.store.write_quietly(move |transaction| {
                Box::pin(async move { transaction.renew_invocation(&accepted, until).await })
            });
            renew.await
        };
        match renewed.await {
            Ok(true) => {}
            Ok(false) => return tracing::warn!("the lease of an invocation is lost; whoever has it goes on"),
            Err(error) => tracing::warn!(%error, "the lease of an invocation could not be renewed"),
        }
    }
}

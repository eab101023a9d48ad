//! Where what is deployed locally runs: one host and one data folder. A keeper knows only its own folder, so with PostgreSQL two bots on
//! two hosts would each start the same operation; the database says which one may.

use std::collections::BTreeMap;
use std::path::Path;

use andon_core::Target;
use andon_deployers::local;
use andon_store::{Store, StoreError};
use anyhow::{Result, bail};

/// The name of this host.
pub(crate) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Claims what is deployed locally for this host and data folder. A file of SQLite has one process and one folder anyway.
///
/// # Errors
/// It runs elsewhere, in words that say what to do.
pub(crate) async fn claim(store: &Store, data: &Path, targets: &BTreeMap<Target, local::Config>) -> Result<()> {
    let host = host();
    let named = targets.iter().filter_map(|(target, config)| Some((target, config.runs_on.as_deref()?)));
    let named: Vec<_> = named.collect();
    if let Some((target, other)) = named.iter().find(|(_, name)| *name != host) {
        bail!("{target} runs on {other:?}, as `runs_on` says, and this host is {host:?}: serve it there");
    }
    if !store.is_postgres() {
        return Ok(());
    }
    let place = format!("{host}:{}", data.display());
    let holder = ask(store, &place, false).await?;
    if holder == place {
        return Ok(());
    }
    if !may_take_over(&holder, &host, !named.is_empty()) {
        bail!(
            "what is deployed locally runs at {holder}, and here is {place}: only one of them may start it. Serve it there; or, where it \
             has moved for good, stop the bot and the keeper there and set `runs_on = {host:?}` on the local targets"
        );
    }
    ask(store, &place, true).await?;
    tracing::warn!(%holder, %place, "what is deployed locally was taken over");
    Ok(())
}

async fn ask(store: &Store, place: &str, take_over: bool) -> Result<String, StoreError> {
    let place = place.to_owned();
    store.write(move |transaction| Box::pin(async move { transaction.claim_local(&place, take_over).await })).await
}

/// From another host, where the configuration names this one; from another folder of this host, where that is gone.
fn may_take_over(holder: &str, host: &str, named: bool) -> bool {
    match holder.split_once(':') {
        Some((there, folder)) if there == host => !Path::new(folder).exists(),
        _ => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_is_taken_over_only_by_name_and_a_folder_only_where_it_is_gone() {
        let there = tempfile::tempdir().unwrap();
        let here = format!("a:{}", there.path().display());
        assert!(!may_take_over("b:/data", "a", false));
        assert!(may_take_over("b:/data", "a", true));
        assert!(!may_take_over(&here, "a", true), "a bot may run there");
        assert!(may_take_over("a:/there/is/no/such/folder", "a", false));
    }
}

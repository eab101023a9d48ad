//! Whose an account is: by the configuration, or by a confirmed e-mail address in a workspace that is listed for it. An account that its
//! platform has deactivated is nobody's.

use std::sync::Arc;

use andon_core::{Account, Catalog, Failure, Identity, Private, RecordKind, Said, Speaker};
use andon_store::{AccountRow, Connection, StoreError};
use serde_json::json;

use crate::house::{Configuration, House};

/// Whose the account is that speaks. What its platform says of it is remembered where it is news.
///
/// # Errors
/// The database cannot be read, or what is news cannot be kept.
pub(crate) async fn recognise(
    house: &Arc<House>,
    configuration: &Configuration,
    said: &Said,
) -> Result<Option<Speaker>, Failure> {
    let catalog = &configuration.catalog;
    if let Some(account) = &said.account {
        note(house, catalog, &said.identity, account).await?;
    }
    let configured = catalog.speaker(&said.identity);
    match (&said.account, configured) {
        (Some(account), _) if !account.active => Ok(None),
        // One that was deactivated stays so until the platform says otherwise.
        (None, _) if is_closed_here(house, &said.identity) => Ok(None),
        (_, Some(speaker)) => Ok(Some(speaker)),
        (Some(account), None) => Ok(catalog.by_email(&said.identity, account)),
        // Not matched by what was known of it once: its address may have been given to another account.
        (None, None) => Ok(None),
    }
}

/// Whose an account is now, as far as is known without asking its platform.
///
/// # Errors
/// See [`StoreError`].
pub(crate) async fn speaker(
    catalog: &Catalog,
    connection: &mut Connection<'_>,
    identity: &Identity,
) -> Result<Option<Speaker>, StoreError> {
    let row = connection.account(identity).await?;
    Ok(by_row(catalog, identity, row))
}

/// Whether the account was deactivated, by what this process knows.
pub(crate) fn is_closed_here(house: &House, identity: &Identity) -> bool {
    house.account(identity).is_some_and(|row| row.closed)
}

fn by_row(catalog: &Catalog, identity: &Identity, row: Option<AccountRow>) -> Option<Speaker> {
    let row = row.unwrap_or(AccountRow { identity: identity.clone(), person: None, closed: false });
    let listed = || {
        let workspace = identity.workspace.as_deref().map(|workspace| format!("{}:{workspace}", identity.platform));
        workspace.is_some_and(|workspace| catalog.email_workspaces.contains(&workspace))
    };
    let by_email = || row.person.filter(|person| listed() && catalog.people.contains_key(person));
    let by_email = || by_email().map(|person| Speaker { person, identity: identity.clone() });
    if row.closed { None } else { catalog.speaker(identity).or_else(by_email) }
}

/// Remembers what a platform says of an account, and records it, where that is news.
///
/// # Errors
/// It cannot be kept.
pub(crate) async fn note(
    house: &Arc<House>,
    catalog: &Catalog,
    identity: &Identity,
    account: &Account,
) -> Result<(), Failure> {
    let person = match catalog.speaker(identity) {
        Some(_) => None,
        None => catalog.by_email(identity, account).map(|speaker| speaker.person),
    };
    let known = house.account(identity);
    let now = AccountRow { identity: identity.clone(), person, closed: !account.active };
    let before = known.clone().unwrap_or(AccountRow { person: None, closed: false, ..now.clone() });
    // What nobody is told of is not kept: accounts that were never anybody's.
    let concerns = catalog.speaker(identity).is_some() || now.person.is_some() || known.is_some();
    if now == before || !concerns {
        return Ok(());
    }
    if house.store.read().await?.connection().account(identity).await?.as_ref() == Some(&now) {
        // Another replica has heard of it, and recorded it.
        house.remember_account(now);
        return Ok(());
    }
    let whose = catalog.speaker(identity).map(|speaker| speaker.person).or(before.person).or(now.person.clone());
    let (kept, as_of, writer) = (now.clone(), account.as_of, Arc::clone(house));
    let store = house.store.clone();
    let is_news = store
        .write(move |transaction| {
            Box::pin(async move {
                if !transaction.put_account(&kept, as_of).await? {
                    return Ok(false);
                }
                let mut record = writer.record(if kept.closed { RecordKind::Suspended } else { RecordKind::Linked });
                record.details = json!({
                    "identity": Private::new(&kept.identity),
                    "person": whose.as_ref().and_then(|person| writer.number(person)),
                    "by": if kept.closed || kept.person.is_none() { "the platform" } else { "a confirmed e-mail address" },
                });
                transaction.append(&writer.seal(&record)?).await?;
                Ok::<_, Failure>(true)
            })
        })
        .await?;
    if is_news {
        house.remember_account(now);
    }
    Ok(())
}

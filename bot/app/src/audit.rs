//! The audit trail from the command line: for whoever looks at it from outside.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use andon_core::{Clock as _, PersonId, RecordNumber};
use andon_store::{DatabaseUrl, RecordRow, Search, Store};
use andon_trail::{VerifierKey, open_checkpoint};
use anyhow::{Context as _, Result, bail};

use crate::cli::{AuditCommand, Place};
use crate::data::{Data, named_database, read_key};
use crate::system::SystemClock;

/// The data folder where none is named.
const DATA: &str = "andon-data/playground";

/// Does what the command line asks; gives the exit code.
///
/// # Errors
/// In words for whoever typed it.
pub(crate) async fn run(command: AuditCommand) -> Result<u8> {
    match command {
        AuditCommand::Key { data } => {
            let data = data_of(data.as_deref())?;
            let key = data.verifier_key()?.context("there is no key here yet; it is made at the first start")?;
            println!("{key}");
            Ok(0)
        }
        AuditCommand::Verify { place, key } => verify(&place, key.as_deref()).await,
        AuditCommand::Search { place, person, service, env, command, outcome, since, until } => {
            let person: Option<PersonId> = person.map(|person| person.parse()).transpose()?;
            let now = SystemClock.now();
            let moment = |text: Option<String>| text.map(|text| andon_commands::moment(&text, now)).transpose();
            let since = moment(since).map_err(anyhow::Error::msg)?;
            let until = moment(until).map_err(anyhow::Error::msg)?;
            let (environment, limit) = (env, 100);
            let search =
                Search { person, service, environment, command, outcome, since, until, limit, ..Search::default() };
            let rows = open(&place).await?.read().await?.connection().search(&search).await?;
            for row in &rows {
                print(row)?;
            }
            if rows.len() == search.limit as usize {
                eprintln!("These are the newest {}: older ones are found with `--until`.", rows.len());
            }
            Ok(0)
        }
        AuditCommand::Show { place, record } => {
            let number: RecordNumber = record.parse().map_err(anyhow::Error::msg)?;
            let row = open(&place).await?.read().await?.connection().record(number).await?;
            print(&row.with_context(|| format!("there is no record {number}"))?)?;
            Ok(0)
        }
    }
}

fn print(row: &RecordRow) -> Result<()> {
    let mut value = andon_trail::open(&row.leaf, &row.texts, &row.disclosures)?;
    value["number"] = serde_json::json!(row.number);
    value["leaf_hash"] = serde_json::json!(row.leaf_hash);
    match writeln!(std::io::stdout(), "{value}") {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

async fn verify(place: &Place, key: Option<&Path>) -> Result<u8> {
    let pinned = match key {
        Some(path) => Some(read_key(path)?.with_context(|| format!("there is no key at {}", path.display()))?),
        None => None,
    };
    // A stranger has a database and a key, and no data folder.
    let alone = pinned.is_some() && place.database.is_some() && place.data.is_none();
    let data = if alone { None } else { Some(data_of(place.data.as_deref())?) };
    let anchor = data.as_ref().map(|data| data.read_anchor()).transpose()?.flatten();
    let beside = data.as_ref().map(Data::verifier_key).transpose()?.flatten();
    let report = andon_engine::verify(&open(place).await?, pinned, beside, anchor.as_deref()).await?;
    println!("{report}");
    Ok(report.exit_code())
}

fn data_of(data: Option<&Path>) -> Result<Data> {
    let named = std::env::var_os("ANDON_DATA").map(std::path::PathBuf::from);
    let path = data.map(Path::to_owned).or(named).unwrap_or_else(|| DATA.into());
    if !path.is_dir() {
        bail!("there is no data folder {}; name one with --data", path.display());
    }
    Data::open(&path)
}

/// The database that a place names.
///
/// # Errors
/// It names none.
pub(crate) fn database(place: &Place) -> Result<DatabaseUrl> {
    let named = match (&place.database, &place.data) {
        (Some(url), _) => Some(url.parse().map_err(anyhow::Error::msg)?),
        (None, Some(_)) => None,
        (None, None) => named_database()?,
    };
    match named {
        Some(database) => Ok(database),
        None => Ok(data_of(place.data.as_deref())?.database()),
    }
}

async fn open(place: &Place) -> Result<Store> {
    Ok(Store::open_read_only(&database(place)?, Arc::new(SystemClock)).await?)
}

/// Refuses a database that is behind its anchor or has another history: a restored backup, or a trail that somebody rewrote.
///
/// # Errors
/// What does not fit.
pub(crate) async fn hold_against_anchor(store: &Store, data: &Data, key: &VerifierKey) -> Result<()> {
    let mut reader = store.read().await?;
    let mut connection = reader.connection();
    let Some(note) = data.read_anchor()? else {
        // The first checkpoint is kept before it is copied; from the second on, the first copy must have been made.
        if connection.checkpoints(i64::MAX, 2).await?.len() > 1 {
            bail!(
                "{} is missing although the trail has checkpoints: restore it, or copy it from the host that ran before; without it \
                 nobody can tell whether records were cut off",
                data.anchor().display()
            );
        }
        return Ok(());
    };
    let anchor = open_checkpoint(&note, key).with_context(|| format!("{} is damaged", data.anchor().display()))?;
    let size = connection.tree_size().await?;
    if size < anchor.size {
        bail!(
            "the database has {size} records, its anchor {} says {}: was an old backup restored?",
            data.anchor().display(),
            anchor.size
        );
    }
    if connection.root(anchor.size).await? != anchor.root {
        bail!(
            "the database has another history than its anchor {} says: records were changed",
            data.anchor().display()
        );
    }
    Ok(())
}

//! `audit search`

use andon_core::{Block, EnvironmentName, Failure, Line, Message, PersonId, Refusal, ServiceName};
use andon_engine::Work;
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use andon_store::Search;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::names::{environment, moment, service, some_moment};

/// The most records that one answer shows.
const MOST: usize = 30;

/// Find records of the audit trail, newest first
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct AuditSearch {
    /// Who acted
    #[arg(long, value_name = "PERSON")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    person: Option<PersonId>,
    /// About this service
    #[arg(long, value_name = "SERVICE", value_parser = service)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    service: Option<ServiceName>,
    /// About this environment
    #[arg(long, value_name = "ENV", value_parser = environment)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    env: Option<EnvironmentName>,
    /// Of this command, such as deploy
    #[arg(long, value_name = "COMMAND")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    command: Option<String>,
    /// With this outcome, such as refused or succeeded
    #[arg(long, value_name = "OUTCOME")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    outcome: Option<String>,
    /// Not older than this, such as 2h or 2026-03-01T00:00Z
    #[arg(long, value_name = "TIME", value_parser = some_moment)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    since: Option<String>,
    /// Older than this
    #[arg(long, value_name = "TIME", value_parser = some_moment)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    until: Option<String>,
}

impl Command for AuditSearch {
    const PATH: &'static [&'static str] = &["audit", "search"];
    const EXAMPLES: &'static [&'static str] =
        &["audit search --person ana --since 2h", "audit search --service hello --outcome refused"];

    async fn resources(&self, _: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::Trail])
    }
}

impl Read for AuditSearch {
    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        let search = self.search(work)?;
        let mut reader = work.reader().await?;
        let mut connection = reader.connection();
        let mut found = connection.search(&search).await?;
        let more = found.len() > MOST;
        found.truncate(MOST);
        let mut rows = Vec::new();
        for record in &found {
            let number = record.number.map_or_else(Line::new, |number| Line::new().code(number));
            let person = match record.index.person {
                Some(number) => connection.person_named(number).await?,
                None => None,
            };
            let person = person.map_or_else(Line::new, |person| Line::new().person(&person));
            let targets = record.index.targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let about = record.index.command.clone().unwrap_or_default();
            let outcome = record.index.outcome.clone().unwrap_or_default();
            let when = Line::new().time(record.index.recorded);
            let kind = Line::from(record.index.kind.name());
            rows.push(vec![number, when, kind, person, Line::from(about), Line::from(targets), Line::from(outcome)]);
        }
        let header = ["record", "when", "kind", "who", "command", "about", "outcome"].map(str::to_owned).to_vec();
        let summary = format!("{} records, newest first", found.len());
        let message = Message::new(summary).block(Block::Table { header, rows });
        Ok(match found.last().filter(|_| more) {
            Some(oldest) => {
                let until = format!("--until {}", oldest.index.recorded);
                message.paragraph(Line::new().text("There are older ones: say it again with ").code(until).text("."))
            }
            None => message,
        })
    }
}

impl AuditSearch {
    fn search(&self, work: &Work) -> Result<Search, Failure> {
        let moment = |text: &Option<String>| {
            let at = text.as_ref().map(|text| moment(text, work.now)).transpose();
            at.map_err(|error| Refusal::new(error, "write it like `--since 2h`"))
        };
        let environment =
            self.env.as_ref().map(|env| work.environment(env)).transpose()?.map(|found| found.name.to_string());
        Ok(Search {
            person: self.person.clone(),
            service: self.service.as_ref().map(ToString::to_string),
            environment,
            command: self.command.clone(),
            outcome: self.outcome.clone(),
            since: moment(&self.since)?,
            until: moment(&self.until)?,
            // One more than is shown tells whether there are more.
            limit: u32::try_from(MOST).unwrap_or(u32::MAX).saturating_add(1),
            ..Search::default()
        })
    }
}

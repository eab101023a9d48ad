//! `history <service> [--env <env>]`

use andon_core::{Block, EnvironmentName, Failure, Line, Message, ServiceName};
use andon_engine::Work;
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::names::{environment, service};

/// Show the changes of a service, newest first
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct History {
    /// The service
    #[arg(value_parser = service)]
    service: ServiceName,
    /// Only this environment
    #[arg(long, value_name = "ENV", value_parser = environment)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    env: Option<EnvironmentName>,
}

impl Command for History {
    const PATH: &'static [&'static str] = &["history"];
    const EXAMPLES: &'static [&'static str] = &["history hello", "history hello --env prod"];

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::Service(work.service(&self.service)?.name.clone())])
    }
}

impl Read for History {
    const ANSWERS_UNRECORDED: bool = true;

    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        let environment =
            self.env.as_ref().map(|env| work.environment(env)).transpose()?.map(|found| found.name.as_str());
        let operations =
            work.reader().await?.connection().operations_of(self.service.as_str(), environment, 20).await?;
        if operations.is_empty() {
            return Ok(Message::new(format!("Nothing was asked of {} yet", self.service)));
        }
        let summary = format!("{} has {} changes, newest first", self.service, operations.len());
        let rows = operations
            .into_iter()
            .map(|row| {
                let when = Line::new().time(row.finished_at.unwrap_or(row.created));
                let who = Line::new().person(&row.asked_by.person);
                vec![Line::new().code(row.number), when, who, Line::from(row.state.words()), row.plan.summary]
            })
            .collect();
        let header = ["operation", "when", "who", "end", "what"].map(str::to_owned).to_vec();
        Ok(Message::new(summary).block(Block::Table { header, rows }))
    }
}

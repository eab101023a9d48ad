//! `versions <service> [--env <env>]`

use andon_core::{Block, EnvironmentName, Failure, Line, Message, Refusal, ServiceName};
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use andon_engine::{Work, from_deployer};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::names::{environment, service};

/// List what can be deployed, newest first
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Versions {
    /// The service
    #[arg(value_parser = service)]
    service: ServiceName,
    /// The environment to which it would go; the first one where none is named
    #[arg(long, value_name = "ENV", value_parser = environment)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    env: Option<EnvironmentName>,
}

impl Command for Versions {
    const PATH: &'static [&'static str] = &["versions"];
    const EXAMPLES: &'static [&'static str] = &["versions hello"];

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::Service(work.service(&self.service)?.name.clone())])
    }
}

impl Read for Versions {
    const ANSWERS_UNRECORDED: bool = true;

    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        let service = work.service(&self.service)?;
        let first = service.targets.keys().next();
        let environment = self.env.as_ref().or(first).ok_or_else(|| {
            Refusal::new(format!("{} is deployed nowhere", service.name), "give it an environment in the configuration")
        })?;
        let target = work.target(&self.service, environment)?;
        let versions = work.deployer(&target)?.versions(&target).await.map_err(from_deployer)?;
        let (mut live, mut unseen) = (Vec::new(), Vec::new());
        for environment in service.targets.keys() {
            let there = work.target(&self.service, environment)?;
            match work.deployer(&there)?.live(&there).await {
                Ok(seen) => live.extend(seen.running.map(|running| (running.artifact.version, environment.clone()))),
                Err(error) => {
                    unseen.push(Line::new().code(environment).text(" cannot be seen: ").outside(&error.to_string()))
                }
            }
        }
        let rows = versions
            .iter()
            .map(|available| {
                let made = available.made.map_or_else(Line::new, |made| Line::new().time(made));
                let places: Vec<_> = live
                    .iter()
                    .filter(|(version, _)| *version == available.version)
                    .map(|(_, place)| place.to_string())
                    .collect();
                vec![Line::new().code(&available.version), made, Line::from(places.join(", "))]
            })
            .collect::<Vec<_>>();
        let header = vec!["version".to_owned(), "made".to_owned(), "live in".to_owned()];
        let summary = format!("{} has {} versions", service.name, versions.len());
        let message = Message::new(summary).block(Block::Table { header, rows });
        Ok(if unseen.is_empty() { message } else { message.block(Block::List(unseen)) })
    }
}

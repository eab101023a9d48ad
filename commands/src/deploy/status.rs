//! `status [<service>] [--env <env>]`

use andon_core::{Block, EnvironmentName, Failure, Line, Message, ServiceName, Target, Tone};
use andon_engine::Work;
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use andon_store::{Connection, OperationRow};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::names::{environment, service};

/// Show what is live, as seen now, with locks, freezes and open operations
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Status {
    /// Only this service
    #[arg(value_parser = service)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    service: Option<ServiceName>,
    /// Only this environment
    #[arg(long, value_name = "ENV", value_parser = environment)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    env: Option<EnvironmentName>,
}

impl Command for Status {
    const PATH: &'static [&'static str] = &["status"];
    const EXAMPLES: &'static [&'static str] = &["status", "status hello --env prod"];

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        if let Some(env) = &self.env {
            work.environment(env)?;
        }
        Ok(vec![match &self.service {
            Some(service) => Resource::Service(work.service(service)?.name.clone()),
            None => Resource::House,
        }])
    }
}

impl Read for Status {
    const ANSWERS_UNRECORDED: bool = true;

    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        let targets = self.targets(work)?;
        let (mut rows, mut unhealthy) = (Vec::new(), 0);
        for target in &targets {
            let (row, healthy) = row(work, target).await;
            rows.push(row);
            unhealthy += usize::from(!healthy);
        }
        let header = ["target", "live", "since", "health", "seen"].map(str::to_owned).to_vec();
        let summary = match unhealthy {
            0 => format!("{} targets, all that serve are healthy", targets.len()),
            count => format!("{count} of {} targets need a look", targets.len()),
        };
        let tone = if unhealthy == 0 { Tone::Plain } else { Tone::Attention };
        let message = Message::new(summary).tone(tone).block(Block::Table { header, rows });
        match self.kept(work, &targets).await {
            Ok(kept) => {
                Ok(kept.into_iter().filter(|lines| !lines.is_empty()).map(Block::List).fold(message, Message::block))
            }
            // What runs is seen without a database, and in an emergency that is what counts.
            Err(Failure::Faulted(fault)) => {
                work.goes_on_without("locks, freezes and operations", &fault);
                let missing = "Locks, freezes and operations are not shown: the database does not answer.";
                Ok(message.tone(Tone::Attention).paragraph(missing))
            }
            Err(refused) => Err(refused),
        }
    }
}

impl Status {
    fn targets(&self, work: &Work) -> Result<Vec<Target>, Failure> {
        let only = self.env.as_ref().map(|env| work.environment(env)).transpose()?.map(|environment| &environment.name);
        let wanted = |target: &Target| {
            self.service.as_ref().is_none_or(|service| *service == target.service)
                && only.is_none_or(|only| *only == target.environment)
        };
        Ok(work.catalog().targets().filter(wanted).collect())
    }

    /// What the database knows: locks and freezes, and the operations that have not ended.
    async fn kept(&self, work: &Work, targets: &[Target]) -> Result<[Vec<Line>; 2], Failure> {
        let environment = self.env.as_ref().map(|env| work.environment(env)).transpose()?;
        let environment = environment.map(|environment| environment.name.as_str());
        let mut reader = work.reader().await?;
        let mut connection = reader.connection();
        let open = connection.open_operations(self.service.as_ref().map(ServiceName::as_str), environment).await?;
        Ok([obstacles(&mut connection, work, targets).await?, open.iter().map(operation).collect()])
    }
}

/// One line of what is live. A backend that does not answer is a line that says so, never an old memory.
async fn row(work: &Work, target: &Target) -> (Vec<Line>, bool) {
    let seen = match work.deployer(target) {
        Ok(deployer) => deployer.live(target).await,
        Err(refusal) => return (vec![Line::from(target.to_string()), refusal.fact], false),
    };
    let name = Line::from(target.to_string());
    match seen {
        Err(error) => (
            vec![name, Line::from("cannot be seen"), Line::new(), Line::new(), Line::new().outside(&error.to_string())],
            false,
        ),
        Ok(live) => match live.running {
            None => (vec![name, Line::from("nothing"), Line::new(), Line::new(), Line::new()], true),
            Some(running) => {
                let since = running.since.map_or_else(Line::new, |since| Line::new().time(since));
                let health = Line::from(if running.healthy { "healthy" } else { "NOT healthy" });
                let at = live
                    .address
                    .map_or_else(|| running.evidence.clone(), |address| format!("{address}, {}", running.evidence));
                (
                    vec![name, Line::new().code(&running.artifact.version), since, health, Line::new().outside(&at)],
                    running.healthy,
                )
            }
        },
    }
}

async fn obstacles(connection: &mut Connection<'_>, work: &Work, targets: &[Target]) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for lock in connection.locks(work.now).await?.into_iter().filter(|lock| targets.contains(&lock.target)) {
        let line =
            Line::new().strong("locked ").text(format!("{} by ", lock.target)).person(&lock.owner).text(" until ");
        lines.push(line.time(lock.expires_at).text(": ").outside(&lock.reason));
    }
    let freezes = connection.freezes(work.now).await?;
    for freeze in freezes.into_iter().filter(|freeze| targets.iter().any(|target| freeze.scope.covers(target))) {
        let line =
            Line::new().strong("frozen ").text(format!("{} by ", freeze.scope)).person(&freeze.owner).text(" until ");
        lines.push(line.time(freeze.expires_at).text(": ").outside(&freeze.reason));
    }
    Ok(lines)
}

fn operation(row: &OperationRow) -> Line {
    let line = Line::new().code(row.number).text(format!(" {}: ", row.state.words())).line(&row.plan.summary);
    line.text(", asked by ").person(&row.asked_by.person)
}

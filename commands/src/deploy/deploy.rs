//! `deploy <service> <version> --env <env>`

use andon_core::ports::Live;
use andon_core::{
    Artifact, Catalog, Change, EnvironmentName, Failure, Fault, Finding, Line, OperationState, Outcome, Plan, Refusal,
    ServiceName, Target, Version,
};
use andon_engine::command::{Command, Ended, Exemption, Operation};
use andon_engine::policy::Resource;
use andon_engine::{Running, Work, from_deployer, unknown};
use andon_store::Transaction;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::drive;
use crate::names::{environment, service, version};

/// Put a version of a service live in an environment
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Deploy {
    /// The service
    #[arg(value_parser = service)]
    service: ServiceName,
    /// The version, as `versions` lists it
    #[arg(value_parser = version)]
    version: Version,
    /// The environment; never assumed
    #[arg(long, value_name = "ENV", value_parser = environment)]
    env: EnvironmentName,
    /// Deploy it although it was rolled back from there before; needs a reason
    #[arg(long)]
    #[serde(default)]
    again: bool,
}

impl Command for Deploy {
    const PATH: &'static [&'static str] = &["deploy"];
    const EXAMPLES: &'static [&'static str] =
        &["deploy hello v2 --env staging", "deploy hello v2 --env prod --dry-run"];

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::Target(work.target(&self.service, &self.env)?)])
    }

    fn targets(&self, catalog: &Catalog) -> Vec<Target> {
        drive::target(catalog, &self.service, &self.env)
    }
}

impl Operation for Deploy {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        let target = work.target(&self.service, &self.env)?;
        if self.again && work.flags.reason.is_none() {
            return Err(Refusal::new("`--again` needs a reason", "say why with `--reason TEXT`").into());
        }
        let deployer = work.deployer(&target)?;
        let wanted = self.wanted(work, &target).await?;
        let artifact = deployer.resolve(&target, &wanted).await.map_err(from_deployer)?;
        let live = deployer.live(&target).await.map_err(from_deployer)?;
        if live.running.as_ref().is_some_and(|running| running.artifact == artifact && running.healthy) {
            let fact = format!("{} {wanted} is live in {} already", target.service, target.environment);
            return Err(Refusal::new(fact, "choose another version: see `versions`").into());
        }
        self.planned(work, &target, &artifact, &live).await
    }

    fn exemption(&self, _: &Plan) -> Exemption {
        if self.again { Exemption::Hold } else { Exemption::None }
    }

    async fn start(&self, plan: &Plan, running: &Running<'_>) -> Result<Outcome, Fault> {
        drive::start(plan, running).await
    }

    async fn resume(&self, plan: &Plan, running: &Running<'_>) -> Result<Outcome, Fault> {
        drive::resume(plan, running).await
    }

    async fn look(&self, plan: &Plan, running: &Running<'_>) -> Result<Option<Outcome>, Fault> {
        drive::look(plan, running).await
    }

    async fn conclude(&self, ended: &Ended<'_>, transaction: &mut Transaction<'_>) -> Result<(), Failure> {
        if ended.outcome.state == OperationState::Succeeded {
            let (target, artifact) = drive::destination(ended.plan)?;
            let (operation, by) = (ended.operation.id, &ended.operation.asked_by.person);
            transaction.record_release(&target, &artifact, operation, by, ended.at).await?;
        }
        Ok(())
    }
}

impl Deploy {
    /// The version that was asked for; `latest` is the newest one, and is never taken in production.
    async fn wanted(&self, work: &Work, target: &Target) -> Result<Version, Failure> {
        if self.version.as_str() != "latest" {
            return Ok(self.version.clone());
        }
        if work.environment(&target.environment)?.production {
            let fact = format!("{} is production, where `latest` is refused", target.environment);
            return Err(Refusal::new(fact, "name the version: see `versions`").into());
        }
        let versions = work.deployer(target)?.versions(target).await.map_err(from_deployer)?;
        let newest = versions.into_iter().next();
        Ok(newest.ok_or_else(|| unknown("version", "latest", std::iter::empty()))?.version)
    }

    async fn planned(&self, work: &Work, target: &Target, artifact: &Artifact, live: &Live) -> Result<Plan, Failure> {
        let from = live.running.as_ref().map(|running| &running.artifact);
        let from_words = from.map_or_else(|| "nothing".to_owned(), |from| from.version.to_string());
        let undo = from.map(|_| format!("rollback {} --env {}", target.service, target.environment));
        let change = Change {
            command: vec!["deploy".to_owned()],
            arguments: json!({ "service": target.service, "version": artifact.version, "env": target.environment, "again": self.again }),
            steps: vec![drive::step(work, target, from, artifact, live)?],
            undo,
        };
        let summary = Line::new()
            .text(format!("deploy {} ", target.service))
            .code(from_words)
            .text(" → ")
            .code(&artifact.version)
            .text(format!(" in {}", target.environment));
        let mut findings = vec![drive::reach(work, target)];
        findings.extend(drive::put_there(work, target, from).await?);
        if self.version != artifact.version {
            let value = Line::new().text("newest version: ").code(&artifact.version);
            findings.push(Finding::Note { name: "latest".to_owned(), value });
        }
        Ok(Plan { summary, change, findings })
    }
}

//! `rollback <service> --env <env> [--to <version>]`

use andon_core::ports::Live;
use andon_core::{
    Artifact, Catalog, Change, EnvironmentName, Failure, Fault, Finding, Line, OperationState, Outcome, Plan, Refusal,
    ServiceName, Target, Version,
};
use andon_engine::command::{Command, Ended, Exemption, Operation};
use andon_engine::policy::Resource;
use andon_engine::{Running, Work, from_deployer};
use andon_store::{NewLock, Transaction};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::drive;
use crate::names::{environment, service, version};

/// Put the release live that served just before
///
/// Back to the healthy release live just before, it needs permission and nothing else: no approval, and no lock or freeze stops it. Any
/// other version is planned and gated as a deploy. It leaves a lock behind, and the version that was rolled back is held.
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Rollback {
    /// The service
    #[arg(value_parser = service)]
    service: ServiceName,
    /// The environment; never assumed
    #[arg(long, value_name = "ENV", value_parser = environment)]
    env: EnvironmentName,
    /// Another version than the one just before
    #[arg(long, value_name = "VERSION", value_parser = version)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    to: Option<Version>,
}

impl Command for Rollback {
    const PATH: &'static [&'static str] = &["rollback"];
    const EXAMPLES: &'static [&'static str] = &["rollback hello --env prod", "rollback hello --env prod --to v1"];
    const URGENT: bool = true;

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::Target(work.target(&self.service, &self.env)?)])
    }

    fn targets(&self, catalog: &Catalog) -> Vec<Target> {
        drive::target(catalog, &self.service, &self.env)
    }
}

impl Operation for Rollback {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        let target = work.target(&self.service, &self.env)?;
        let deployer = work.deployer(&target)?;
        let live = deployer.live(&target).await.map_err(from_deployer)?;
        let artifact = match &self.to {
            None => self.just_before(work, &target, &live).await?,
            Some(version) => deployer.resolve(&target, version).await.map_err(from_deployer)?,
        };
        if live.running.as_ref().is_some_and(|running| running.artifact == artifact) {
            let fact = format!("{} {} is live in {} already", target.service, artifact.version, target.environment);
            return Err(Refusal::new(fact, "see `history` for what was live before").into());
        }
        self.planned(work, &target, &artifact, &live).await
    }

    fn exemption(&self, plan: &Plan) -> Exemption {
        match plan.change.arguments.get("just_before") {
            Some(Value::Bool(true)) => Exemption::Rollback,
            _ => Exemption::None,
        }
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
        if ended.outcome.state != OperationState::Succeeded {
            return Ok(());
        }
        let (target, artifact) = drive::destination(ended.plan)?;
        let (operation, by) = (ended.operation.id, &ended.operation.asked_by.person);
        transaction.record_release(&target, &artifact, operation, by, ended.at).await?;
        if let Some(from) = drive::origin(ended.plan)? {
            transaction.hold_version(&target, &from, operation, ended.at).await?;
        }
        let lock = NewLock {
            target,
            owner: by.clone(),
            reason: format!("rolled back by {}", ended.operation.number),
            at: ended.at,
            expires_at: ended.at.saturating_add(ended.lock_expires).unwrap_or(jiff::Timestamp::MAX),
            operation: Some(operation),
            room: ended.operation.room.clone(),
        };
        // Where somebody holds the target already, their lock serves; one of the asker's own is never made shorter.
        let held = transaction.connection().lock(&lock.target, lock.at).await?;
        if held.is_none_or(|held| held.owner == lock.owner && held.expires_at < lock.expires_at) {
            transaction.hold_lock(&lock).await?;
        }
        Ok(())
    }
}

/// Whether an artifact was rolled back from a target, and not deployed there again since.
async fn is_held(work: &Work, target: &Target, artifact: &Artifact) -> Result<bool, Failure> {
    Ok(work.reader().await?.connection().version_hold(target, &artifact.digest).await?.is_some())
}

impl Rollback {
    /// The release that was live just before. One that was itself rolled back from here is none to go back to: whoever says `rollback` a
    /// second time must not put the bad one live again.
    async fn just_before(&self, work: &Work, target: &Target, live: &Live) -> Result<Artifact, Failure> {
        let next_step = "name another one with `--to VERSION`: see `history` and `versions`";
        let Some(previous) = live.previous.clone() else {
            let fact = format!("No healthy release was live just before in {target}");
            return Err(Refusal::new(fact, next_step).into());
        };
        if is_held(work, target, &previous).await? {
            let fact = format!("{} was live just before in {target}, and was rolled back", previous.version);
            return Err(Refusal::new(fact, next_step).into());
        }
        Ok(previous)
    }

    async fn planned(&self, work: &Work, target: &Target, artifact: &Artifact, live: &Live) -> Result<Plan, Failure> {
        let from = live.running.as_ref().map(|running| &running.artifact);
        let just_before = live.previous.as_ref() == Some(artifact) && !is_held(work, target, artifact).await?;
        let from_words = from.map_or_else(|| "nothing".to_owned(), |from| from.version.to_string());
        let undo =
            from.map(|from| format!("deploy {} {} --env {} --again", target.service, from.version, target.environment));
        let change = Change {
            command: vec!["rollback".to_owned()],
            arguments: json!({
                "service": target.service, "env": target.environment, "to": artifact.version, "just_before": just_before
            }),
            steps: vec![drive::step(work, target, from, artifact, live)?],
            undo: undo.map(|line| format!("{line} --reason TEXT")),
        };
        let summary = Line::new()
            .text(format!("roll back {} ", target.service))
            .code(from_words)
            .text(" → ")
            .code(&artifact.version)
            .text(format!(" in {}", target.environment));
        let mut findings = vec![drive::reach(work, target)];
        findings.extend(drive::put_there(work, target, from).await?);
        let length = work.catalog().defaults.lock_expires;
        let value = Line::from(format!("a lock on {target} for {length:#}, and a hold on what is rolled back"));
        findings.push(Finding::Note { name: "leaves".to_owned(), value });
        Ok(Plan { summary, change, findings })
    }
}

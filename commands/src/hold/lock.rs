//! `lock` and `unlock <service> --env <env>`

use andon_core::{Catalog, EnvironmentName, Failure, Line, Message, Plan, Refusal, ServiceName, Target, Tone};
use andon_engine::Work;
use andon_engine::command::{Act, Applied, Command};
use andon_engine::policy::Resource;
use andon_store::{Lock, LockHeld, NewLock, Transaction};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::{reason, simple, until};
use crate::names::{duration, environment, service};

/// Keep others from changing a target for a while
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct LockTarget {
    /// The service
    #[arg(value_parser = service)]
    service: ServiceName,
    /// The environment; never assumed
    #[arg(long, value_name = "ENV", value_parser = environment)]
    env: EnvironmentName,
    /// For how long, such as 2h
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    #[serde(rename = "for", skip_serializing_if = "Option::is_none", default)]
    length: Option<String>,
}

fn targets(catalog: &Catalog, service: &ServiceName, env: &EnvironmentName) -> Vec<Target> {
    let environment = catalog.environment(env).map_or_else(|| env.clone(), |found| found.name.clone());
    vec![Target { service: service.clone(), environment }]
}

impl Command for LockTarget {
    const PATH: &'static [&'static str] = &["lock"];
    const EXAMPLES: &'static [&'static str] = &["lock hello --env prod --reason 'load test' --for 1h"];

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::Target(work.target(&self.service, &self.env)?)])
    }

    fn targets(&self, catalog: &Catalog) -> Vec<Target> {
        targets(catalog, &self.service, &self.env)
    }
}

impl Act for LockTarget {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        let target = work.target(&self.service, &self.env)?;
        reason(work)?;
        until(work, self.length.as_deref(), work.catalog().defaults.lock_expires)?;
        let held = work.reader().await?.connection().lock(&target, work.now).await?;
        if let Some(lock) = held.as_ref().filter(|lock| lock.owner != *work.asker()) {
            return Err(taken(lock).into());
        }
        let undo = format!("unlock {} --env {} --reason TEXT", target.service, target.environment);
        let summary = Line::from(format!("lock {target}"));
        let step = (format!("lock {target}"), held.map(|lock| lock.owner.to_string()), Some(work.asker().to_string()));
        simple("lock", self, summary, step, undo)
    }

    async fn apply(&self, _: &Plan, work: &Work, transaction: &mut Transaction<'_>) -> Result<Applied, Failure> {
        let target = work.target(&self.service, &self.env)?;
        let lock = NewLock {
            target: target.clone(),
            owner: work.asker().clone(),
            reason: reason(work)?,
            at: work.now,
            expires_at: until(work, self.length.as_deref(), work.catalog().defaults.lock_expires)?,
            operation: None,
            room: work.room.clone(),
        };
        match transaction.hold_lock(&lock).await? {
            LockHeld::Held(lock) => {
                let summary = Line::new().text(format!("Locked {target} until ")).time(lock.expires_at);
                let reason = Line::new().outside(&lock.reason);
                let message =
                    Message::new(summary).tone(Tone::Good).fact("reason", reason).fact("token", lock.token.to_string());
                Ok(Applied::new(message))
            }
            LockHeld::Taken(lock) => Err(taken(&lock).into()),
        }
    }
}

fn taken(lock: &Lock) -> Refusal {
    let fact = Line::new()
        .text(format!("{} is locked by ", lock.target))
        .person(&lock.owner)
        .text(" until ")
        .time(lock.expires_at);
    Refusal::new(fact.text(": ").outside(&lock.reason), Line::new().text("ask ").person(&lock.owner).text(", or wait"))
}

/// Let a lock go
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct UnlockTarget {
    /// The service
    #[arg(value_parser = service)]
    service: ServiceName,
    /// The environment; never assumed
    #[arg(long, value_name = "ENV", value_parser = environment)]
    env: EnvironmentName,
}

impl UnlockTarget {
    async fn held(&self, work: &Work) -> Result<(Target, Option<Lock>), Failure> {
        let target = work.target(&self.service, &self.env)?;
        let lock = work.reader().await?.connection().lock(&target, work.now).await?;
        Ok((target, lock))
    }
}

fn not_locked(target: &Target) -> Refusal {
    Refusal::new(format!("{target} is not locked"), "nothing has to be done; `status` lists the locks")
}

impl Command for UnlockTarget {
    const PATH: &'static [&'static str] = &["unlock"];
    const EXAMPLES: &'static [&'static str] = &["unlock hello --env prod --reason 'load test is over'"];

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        let (target, lock) = self.held(work).await?;
        let over = Box::new(Resource::Target(target));
        Ok(vec![match lock {
            Some(lock) => Resource::Lease { over, owner: lock.owner },
            // Only who could unlock it learns that there is nothing to unlock.
            None => *over,
        }])
    }

    fn targets(&self, catalog: &Catalog) -> Vec<Target> {
        targets(catalog, &self.service, &self.env)
    }
}

impl Act for UnlockTarget {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        let (target, lock) = self.held(work).await?;
        reason(work)?;
        let lock = lock.ok_or_else(|| not_locked(&target))?;
        let undo = format!("lock {} --env {} --reason TEXT", target.service, target.environment);
        let from = Some(format!("{} with token {}", lock.owner, lock.token));
        simple("unlock", self, Line::from(format!("unlock {target}")), (format!("lock {target}"), from, None), undo)
    }

    async fn apply(&self, plan: &Plan, work: &Work, transaction: &mut Transaction<'_>) -> Result<Applied, Failure> {
        let target = work.target(&self.service, &self.env)?;
        let lock = transaction.connection().lock(&target, work.now).await?.ok_or_else(|| not_locked(&target))?;
        let planned = plan.change.steps.first().and_then(|step| step.from.clone());
        // Compare and delete: only the very lock that was planned to go.
        if planned != Some(format!("{} with token {}", lock.owner, lock.token)) {
            return Err(taken(&lock).into());
        }
        if !transaction.release_lock(&target, lock.token, work.now).await? {
            return Err(not_locked(&target).into());
        }
        let summary = Line::new().text(format!("Unlocked {target}, which ")).person(&lock.owner).text(" had locked");
        Ok(Applied::new(Message::new(summary).tone(Tone::Good)))
    }
}

//! What a deploy and a rollback have in common: a step on a target, and driving the deployer until the end is seen.

use andon_core::ports::{DeployerError, Effect, Live, Lookup, Order, Running as Serving};
use andon_core::{
    Artifact, Catalog, EnvironmentName, Failure, Fault, Finding, Line, OperationState, Outcome, Outside, Plan,
    ServiceName, Step, Target,
};
use andon_engine::{Running, Work};

/// Between two looks at a backend, in milliseconds: from the first to the longest.
const PAUSES: [i64; 5] = [50, 100, 250, 500, 1_000];

/// The target that two names mean, for records.
pub(super) fn target(catalog: &Catalog, service: &ServiceName, environment: &EnvironmentName) -> Vec<Target> {
    let environment = catalog.environment(environment).map_or_else(|| environment.clone(), |found| found.name.clone());
    vec![Target { service: service.clone(), environment }]
}

fn named(artifact: &Artifact) -> String {
    format!("{}@{}", artifact.version, artifact.digest)
}

/// The step that puts `artifact` live on `target`.
pub(super) fn step(
    work: &Work,
    target: &Target,
    from: Option<&Artifact>,
    artifact: &Artifact,
    live: &Live,
) -> Result<Step, Failure> {
    let settings = work.catalog().target(target).ok_or_else(|| Fault::new("a target without settings"))?;
    Ok(Step {
        target: target.to_string(),
        from: from.map(named),
        to: Some(named(artifact)),
        artifacts: vec![artifact.digest],
        generation: Some(live.generation.clone()),
        configuration: Some(settings.digest),
    })
}

/// How far a change of `target` reaches.
pub(super) fn reach(work: &Work, target: &Target) -> Finding {
    let dependents: Vec<_> = work
        .catalog()
        .services
        .values()
        .filter(|service| service.depends_on.contains(&target.service))
        .map(|service| service.name.to_string())
        .collect();
    let mut value = format!("all requests to {} in {}", target.service, target.environment);
    if !dependents.is_empty() {
        value.push_str(&format!("; {} depend on it", dependents.join(", ")));
    }
    Finding::Note { name: "reach".to_owned(), value: value.into() }
}

/// Who put there what is live now.
pub(super) async fn put_there(
    work: &Work,
    target: &Target,
    from: Option<&Artifact>,
) -> Result<Option<Finding>, Failure> {
    let Some(from) = from else { return Ok(None) };
    let releases = work.reader().await?.connection().releases(target, 20).await?;
    let value = match releases.into_iter().find(|release| release.artifact == *from) {
        Some(release) => Line::new()
            .code(&from.version)
            .text(", put there by ")
            .person(&release.by)
            .text(" ")
            .time(release.healthy_at),
        None => Line::new().code(&from.version).text(", not put there by me"),
    };
    Ok(Some(Finding::Note { name: "live now".to_owned(), value }))
}

/// What a plan puts where.
pub(super) fn destination(plan: &Plan) -> Result<(Target, Artifact), Fault> {
    let step = plan.change.steps.first().ok_or_else(|| Fault::new("a plan without a step"))?;
    let target = step.target.parse().map_err(Fault::new)?;
    let to = step.to.as_deref().ok_or_else(|| Fault::new("a step without an end"))?;
    Ok((target, artifact(to)?))
}

/// What was live when a plan was made.
pub(super) fn origin(plan: &Plan) -> Result<Option<Artifact>, Fault> {
    let from = plan.change.steps.first().and_then(|step| step.from.as_deref());
    from.map(artifact).transpose()
}

fn artifact(named: &str) -> Result<Artifact, Fault> {
    let (version, digest) = named.split_once('@').ok_or_else(|| Fault::new("a step without a digest"))?;
    Ok(Artifact { version: version.parse().map_err(Fault::new)?, digest: digest.parse().map_err(Fault::new)? })
}

/// The first attempt: hands the order over, then watches.
pub(super) async fn start(plan: &Plan, running: &Running<'_>) -> Result<Outcome, Fault> {
    let (target, artifact) = destination(plan)?;
    let generation = plan.change.steps.first().and_then(|step| step.generation.clone()).unwrap_or_default();
    let order = Order {
        operation: running.operation.id,
        key: running.key(),
        fence: running.operation.fence,
        target: target.clone(),
        generation,
        artifact,
    };
    running.still_ours().await?;
    match running.deployer(&target)?.start(&order).await {
        Ok(()) => watch(plan, running, &target).await,
        Err(DeployerError::Unreachable(source)) => Err(Fault::new(source)),
        Err(DeployerError::Fenced) => Err(Fault::new("a newer worker has taken over")),
        Err(
            error @ (DeployerError::Moved(_) | DeployerError::BadArtifact(_) | DeployerError::NoSuchVersion { .. }),
        ) => Ok(failed(plan, &error.to_string(), None)),
        Err(DeployerError::Faulted(fault)) => Err(fault),
    }
}

/// Any later attempt: asks the backend first.
pub(super) async fn resume(plan: &Plan, running: &Running<'_>) -> Result<Outcome, Fault> {
    let (target, _) = destination(plan)?;
    match running.deployer(&target)?.lookup(&target, running.operation.id).await.map_err(Fault::new)? {
        Lookup::NotStarted => start(plan, running).await,
        Lookup::Found(_) => watch(plan, running, &target).await,
        Lookup::CannotTell { reason } => Ok(lost(plan, &reason)),
    }
}

/// What the backend says of an operation whose end nobody could tell.
pub(super) async fn look(plan: &Plan, running: &Running<'_>) -> Result<Option<Outcome>, Fault> {
    let (target, _) = destination(plan)?;
    Ok(match running.deployer(&target)?.lookup(&target, running.operation.id).await.map_err(Fault::new)? {
        Lookup::Found(effect) => match seen(plan, &target, effect) {
            Seen::End(outcome) => Some(outcome),
            Seen::Phase(_) => None,
        },
        // That it was not started is no promise that an order which is on its way will not be.
        Lookup::NotStarted | Lookup::CannotTell { .. } => None,
    })
}

/// What a backend's word means.
enum Seen {
    Phase(String),
    End(Outcome),
}

fn seen(plan: &Plan, target: &Target, effect: Effect) -> Seen {
    Seen::End(match effect {
        Effect::Running { phase } => return Seen::Phase(phase),
        Effect::Succeeded { observed } => succeeded(target, &observed, plan),
        Effect::Failed { reason, log, serving } => {
            let serving =
                serving.map_or_else(|| "nothing serves".to_owned(), |version| format!("{version} still serves"));
            failed(plan, &format!("{reason}; {serving}"), log)
        }
        Effect::Cancelled => cancelled(plan),
    })
}

/// Watches until the end is seen; passes on a person's wish to stop.
async fn watch(plan: &Plan, running: &Running<'_>, target: &Target) -> Result<Outcome, Fault> {
    let deployer = running.deployer(target)?;
    let (mut shown, mut asked_to_stop) = (String::new(), false);
    let mut pauses = PAUSES.into_iter();
    let mut pause = PAUSES[0];
    loop {
        match deployer.lookup(target, running.operation.id).await.map_err(Fault::new)? {
            Lookup::Found(effect) => match seen(plan, target, effect) {
                Seen::End(outcome) => return Ok(outcome),
                Seen::Phase(phase) if phase == shown => {}
                Seen::Phase(phase) => {
                    running.phase(&phase).await?;
                    shown = phase;
                }
            },
            Lookup::NotStarted => return Ok(lost(plan, "the backend forgot that it was started")),
            Lookup::CannotTell { reason } => return Ok(lost(plan, &reason)),
        }
        if !asked_to_stop && running.cancel_requested().await? {
            deployer.cancel(target, running.operation.id).await.map_err(Fault::new)?;
            asked_to_stop = true;
        }
        pause = pauses.next().unwrap_or(pause);
        running.pause(pause).await;
    }
}

fn cancelled(plan: &Plan) -> Outcome {
    let summary = Line::new().text("Cancelled before it was live: ").line(&plan.summary);
    Outcome { state: OperationState::Cancelled, summary, observed: None, details: None }
}

/// A success is the running version seen, and the very artifact that was approved.
fn succeeded(target: &Target, observed: &Serving, plan: &Plan) -> Outcome {
    let wanted = destination(plan).ok().map(|(_, artifact)| artifact);
    if wanted.as_ref() != Some(&observed.artifact) {
        return lost(plan, "what runs is not what was approved");
    }
    if !observed.healthy {
        return lost(plan, &format!("it is live and not healthy ({})", observed.evidence));
    }
    let summary = Line::new().text("Done: ").line(&plan.summary);
    let seen = Line::new()
        .code(&observed.artifact.version)
        .text(format!(" healthy in {}, ", target.environment))
        .outside(&observed.evidence);
    Outcome { state: OperationState::Succeeded, summary, observed: Some(seen), details: None }
}

fn failed(plan: &Plan, reason: &str, log: Option<Outside>) -> Outcome {
    let summary = Line::new().text("Failed: ").line(&plan.summary).text(". ").outside(reason);
    Outcome { state: OperationState::Failed, summary, observed: None, details: log }
}

fn lost(plan: &Plan, reason: &str) -> Outcome {
    let summary = Line::new().text("Unknown how it ended: ").line(&plan.summary).text(". ").outside(reason);
    Outcome { state: OperationState::Unknown, summary, observed: None, details: None }
}

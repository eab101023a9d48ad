//! What people say about operations: approve, deny, cancel, settle.

use andon_core::{Cause, Change, Digest, Failure, Line, OperationNumber, Plan, Refusal, Step};
use andon_engine::Work;
use andon_engine::approvals::{self, Wish};
use andon_engine::command::{Act, Applied, Command};
use andon_engine::policy::Resource;
use andon_store::Transaction;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Agree to somebody else's change
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Approve {
    /// The operation
    #[arg(value_name = "OPERATION")]
    operation: OperationNumber,
    /// The plan that is agreed to, as its card names it
    #[arg(long, value_name = "DIGEST")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    plan: Option<Digest>,
}

/// Say no to somebody else's change
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Deny {
    /// The operation
    #[arg(value_name = "OPERATION")]
    operation: OperationNumber,
}

/// Withdraw a change: at once while it waits, as far as its backend can while it runs
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Cancel {
    /// The operation
    #[arg(value_name = "OPERATION")]
    operation: OperationNumber,
}

/// Say how an operation ended whose end nobody could tell
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Settle {
    /// The operation
    #[arg(value_name = "OPERATION")]
    operation: OperationNumber,
    /// How it ended
    #[arg(value_enum)]
    end: End,
}

/// The ends that a person can vouch for.
#[derive(Clone, Copy, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum End {
    /// It is live
    Succeeded,
    /// It is not live
    Failed,
    /// It was withdrawn
    Cancelled,
}

impl End {
    const fn cause(self) -> Cause {
        match self {
            Self::Succeeded => Cause::SettledSucceeded,
            Self::Failed => Cause::SettledFailed,
            Self::Cancelled => Cause::SettledCancelled,
        }
    }
}

async fn resource(work: &Work, number: OperationNumber) -> Result<Vec<Resource>, Failure> {
    Ok(vec![approvals::resource(&approvals::find(work, number).await?)])
}

/// What is said about an operation changes that operation and nothing else.
async fn plan(work: &Work, number: OperationNumber, wish: Wish) -> Result<Plan, Failure> {
    let row = approvals::find(work, number).await?;
    approvals::stands(work, &row, wish)?;
    let (verb, to) = match wish {
        Wish::Approve(_) => ("approve", "approved"),
        Wish::Deny => ("deny", "denied"),
        Wish::Cancel => ("cancel", "cancelled"),
        Wish::Settle(_) => ("settle", "settled"),
    };
    let step = Step {
        target: number.to_string(),
        from: Some(row.state.as_str().to_owned()),
        to: Some(to.to_owned()),
        artifacts: Vec::new(),
        generation: Some(row.digest.to_string()),
        configuration: None,
    };
    let change = Change {
        command: vec![verb.to_owned()],
        arguments: json!({ "operation": number }),
        steps: vec![step],
        undo: None,
    };
    let summary = Line::new().text(format!("{verb} {number}: ")).line(&row.plan.summary);
    Ok(Plan { summary, change, findings: Vec::new() })
}

macro_rules! about_an_operation {
    ($command:ident, $verb:literal, $examples:expr) => {
        impl Command for $command {
            const PATH: &'static [&'static str] = &[$verb];
            const EXAMPLES: &'static [&'static str] = $examples;

            async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
                resource(work, self.operation).await
            }
        }
    };
}

about_an_operation!(Approve, "approve", &["approve op-3"]);
about_an_operation!(Deny, "deny", &["deny op-3 --reason 'not on a Friday'"]);
about_an_operation!(Cancel, "cancel", &["cancel op-3"]);
about_an_operation!(Settle, "settle", &["settle op-3 failed --reason 'looked at the host: v1 runs'"]);

impl Act for Approve {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        plan(work, self.operation, Wish::Approve(self.plan)).await
    }

    async fn apply(&self, _: &Plan, work: &Work, transaction: &mut Transaction<'_>) -> Result<Applied, Failure> {
        approvals::approve(work, transaction, self.operation, self.plan).await
    }
}

impl Act for Deny {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        plan(work, self.operation, Wish::Deny).await
    }

    async fn apply(&self, _: &Plan, work: &Work, transaction: &mut Transaction<'_>) -> Result<Applied, Failure> {
        approvals::deny(work, transaction, self.operation).await
    }
}

impl Act for Cancel {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        plan(work, self.operation, Wish::Cancel).await
    }

    async fn apply(&self, _: &Plan, work: &Work, transaction: &mut Transaction<'_>) -> Result<Applied, Failure> {
        approvals::cancel(work, transaction, self.operation).await
    }
}

impl Act for Settle {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        if work.flags.reason.is_none() {
            return Err(Refusal::new("Settling needs a reason", "say what you saw with `--reason TEXT`").into());
        }
        plan(work, self.operation, Wish::Settle(self.end.cause())).await
    }

    async fn apply(&self, _: &Plan, work: &Work, transaction: &mut Transaction<'_>) -> Result<Applied, Failure> {
        approvals::settle(work, transaction, self.operation, self.end.cause()).await
    }
}

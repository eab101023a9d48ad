//! What a record of an invocation is about, so that it is found by service and environment.

use andon_core::{Catalog, EffectKind, Target};
use andon_store::InvocationRow;
use serde_json::Value;

use crate::command::Entry;
use crate::house::House;
use crate::policy::Resource;
use crate::reply;
use crate::work::Work;

/// The targets that a command's arguments name or, where they name none, those of what policy is asked about: `approve op-3` is about
/// what operation 3 changes, `freeze prod` about all that runs there.
pub(crate) fn targets(entry: &Entry, arguments: &Value, resources: &[Resource], catalog: &Catalog) -> Vec<Target> {
    let mut targets = (entry.targets)(arguments, catalog);
    if targets.is_empty() {
        // Reading about the house (`help`, `whoami`) is about no target; changing all of it is about each.
        let changes = entry.effect() != EffectKind::Read;
        targets = resources.iter().flat_map(|resource| covered(resource, catalog, changes)).collect();
        targets.sort();
        targets.dedup();
    }
    targets
}

fn covered(resource: &Resource, catalog: &Catalog, house: bool) -> Vec<Target> {
    let all = |wanted: &dyn Fn(&Target) -> bool| catalog.targets().filter(|target| wanted(target)).collect();
    match resource {
        Resource::Target(target) => vec![target.clone()],
        Resource::Service(service) => all(&|target| target.service == *service),
        Resource::Environment(environment) => all(&|target| target.environment == *environment),
        Resource::Operation { targets, .. } => targets.clone(),
        Resource::Lease { over, .. } => covered(over, catalog, house),
        Resource::House => all(&|_| house),
        Resource::Room(_) | Resource::Trail => Vec::new(),
    }
}

/// What an invocation is about, for records made after it was accepted. Nothing where that can no longer be said.
pub(crate) async fn targets_of(house: &std::sync::Arc<House>, invocation: &InvocationRow) -> Vec<Target> {
    let Ok((entry, arguments)) = reply::command_of(house, invocation) else { return Vec::new() };
    let Ok(work) = Work::of(house, invocation) else { return Vec::new() };
    let resources = (entry.resources)(&arguments, &work).await.unwrap_or_default();
    targets(entry, &arguments, &resources, work.catalog())
}

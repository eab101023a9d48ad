//! Completion: what could stand where the last word of a line stands.

use std::sync::Arc;

use andon_core::{ArgumentKind, ArgumentSpec, CommandSpec, Completion, Target};

use crate::house::House;

/// The most suggestions.
const LIMIT: usize = 25;

/// Values for the last word of `line`; a line that ends in a space asks for the next word.
pub(crate) async fn complete(house: &Arc<House>, line: &str) -> Vec<String> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let last = if line.ends_with(' ') || words.is_empty() { "" } else { words.pop().unwrap_or_default() };
    let specs = house.grammar.specs();
    let found = match command(specs, &words) {
        Some(spec) => arguments(house, spec, &words[spec.path.len()..], last).await,
        None => specs.iter().filter_map(|spec| next_word(spec, &words)).collect(),
    };
    let mut found: Vec<_> = found.into_iter().filter(|value| value.starts_with(last)).collect();
    found.sort();
    found.dedup();
    found.truncate(LIMIT);
    found
}

fn command<'a>(specs: &'a [CommandSpec], words: &[&str]) -> Option<&'a CommandSpec> {
    specs
        .iter()
        .find(|spec| words.len() >= spec.path.len() && spec.path.iter().zip(words).all(|(path, word)| path == word))
}

fn next_word(spec: &CommandSpec, words: &[&str]) -> Option<String> {
    let begins = spec.path.iter().zip(words).all(|(path, word)| path == word);
    spec.path.get(words.len()).filter(|_| begins).cloned()
}

async fn arguments(house: &Arc<House>, spec: &CommandSpec, given: &[&str], last: &str) -> Vec<String> {
    let option = given.last().and_then(|word| word.strip_prefix("--"));
    let waiting = option.and_then(|name| spec.arguments.iter().find(|argument| argument.name == name));
    if let Some(argument) = waiting.filter(|argument| argument.kind != ArgumentKind::Flag) {
        return values(house, argument, given).await;
    }
    let options =
        spec.arguments.iter().filter(|argument| !argument.positional).map(|argument| format!("--{}", argument.name));
    let options = options.filter(|option| !given.contains(&option.as_str()));
    if last.starts_with('-') {
        return options.collect();
    }
    let place = positionals(spec, given);
    match spec.arguments.iter().filter(|argument| argument.positional).nth(place) {
        Some(argument) => values(house, argument, given).await,
        None => options.collect(),
    }
}

/// How many of the given words stand for positional arguments.
fn positionals(spec: &CommandSpec, given: &[&str]) -> usize {
    let mut count = 0;
    let mut words = given.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            None => count += 1,
            Some(name) => {
                let takes_value =
                    spec.arguments.iter().any(|argument| argument.name == name && argument.kind != ArgumentKind::Flag);
                if takes_value {
                    words.next();
                }
            }
        }
    }
    count
}

async fn values(house: &Arc<House>, argument: &ArgumentSpec, given: &[&str]) -> Vec<String> {
    let configuration = house.configuration();
    let catalog = &configuration.catalog;
    match &argument.kind {
        ArgumentKind::Choice(choices) => choices.clone(),
        ArgumentKind::Flag | ArgumentKind::Integer | ArgumentKind::Text(None) => Vec::new(),
        ArgumentKind::Text(Some(completion)) => match completion {
            Completion::Services => catalog.services.keys().map(ToString::to_string).collect(),
            Completion::Environments => catalog.environments.keys().map(ToString::to_string).collect(),
            Completion::People => catalog.people.keys().map(ToString::to_string).collect(),
            Completion::Commands => house.grammar.specs().iter().map(|spec| spec.path.join(" ")).collect(),
            Completion::Operations => operations(house).await,
            Completion::Versions => versions(house, given).await,
        },
    }
}

async fn operations(house: &House) -> Vec<String> {
    let Ok(mut reader) = house.store.read().await else { return Vec::new() };
    let open = reader.connection().open_operations(None, None).await.unwrap_or_default();
    open.into_iter().map(|operation| operation.number.to_string()).collect()
}

/// The versions of the service that is named first, on whichever target answers.
async fn versions(house: &House, given: &[&str]) -> Vec<String> {
    let configuration = house.configuration();
    let Some(service) = given.iter().find_map(|word| configuration.catalog.services.get(&word.parse().ok()?)) else {
        return Vec::new();
    };
    for environment in service.targets.keys() {
        let target = Target { service: service.name.clone(), environment: environment.clone() };
        let Ok(deployer) = configuration.deployer(&target) else { continue };
        if let Ok(versions) = deployer.versions(&target).await {
            return versions.into_iter().map(|available| available.version.to_string()).collect();
        }
    }
    Vec::new()
}

//! The bot in Slack: what only Slack has, such as accounts of several workspaces, forms, signed requests and sockets.

mod buttons;
mod crash;
mod database;
mod files;
mod forms;
mod hostile;
mod identity;
mod never;
mod outside;
mod playground;
mod replicas;
mod setup;
mod sockets;
mod voice;

/// Runs scenarios over both ways in: `ways! { name, … }` makes a test `socket::name` and a test `http::name` of each.
macro_rules! ways {
    ($($name:ident),* $(,)?) => {
        mod socket {
            $(#[test] fn $name() { super::$name(andon_tests::Chat::SlackSocket); })*
        }
        mod http {
            $(#[test] fn $name() { super::$name(andon_tests::Chat::SlackHttp); })*
        }
    };
}
pub(crate) use ways;

/// The record's kinds, oldest first.
fn kinds(playground: &andon_tests::Playground) -> Vec<String> {
    let records = playground.records(&[]);
    records.iter().rev().filter_map(|record| record["kind"].as_str()).map(str::to_owned).collect()
}

/// How many records are of this kind.
fn count(playground: &andon_tests::Playground, kind: &str) -> usize {
    kinds(playground).iter().filter(|known| *known == kind).count()
}

//! `whoami`

use andon_core::{Failure, Line, Message};
use andon_engine::Work;
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use clap::Args;
use serde::{Deserialize, Serialize};

/// Show who you are to me
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct WhoAmI {}

impl Command for WhoAmI {
    const PATH: &'static [&'static str] = &["whoami"];
    const EXAMPLES: &'static [&'static str] = &["whoami"];

    async fn resources(&self, _: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::House])
    }
}

impl Read for WhoAmI {
    const ANSWERS_UNRECORDED: bool = true;

    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        let summary = Line::new().text("You are ").person(work.asker());
        let message = Message::new(summary).fact("account", Line::new().code(&work.speaker.identity));
        let Some(person) = work.catalog().people.get(work.asker()) else { return Ok(message) };
        let teams: Vec<_> = person.teams.iter().map(ToString::to_string).collect();
        let linked: Vec<_> = person.identities.iter().map(ToString::to_string).collect();
        let zone = person.time_zone.iana_name().unwrap_or("UTC").to_owned();
        let none = |list: Vec<String>| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        Ok(message.fact("teams", none(teams)).fact("accounts", none(linked)).fact("time zone", zone))
    }
}

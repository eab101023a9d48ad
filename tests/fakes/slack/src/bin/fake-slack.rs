//! The fake, run by hand: prints the bot's environment, reads what people do, and prints what the bot shows.

use std::io::BufRead as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use andon_fake_slack::{Settings, Shown, Slack};
use serde_json::Value;

const USAGE: &str = "\
ana #lobby: @andon status     ana says it
ana thread #lobby: @andon yes ana says it in the newest thread
ana /andon status #lobby      a slash command
ana click Approve #lobby      a button under the newest message that has it
ana fill Reason = because     an input or menu of the uppermost modal
ana press More                a button of the uppermost modal
ana submit                    the uppermost modal";

fn main() -> ExitCode {
    let slack = match Slack::start(Settings { post_pacing: None, ..Settings::default() }) {
        Ok(slack) => slack,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("export ANDON_SLACK_BOT_TOKEN={}", slack.bot_token());
    println!("export ANDON_SLACK_APP_TOKEN={}", slack.app_token());
    println!("export ANDON_SLACK_SIGNING_SECRET={}", slack.signing_secret());
    println!("export ANDON_SLACK_API_URL={}", slack.api_url());
    eprintln!("{USAGE}");
    let shown = slack.watch();
    std::thread::spawn(move || shown.iter().for_each(|one| print(&one)));
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        // The handle panics where a person could not do it, and says why; here that is a typing mistake.
        let done = catch_unwind(AssertUnwindSafe(|| obey(&slack, line.trim())));
        if matches!(done, Ok(None)) {
            eprintln!("{USAGE}");
        }
    }
    ExitCode::SUCCESS
}

/// Does what a line says; nothing when it says nothing that is known.
fn obey(slack: &Slack, line: &str) -> Option<()> {
    if line.is_empty() {
        return Some(());
    }
    let (user, rest) = line.split_once(' ')?;
    if let Some(said) = rest.strip_prefix('#') {
        let (channel, text) = said.split_once(':')?;
        slack.say(user, channel, None, text.trim());
        return Some(());
    }
    let (verb, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (before, channel) = rest.rsplit_once('#').unwrap_or((rest, "lobby"));
    match verb {
        "thread" => {
            let (channel, text) = rest.trim_start_matches('#').split_once(':')?;
            let newest = slack.messages(channel).pop()?;
            slack.say(user, channel, newest["ts"].as_str(), text.trim());
        }
        "click" => {
            let ts = slack.newest_with(channel, before.trim())?;
            report(slack.click(user, channel, &ts, before.trim()).ending().shown_to_person());
        }
        "fill" => {
            let (label, value) = rest.split_once('=')?;
            slack.fill(user, &uppermost(slack, user)?, label.trim(), value.trim());
        }
        "press" => {
            slack.click_in_view(user, &uppermost(slack, user)?, rest.trim());
        }
        "submit" => println!("{:?}", slack.submit(user, &uppermost(slack, user)?)),
        command if command.starts_with('/') => {
            report(slack.slash(user, channel, command, before.trim()).ending().shown_to_person());
        }
        _ => return None,
    }
    Some(())
}

fn uppermost(slack: &Slack, user: &str) -> Option<String> {
    Some(slack.views(user).pop()?["id"].as_str()?.to_owned())
}

fn report(failure: Option<&str>) {
    if let Some(failure) = failure {
        println!("! failed with the error \"{failure}\"");
    }
}

fn print(shown: &Shown) {
    let place = shown.channel.as_deref().unwrap_or("-");
    let thread = shown.thread_ts.as_deref().map(|ts| format!(" in {ts}")).unwrap_or_default();
    println!("[{:?} {place}{thread}]", shown.kind);
    let mut lines = Vec::new();
    let blocks = &shown.message["blocks"];
    texts(if blocks.is_null() { &shown.message["text"] } else { blocks }, &mut lines);
    println!("  {}", lines.join("\n  "));
}

/// Every text in it, in order.
fn texts(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::String(text) => lines.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, lines)),
        Value::Object(fields) if fields.get("type").is_some_and(|kind| kind == "button") => {
            lines.push(format!("[{}]", fields["text"]["text"].as_str().unwrap_or_default()));
        }
        Value::Object(fields) => {
            let shown = ["label", "text", "fields", "elements", "element", "accessory", "rows"];
            shown.iter().filter_map(|name| fields.get(*name)).for_each(|inner| texts(inner, lines));
        }
        _ => {}
    }
}

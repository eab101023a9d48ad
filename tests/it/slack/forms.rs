//! Forms: opened, filled in, previewed and submitted; reasons, shortcuts and the home.

use std::time::Duration;

use andon_fake_slack::{Settings, SubmitResult};
use andon_tests::{Chat, Playground, SlackBot, text_elements, until, words};

use super::{count, ways};
use crate::PROGRAM;

ways! {
    a_form_offers_what_there_is_and_shows_what_would_happen,
    what_a_form_showed_is_what_it_does,
    strangers_get_no_form_and_no_choices,
    a_refusal_stands_in_the_form,
    a_refusal_can_be_corrected_in_the_form,
    what_a_form_was_refused_can_be_tried_again,
    a_form_that_is_submitted_twice_runs_once,
    whoever_denies_says_why,
    the_home_and_the_shortcuts_work,
    a_command_can_be_a_slash_command_of_its_own,
}

const DONE: &str = "Done: deploy hello nothing → v1 in staging";

/// One in a Slack that is patient: a busy machine is no reason for a form not to open.
fn playground(chat: Chat) -> Playground {
    let patient = Duration::from_secs(30);
    let settings = Settings { trigger_lifetime: patient, acknowledge_within: patient, ..Settings::default() };
    Playground::in_slack(PROGRAM, chat, settings, "")
}

fn open(bot: &SlackBot<'_>, person: &str) -> String {
    drop(bot.slack().slash(person, "deploys", "/andon", "deploy"));
    bot.view(person, "Service")
}

/// Chooses an option that the bot offers.
fn choose(bot: &SlackBot<'_>, person: &str, view: &str, label: &str, option: &str) {
    let offered = bot.slack().suggest(person, view, label, "").expect("it offers something");
    assert!(offered.iter().any(|offered| offered["value"] == option), "{label}: {offered:?}");
    drop(bot.slack().choose(person, view, label, option));
    bot.settle();
}

fn fill(bot: &SlackBot<'_>, person: &str, version: &str, environment: &str) -> String {
    let view = open(bot, person);
    choose(bot, person, &view, "Service", "hello");
    choose(bot, person, &view, "Env", environment);
    choose(bot, person, &view, "Version", version);
    view
}

/// Previews what is filled in; the view that shows the plan.
fn preview(bot: &SlackBot<'_>, person: &str, view: &str) -> String {
    let pushed = bot.slack().submit(person, view);
    assert!(matches!(pushed, SubmitResult::Pushed(_)), "{pushed:?}");
    bot.settle();
    bot.view(person, "hello/staging")
}

fn a_form_offers_what_there_is_and_shows_what_would_happen(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let view = fill(&bot, "ana", "v1", "staging");
    let shown = preview(&bot, "ana", &view);
    assert_eq!(playground.orders("hello/staging"), 0);
    assert_eq!(bot.shown("deploys"), "");
    let cleared = bot.slack().submit("ana", &shown);
    assert_eq!(cleared, SubmitResult::Cleared);
    bot.settle();
    bot.expect("deploys", &format!("✓ {DONE}"));
    bot.close();
    assert_eq!(playground.orders("hello/staging"), 1);
    // Where the form was opened, of the preview too.
    let records = playground.records(&["--command", "deploy"]);
    let links = records.iter().map(|record| record["place"]["permalink"].to_string());
    assert!(links.clone().all(|link| link.ends_with("/archives/C0DEPLOYS\"")), "{:?}", links.collect::<Vec<_>>());
}

fn what_a_form_showed_is_what_it_does(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let view = fill(&bot, "ana", "v2", "staging");
    let shown = preview(&bot, "ana", &view);
    // The world moves on while she looks at it.
    bot.say("ben", "deploys", "deploy hello v1 --env staging");
    bot.expect("deploys", &format!("✓ {DONE}"));
    assert_eq!(bot.slack().submit("ana", &shown), SubmitResult::Cleared);
    bot.settle();
    bot.expect_whisper(
        "ana",
        "The plan has changed since it was shown, and now is: deploy hello v1 → v2 in staging",
        1,
    );
    assert_eq!(playground.orders("hello/staging"), 1);
    let view = fill(&bot, "ana", "v2", "staging");
    let shown = preview(&bot, "ana", &view);
    assert_eq!(bot.slack().submit("ana", &shown), SubmitResult::Cleared);
    bot.settle();
    bot.expect("deploys", "✓ Done: deploy hello v1 → v2 in staging");
    bot.close();
    assert_eq!(playground.orders("hello/staging"), 2);
}

fn strangers_get_no_form_and_no_choices(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().add_user("dan");
    bot.slack().join("dan", "deploys");
    drop(bot.slack().slash("dan", "deploys", "/andon", "deploy"));
    bot.settle();
    bot.expect_whisper("dan", "I do not know you", 1);
    assert!(bot.slack().views("dan").is_empty());
    // One who was known when it opened.
    let view = open(&bot, "ana");
    bot.slack().deactivate("ana");
    bot.settle();
    assert_eq!(bot.slack().suggest("ana", &view, "Service", ""), Ok(Vec::new()));
    bot.close();
}

fn a_refusal_stands_in_the_form(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let view = fill(&bot, "cy", "v1", "staging");
    let refused = bot.slack().submit("cy", &view);
    let SubmitResult::Errors(errors) = refused else { panic!("{refused:?}") };
    assert!(errors.values().any(|error| error.contains("cy may not deploy")), "{errors:?}");
    bot.settle();
    assert_eq!(bot.shown("deploys") + &bot.whispered("cy"), "");
    let view = open(&bot, "ana");
    choose(&bot, "ana", &view, "Service", "hello");
    choose(&bot, "ana", &view, "Env", "staging");
    bot.slack().suggest("ana", &view, "Version", "v9").expect("what is typed can be chosen");
    drop(bot.slack().choose("ana", &view, "Version", "v9"));
    let refused = bot.slack().submit("ana", &view);
    assert!(matches!(refused, SubmitResult::Pushed(_) | SubmitResult::Errors(_)), "{refused:?}");
    bot.settle();
    let seen = bot.slack().views("ana").iter().map(words).collect::<String>();
    assert!(matches!(refused, SubmitResult::Errors(_)) || seen.contains("v9"), "{refused:?} {seen}");
    bot.close();
}

fn a_refusal_can_be_corrected_in_the_form(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    drop(bot.slack().global_shortcut("ana", "ask"));
    let view = bot.view("ana", "What shall I do?");
    bot.slack().fill("ana", &view, "What shall I do?", "whoam");
    let refused = bot.slack().submit("ana", &view);
    assert!(matches!(&refused, SubmitResult::Errors(errors) if errors["ask"].contains("whoami")), "{refused:?}");
    bot.slack().fill("ana", &view, "What shall I do?", "whoami");
    assert_eq!(bot.slack().submit("ana", &view), SubmitResult::Cleared);
    bot.settle();
    bot.expect(&bot.slack().direct_with_bot("ana"), "You are ana");
    bot.close();
}

fn what_a_form_was_refused_can_be_tried_again(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    drop(bot.slack().global_shortcut("ana", "ask"));
    let view = bot.view("ana", "What shall I do?");
    bot.slack().fill("ana", &view, "What shall I do?", "why op-1");
    for _ in 0..2 {
        let refused = bot.slack().submit("ana", &view);
        let SubmitResult::Errors(errors) = &refused else { panic!("{refused:?}") };
        assert!(errors["ask"].contains("There is no operation op-1"), "{errors:?}");
    }
    bot.say("ben", "deploys", "deploy hello v1 --env staging");
    // The very same once more, and pressed twice: it is answered, once.
    drop(bot.slack().submit_twice("ana", &view));
    bot.settle();
    bot.expect_times(&bot.slack().direct_with_bot("ana"), "op-1 succeeded", 1);
    bot.close();
    let asked = |kind: &str| {
        let records = playground.records(&["--command", "why"]);
        records.iter().filter(|record| record["kind"] == kind).count()
    };
    assert_eq!((asked("denied"), asked("asked"), asked("answered")), (2, 1, 1));
}

fn a_form_that_is_submitted_twice_runs_once(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let view = fill(&bot, "ana", "v1", "staging");
    let shown = preview(&bot, "ana", &view);
    drop(bot.slack().submit_twice("ana", &shown));
    bot.settle();
    bot.expect_times("deploys", &format!("✓ {DONE}"), 1);
    bot.close();
    assert_eq!(playground.orders("hello/staging"), 1);
}

fn whoever_denies_says_why(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "lobby", "deploy hello v1 --env prod");
    let card = bot.slack().newest_with("lobby", "Approve").expect("a card");
    let message = bot.slack().message("lobby", &card).expect("a card");
    let approve = text_elements(&message, "button").into_iter().find(|button| words(button).contains("Approve"));
    assert!(approve.is_some_and(|button| button["confirm"].is_object()), "{message}");
    drop(bot.slack().click("ben", "lobby", &card, "Deny"));
    let view = bot.view("ben", "Why?");
    assert_eq!(bot.slack().submit("ben", &view), SubmitResult::Incomplete(vec!["reason".to_owned()]));
    bot.slack().fill("ben", &view, "Why?", "not on a Friday; --reason 'x' `y`");
    assert_eq!(bot.slack().submit("ben", &view), SubmitResult::Cleared);
    bot.settle();
    bot.expect("lobby", "not on a Friday; --reason 'x' `y`").expect_times("lobby", "[Approve]", 0);
    bot.close();
    let records = playground.records(&["--command", "deny"]);
    assert!(records.iter().any(|record| record.to_string().contains("not on a Friday")), "{records:#?}");
    assert_eq!(playground.orders("hello/prod"), 0);
}

fn the_home_and_the_shortcuts_work(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().open_home("ana");
    until("there is a home", || bot.slack().home("ana").is_some());
    let home = bot.slack().home("ana").expect("waited for above");
    assert!(words(&home).contains("deploy"), "{home}");
    drop(bot.slack().click_in_view("ana", home["id"].as_str().expect("an id"), "deploy"));
    let form = bot.view("ana", "Service");
    bot.slack().close_view("ana", &form);
    bot.slack().add_user("dan");
    bot.slack().open_home("dan");
    until("a stranger sees a home", || bot.slack().home("dan").is_some_and(|home| words(&home).contains("know you")));
    drop(bot.slack().global_shortcut("ana", "ask"));
    let view = bot.view("ana", "What shall I do?");
    bot.slack().fill("ana", &view, "What shall I do?", "whoami");
    assert_eq!(bot.slack().submit("ana", &view), SubmitResult::Cleared);
    bot.settle();
    bot.expect(&bot.slack().direct_with_bot("ana"), "You are ana");
    let ts = bot.slack().say("ben", "lobby", None, "what runs here?");
    drop(bot.slack().shortcut("ana", "lobby", &ts, "ask"));
    let view = bot.view("ana", "What shall I do?");
    bot.slack().fill("ana", &view, "What shall I do?", "status");
    assert_eq!(bot.slack().submit("ana", &view), SubmitResult::Cleared);
    bot.settle();
    assert_eq!(bot.slack().thread("lobby", &ts).len(), 2, "{}", bot.shown("lobby"));
    bot.close();
    assert!(count(&playground, "asked") >= 2);
}

fn a_command_can_be_a_slash_command_of_its_own(chat: Chat) {
    let own = "[slack]\nslash_commands = [\"deploy\"]\n";
    let playground = Playground::in_slack(PROGRAM, chat, Settings::default(), own);
    let mut bot = SlackBot::start(&playground);
    drop(bot.slack().slash("ana", "deploys", "/deploy", ""));
    bot.view("ana", "Service");
    drop(bot.slack().slash("ana", "deploys", "/deploy", "hello v1 --env staging"));
    bot.settle();
    bot.expect("deploys", &format!("✓ {DONE}"));
    drop(bot.slack().slash("ana", "deploys", "/andon", ""));
    bot.settle();
    bot.close();
    assert_eq!(playground.orders("hello/staging"), 1);
}

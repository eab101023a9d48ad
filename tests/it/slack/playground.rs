//! The playground in a real workspace, with two tokens and nothing else.

use andon_fake_slack::Settings;
use andon_tests::{Chat, Playground, SlackBot, until};

use crate::PROGRAM;

#[test]
fn whoever_comes_first_plays_ana_and_anybody_can_play_somebody_else() {
    let playground = Playground::in_slack(PROGRAM, Chat::SlackSocket, Settings::default(), "");
    let mut bot = SlackBot::start_playground(&playground);
    bot.say("cy", "lobby", "deploy hello v1 --env prod");
    bot.expect("lobby", "Approve? deploy hello nothing → v1 in prod");
    bot.click("cy", "lobby", "Approve");
    bot.expect_whisper("cy", "someone else must approve", 1);
    bot.say("cy", "lobby", "as ben");
    until("it is said who plays whom", || bot.whispered("cy").contains("You speak as ben now"));
    bot.click("cy", "lobby", "Approve");
    bot.expect("lobby", "Done: deploy hello nothing → v1 in prod");
    bot.say("ben", "lobby", "whoami");
    bot.expect("lobby", "You are cy");
    bot.end();
    let loads = playground.records(&[]).iter().filter(|record| record["details"]["by"] == "playground").count();
    assert_eq!(loads, 3, "whoever plays whom is on record");
}

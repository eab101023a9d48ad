//! The fake, asked as a bot would ask it.

mod client;
mod delivery;
mod faults;
mod modals;
mod refusals;
mod sockets;
mod talk;

use andon_fake_slack::{Settings, Slack};

/// A fake with these settings.
fn fake(change: impl FnOnce(&mut Settings)) -> Slack {
    let mut settings = Settings::default();
    change(&mut settings);
    Slack::start(settings).expect("the fake starts")
}

/// A fake that takes messages as fast as they come.
fn unpaced() -> Slack {
    fake(|settings| settings.post_pacing = None)
}

#[test]
fn one_handle_serves_many_threads() {
    fn is_shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    is_shared(&unpaced());
}

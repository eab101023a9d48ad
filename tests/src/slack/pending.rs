//! What is still to come of what was said.

use std::time::Duration;

use andon_fake_slack::Slack;

use crate::database::Watcher;

/// How long a paced message is waited for before time is moved: so that scenarios need not wait for Slack's pace.
pub(super) const PACED: Duration = Duration::from_millis(60);

/// Work that is not at rest, and things that are not said.
const PENDING: &str = "select cast((select count(*) from invocations where state = 'accepted') \
    + (select count(*) from operations where state in ('queued', 'running')) + (select count(*) from waiting_records) as text) \
    union all select cast((select count(*) from messages where done_at is null) \
    + (select count(*) from cards where version > sent_version and given_up is null) as text)";

/// How much work is not at rest, and how much is not said.
pub(super) fn pending(slack: &Slack, database: &mut Watcher) -> (usize, usize) {
    if slack.on_the_way() > 0 {
        return (1, 0);
    }
    let counts: Vec<usize> = database.rows(PENDING).iter().filter_map(|count| count.parse().ok()).collect();
    match counts[..] {
        [work, unsaid] => (work, unsaid),
        _ => (1, 0),
    }
}

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

/// The same of what was said in one message, named by its part of the human act's key: the invocation, and the operation that it became or
/// set going.
const PENDING_OF: &str = "with said as (select id, state, body from invocations where body like $1), \
    acts as (select body from said where body like '%\"path\":[\"approve\"]%' or body like '%\"path\":[\"cancel\"]%'), \
    ops as (select id, state from operations where invocation in (select id from said) \
    or exists (select 1 from acts where acts.body like '%\"operation\":' || operations.number || '}%') \
    or exists (select 1 from acts where acts.body like '%\"operation\":' || operations.number || ',%')) \
    select cast((select count(*) from said where state = 'accepted') + (select count(*) from ops where state in ('queued', 'running')) \
    + (select count(*) from waiting_records) as text) \
    union all select cast((select count(*) from messages where done_at is null \
    and (invocation in (select id from said) or operation in (select id from ops))) \
    + (select count(*) from cards where version > sent_version and given_up is null and operation in (select id from ops)) as text)";

/// How much work is not at rest, and how much is not said: of one message, or of all that there is.
pub(super) fn pending(slack: &Slack, database: &mut Watcher, message: Option<&str>) -> (usize, usize) {
    if slack.on_the_way() > 0 {
        return (1, 0);
    }
    let counts = match message {
        Some(message) => database.rows(PENDING_OF, Some(&format!("%\"key\":\"slack/%/{message}\"%"))),
        None => database.rows(PENDING, None),
    };
    let counts: Vec<usize> = counts.iter().filter_map(|count| count.parse().ok()).collect();
    match counts[..] {
        [work, unsaid] => (work, unsaid),
        _ => (1, 0),
    }
}

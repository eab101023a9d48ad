//! conversations.history and conversations.replies.

use std::ops::Bound;

use serde_json::{Value, json};

use super::args::Args;
use super::page::Page;
use super::{Answer, Context};
use crate::refusal::Refusal;
use crate::world::stamp::Stamp;

/// The window that was asked for.
struct Window {
    oldest: Option<Stamp>,
    latest: Option<Stamp>,
    inclusive: bool,
    with_metadata: bool,
    page: Page,
}

impl Window {
    fn take(args: &mut Args) -> Result<Self, Refusal> {
        Ok(Self {
            // Slack takes a bare nought for the beginning of time.
            oldest: bound(args, "oldest", "invalid_ts_oldest")?,
            latest: bound(args, "latest", "invalid_ts_latest")?,
            inclusive: args.flag("inclusive")?.unwrap_or(false),
            with_metadata: args.flag("include_all_metadata")?.unwrap_or(false),
            page: Page::take(args, 100, 999)?,
        })
    }

    fn holds(&self, stamp: Stamp) -> bool {
        let after = self.oldest.is_none_or(|oldest| stamp > oldest || (self.inclusive && stamp == oldest));
        let before = self.latest.is_none_or(|latest| stamp < latest || (self.inclusive && stamp == latest));
        after && before
    }
}

fn bound(args: &mut Args, name: &str, error: &str) -> Result<Option<Stamp>, Refusal> {
    let Some(text) = args.optional_text(name)? else { return Ok(None) };
    if text == "0" {
        return Ok(Some(Stamp(0)));
    }
    let whole = || text.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(1_000_000)).map(Stamp);
    Stamp::parse(&text).or_else(whole).map(Some).ok_or_else(|| Refusal::new(error))
}

/// What stands in the channel, the newest first. Answers in threads do not, unless they were also sent to the channel.
pub(super) fn history(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    let window = Window::take(args)?;
    args.finish()?;
    let channel = context.readable(&id, "history")?;
    if !channel.members.contains(crate::world::BOT_USER) {
        return Err(Refusal::new("not_in_channel"));
    }
    let end = window.page.begins()?.map_or(Bound::Unbounded, |begins| Bound::Included(Stamp(begins)));
    let start = window.oldest.map_or(Bound::Unbounded, Bound::Included);
    if let (Bound::Included(from), Bound::Included(to)) = (start, end)
        && from > to
    {
        return Ok(json!({"messages": [], "has_more": false, "pin_count": 0}));
    }
    let (mut shown, mut next) = (Vec::<Value>::new(), None);
    for (stamp, message) in channel.messages.range((start, end)).rev() {
        if !window.holds(*stamp) || (message.thread.is_some() && !message.broadcast) {
            continue;
        }
        if shown.len() == window.page.limit {
            next = Some(stamp.0);
            break;
        }
        shown.push(message.to_json(window.with_metadata));
    }
    let mut answer = json!({"messages": shown, "has_more": next.is_some(), "pin_count": 0});
    if next.is_some() {
        answer["response_metadata"] = Page::metadata(next);
    }
    Ok(answer)
}

/// A thread: its first message, and then the answers, the oldest first.
pub(super) fn replies(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    let stamp = args.stamp("ts", "thread_not_found")?;
    let window = Window::take(args)?;
    args.finish()?;
    let channel = context.readable(&id, "history")?;
    if !channel.members.contains(crate::world::BOT_USER) {
        return Err(Refusal::new("not_in_channel"));
    }
    let named = channel.messages.get(&stamp).ok_or_else(|| Refusal::new("thread_not_found"))?;
    let parent = named.thread.and_then(|thread| channel.messages.get(&thread)).unwrap_or(named);
    let from = Stamp(window.page.begins()?.unwrap_or(0));
    let mut shown = vec![parent.to_json(window.with_metadata)];
    let mut next = None;
    for reply in parent.replies.iter().filter(|reply| **reply >= from && window.holds(**reply)) {
        if shown.len() > window.page.limit {
            next = Some(reply.0);
            break;
        }
        if let Some(message) = channel.messages.get(reply) {
            let mut reply = message.to_json(window.with_metadata);
            reply["parent_user_id"] = json!(parent.user);
            shown.push(reply);
        }
    }
    let mut answer = json!({"messages": shown, "has_more": next.is_some()});
    if next.is_some() {
        answer["response_metadata"] = Page::metadata(next);
    }
    Ok(answer)
}

//! Slack's mark-up undone: what somebody typed, as text of the grammar. Code and quotations keep their marks, by which the house knows
//! that they are not to be run.

/// The text without Slack's mark-up.
pub(super) fn typed(text: &str) -> String {
    let mut typed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let Some(end) = rest[start..].find('>') else { break };
        typed.push_str(&rest[..start]);
        typed.push_str(&unlinked(&rest[start + 1..start + end]));
        rest = &rest[start + end + 1..];
    }
    typed.push_str(rest);
    // Last, so that what somebody typed as `&lt;` becomes no mark-up; the ampersand last of all, so that `&amp;lt;` stays `&lt;`.
    typed.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What stood there before Slack made a link, a mention or a channel of it.
fn unlinked(inside: &str) -> String {
    let (target, label) = match inside.split_once('|') {
        Some((target, label)) => (target, Some(label)),
        None => (inside, None),
    };
    match target.chars().next() {
        Some('@') => format!("<{target}>"),
        Some('#') => format!("#{}", label.unwrap_or(&target[1..])),
        Some('!') => label.map_or_else(|| format!("<{target}>"), str::to_owned),
        _ => label.unwrap_or(target.trim_start_matches("mailto:")).to_owned(),
    }
}

/// What is said to the bot in a message that begins with its mention; nothing where it does not.
pub(super) fn addressed<'a>(text: &'a str, bot: &str) -> Option<&'a str> {
    let rest = text.trim_start().strip_prefix("<@")?.strip_prefix(bot)?;
    let rest = match rest.strip_prefix('|') {
        Some(named) => &named[named.find('>')?..],
        None => rest,
    };
    Some(rest.strip_prefix('>')?.trim_start_matches([':', ',', ' ', '\u{a0}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slack_made_of_it_is_undone() {
        assert_eq!(typed("deploy <http://api.example|api.example> v1"), "deploy api.example v1");
        assert_eq!(typed("note <mailto:a@b.c|a@b.c> &amp; &lt;!here&gt;"), "note a@b.c & <!here>");
        assert_eq!(
            typed("oncall swap <@U1|ann> in <#C1|ops> <https://x.example/y>"),
            "oncall swap <@U1> in #ops https://x.example/y"
        );
        assert_eq!(typed("a &amp;lt; b"), "a &lt; b");
        assert_eq!(typed("&gt; deploy"), "> deploy", "a quotation stays one");
        assert_eq!(typed("2 < 3"), "2 < 3");
    }

    #[test]
    fn only_what_begins_with_the_bots_name_is_said_to_it() {
        assert_eq!(addressed("<@U0BOT> status", "U0BOT"), Some("status"));
        assert_eq!(addressed(" <@U0BOT|andon>: status", "U0BOT"), Some("status"));
        assert_eq!(addressed("ask <@U0BOT> status", "U0BOT"), None);
        assert_eq!(addressed("<@U0BOTX> status", "U0BOT"), None);
        assert_eq!(addressed("&gt; <@U0BOT> status", "U0BOT"), None);
    }
}

//! What changed between two texts of a configuration, short enough for a record.

use std::collections::BTreeMap;

/// The most lines that are told.
const LINES: usize = 60;
/// The most characters of a line.
const LENGTH: usize = 120;

/// The lines that are gone, with `-`, and those that are new, with `+`; both texts are redacted already.
pub(crate) fn lines(before: &str, after: &str) -> Vec<String> {
    let mut count: BTreeMap<&str, i64> = BTreeMap::new();
    for line in said(after) {
        *count.entry(line).or_default() += 1;
    }
    for line in said(before) {
        *count.entry(line).or_default() -= 1;
    }
    // In the order of the texts, each as often as it is more than before.
    let mut pick = |text, sign: char, one: i64| -> Vec<String> {
        let mut picked = Vec::new();
        for line in said(text) {
            if let Some(left) = count.get_mut(line).filter(|left| left.signum() == one) {
                *left -= one;
                picked.push(format!("{sign} {}", line.chars().take(LENGTH).collect::<String>()));
            }
        }
        picked
    };
    let mut changed = pick(before, '-', -1);
    changed.extend(pick(after, '+', 1));
    if changed.len() > LINES {
        let more = changed.len() - LINES;
        changed.truncate(LINES);
        changed.push(format!("… and {more} more lines"));
    }
    changed
}

fn said(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_and_what_is_new_is_told_and_nothing_else() {
        assert_eq!(lines("a = 1\nb = 2\n\nc = 3", "  a = 1\nb = 4\nc = 3\nc = 3"), ["- b = 2", "+ b = 4", "+ c = 3"]);
        assert!(lines("a = 1", "a = 1\n").is_empty());
        let many: String = (0..200).map(|number| format!("x{number} = 1\n")).collect();
        let told = lines("", &many);
        assert_eq!((told.len(), told.last().unwrap().as_str()), (LINES + 1, "… and 140 more lines"));
    }
}

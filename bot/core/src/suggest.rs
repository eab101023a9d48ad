//! "Did you mean".

/// The candidate nearest to `typed`, if one is near enough to be a slip of the finger (Damerau-Levenshtein distance of at most a
/// third of the length, at least 1).
pub fn closest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    let limit = (typed.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&typed, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn suggests_slips_only() {
        assert_eq!(closest("helo", ["hello", "shop"]), Some("hello"));
        assert_eq!(closest("database", ["hello", "shop"]), None);
    }
}

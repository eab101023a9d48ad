//! Circles in what comes after or depends on what.

use std::collections::{BTreeMap, BTreeSet};

/// A path that ends where it begins, if the arrows of `edges` have one. Every circle that there is makes one be found.
pub(super) fn circle<N: Ord>(edges: &BTreeMap<N, Vec<N>>) -> Option<Vec<&N>> {
    let mut finished: BTreeSet<&N> = BTreeSet::new();
    for start in edges.keys() {
        let mut path = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            match edges.get(node).and_then(|to| to.get(*next)) {
                None => {
                    finished.insert(node);
                    path.pop();
                }
                Some(to) => {
                    *next += 1;
                    if let Some(first) = path.iter().position(|(node, _)| *node == to) {
                        return Some(path[first..].iter().map(|(node, _)| *node).chain([to]).collect());
                    }
                    if !finished.contains(to) {
                        path.push((to, 0));
                    }
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::circle;

    #[test]
    fn finds_the_circle_and_not_the_way_to_it() {
        let edges = BTreeMap::from([("a", vec!["b"]), ("b", vec!["d", "c"]), ("c", vec!["b"]), ("d", vec![])]);
        assert_eq!(circle(&edges), Some(vec![&"b", &"c", &"b"]));
        assert_eq!(circle(&BTreeMap::from([("a", vec!["a"])])), Some(vec![&"a", &"a"]));
    }

    proptest! {
        #[test]
        fn finds_one_exactly_where_there_is_one(pairs in prop::collection::vec((0u8..7, 0u8..7), 0..12)) {
            let mut edges: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
            for (from, to) in pairs {
                edges.entry(from).or_default().push(to);
            }
            // Without a circle, taking away what points at nothing empties the graph.
            let mut left = edges.clone();
            while let Some(end) = left.iter().find(|(_, to)| !to.iter().any(|to| left.contains_key(to))).map(|(n, _)| *n) {
                left.remove(&end);
            }
            let found = circle(&edges);
            prop_assert_eq!(found.is_some(), !left.is_empty());
            for step in found.unwrap_or_default().windows(2) {
                prop_assert!(edges[step[0]].contains(step[1]));
            }
        }
    }
}

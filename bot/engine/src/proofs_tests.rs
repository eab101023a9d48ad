//! A proof stands for something that happened once: it is not cloned, not copied, not read from JSON, and not there by default. That it
//! cannot be written down from outside is tested beside, in `tests/proofs`.

use std::marker::PhantomData;

use andon_store::Accepted;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::approvals::Approved;
use crate::plan::Planned;

/// Whether a type has a trait. A type's own constant goes before that of a trait, and is there only where its bound holds. One of the two
/// is never used, hence the underscores.
macro_rules! has {
    ($type:ty: $bound:path) => {{
        struct Probe<T>(PhantomData<T>);
        trait _Otherwise {
            const _HAS: bool = false;
        }
        impl<T> _Otherwise for Probe<T> {}
        impl<T: $bound> Probe<T> {
            const _HAS: bool = true;
        }
        Probe::<$type>::_HAS
    }};
}

macro_rules! proof {
    ($name:ident, $type:ty) => {
        #[test]
        fn $name() {
            let has = [
                has!($type: Clone),
                has!($type: Copy),
                has!($type: Default),
                has!($type: DeserializeOwned),
                has!($type: Serialize),
            ];
            assert_eq!(has, [false; 5], "Clone, Copy, Default, Deserialize, Serialize");
        }
    };
}

proof!(accepted_is_made_once, Accepted);
proof!(planned_is_made_once, Planned);
proof!(approved_is_made_once, Approved);

#[test]
fn the_probe_finds_what_there_is() {
    assert!(
        [has!(u8: Clone), has!(u8: Copy), has!(u8: Default), has!(u8: DeserializeOwned), has!(u8: Serialize)]
            .into_iter()
            .all(|has| has)
    );
    assert!(!has!(String: Copy));
}

//! That something was accepted nobody outside writes down, not even beside something that was: its members are private.

use andon_store::Accepted;

fn forge(other: Accepted) -> Accepted {
    Accepted { fence: 2, ..other }
}

fn main() {}

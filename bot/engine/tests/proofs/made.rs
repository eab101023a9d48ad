//! Nobody outside writes a proof down: members are private, and so is what makes one.

use andon_engine::approvals::Approved;
use andon_engine::plan::Planned;
use andon_store::Accepted;

fn accepted(other: Accepted) -> Accepted {
    Accepted { fence: 2, ..other }
}

fn main() {
    let _approved = Approved(());
    let _reloaded = Approved::reload;
}

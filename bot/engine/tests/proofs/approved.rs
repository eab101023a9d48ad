//! That something was approved nobody outside writes down.

use andon_engine::approvals::Approved;

fn main() {
    let _approved = Approved(());
}

//! What proves an approval is not for those outside to call.

use andon_engine::approvals::Approved;

fn main() {
    let _reloaded = Approved::reload;
}

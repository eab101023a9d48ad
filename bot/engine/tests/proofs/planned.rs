//! That something was planned nobody outside can even name.

use andon_engine::plan::Planned;

fn main() {}

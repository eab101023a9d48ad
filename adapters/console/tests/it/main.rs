//! What the terminal room prints, and how it takes lines from a pipe.

mod fake;
mod hostile;
mod piped;
mod render;
mod voice;

use andon_console::Look;
use jiff::tz::TimeZone;

/// A terminal of `width` columns in UTC, without colour.
fn look(width: usize) -> Look {
    Look { colour: false, width, time_zone: TimeZone::UTC }
}

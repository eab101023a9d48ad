//! Slack's limits for views, inputs and options, as <https://docs.slack.dev/reference/block-kit> documents them, and two of the house.

/// The longest title of a view, and the longest text of its two buttons.
pub(crate) const TITLE: usize = 24;

/// The longest `private_metadata` of a view.
pub(crate) const METADATA: usize = 3_000;

/// The longest label of an input, and the longest hint.
pub(crate) const LABEL: usize = 2_000;

/// The longest placeholder of an input.
pub(crate) const PLACEHOLDER: usize = 150;

/// The longest text of an option.
pub(crate) const OPTION_TEXT: usize = 75;

/// The longest value of an option.
pub(crate) const OPTION_VALUE: usize = 150;

/// The most options of a select, and of one answer to an external one.
pub(crate) const OPTIONS: usize = 100;

/// The longest text that an input takes.
pub(crate) const INPUT: usize = 3_000;

/// The house's own: the longest reason.
pub(crate) const REASON: usize = 500;

/// The house's own: the longest word under a field that was filled in wrong. Slack names no limit, and shows two lines or so.
pub(crate) const ERROR: usize = 150;

//! Slack's limits, and two of our own. Lengths are counted as [`super::text::length`] counts them.
//!
//! Slack documents its limits in the reference of Block Kit (<https://docs.slack.dev/reference/block-kit>), by block and element, and
//! those of messages with `chat.postMessage`.

/// The longest text of a section. Slack names no limit for rich text, so that one is kept to this too.
pub(crate) const SECTION: usize = 3_000;

/// The most blocks of a message.
pub(crate) const BLOCKS: usize = 50;

/// The most blocks of a view.
pub(crate) const VIEW_BLOCKS: usize = 100;

/// Our own: how much a message's blocks hold together, by [`super::pieces::weight`]. Slack allows 40,000 characters, yet refuses blocks
/// as `msg_blocks_too_long` from about 13,200 (<https://github.com/slackapi/bolt-js/issues/2509>); nobody reads more than this in chat.
pub(crate) const MESSAGE: usize = 12_000;

/// Our own: how much of a message a button weighs beside its texts.
pub(crate) const ELEMENT: usize = 10;

/// The most rows of a table, its header among them.
pub(crate) const TABLE_ROWS: usize = 100;

/// The most columns of a table.
pub(crate) const TABLE_COLUMNS: usize = 20;

/// The most characters of all cells of a table.
pub(crate) const TABLE: usize = 10_000;

/// The most elements of an actions block. A message gets one such block.
pub(crate) const BUTTONS: usize = 25;

/// The longest text of a button.
pub(crate) const BUTTON_TEXT: usize = 75;

/// The longest value of a button.
pub(crate) const BUTTON_VALUE: usize = 2_000;

/// The longest title of a question whether somebody is sure.
pub(crate) const CONFIRM_TITLE: usize = 100;

/// The longest text of such a question.
pub(crate) const CONFIRM_TEXT: usize = 300;

/// The longest label of its two buttons.
pub(crate) const CONFIRM_LABEL: usize = 30;

/// The house's own: the longest push notification, so that a phone shows it whole.
pub(crate) const NOTICE: usize = 110;

/// The house's own: the longest name of a file. Most file systems take 255 bytes, and a character has up to four.
pub(crate) const FILE_NAME: usize = 60;

//! What can be asked of Andon.

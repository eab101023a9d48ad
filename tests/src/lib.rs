//! The whole bot, driven through chat.

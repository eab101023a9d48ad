//! Slack: what people say there comes in, messages and cards go out.

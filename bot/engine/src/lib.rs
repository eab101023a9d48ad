//! How one invocation goes: the pipeline and durable operations.

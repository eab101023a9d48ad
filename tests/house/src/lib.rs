//! Tests about the repository itself: which crate may depend on which, whether the documents name paths that exist, how long files are.
//!
//! Each check takes plain values and returns complaints, one sentence each, so that its own tests can show that it is able to fail.
//! `tests/house/tests/repository.rs` runs all of them on the repository.
//!
//! What it does not do: it depends on no crate of ours and runs none of our code.

pub mod arrows;
pub mod budgets;
pub mod files;
pub mod paths;
pub mod tidiness;

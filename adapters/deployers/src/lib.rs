//! Deployers and the keeper.

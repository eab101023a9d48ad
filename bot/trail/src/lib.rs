//! The audit trail: record, leaf, tree, checkpoint, verification.

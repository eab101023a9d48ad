//! Looking into the audit trail.

mod search;
mod show;
mod verify;

pub(crate) use search::AuditSearch;
pub(crate) use show::AuditShow;
pub(crate) use verify::AuditVerify;

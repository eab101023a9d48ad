//! Deploys and rollbacks, and looking at what is live.

#[expect(
    clippy::module_inception,
    reason = "the folder is the capability, the file is the command that it is named after"
)]
mod deploy;
mod drive;
mod history;
mod rollback;
mod status;
mod versions;

pub(crate) use deploy::Deploy;
pub(crate) use history::History;
pub(crate) use rollback::Rollback;
pub(crate) use status::Status;
pub(crate) use versions::Versions;

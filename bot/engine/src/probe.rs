//! The named points of the pipeline: where a test can end the process, to see that the story ends right all the same.

use std::sync::Arc;

/// Called at named points of the pipeline, so that tests can end the process just there. Does nothing in production.
pub type Probe = Arc<dyn Fn(Point) + Send + Sync>;

/// Makes the points, so that none can be missing from the list of all.
macro_rules! points {
    ($($point:ident $name:literal $meaning:literal,)*) => {
        /// A named point of the pipeline. The crash tests end the process at every one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Point {
            $(#[doc = $meaning] $point,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$point),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }
        }
    };
}

points! {
    Acknowledged "acknowledged" "An intent is durable, and nobody has been told.",
    Accepted "accepted" "Somebody has the invocation and begins with it.",
    Planned "planned" "There is a plan, and nothing of it is kept.",
    Applied "applied" "An act is done.",
    Placed "placed" "A card is placed, in a transaction that is not finished.",
    Reserved "reserved" "An operation is a row.",
    Replanned "replanned" "The plan was computed once more, just before the start.",
    Started "started" "The `started` mark is durable, and nothing was called.",
    Signing "signing" "A checkpoint is signed, and kept nowhere.",
    Covered "covered" "The start lies under a checkpoint, and nothing was called.",
    Said "said" "A voice has said something, and the outbox does not know.",
    Drawn "drawn" "A card is drawn anew, in a transaction that is not finished.",
    Resumed "resumed" "Another life has taken a running operation up, and has not looked.",
    Observed "observed" "The backend has told the end, and it is kept nowhere.",
    Finished "finished" "The end is durable.",
}

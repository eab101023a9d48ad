//! What bot and keeper say to each other: one line of JSON each way per connection, over a unix socket that only their user can open.

use std::path::PathBuf;

use andon_core::ports::{Live, Lookup, Order};
use andon_core::{OperationId, Target};
use serde::{Deserialize, Serialize};

use crate::local::Config;

/// The version of this protocol. A keeper outlives upgrades of the bot; another version is refused in words, except for asking who is there
/// and for going down, which mean the same in every version.
pub(super) const VERSION: u32 = 3;
/// The most bytes of a line.
pub(super) const LINE_LIMIT: u64 = 1 << 20;

/// A target with what the configuration says of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetSpec {
    /// The target.
    pub target: Target,
    /// Its configuration.
    pub config: Config,
    /// The configured patterns of secrets, which are taken out of what services say besides the known ones.
    pub redaction: Vec<String>,
}

/// What the bot asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// Whether it is there.
    Hello,
    /// What is live.
    Live {
        /// The target.
        spec: TargetSpec,
    },
    /// To carry out an order.
    Start {
        /// The target.
        spec: TargetSpec,
        /// The order.
        order: Order,
        /// The folder of the unpacked release.
        release: PathBuf,
    },
    /// What became of an operation.
    Lookup {
        /// The target.
        target: Target,
        /// The operation.
        operation: OperationId,
    },
    /// To withdraw an operation.
    Cancel {
        /// The target.
        target: Target,
        /// The operation.
        operation: OperationId,
    },
    /// To stop all services, and itself.
    Down,
}

/// What the keeper answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Response {
    /// It is there.
    Hello {
        /// Its process.
        pid: u32,
        /// The version of the protocol that it speaks.
        version: u32,
    },
    /// What is live.
    Live {
        /// As seen now.
        live: Live,
    },
    /// It will be done, or is being done already.
    Taken,
    /// It is too late to withdraw the operation: it is live already, or has ended.
    TooLate {
        /// How far it is.
        reason: String,
    },
    /// What became of an operation.
    Lookup {
        /// As far as is known.
        lookup: Lookup,
    },
    /// The target is not as the order expects it.
    Moved {
        /// How it is.
        reason: String,
    },
    /// A newer worker has been here.
    Fenced,
    /// It could not.
    Broken {
        /// Why.
        reason: String,
    },
}

/// A request with the version of the protocol in which it is made.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) version: u32,
    request: serde_json::Value,
}

impl Envelope {
    /// A request in this version.
    pub(super) fn new(request: &Request) -> serde_json::Result<Self> {
        Ok(Self { version: VERSION, request: serde_json::to_value(request)? })
    }

    /// The request, or why there is none that this version knows.
    pub(super) fn open(self) -> Result<Request, String> {
        let asks = |what| self.request.get("ask").and_then(serde_json::Value::as_str) == Some(what);
        match self.version {
            _ if asks("hello") => Ok(Request::Hello),
            _ if asks("down") => Ok(Request::Down),
            VERSION => serde_json::from_value(self.request).map_err(|error| format!("that is no request: {error}")),
            other => Err(format!(
                "this keeper speaks version {VERSION} of its protocol and was asked in version {other}; stop it with \
                 `andon keeper --down --data DIR`, and the bot starts one of its own version"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_there_and_going_down_mean_the_same_in_every_version() {
        let open = |version: u32, request: &str| {
            let text = format!("{{\"version\":{version},\"request\":{request}}}");
            serde_json::from_str::<Envelope>(&text).unwrap().open()
        };
        for version in [VERSION - 1, VERSION, VERSION + 1] {
            assert!(matches!(open(version, r#"{"ask":"hello","more":1}"#), Ok(Request::Hello)));
            assert!(matches!(open(version, r#"{"ask":"down"}"#), Ok(Request::Down)));
        }
        let target = "hello/staging".parse().unwrap();
        let lookup = Request::Lookup { target, operation: "00000000000000000000000001".parse().unwrap() };
        let lookup = serde_json::to_string(&lookup).unwrap();
        assert!(matches!(open(VERSION, &lookup), Ok(Request::Lookup { .. })));
        assert!(open(VERSION + 1, &lookup).unwrap_err().contains("andon keeper --down"));
        assert!(open(VERSION, r#"{"ask":"nothing"}"#).unwrap_err().contains("no request"));
    }
}

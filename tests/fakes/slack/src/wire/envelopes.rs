//! The envelopes of Socket Mode and its own messages, as text.

use serde_json::{Value, json};

use super::Parcel;
use crate::log::DeliveryKind;
use crate::world::APP_ID;

/// The envelope of one attempt. Only events tell of retries, since only they are sent again.
pub(crate) fn envelope(parcel: &Parcel, id: &str, attempt: u32, reason: Option<&str>) -> String {
    let kind = match parcel.kind {
        DeliveryKind::Event => "events_api",
        DeliveryKind::Command => "slash_commands",
        DeliveryKind::Interaction | DeliveryKind::Options => "interactive",
    };
    // Put together by hand, so that a large payload is not copied first.
    let payload = &parcel.payload;
    let accepts = parcel.wants_answer;
    let retry = match parcel.kind {
        DeliveryKind::Event => format!(r#","retry_attempt":{attempt},"retry_reason":"{}""#, reason.unwrap_or("")),
        _ => String::new(),
    };
    format!(
        r#"{{"envelope_id":"{id}","payload":{payload},"type":"{kind}","accepts_response_payload":{accepts}{retry}}}"#
    )
}

/// What Slack says first.
pub(crate) fn hello(connections: usize, number: u64) -> String {
    json!({
        "type": "hello", "num_connections": connections,
        "debug_info": {
            "host": format!("applink-{number}"), "started": "2026-01-01 00:00:00.000", "build_number": 1,
            "approximate_connection_time": 18060,
        },
        "connection_info": {"app_id": APP_ID},
    })
    .to_string()
}

/// Why a connection goes away.
pub(crate) fn disconnect(reason: &str, number: u64) -> String {
    json!({"type": "disconnect", "reason": reason, "debug_info": {"host": format!("applink-{number}")}}).to_string()
}

/// The envelope and the payload of an acknowledgement.
pub(crate) fn acknowledgement(text: &str) -> Option<(String, Option<Value>)> {
    let Value::Object(mut fields) = serde_json::from_str(text).ok()? else { return None };
    let Value::String(id) = fields.remove("envelope_id")? else { return None };
    Some((id, fields.remove("payload")))
}

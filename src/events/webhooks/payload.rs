//! What an endpoint is sent: kind and time of the event, and in `data` what the audit log holds of it, which is never a
//! secret. The same event is written in the same bytes at every try.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    events::{Actor, AuditEntry, Scope},
    platform::Timestamp,
    shared::EventId,
};

/// The kind of what is sent to try an endpoint out.
pub const TEST_KIND: &str = "webhook.test";

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    id: &'a EventId,
    actor: Party<'a>,
    target: Party<'a>,
    details: &'a Value,
    ip: Option<&'a str>,
    user_agent: Option<&'a str>,
}

#[derive(Serialize)]
struct Party<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: Option<&'a str>,
}

/// An event as it is sent.
///
/// # Errors
/// If it can't be written as JSON, which is not to be expected.
pub fn payload_of(event: &AuditEntry) -> serde_json::Result<String> {
    serde_json::to_string(&Payload {
        kind: &event.kind,
        timestamp: event.at,
        data: Data {
            id: &event.id,
            actor: Party { kind: &event.actor_type, id: event.actor_id.as_deref() },
            target: Party { kind: &event.target_type, id: event.target_id.as_deref() },
            details: &event.details,
            ip: event.ip.as_deref(),
            user_agent: event.user_agent.as_deref(),
        },
    })
}

/// What is sent to try an endpoint out: the same shape, under a kind that no event has.
///
/// # Errors
/// As [`payload_of`].
pub fn test_payload(id: &EventId, endpoint: &str, scope: &Scope) -> serde_json::Result<String> {
    let (actor_type, actor_id) = match &scope.actor {
        Actor::Visitor => ("visitor", None),
        Actor::User { id, .. } => ("user", Some(id.to_string())),
        Actor::Operator => ("operator", None),
    };
    payload_of(&AuditEntry {
        id: id.clone(),
        at: scope.now,
        kind: TEST_KIND.to_owned(),
        actor_type: actor_type.to_owned(),
        actor_id,
        target_type: "webhook".to_owned(),
        target_id: Some(endpoint.to_owned()),
        ip: scope.client.ip.map(|ip| ip.to_string()),
        user_agent: scope.client.user_agent.clone(),
        details: json!({}),
    })
}

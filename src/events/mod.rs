//! What happened: each event is written in the transaction of the change that it reports, with who, whom, when and
//! from where, and never a secret. The audit page and the webhooks read the same rows.

mod audit;
pub mod deliveries;
mod event;
mod scope;
pub mod webhooks;

pub use audit::{AuditEntry, AuditFilter, AuditLog, AuditPage, find_event, list_events};
pub use event::{Event, EventKind, Target, has_happened_to, record, record_with};
pub use scope::{Actor, Client, Scope};

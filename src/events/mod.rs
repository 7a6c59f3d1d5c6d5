//! What happened: each event is written in the transaction of the change that it reports, with who, whom, when and
//! from where, and never a secret. The audit page and whatever else is told of events read the same rows.

mod audit;
mod event;
mod scope;

pub use audit::{AuditEntry, AuditFilter, AuditLog, AuditPage, list_events};
pub use event::{Event, EventKind, Target, has_happened_to, record};
pub use scope::{Actor, Client, Scope};

//! The audit log: what happened, newest first, filtered by what it was, whom it concerns and when. Ids begin with the
//! time, so that a page, a range of time and the order are all served by the ids alone. Who may read it is asked by the
//! flow that calls.

use std::fmt::Write as _;

use serde_json::Value;
use sqlx::{Row, any::AnyRow};

use super::EventKind;
use crate::{
    platform::{Db, Entropy, Timestamp},
    shared::EventId,
};

/// The columns of an event, in the order that [`from_row`] reads.
const COLUMNS: &str = "id, at, kind, actor_type, actor_id, target_type, target_id, ip, user_agent, details";
/// What happens so often that no index leads to it: one finds it at once without.
const FREQUENT: [EventKind; 2] = [EventKind::SessionCreated, EventKind::AuthFailed];
/// Said in a statement, this makes the index of the other kinds usable.
const IS_RARE: &str = " AND kind <> 'session.created' AND kind <> 'auth.failed'";

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only what this user did or what was done to them: the id of anybody or anything.
    pub concerning: Option<String>,
    /// Only from this moment on.
    pub from: Option<Timestamp>,
    /// Only before this moment.
    pub to: Option<Timestamp>,
}

/// Which part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditPage {
    /// From the newest on.
    First,
    /// What is older than this event.
    After(EventId),
    /// What is newer than this event.
    Before(EventId),
}

/// An event as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The id.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What, as it is stored; a newer version may know more kinds than this one.
    pub kind: String,
    /// Who: `user`, `operator` or `visitor`.
    pub actor_type: String,
    /// Which one.
    pub actor_id: Option<String>,
    /// To what: `user`, `session`, `invite`, `auth_identity` or `unknown`.
    pub target_type: String,
    /// Which one.
    pub target_id: Option<String>,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// More about it.
    pub details: Value,
}

/// One page of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditLog {
    /// The events, newest first.
    pub entries: Vec<AuditEntry>,
    /// Whether there are newer ones.
    pub has_previous: bool,
    /// Whether there are older ones.
    pub has_next: bool,
}

/// One page of what a filter leaves, `limit` at most.
///
/// # Errors
/// What the database says.
pub async fn list_events(
    db: &Db,
    (filter, page): (&AuditFilter, &AuditPage),
    limit: u32,
) -> Result<AuditLog, sqlx::Error> {
    let (sql, texts) = statement(filter, page, i64::from(limit) + 1);
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for text in texts {
        query = query.bind(text);
    }
    let rows = query.fetch_all(db.reader()).await?;
    let mut entries = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    let is_full = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    if matches!(page, AuditPage::Before(_)) {
        entries.reverse();
    }
    let (has_previous, has_next) = match page {
        AuditPage::First => (false, is_full),
        AuditPage::After(_) => (true, is_full),
        AuditPage::Before(_) => (is_full, true),
    };
    Ok(AuditLog { entries, has_previous, has_next })
}

/// The event with this id.
///
/// # Errors
/// What the database says.
pub async fn find_event(db: &Db, id: &EventId) -> Result<Option<AuditEntry>, sqlx::Error> {
    let statement = format!("SELECT {COLUMNS} FROM events WHERE id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(id.as_str()).fetch_optional(db.reader()).await?;
    row.as_ref().map(from_row).transpose()
}

/// The statement and its values. Whoever is asked for may be in two columns; each has an index, and is asked by it.
fn statement(filter: &AuditFilter, page: &AuditPage, rows: i64) -> (String, Vec<String>) {
    let mut texts = Vec::new();
    let conditions = conditions(filter, page, &mut texts);
    let order = if matches!(page, AuditPage::Before(_)) { "id" } else { "id DESC" };
    let end = format!("ORDER BY {order} LIMIT {rows}");
    let Some(concerning) = &filter.concerning else {
        return (format!("SELECT {COLUMNS} FROM events WHERE 1 = 1{conditions} {end}"), texts);
    };
    texts.push(concerning.clone());
    let value = texts.len();
    let part = |column: &str| {
        format!("SELECT * FROM (SELECT {COLUMNS} FROM events WHERE {column} = ${value}{conditions} {end}) {column}s")
    };
    (format!("SELECT {COLUMNS} FROM ({} UNION {}) e {end}", part("actor_id"), part("target_id")), texts)
}

fn conditions(filter: &AuditFilter, page: &AuditPage, texts: &mut Vec<String>) -> String {
    let mut sql = String::new();
    let mut and = |condition: &str, text: String| {
        texts.push(text);
        // Writing to a String can't fail.
        let _ = write!(sql, " AND {condition} ${}", texts.len());
    };
    if let Some(kind) = filter.kind {
        and("kind =", kind.as_str().to_owned());
    }
    if let Some(from) = filter.from {
        and("id >=", Entropy::first_uuid_v7(from));
    }
    if let Some(to) = filter.to {
        and("id <", Entropy::first_uuid_v7(to));
    }
    match page {
        AuditPage::First => {}
        AuditPage::After(id) => and("id <", id.to_string()),
        AuditPage::Before(id) => and("id >", id.to_string()),
    }
    if filter.kind.is_some_and(|kind| !FREQUENT.contains(&kind)) {
        sql.push_str(IS_RARE);
    }
    sql
}

fn from_row(row: &AnyRow) -> Result<AuditEntry, sqlx::Error> {
    let details: String = row.try_get(9)?;
    Ok(AuditEntry {
        id: EventId::new(row.try_get::<String, _>(0)?),
        at: Timestamp::from_micros(row.try_get(1)?),
        kind: row.try_get(2)?,
        actor_type: row.try_get(3)?,
        actor_id: row.try_get(4)?,
        target_type: row.try_get(5)?,
        target_id: row.try_get(6)?,
        ip: row.try_get(7)?,
        user_agent: row.try_get(8)?,
        details: serde_json::from_str(&details).map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}

#[cfg(test)]
mod tests;

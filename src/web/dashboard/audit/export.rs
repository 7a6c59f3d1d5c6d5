//! The audit log for programs: the newest rows of a view as NDJSON, or as CSV in which no cell can be taken for a formula.

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::json;

use super::AuditQuery;
use crate::{
    events::{AuditEntry, AuditPage},
    flows,
    web::{
        http::{error::PageError, scope::Manager},
        state::WebState,
    },
};

/// How many rows one export holds; whoever wants more narrows it by days.
const MOST_ROWS: usize = 10_000;
/// How many are read at a time.
const READ_AT_ONCE: u32 = 500;
/// The first line of the CSV.
const COLUMNS: [&str; 10] =
    ["id", "at", "kind", "actor_type", "actor_id", "target_type", "target_id", "ip", "user_agent", "details"];

/// In which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// One JSON object a line.
    #[default]
    Ndjson,
    /// RFC 4180.
    Csv,
}

/// In which form it is wanted.
#[derive(Deserialize)]
pub struct ExportQuery {
    #[serde(default)]
    format: Format,
}

/// `GET /dashboard/audit/export`.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`].
pub async fn export(
    State(state): State<WebState>,
    manager: Manager,
    Query(query): Query<AuditQuery>,
    Query(wanted): Query<ExportQuery>,
) -> Result<Response, PageError> {
    let scope = &manager.0.asked.scope;
    let (question, mut page, mut rows) = (query.question(), AuditPage::First, Vec::new());
    while rows.len() < MOST_ROWS {
        let found = flows::view_audit(&state.services, scope, (&question, &page), READ_AT_ONCE).await?;
        rows.extend(found.log.entries);
        match rows.last() {
            Some(last) if found.log.has_next => page = AuditPage::After(last.id.clone()),
            _ => break,
        }
    }
    let (body, kind, name) = match wanted.format {
        Format::Ndjson => (ndjson(&rows), "application/x-ndjson", "audit.ndjson"),
        Format::Csv => (csv(&rows), "text/csv; charset=utf-8; header=present", "audit.csv"),
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

fn ndjson(rows: &[AuditEntry]) -> String {
    let line = |row: &AuditEntry| {
        let object = json!({
            "id": row.id,
            "at": row.at,
            "kind": row.kind,
            "actor_type": row.actor_type,
            "actor_id": row.actor_id,
            "target_type": row.target_type,
            "target_id": row.target_id,
            "ip": row.ip,
            "user_agent": row.user_agent,
            "details": row.details,
        });
        format!("{object}\n")
    };
    rows.iter().map(line).collect()
}

fn csv(rows: &[AuditEntry]) -> String {
    let mut text = format!("{}\r\n", COLUMNS.join(","));
    for row in rows {
        let cells = [
            row.id.to_string(),
            row.at.to_rfc3339(),
            row.kind.clone(),
            row.actor_type.clone(),
            row.actor_id.clone().unwrap_or_default(),
            row.target_type.clone(),
            row.target_id.clone().unwrap_or_default(),
            row.ip.clone().unwrap_or_default(),
            row.user_agent.clone().unwrap_or_default(),
            row.details.to_string(),
        ];
        text.push_str(&cells.map(|cell| quoted(&cell)).join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell in quotes; what a spreadsheet would calculate gets an apostrophe before it. That may also stand behind a sign
/// that another program takes for the end of a cell, such as the semicolon where people write a comma in numbers.
fn quoted(cell: &str) -> String {
    let (mut safe, mut is_at_start) = ("\"".to_owned(), true);
    for c in cell.chars() {
        if is_at_start && matches!(c, '=' | '+' | '-' | '@') {
            safe.push('\'');
        }
        is_at_start = match c {
            ';' | ',' | '\t' | '\r' | '\n' => true,
            ' ' | '"' => is_at_start,
            _ => false,
        };
        if c == '"' {
            safe.push(c);
        }
        safe.push(c);
    }
    safe.push('"');
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("@SUM(A1)"), "\"'@SUM(A1)\"");
        assert_eq!(quoted("a \"b\",\nc"), "\"a \"\"b\"\",\nc\"");
        assert_eq!(quoted(""), "\"\"");
        for (cell, shown) in [
            ("Moz;=cmd", "Moz;'=cmd"),
            ("a,@b\t+c\n-d\r=e", "a,'@b\t'+c\n'-d\r'=e"),
            ("; =1", "; '=1"),
            ("\t=1", "\t'=1"),
            ("a;\"=1", "a;\"\"'=1"),
            ("X11; Linux x86_64; rv:140.0", "X11; Linux x86_64; rv:140.0"),
            ("a=b-c@d", "a=b-c@d"),
        ] {
            assert_eq!(quoted(cell), format!("\"{shown}\""), "{cell:?}");
        }
    }
}

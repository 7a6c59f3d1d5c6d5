//! Which users are listed: what admins filter by on the page, and what only programs ask for.

use crate::{
    platform::Timestamp,
    shared::{EmailAddress, PersonName, Role, UserId},
    users::{
        search::Search,
        sql::{Sql, Value},
    },
};

/// Whether a user may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// May log in.
    Active,
    /// Was turned off.
    Disabled,
}

/// Which users are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the e-mail or name; under three characters, how one of them begins.
    pub search: Option<String>,
    /// Only this role.
    pub role: Option<Role>,
    /// Only this status.
    pub status: Option<Status>,
    /// What only programs ask for.
    pub exact: Exact,
}

/// What only programs ask for; each narrows the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exact {
    /// Only these users.
    pub ids: Option<Vec<UserId>>,
    /// Only who has this address.
    pub email: Option<EmailAddress>,
    /// Only who has this first name, letter by letter.
    pub first_name: Option<PersonName>,
    /// Only who has this last name, letter by letter.
    pub last_name: Option<PersonName>,
    /// Only whose times lie so.
    pub times: Vec<(TimeOf, Span)>,
}

/// A time of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeOf {
    /// When the user came to exist.
    Created,
    /// When the user was last changed.
    Updated,
}

/// Where a time may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// At this time or later.
    From(Timestamp),
    /// Before this time.
    Before(Timestamp),
    /// Before the first or from the second on.
    Outside(Timestamp, Timestamp),
}

impl Filter {
    /// Whether something is searched for.
    pub(super) fn is_search(&self) -> bool {
        self.search.as_deref().and_then(Search::parse).is_some()
    }
}

impl Exact {
    /// Adds the conditions to a statement about the users `u`. A name is looked up in its index, which folds ASCII, and
    /// then compared letter by letter; as an expression, or SQLite would put the name into the other comparison and find
    /// no index for that.
    pub(super) fn push(&self, sql: &mut Sql) {
        if let Some(ids) = &self.ids {
            push_ids(sql, ids);
        }
        if let Some(email) = &self.email {
            sql.push(" AND u.email = ");
            sql.bind_text(email.as_str());
        }
        for (column, name) in [("first_name", &self.first_name), ("last_name", &self.last_name)] {
            let Some(name) = name else { continue };
            sql.push(&format!(" AND lower(coalesce(u.{column}, '')) = "));
            sql.bind_text(&name.as_str().to_ascii_lowercase());
            sql.push(&format!(" AND coalesce(u.{column}, '') = "));
            sql.bind_text(name.as_str());
        }
        for (of, span) in &self.times {
            push_span(sql, *of, *span);
        }
    }
}

fn push_ids(sql: &mut Sql, ids: &[UserId]) {
    if ids.is_empty() {
        return sql.push(" AND 1 = 0");
    }
    for (nth, id) in ids.iter().enumerate() {
        sql.push(if nth == 0 { " AND u.id IN (" } else { ", " });
        sql.bind_text(id.as_str());
    }
    sql.push(")");
}

fn push_span(sql: &mut Sql, of: TimeOf, span: Span) {
    let column = match of {
        TimeOf::Created => "u.created_at",
        TimeOf::Updated => "u.updated_at",
    };
    let mut push = |text: &str, at: Timestamp| {
        sql.push(text);
        sql.bind(Value::Integer(at.as_micros()));
    };
    match span {
        Span::From(at) => push(&format!(" AND {column} >= "), at),
        Span::Before(at) => push(&format!(" AND {column} < "), at),
        Span::Outside(from, to) => {
            push(&format!(" AND ({column} < "), from);
            push(&format!(" OR {column} >= "), to);
            sql.push(")");
        }
    }
}

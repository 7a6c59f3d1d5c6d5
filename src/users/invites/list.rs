//! The list of invites that admins page through: states, role, part of an address; by address, age or end; keyset paging
//! along an index for each order. Refuses whoever may not manage users.

use super::{
    Invite, InviteState,
    row::{SELECT, from_row},
};
use crate::{
    events::Scope,
    platform::{Db, Timestamp},
    shared::{EmailAddress, InviteId, Role},
    users::{
        Error,
        search::Search,
        sql::{Sql, Value},
    },
};

/// Lists are counted up to here; beyond, a person reads "more than".
const COUNTED_ROWS: i64 = 1_000;

/// What a list sorts by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// When the invite was made; ids are made in the order of time.
    #[default]
    Created,
    /// The e-mail address.
    Email,
    /// When it ends.
    Expires,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// What it sorts by.
    pub by: SortBy,
    /// Whether the greatest comes first.
    pub is_descending: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self { by: SortBy::Created, is_descending: true }
    }
}

/// Which invites are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the e-mail address.
    pub search: Option<String>,
    /// Only this state.
    pub state: Option<InviteState>,
    /// Only this role.
    pub role: Option<Role>,
    /// Only these invites.
    pub ids: Option<Vec<InviteId>>,
    /// Only for this address.
    pub email: Option<EmailAddress>,
}

/// Which part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// From the beginning.
    First,
    /// What follows this invite.
    After(InviteId),
    /// What stands before this invite.
    Before(InviteId),
    /// What follows so many invites.
    Behind(u32),
}

/// One page of invites.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// The invites, in order.
    pub invites: Vec<Invite>,
    /// Whether there are invites before these.
    pub has_previous: bool,
    /// Whether there are invites behind these.
    pub has_next: bool,
    /// How many there are in all, up to 1,000, then `None`.
    pub count: Option<usize>,
}

/// One page of the invites that a filter leaves, `limit` at most.
///
/// # Errors
/// [`Error::Forbidden`] for who may not manage users, [`Error::UnknownCursor`] if the page begins at an unknown invite.
pub async fn list(db: &Db, scope: &Scope, wanted: (&Filter, Order, &Page), limit: u32) -> Result<List, Error> {
    let found = find_page(db, scope, wanted, limit).await?;
    let counted = ListQuery::new(scope, wanted.0, wanted.1).counted(Some(COUNTED_ROWS + 1)).fetch_number(db).await?;
    let count = (counted <= COUNTED_ROWS).then(|| usize::try_from(counted).unwrap_or_default());
    Ok(List { count, ..found })
}

/// The same with an exact count, however many there are.
///
/// # Errors
/// As [`list`].
pub async fn list_and_count(
    db: &Db,
    scope: &Scope,
    wanted: (&Filter, Order, &Page),
    limit: u32,
) -> Result<List, Error> {
    let found = find_page(db, scope, wanted, limit).await?;
    let counted = ListQuery::new(scope, wanted.0, wanted.1).counted(None).fetch_number(db).await?;
    Ok(List { count: usize::try_from(counted).ok(), ..found })
}

/// The page, not counted.
async fn find_page(db: &Db, scope: &Scope, wanted: (&Filter, Order, &Page), limit: u32) -> Result<List, Error> {
    if !scope.may_manage_users() {
        return Err(Error::Forbidden);
    }
    let (filter, order, page) = wanted;
    let cursor = match page {
        Page::First | Page::Behind(_) => None,
        Page::After(id) | Page::Before(id) => Some(super::find_invite(db, id).await?.ok_or(Error::UnknownCursor)?),
    };
    let skipped = if let Page::Behind(rows) = page { i64::from(*rows) } else { 0 };
    let is_backwards = matches!(page, Page::Before(_));
    // Reading backwards turns the order round; the rows are turned back when they are there.
    let read = Order { is_descending: order.is_descending != is_backwards, ..order };
    let rows = ListQuery::new(scope, filter, read).page(cursor.as_ref(), (skipped, i64::from(limit) + 1));
    let rows = rows.rows(db).await?;
    let mut invites: Vec<Invite> = rows.iter().map(from_row).collect::<Result<_, _>>().map_err(Error::Internal)?;
    let is_full = invites.len() > limit as usize;
    invites.truncate(limit as usize);
    if is_backwards {
        invites.reverse();
    }
    let (has_previous, has_next) = match page {
        Page::First => (false, is_full),
        Page::After(_) => (true, is_full),
        Page::Before(_) => (is_full, true),
        Page::Behind(rows) => (*rows > 0, is_full),
    };
    Ok(List { invites, has_previous, has_next, count: None })
}

/// Builds the statements of one list.
pub(super) struct ListQuery<'a> {
    pub filter: &'a Filter,
    pub now: Timestamp,
    pub by: SortBy,
    /// Which way the index is read, not which way the list is shown.
    pub is_descending: bool,
}

impl<'a> ListQuery<'a> {
    /// The list as this request may see it.
    pub fn new(scope: &Scope, filter: &'a Filter, order: Order) -> Self {
        Self { filter, now: scope.now, by: order.by, is_descending: order.is_descending }
    }
}

impl ListQuery<'_> {
    /// The rows behind the cursor, or behind so many others.
    pub fn page(&self, cursor: Option<&Invite>, (skipped, rows): (i64, i64)) -> Sql {
        let mut sql = Sql::new(SELECT);
        self.push_filter(&mut sql);
        if let Some(invite) = cursor {
            let comparison = if self.is_descending { "<" } else { ">" };
            sql.push(&format!(" AND ({}) {comparison} (", self.keys().join(", ")));
            match self.by {
                SortBy::Created => {}
                SortBy::Email => sql.bind_text(invite.email.as_str()),
                SortBy::Expires => sql.bind(Value::Integer(invite.expires_at.as_micros())),
            }
            sql.push(if self.by == SortBy::Created { "" } else { ", " });
            sql.bind_text(invite.id.as_str());
            sql.push(")");
        }
        let direction = if self.is_descending { " DESC" } else { "" };
        let keys: Vec<String> = self.keys().iter().map(|key| format!("{key}{direction}")).collect();
        sql.push(&format!(" ORDER BY {}", keys.join(", ")));
        sql.push_limit(rows);
        if skipped > 0 {
            sql.push_offset(skipped);
        }
        sql
    }

    /// How many invites the filter leaves, up to so many.
    fn counted(&self, up_to: Option<i64>) -> Sql {
        let mut sql = Sql::new("SELECT count(*) FROM (SELECT 1 FROM invites i");
        self.push_filter(&mut sql);
        if let Some(rows) = up_to {
            sql.push_limit(rows);
        }
        sql.push(") counted");
        sql
    }

    /// The columns that order the list; the last one is unique.
    fn keys(&self) -> &'static [&'static str] {
        match self.by {
            SortBy::Created => &["i.id"],
            SortBy::Email => &["i.email", "i.id"],
            SortBy::Expires => &["i.expires_at", "i.id"],
        }
    }

    fn push_filter(&self, sql: &mut Sql) {
        let Filter { search, state, role, ids, email } = self.filter;
        sql.push(" WHERE 1 = 1");
        if let Some(state) = state {
            self.push_state(sql, *state);
        }
        if let Some(role) = role {
            sql.push(" AND i.role = ");
            sql.bind_text(role.as_str());
        }
        if let Some(email) = email {
            sql.push(" AND i.email = ");
            sql.bind_text(email.as_str());
        }
        if let Some(ids) = ids {
            push_ids(sql, ids);
        }
        if let Some(search) = search.as_deref().and_then(Search::parse) {
            sql.push(" AND i.email LIKE ");
            sql.bind_text(&search.part_pattern());
            sql.push(" ESCAPE '\\'");
        }
    }

    fn push_state(&self, sql: &mut Sql, state: InviteState) {
        let open = " AND i.accepted_at IS NULL AND i.revoked_at IS NULL";
        match state {
            InviteState::Accepted => sql.push(" AND i.accepted_at IS NOT NULL"),
            InviteState::Revoked => sql.push(" AND i.accepted_at IS NULL AND i.revoked_at IS NOT NULL"),
            InviteState::Pending => {
                sql.push(open);
                sql.push(" AND i.lapsed_at IS NULL AND i.expires_at > ");
                sql.bind(Value::Integer(self.now.as_micros()));
            }
            InviteState::Expired => {
                sql.push(open);
                sql.push(" AND (i.lapsed_at IS NOT NULL OR i.expires_at <= ");
                sql.bind(Value::Integer(self.now.as_micros()));
                sql.push(")");
            }
        }
    }
}

fn push_ids(sql: &mut Sql, ids: &[InviteId]) {
    if ids.is_empty() {
        return sql.push(" AND 1 = 0");
    }
    for (nth, id) in ids.iter().enumerate() {
        sql.push(if nth == 0 { " AND i.id IN (" } else { ", " });
        sql.bind_text(id.as_str());
    }
    sql.push(")");
}

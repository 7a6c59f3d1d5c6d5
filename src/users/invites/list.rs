//! The list of invites that admins page through: states, role, part of an address; by address, age or end; keyset paging
//! along an index for each order. Refuses whoever may not manage users.

use super::{
    Invite, InviteState,
    row::{SELECT, from_row},
};
use crate::{
    events::Scope,
    platform::{Db, Timestamp},
    shared::{InviteId, Role},
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
    if !scope.may_manage_users() {
        return Err(Error::Forbidden);
    }
    let (filter, order, page) = wanted;
    let cursor = match page {
        Page::First => None,
        Page::After(id) | Page::Before(id) => Some(super::find_invite(db, id).await?.ok_or(Error::UnknownCursor)?),
    };
    let is_backwards = matches!(page, Page::Before(_));
    let query = ListQuery {
        filter,
        now: scope.now,
        by: order.by,
        // Reading backwards turns the order round; the rows are turned back when they are there.
        is_descending: order.is_descending != is_backwards,
    };
    let rows = query.page(cursor.as_ref(), i64::from(limit) + 1).rows(db).await?;
    let mut invites: Vec<Invite> = rows.iter().map(from_row).collect::<Result<_, _>>().map_err(Error::Internal)?;
    let is_full = invites.len() > limit as usize;
    invites.truncate(limit as usize);
    if is_backwards {
        invites.reverse();
    }
    let counted = query.counted().fetch_number(db).await?;
    let count = (counted <= COUNTED_ROWS).then(|| usize::try_from(counted).unwrap_or_default());
    let (has_previous, has_next) = match page {
        Page::First => (false, is_full),
        Page::After(_) => (true, is_full),
        Page::Before(_) => (is_full, true),
    };
    Ok(List { invites, has_previous, has_next, count })
}

/// Builds the statements of one list.
pub(super) struct ListQuery<'a> {
    pub filter: &'a Filter,
    pub now: Timestamp,
    pub by: SortBy,
    /// Which way the index is read, not which way the list is shown.
    pub is_descending: bool,
}

impl ListQuery<'_> {
    /// The rows behind the cursor.
    pub fn page(&self, cursor: Option<&Invite>, rows: i64) -> Sql {
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
        sql
    }

    /// How many invites the filter leaves, up to what is counted.
    fn counted(&self) -> Sql {
        let mut sql = Sql::new("SELECT count(*) FROM (SELECT 1 FROM invites i");
        self.push_filter(&mut sql);
        sql.push_limit(COUNTED_ROWS + 1);
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
        let Filter { search, state, role } = self.filter;
        sql.push(" WHERE 1 = 1");
        if let Some(state) = state {
            self.push_state(sql, *state);
        }
        if let Some(role) = role {
            sql.push(" AND i.role = ");
            sql.bind_text(role.as_str());
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

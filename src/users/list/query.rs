//! The statements of a list, in the words of both databases. What is typed only ever becomes a bound value.
//!
//! Each first finds the ids of a page in one index and then the users; the indexes are those of `migrations`. The tests
//! ask both databases how they would go about it.

use super::{COUNTED_ROWS, Filter, Order, SortBy, Status};
use crate::{
    platform::{Db, Dialect},
    shared::Role,
    users::{
        search::{self, Search},
        sql::{Sql, Value},
        user::{COLUMNS, User},
    },
};

/// How many search texts show which trigrams are common; the newest, because they lie together.
const SAMPLED_ROWS: i64 = 500;

/// Builds the statements of one list.
#[derive(Clone, Copy)]
pub(super) struct ListQuery<'a> {
    pub dialect: Dialect,
    pub filter: &'a Filter,
    pub by: SortBy,
    /// Which way the index is read, not which way the list is shown.
    pub is_descending: bool,
    pub cursor: Option<&'a User>,
    /// How many are left out before the page.
    pub skipped_rows: i64,
    /// One more than a page has, which tells whether there is another.
    pub wanted_rows: i64,
}

/// The newest search texts.
pub(super) fn sample() -> Sql {
    let mut sql = Sql::new("SELECT u.search_text FROM users u ORDER BY u.created_at DESC, u.id DESC");
    sql.push_limit(SAMPLED_ROWS);
    sql
}

impl<'a> ListQuery<'a> {
    /// The whole list, of which no page is wanted yet.
    pub fn new(db: &Db, filter: &'a Filter, order: Order) -> Self {
        let Order { by, is_descending } = order;
        let dialect = db.dialect();
        Self { dialect, filter, by, is_descending, cursor: None, skipped_rows: 0, wanted_rows: 0 }
    }
}

impl ListQuery<'_> {
    /// The page of a list without a search.
    pub fn plain(&self) -> Sql {
        let mut sql = Sql::new(&format!("SELECT {COLUMNS} FROM users u WHERE 1 = 1"));
        self.push_conditions(&mut sql);
        self.push_order(&mut sql);
        self.push_page(&mut sql);
        sql
    }

    /// The matches among so many of the next entries in the list's own order. The middle statement has no order of its own:
    /// it passes on what the innermost finds, as it comes, and stops when it has a page.
    pub fn walk(&self, search: &Search, rows: i64) -> Sql {
        let row = self.row();
        let mut sql =
            Sql::new(&format!("SELECT w.found FROM (SELECT u.{row} AS found, u.search_text FROM users u WHERE 1 = 1"));
        self.push_conditions(&mut sql);
        self.push_order(&mut sql);
        sql.push_limit(rows);
        sql.push(") w WHERE ");
        self.push_matching(&mut sql, "w", search);
        self.push_page(&mut sql);
        self.users_of(sql)
    }

    /// The matches of a page, however far in it lies: every entry before it is walked over.
    pub fn walk_all(&self, search: &Search) -> Sql {
        self.walk(search, i64::MAX)
    }

    /// The user with whom so many rows end; nobody where the list is not so long.
    pub fn end_of(&self, rows: i64) -> Sql {
        let mut sql = Sql::new(&format!("SELECT u.{} AS found FROM users u WHERE 1 = 1", self.row()));
        self.push_conditions(&mut sql);
        self.push_order(&mut sql);
        sql.push_limit(1);
        sql.push_offset(rows - 1);
        self.users_of(sql)
    }

    /// All matches by the index of trigrams, then put in order.
    pub fn indexed(&self, search: &Search, trigrams: &[String]) -> Sql {
        let mut sql = Sql::new(&format!("WITH m AS MATERIALIZED (SELECT {} FROM ", self.narrow_columns()));
        match self.dialect {
            Dialect::Sqlite => {
                sql.push("users_search CROSS JOIN users u WHERE u.rid = users_search.rowid AND users_search MATCH ");
                sql.bind_text(&search::fts5_expression(trigrams));
            }
            Dialect::Postgres => {
                sql.push("users u WHERE text_trigrams(u.search_text) @> ");
                sql.bind_text(&search::array_literal(trigrams));
                sql.push("::TEXT[]");
            }
        }
        sql.push(" AND ");
        self.push_matching(&mut sql, "u", search);
        self.filter.exact.push(&mut sql);
        self.found_in(sql)
    }

    /// All matches of a search that is too short for trigrams, then put in order.
    pub fn prefixed(&self, search: &Search) -> Sql {
        let (from, to) = search.prefix_range();
        let mut sql = Sql::new("WITH m AS MATERIALIZED (");
        for (nth, column) in ["search_text", "name_key"].into_iter().enumerate() {
            sql.push(if nth == 0 { "" } else { " UNION " });
            sql.push(&format!("SELECT {} FROM users u WHERE u.{column} >= ", self.narrow_columns()));
            sql.bind_text(&from);
            sql.push(&format!(" AND u.{column} < "));
            sql.bind_text(&to);
            self.filter.exact.push(&mut sql);
        }
        self.found_in(sql)
    }

    /// How many users the filter leaves, up to what is counted. Counted in order, so that it is the index of the list
    /// that is counted along.
    pub fn counted(&self) -> Sql {
        let mut sql = Sql::new("SELECT count(*) FROM (SELECT 1 FROM users u WHERE 1 = 1");
        self.push_filter(&mut sql);
        self.push_order(&mut sql);
        sql.push_limit(COUNTED_ROWS + 1);
        sql.push(") counted");
        sql
    }

    /// How many users the filter and the search leave, however many those are. Where nothing is asked for, both databases
    /// count the entries of whichever index is the smallest.
    pub fn counted_in_all(&self) -> Sql {
        let search = self.filter.search.as_deref().and_then(Search::parse);
        if search.is_none() && *self.filter == (Filter { search: self.filter.search.clone(), ..Filter::default() }) {
            return Sql::new("SELECT count(*) FROM users");
        }
        let mut sql = Sql::new("SELECT count(*) FROM users u WHERE 1 = 1");
        self.push_filter(&mut sql);
        if let Some(search) = &search {
            sql.push(" AND ");
            self.push_matching(&mut sql, "u", search);
        }
        sql
    }

    /// Ends a statement that has begun to collect matches in `m`. They are collected before anything else, so that no
    /// planner walks the users in their order instead.
    fn found_in(&self, mut sql: Sql) -> Sql {
        sql.push(&format!(") SELECT u.{} AS found FROM m u WHERE 1 = 1", self.row()));
        self.push_group(&mut sql);
        self.push_cursor(&mut sql);
        self.push_order(&mut sql);
        sql.push_limit(self.wanted_rows);
        self.users_of(sql)
    }

    /// By what a user is found soonest who is known to be there: every index of SQLite holds the number of the row, which
    /// saves a look into the index of ids.
    fn row(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "rid",
            Dialect::Postgres => "id",
        }
    }

    /// The users that a statement finds.
    fn users_of(&self, found: Sql) -> Sql {
        let mut sql = found.behind(&format!("SELECT {COLUMNS} FROM ("));
        sql.push(&format!(") f CROSS JOIN users u WHERE u.{} = f.found", self.row()));
        self.push_order(&mut sql);
        sql
    }

    /// The columns that order the list; the last one is unique.
    fn keys(&self) -> &'static [&'static str] {
        match self.by {
            SortBy::Created => &["u.created_at", "u.id"],
            SortBy::Email => &["u.search_text"],
            SortBy::Name => &["u.name_key", "u.id"],
            SortBy::Updated => &["u.updated_at", "u.id"],
            SortBy::FirstName => &["lower(coalesce(u.first_name, ''))", "u.id"],
            SortBy::LastName => &["lower(coalesce(u.last_name, ''))", "u.id"],
        }
    }

    /// What is found, filtered and sorted by.
    fn narrow_columns(&self) -> String {
        let key = match self.by {
            SortBy::Created => "created_at",
            SortBy::Email => "search_text",
            SortBy::Name => "name_key",
            SortBy::Updated => "updated_at",
            SortBy::FirstName => "first_name",
            SortBy::LastName => "last_name",
        };
        let row = if self.row() == "id" { "" } else { "u.rid, " };
        format!("{row}u.id, u.role, u.disabled_at, u.{key}")
    }

    fn push_order(&self, sql: &mut Sql) {
        let direction = if self.is_descending { " DESC" } else { "" };
        let keys: Vec<String> = self.keys().iter().map(|key| format!("{key}{direction}")).collect();
        sql.push(&format!(" ORDER BY {}", keys.join(", ")));
    }

    fn push_page(&self, sql: &mut Sql) {
        sql.push_limit(self.wanted_rows);
        if self.skipped_rows > 0 {
            sql.push_offset(self.skipped_rows);
        }
    }

    fn push_conditions(&self, sql: &mut Sql) {
        self.push_filter(sql);
        self.push_cursor(sql);
    }

    fn push_filter(&self, sql: &mut Sql) {
        self.push_group(sql);
        self.filter.exact.push(sql);
    }

    fn push_cursor(&self, sql: &mut Sql) {
        let Some(user) = self.cursor else { return };
        let comparison = if self.is_descending { "<" } else { ">" };
        if let Some(name) = self.folded_name(user) {
            // SQLite finds no index of an expression for two columns that are compared at once.
            sql.push(&format!(" AND {} {comparison}= ", self.keys()[0]));
            sql.bind_text(&name);
        }
        sql.push(&format!(" AND ({}) {comparison} (", self.keys().join(", ")));
        self.bind_keys(sql, user);
        sql.push(")");
    }

    /// The name by which a list is sorted that is sorted by one, as its index has it.
    fn folded_name(&self, user: &User) -> Option<String> {
        let name = match self.by {
            SortBy::FirstName => &user.first_name,
            SortBy::LastName => &user.last_name,
            SortBy::Created | SortBy::Email | SortBy::Name | SortBy::Updated => return None,
        };
        Some(name.as_deref().unwrap_or_default().to_ascii_lowercase())
    }

    /// What is said twice or in so many words makes an index of few rows usable; one at a time, so that no planner has
    /// to choose.
    fn push_group(&self, sql: &mut Sql) {
        let Filter { role, status, .. } = self.filter;
        if let Some(role) = role {
            sql.push(" AND u.role = ");
            sql.bind_text(role.as_str());
            if *role != Role::Member && *status != Some(Status::Disabled) {
                sql.push(" AND u.role <> 'member'");
            }
        }
        match status {
            None => {}
            Some(Status::Active) => sql.push(" AND u.disabled_at IS NULL"),
            Some(Status::Disabled) => sql.push(" AND u.disabled_at IS NOT NULL"),
        }
    }

    fn bind_keys(&self, sql: &mut Sql, user: &User) {
        let (first_name, last_name) = (user.first_name.as_deref(), user.last_name.as_deref());
        match self.by {
            SortBy::Created => sql.bind(Value::Integer(user.created_at.as_micros())),
            SortBy::Name => sql.bind_text(&search::name_key(first_name, last_name)),
            SortBy::Email => return sql.bind_text(&search::search_text(&user.email, first_name, last_name)),
            SortBy::Updated => sql.bind(Value::Integer(user.updated_at.as_micros())),
            SortBy::FirstName | SortBy::LastName => sql.bind_text(&self.folded_name(user).unwrap_or_default()),
        }
        sql.push(", ");
        sql.bind_text(user.id.as_str());
    }

    /// Looking for a part costs half as much as comparing with a pattern.
    fn push_matching(&self, sql: &mut Sql, table: &str, search: &Search) {
        if search.has_trigrams() {
            sql.push(&format!("{}({table}.search_text, ", self.dialect.position_of_part()));
            sql.bind_text(search.text());
            return sql.push(") > 0");
        }
        for (nth, pattern) in search.prefix_patterns().iter().enumerate() {
            sql.push(if nth == 0 { "(" } else { " OR " });
            sql.push(&format!("{table}.search_text LIKE "));
            sql.bind_text(pattern);
            sql.push(" ESCAPE '\\'");
        }
        sql.push(")");
    }
}

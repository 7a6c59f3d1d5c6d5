//! The list of users that admins page through: search, filters, order, keyset paging.
//!
//! A search has two ways, because neither an index of the order nor one of trigrams serves every word. First it walks
//! [`WALKED_ROWS`] entries of the index that has the list's own order, which holds the text too: a common word fills a
//! page at once, where an index of trigrams would have to collect every match of the table. If that falls short, it has
//! shown how common the word is: one that more than one in [`WALKABLE_ONE_IN`] has is walked on for, and of all others
//! the trigrams find every match quickly. An entry costs a quarter of a microsecond to walk over, a match ten times as
//! much to fetch, so the worst word costs ten milliseconds at a million users; one whose matches all stand at the far end
//! of the order costs more. Refuses whoever may not manage users; the pages and the API call it.
//!
//! Programs ask for more than pages do ([`Exact`], [`Page::Behind`], [`list_and_count`]). That costs them what it costs: an
//! exact count of many looks at each of them once.

mod filter;
mod query;

pub use self::filter::{Exact, Filter, Span, Status, TimeOf};
use self::query::ListQuery;
use super::{Error, search::Search, user::User};
use crate::{events::Scope, platform::Db, shared::UserId};

/// How many entries of an index a search looks at first; two milliseconds.
const WALKED_ROWS: i64 = 8_000;
/// A word that one in so many has is found sooner by walking than by trigrams, at a million users.
const WALKABLE_ONE_IN: i64 = 400;
/// Lists are counted up to here; beyond, a person reads "more than", which costs the same at any size.
const COUNTED_ROWS: i64 = 1_000;
/// A page of a search that begins behind so many matches is reached as any page is; one further in by walking all the way.
const SKIPPED_MATCHES: i64 = 1_000;

/// What a list sorts by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// When the user came to exist.
    #[default]
    Created,
    /// The e-mail address.
    Email,
    /// The full name.
    Name,
    /// When the user was last changed.
    Updated,
    /// The first name; those without one come first.
    FirstName,
    /// The last name; those without one come first.
    LastName,
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

/// Which part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// From the beginning.
    First,
    /// What follows this user.
    After(UserId),
    /// What stands before this user.
    Before(UserId),
    /// What follows so many users.
    Behind(u32),
}

/// One page of users.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// The users, in order.
    pub users: Vec<User>,
    /// Whether there are users before these.
    pub has_previous: bool,
    /// Whether there are users behind these.
    pub has_next: bool,
    /// How many there are in all, where that is known: up to 1,000, then `None`.
    pub count: Option<usize>,
}

/// One page of the users that a filter leaves, `limit` at most.
///
/// # Errors
/// [`Error::Forbidden`] for who may not manage users, [`Error::UnknownCursor`] if the page begins at an unknown user.
pub async fn list(db: &Db, scope: &Scope, wanted: (&Filter, Order, &Page), limit: u32) -> Result<List, Error> {
    let (filter, order, page) = wanted;
    let found = find_page(db, scope, wanted, limit).await?;
    let count = match page {
        Page::First if !found.has_next => Some(found.users.len()),
        // The index knows all matches only where they are few, and walking leaves most of them out.
        _ if filter.is_search() => None,
        _ => count_some(db, &ListQuery::new(db, filter, order)).await?,
    };
    Ok(List { count, ..found })
}

/// The same with an exact count, however many there are: at a million users, that takes about as long as reading an index
/// through.
///
/// # Errors
/// As [`list`].
pub async fn list_and_count(
    db: &Db,
    scope: &Scope,
    wanted: (&Filter, Order, &Page),
    limit: u32,
) -> Result<List, Error> {
    let (filter, order, page) = wanted;
    let found = find_page(db, scope, wanted, limit).await?;
    let before = match page {
        Page::First => Some(0),
        Page::Behind(rows) if !found.users.is_empty() => Some(*rows as usize),
        _ => None,
    };
    let count = match before {
        Some(before) if !found.has_next => before + found.users.len(),
        _ => usize_of(ListQuery::new(db, filter, order).counted_in_all().fetch_number(db).await?),
    };
    Ok(List { count: Some(count), ..found })
}

/// The page, not counted.
async fn find_page(db: &Db, scope: &Scope, wanted: (&Filter, Order, &Page), limit: u32) -> Result<List, Error> {
    if !scope.may_manage_users() {
        return Err(Error::Forbidden);
    }
    let (filter, order, page) = wanted;
    let cursor = match page {
        Page::First | Page::Behind(_) => None,
        Page::After(id) | Page::Before(id) => Some(cursor_row(db, id).await?),
    };
    let is_backwards = matches!(page, Page::Before(_));
    let query = ListQuery {
        // Reading backwards turns the order round; the rows are turned back when they are there.
        is_descending: order.is_descending != is_backwards,
        cursor: cursor.as_ref(),
        skipped_rows: if let Page::Behind(rows) = page { i64::from(*rows) } else { 0 },
        wanted_rows: i64::from(limit) + 1,
        ..ListQuery::new(db, filter, order)
    };
    let mut users = match filter.search.as_deref().and_then(Search::parse) {
        None => query.plain().fetch(db).await?,
        Some(search) => matches_behind(db, query, &search).await?,
    };
    let is_full = users.len() > limit as usize;
    users.truncate(limit as usize);
    if is_backwards {
        users.reverse();
    }
    let (has_previous, has_next) = match page {
        Page::First => (false, is_full),
        Page::After(_) => (true, is_full),
        Page::Before(_) => (is_full, true),
        Page::Behind(rows) => (*rows > 0, is_full),
    };
    Ok(List { users, has_previous, has_next, count: None })
}

/// The matches behind those that are skipped.
async fn matches_behind(db: &Db, query: ListQuery<'_>, search: &Search) -> Result<Vec<User>, Error> {
    let skipped = query.skipped_rows;
    if skipped > SKIPPED_MATCHES {
        return query.walk_all(search).fetch(db).await;
    }
    let from_the_first = ListQuery { skipped_rows: 0, wanted_rows: query.wanted_rows + skipped, ..query };
    let found = matches(db, &from_the_first, search).await?;
    Ok(found.into_iter().skip(usize_of(skipped)).collect())
}

async fn matches(db: &Db, query: &ListQuery<'_>, search: &Search) -> Result<Vec<User>, Error> {
    let mut near = query.walk(search, WALKED_ROWS).fetch(db).await?;
    let is_full = |found: &[User]| count_of(found) >= query.wanted_rows;
    if is_full(&near) {
        return Ok(near);
    }
    let Some(edge) = query.end_of(WALKED_ROWS).fetch(db).await?.pop() else { return Ok(near) };
    if let Some(rows) = far_enough(count_of(&near), query.wanted_rows) {
        let behind = ListQuery { cursor: Some(&edge), ..*query };
        near.extend(behind.walk(search, rows).fetch(db).await?);
        if is_full(&near) || behind.end_of(rows).fetch(db).await?.is_empty() {
            near.truncate(usize_of(query.wanted_rows));
            return Ok(near);
        }
    }
    if !search.has_trigrams() {
        return query.prefixed(search).fetch(db).await;
    }
    let sample = query::sample().fetch_texts(db).await?;
    query.indexed(search, &search.rare_trigrams(&sample)).fetch(db).await
}

/// How much further a page lies, by what was found near; `None` where the word is so rare that the trigrams are sooner
/// there.
fn far_enough(near: i64, wanted: i64) -> Option<i64> {
    let is_common = near * WALKABLE_ONE_IN >= WALKED_ROWS;
    // Half as far again, since the near ones may by chance be more than their share.
    is_common.then(|| (wanted - near) * WALKED_ROWS / near.max(1) * 3 / 2)
}

fn count_of(users: &[User]) -> i64 {
    i64::try_from(users.len()).unwrap_or(i64::MAX)
}

async fn cursor_row(db: &Db, id: &UserId) -> Result<User, Error> {
    super::find(db, id).await?.ok_or(Error::UnknownCursor)
}

/// `None` where there are more than is worth counting.
async fn count_some(db: &Db, query: &ListQuery<'_>) -> Result<Option<usize>, Error> {
    let counted = query.counted().fetch_number(db).await?;
    Ok((counted <= COUNTED_ROWS).then(|| usize_of(counted)))
}

fn usize_of(rows: i64) -> usize {
    usize::try_from(rows).unwrap_or_default()
}

#[cfg(test)]
mod tests;

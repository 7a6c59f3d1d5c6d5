//! The outbox as admins look at it: the newest first, by state and by part of the recipient, paged by key. What a mail
//! says is no part of this; the flow behind the mail page opens a single one.

use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use super::super::{Db, Timestamp};
use crate::shared::MailId;

/// The columns of a [`Mail`].
const COLUMNS: &str = "id, kind, recipient, subject, created_at, due_at, expires_at, attempts, reason, sent_at, failed_at, \
     dropped_at, sealed, token_id";
/// Mails are counted up to here.
const COUNTED_ROWS: i64 = 1_000;
/// The longest part of a recipient that is searched for, in characters.
const MAX_SEARCH_CHARS: usize = 254;

/// What has become of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It is to be sent, or kept where none is.
    Waiting,
    /// It was sent.
    Sent,
    /// It was refused for good, or too often.
    Failed,
    /// It was no longer worth sending.
    Dropped,
}

impl MailState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Failed, Self::Sent, Self::Dropped];

    /// The name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// In the words of the indexes.
    fn condition(self) -> &'static str {
        match self {
            Self::Waiting => "sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL",
            Self::Sent => "sent_at IS NOT NULL",
            Self::Failed => "failed_at IS NOT NULL",
            Self::Dropped => "dropped_at IS NOT NULL",
        }
    }
}

/// A mail as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Which one.
    pub id: MailId,
    /// What it is about, as one word.
    pub kind: String,
    /// To whom.
    pub recipient: String,
    /// The subject.
    pub subject: String,
    /// What has become of it.
    pub state: MailState,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it became what it is; for one that waits, when it was written.
    pub changed_at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// When it is no longer worth sending.
    pub expires_at: Timestamp,
    /// How often it was refused.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// Whether it carries a link of its own.
    pub has_link: bool,
    /// What it says, sealed, where it is kept.
    pub(super) sealed: Option<String>,
}

impl Mail {
    /// Whether what it says is still there, so that it can be sent.
    pub fn is_kept(&self) -> bool {
        self.sealed.is_some()
    }

    /// What it says, sealed; see [`super::Outbox::open`].
    pub fn sealed(&self) -> Option<&str> {
        self.sealed.as_deref()
    }
}

/// Which part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// From the newest.
    First,
    /// What follows this mail.
    After(MailId),
    /// What stands before this mail.
    Before(MailId),
}

/// One page of mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The mails, the newest first.
    pub mails: Vec<Mail>,
    /// Whether there are mails before these.
    pub has_previous: bool,
    /// Whether there are mails behind these.
    pub has_next: bool,
}

/// One page of the mails in a state whose recipient holds a text, `limit` at most.
///
/// # Errors
/// What the database says.
pub async fn list(
    db: &Db,
    (state, recipient): (Option<MailState>, Option<&str>),
    page: &Page,
    limit: u32,
) -> Result<List, sqlx::Error> {
    let (comparison, direction, key) = match page {
        Page::First => ("", "DESC", None),
        Page::After(id) => (" AND id < $2", "DESC", Some(id)),
        Page::Before(id) => (" AND id > $2", "ASC", Some(id)),
    };
    let condition = state.map_or("1 = 1", MailState::condition);
    let wanted = i64::from(limit) + 1;
    let statement = format!(
        "SELECT {COLUMNS} FROM mails WHERE {condition} AND ($1 = '' OR recipient LIKE $1 ESCAPE '\\'){comparison}
         ORDER BY id {direction} LIMIT {wanted}"
    );
    let mut query = sqlx::query(AssertSqlSafe(statement)).bind(recipient.map(pattern).unwrap_or_default());
    if let Some(key) = key {
        query = query.bind(key.as_str());
    }
    let rows = query.fetch_all(db.reader()).await?;
    let mut mails = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    let is_full = mails.len() > limit as usize;
    mails.truncate(limit as usize);
    let (has_previous, has_next) = match page {
        Page::First => (false, is_full),
        Page::After(_) => (true, is_full),
        Page::Before(_) => (is_full, true),
    };
    if matches!(page, Page::Before(_)) {
        mails.reverse();
    }
    Ok(List { mails, has_previous, has_next })
}

/// What holds a text as it stands; the signs of the search language stand for themselves.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.trim().to_lowercase().chars().filter(|c| !c.is_control()).take(MAX_SEARCH_CHARS) {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// How many mails are in a state; `None` where there are more than is worth counting.
///
/// # Errors
/// What the database says.
pub async fn count(db: &Db, state: MailState) -> Result<Option<i64>, sqlx::Error> {
    let statement = format!(
        "SELECT count(*) FROM (SELECT 1 FROM mails WHERE {} LIMIT {}) counted",
        state.condition(),
        COUNTED_ROWS + 1
    );
    let row = sqlx::query(AssertSqlSafe(statement)).fetch_one(db.reader()).await?;
    let count: i64 = row.try_get(0)?;
    Ok((count <= COUNTED_ROWS).then_some(count))
}

/// The mail with this id.
///
/// # Errors
/// What the database says.
pub async fn find(db: &Db, id: &MailId) -> Result<Option<Mail>, sqlx::Error> {
    let statement = format!("SELECT {COLUMNS} FROM mails WHERE id = $1");
    let row = sqlx::query(AssertSqlSafe(statement)).bind(id.as_str()).fetch_optional(db.reader()).await?;
    row.as_ref().map(from_row).transpose()
}

fn from_row(row: &AnyRow) -> Result<Mail, sqlx::Error> {
    let time = |index: usize| row.try_get::<i64, _>(index).map(Timestamp::from_micros);
    let set = |index: usize| row.try_get::<Option<i64>, _>(index).map(|at| at.map(Timestamp::from_micros));
    let created_at = time(4)?;
    let (state, changed_at) = match (set(9)?, set(11)?, set(10)?) {
        (Some(sent_at), _, _) => (MailState::Sent, sent_at),
        (None, Some(dropped_at), _) => (MailState::Dropped, dropped_at),
        (None, None, Some(failed_at)) => (MailState::Failed, failed_at),
        (None, None, None) => (MailState::Waiting, created_at),
    };
    Ok(Mail {
        id: MailId::new(row.try_get::<String, _>(0)?),
        kind: row.try_get(1)?,
        recipient: row.try_get(2)?,
        subject: row.try_get(3)?,
        state,
        created_at,
        changed_at,
        due_at: time(5)?,
        expires_at: time(6)?,
        attempts: row.try_get(7)?,
        reason: row.try_get(8)?,
        sealed: row.try_get(12)?,
        has_link: row.try_get::<Option<String>, _>(13)?.is_some(),
    })
}

//! Invites: a promise of an account to one address. What has become of one is a time; one that has expired is refused like
//! one that was revoked, and so is one whose inviter may not invite any more. The schema keeps the pending ones to one an
//! address, and accepting is one conditional update, so of many at once one wins. The flows call it.

mod list;
mod note;
mod row;

use std::time::Duration;

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Row};

pub use list::{
    Filter as InviteFilter, List as InviteList, Order as InviteOrder, Page as InvitePage, SortBy as InviteSortBy,
    list as list_invites, list_and_count as list_and_count_invites,
};
pub use note::{InvalidNote, InviteNote, MAX_NOTE_CHARS as INVITE_NOTE_CHARS};

use self::row::{SELECT, from_row};
use super::{Error, sql::Sql};
use crate::{
    platform::{Db, Timestamp, Tx},
    shared::{EmailAddress, InviteId, MailId, Role, UserId},
};

/// Neither accepted nor revoked, and no other was made for the address since.
const OPEN: &str = "accepted_at IS NULL AND revoked_at IS NULL AND lapsed_at IS NULL";
/// Who invited may still do so; the operator always may.
const BY_WHO_MAY: &str = "(invited_by IS NULL OR EXISTS (SELECT 1 FROM users u
     WHERE u.id = invites.invited_by AND u.role = 'admin' AND u.disabled_at IS NULL))";

/// What has become of an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteState {
    /// It waits to be accepted.
    Pending,
    /// It became an account.
    Accepted,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

/// What has become of the mail that carries the newest link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It waits to be sent.
    Queued,
    /// It was sent.
    Sent,
    /// It could not be sent.
    Failed,
    /// There is none.
    None,
}

/// Who invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inviter {
    /// The id.
    pub id: UserId,
    /// The name, or the address where none was given; nothing for who was deleted.
    pub name: Option<String>,
    /// Where a letter reaches them.
    pub email: Option<EmailAddress>,
    /// Whether they may still invite.
    pub may_invite: bool,
}

/// A promise of an account to one address.
#[derive(Clone, Debug, PartialEq)]
pub struct Invite {
    /// The id.
    pub id: InviteId,
    /// To whom.
    pub email: EmailAddress,
    /// The role that is promised.
    pub role: Role,
    /// What the inviter adds.
    pub note: Option<String>,
    /// What the embedding application keeps with it.
    pub metadata: Map<String, Value>,
    /// Who invited; nobody where the operator did.
    pub inviter: Option<Inviter>,
    /// What has become of the mail with the newest link.
    pub mail: MailState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it ends, or ended.
    pub expires_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// Whose account it became.
    pub accepted_by: Option<UserId>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When another was made for the address, after this one had ended.
    pub lapsed_at: Option<Timestamp>,
}

impl Invite {
    /// What has become of it.
    pub fn state(&self, now: Timestamp) -> InviteState {
        if self.accepted_at.is_some() {
            return InviteState::Accepted;
        }
        if self.revoked_at.is_some() {
            return InviteState::Revoked;
        }
        if self.lapsed_at.is_some() || self.expires_at <= now { InviteState::Expired } else { InviteState::Pending }
    }

    /// Whether who invited may still do so; the operator always may.
    pub fn is_by_who_may(&self) -> bool {
        self.inviter.as_ref().is_none_or(|inviter| inviter.may_invite)
    }

    /// Whether it can be accepted.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.state(now) == InviteState::Pending && self.is_by_who_may()
    }
}

/// An invite that is to be made.
#[derive(Clone, Debug)]
pub struct NewInvite<'a> {
    /// The id.
    pub id: InviteId,
    /// To whom.
    pub email: &'a EmailAddress,
    /// The role that is promised.
    pub role: Role,
    /// What the inviter adds.
    pub note: Option<&'a InviteNote>,
    /// What the embedding application keeps with it.
    pub metadata: &'a Map<String, Value>,
    /// Who invites; nobody where the operator does.
    pub invited_by: Option<&'a UserId>,
    /// How long it lasts.
    pub expires_in: Duration,
}

/// Makes an invite. One that has ended gives up its place.
///
/// # Errors
/// [`Error::AlreadyInvited`] if another for the address is pending.
pub async fn create_invite(tx: &mut Tx, new: &NewInvite<'_>, now: Timestamp) -> Result<(), Error> {
    lapse(tx, new.email, now).await?;
    let done = sqlx::query(
        "INSERT INTO invites (id, email, role, note, metadata, invited_by, created_at, updated_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(new.id.as_str())
    .bind(new.email.as_str())
    .bind(new.role.as_str())
    .bind(new.note.map(InviteNote::as_str))
    .bind(Value::Object(new.metadata.clone()).to_string())
    .bind(new.invited_by.map(UserId::as_str))
    .bind(now.as_micros())
    .bind(now.plus(new.expires_in).as_micros())
    .execute(&mut **tx)
    .await
    .map_err(Error::Internal)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::AlreadyInvited) }
}

async fn lapse(tx: &mut Tx, email: &EmailAddress, now: Timestamp) -> Result<(), Error> {
    let sql = format!(
        "UPDATE invites SET lapsed_at = $1, updated_at = $1 WHERE email = $2 AND {OPEN}
         AND (expires_at <= $1 OR NOT {BY_WHO_MAY})"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(now.as_micros()).bind(email.as_str());
    query.execute(&mut **tx).await.map(drop).map_err(Error::Internal)
}

/// Notes the mail that carries the newest link.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn set_invite_mail(tx: &mut Tx, id: &InviteId, mail: &MailId) -> Result<(), Error> {
    let query = sqlx::query("UPDATE invites SET mail_id = $1 WHERE id = $2").bind(mail.as_str()).bind(id.as_str());
    query.execute(&mut **tx).await.map(drop).map_err(Error::Internal)
}

/// The invite with this id.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn find_invite(db: &Db, id: &InviteId) -> Result<Option<Invite>, Error> {
    let sql = format!("{SELECT} WHERE i.id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(db.reader()).await?;
    row.as_ref().map(from_row).transpose().map_err(Error::Internal)
}

/// The invite for an address that nothing has become of yet, else the newest.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn newest_invite_of(db: &Db, email: &EmailAddress) -> Result<Option<Invite>, Error> {
    let sql = format!(
        "{SELECT} WHERE i.email = $1
         ORDER BY CASE WHEN {OPEN} THEN 0 ELSE 1 END, i.id DESC LIMIT 1"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(email.as_str()).fetch_optional(db.reader()).await?;
    row.as_ref().map(from_row).transpose().map_err(Error::Internal)
}

/// The invite with this id as the transaction sees it.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub async fn get_invite_for_update(tx: &mut Tx, id: &InviteId) -> Result<Invite, Error> {
    let sql = format!("{SELECT} WHERE i.id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&mut **tx).await?;
    from_row(&row.ok_or(Error::NotFound)?).map_err(Error::Internal)
}

/// The invite for an address that is open, expired or not, if there is one.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn pending_invite_of(tx: &mut Tx, email: &EmailAddress) -> Result<Option<Invite>, Error> {
    let sql = format!("{SELECT} WHERE i.email = $1 AND {OPEN}");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(email.as_str()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(from_row).transpose().map_err(Error::Internal)
}

/// Accepts an invite for a user; whether it was this call that did. Of many at once one does.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn accept_invite(tx: &mut Tx, id: &InviteId, user: &UserId, now: Timestamp) -> Result<bool, Error> {
    let sql = format!(
        "UPDATE invites SET accepted_at = $1, accepted_by = $2, updated_at = $1
         WHERE id = $3 AND {OPEN} AND expires_at > $1 AND {BY_WHO_MAY}"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(now.as_micros()).bind(user.as_str()).bind(id.as_str());
    Ok(query.execute(&mut **tx).await.map_err(Error::Internal)?.rows_affected() == 1)
}

/// Lets an open invite, expired or not, last until another time, and notes who answers for it now; whether it did.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn renew_invite(
    tx: &mut Tx,
    id: &InviteId,
    (invited_by, expires_at): (Option<&UserId>, Timestamp),
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = format!("UPDATE invites SET expires_at = $1, invited_by = $2, updated_at = $3 WHERE id = $4 AND {OPEN}");
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(expires_at.as_micros())
        .bind(invited_by.map(UserId::as_str))
        .bind(now.as_micros())
        .bind(id.as_str());
    Ok(query.execute(&mut **tx).await.map_err(Error::Internal)?.rows_affected() == 1)
}

/// Takes an open invite back; whether there was one to take back.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn revoke_invite(tx: &mut Tx, id: &InviteId, now: Timestamp) -> Result<bool, Error> {
    let sql = format!("UPDATE invites SET revoked_at = $1, updated_at = $1 WHERE id = $2 AND {OPEN}");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(now.as_micros()).bind(id.as_str());
    Ok(query.execute(&mut **tx).await.map_err(Error::Internal)?.rows_affected() == 1)
}

/// Deletes an invite.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub async fn delete_invite(tx: &mut Tx, id: &InviteId) -> Result<(), Error> {
    let done = sqlx::query("DELETE FROM invites WHERE id = $1").bind(id.as_str()).execute(&mut **tx).await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Which of these addresses have an account that its owner has proved, or that is turned off: nobody is invited to these.
/// Whoever has only registered with an address does not keep its owner from being invited.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn owned_addresses(
    executor: impl sqlx::Executor<'_, Database = sqlx::Any>,
    emails: &[EmailAddress],
) -> Result<Vec<EmailAddress>, Error> {
    let sql = Sql::new(
        "SELECT u.email FROM users u
         WHERE (u.email_verified_at IS NOT NULL OR u.disabled_at IS NOT NULL) AND u.email IN (",
    );
    among(executor, sql, (emails, ")")).await
}

/// Which of these addresses have an invite that could be accepted now.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn invited_addresses(db: &Db, emails: &[EmailAddress], now: Timestamp) -> Result<Vec<EmailAddress>, Error> {
    let mut sql =
        Sql::new(&format!("SELECT invites.email FROM invites WHERE {OPEN} AND {BY_WHO_MAY} AND expires_at > "));
    sql.bind(super::sql::Value::Integer(now.as_micros()));
    sql.push(" AND email IN (");
    among(db.reader(), sql, (emails, ")")).await
}

async fn among(
    executor: impl sqlx::Executor<'_, Database = sqlx::Any>,
    mut sql: Sql,
    (emails, end): (&[EmailAddress], &str),
) -> Result<Vec<EmailAddress>, Error> {
    if emails.is_empty() {
        return Ok(Vec::new());
    }
    for (nth, email) in emails.iter().enumerate() {
        sql.push(if nth == 0 { "" } else { ", " });
        sql.bind_text(email.as_str());
    }
    sql.push(end);
    let rows = sql.rows_by(executor).await?;
    let email = |row: &sqlx::any::AnyRow| row.try_get::<String, _>(0).map(EmailAddress::from_stored);
    rows.iter().map(email).collect::<Result<_, _>>().map_err(Error::Internal)
}

#[cfg(test)]
mod tests;

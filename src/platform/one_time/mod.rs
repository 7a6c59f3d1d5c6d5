//! One-time tokens: the one engine behind every mailed link and code. A token has a purpose, a subject and an end; only
//! hashes are stored, using one is a single conditional update, and a token that was replaced or revoked says so for
//! itself. What a purpose means is the caller's: nothing here knows what a user or an invite is.

mod code;
mod code_try;
mod open;

use std::time::Duration;

use serde_json::Value;
use sqlx::{Row, any::AnyRow};

pub use code::OneTimeCode;
pub use code_try::{CodeFor, set_code, take_code_try};
pub use open::find_open;

use super::{Db, Entropy, SecretToken, Timestamp, Tx};
use crate::shared::{EmailAddress, OneTimeId};

/// How long one that has ended is kept, so that its page can say what became of it.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// How many one sweep deletes at a time.
const SWEEP_BATCH: i64 = 1000;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// The name under which it is stored.
    pub name: &'static str,
    /// How long its tokens live, unless their caller says otherwise.
    pub lifetime: Duration,
    /// Whether a new one replaces those before for the same subject.
    pub replaces: bool,
}

/// A token that is to be issued.
#[derive(Clone, Debug)]
pub struct NewOneTime<'a> {
    /// What for.
    pub purpose: Purpose,
    /// What it is about: the id of a user or an invite, or an address that is nobody's yet.
    pub subject: &'a str,
    /// Where it is sent to.
    pub email: &'a EmailAddress,
    /// What the purpose needs to know when it is used.
    pub data: Value,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A token that was issued: the one time that its secret is known.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The id under which it is used.
    pub id: OneTimeId,
    /// The secret for the link.
    pub token: SecretToken,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What has become of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneTimeState {
    /// It can be used.
    Ready,
    /// Its time is over.
    Expired,
    /// It was used.
    Used,
    /// A newer one was issued.
    Replaced,
    /// It was taken back.
    Revoked,
}

/// A token as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct OneTime {
    /// The id under which it is used.
    pub id: OneTimeId,
    /// What for.
    pub purpose: String,
    /// What it is about.
    pub subject: String,
    /// Where it was sent.
    pub email: EmailAddress,
    /// What the purpose needs.
    pub data: Value,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it ends, or ended.
    pub expires_at: Timestamp,
    /// What has become of it.
    pub state: OneTimeState,
}

impl OneTime {
    /// Whether it is for this purpose.
    pub fn is_for(&self, purpose: Purpose) -> bool {
        self.purpose == purpose.name
    }
}

/// Issues a token in the transaction of what asks for it.
///
/// # Errors
/// What the database says.
pub async fn issue(tx: &mut Tx, entropy: &Entropy, now: Timestamp, new: NewOneTime<'_>) -> Result<Issued, sqlx::Error> {
    if new.purpose.replaces {
        replace(tx, (new.purpose, new.subject), now).await?;
    }
    let issued = Issued {
        id: OneTimeId::new(entropy.uuid_v7(now)),
        token: SecretToken::generate(entropy),
        expires_at: new.expires_at,
    };
    sqlx::query(
        "INSERT INTO one_time_tokens (id, token_hash, code_tries, purpose, subject, email, data, created_at, expires_at)
         VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8)",
    )
    .bind(issued.id.as_str())
    .bind(issued.token.hash().as_str())
    .bind(new.purpose.name)
    .bind(new.subject)
    .bind(new.email.as_str())
    .bind(new.data.to_string())
    .bind(now.as_micros())
    .bind(new.expires_at.as_micros())
    .execute(&mut **tx)
    .await?;
    Ok(issued)
}

async fn replace(tx: &mut Tx, (purpose, subject): (Purpose, &str), now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE one_time_tokens SET replaced_at = $1 WHERE subject = $2 AND purpose = $3
         AND used_at IS NULL AND replaced_at IS NULL AND revoked_at IS NULL AND expires_at > $1",
    )
    .bind(now.as_micros())
    .bind(subject)
    .bind(purpose.name)
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// The token of a link; `None` if there never was one, or it was swept away.
///
/// # Errors
/// What the database says.
pub async fn find(db: &Db, token: &SecretToken, now: Timestamp) -> Result<Option<OneTime>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT id, purpose, subject, email, data, created_at, expires_at, used_at, replaced_at, revoked_at
         FROM one_time_tokens WHERE token_hash = $1",
    )
    .bind(token.hash().as_str())
    .fetch_optional(db.reader())
    .await?;
    row.map(|row| from_row(&row, now)).transpose()
}

/// The token with this id.
///
/// # Errors
/// What the database says.
pub async fn find_by_id(db: &Db, id: &OneTimeId, now: Timestamp) -> Result<Option<OneTime>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT id, purpose, subject, email, data, created_at, expires_at, used_at, replaced_at, revoked_at
         FROM one_time_tokens WHERE id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(db.reader())
    .await?;
    row.map(|row| from_row(&row, now)).transpose()
}

fn from_row(row: &AnyRow, now: Timestamp) -> Result<OneTime, sqlx::Error> {
    let time = |index: usize| row.try_get::<Option<i64>, _>(index).map(|at| at.map(Timestamp::from_micros));
    let unreadable = |what: &str| sqlx::Error::Protocol(format!("a one-time token has no readable {what}"));
    let expires_at = Timestamp::from_micros(row.try_get(6)?);
    let state = match (time(7)?, time(8)?, time(9)?) {
        (Some(_), _, _) => OneTimeState::Used,
        (None, _, Some(_)) => OneTimeState::Revoked,
        (None, Some(_), None) => OneTimeState::Replaced,
        (None, None, None) if expires_at <= now => OneTimeState::Expired,
        (None, None, None) => OneTimeState::Ready,
    };
    Ok(OneTime {
        id: OneTimeId::new(row.try_get::<String, _>(0)?),
        purpose: row.try_get(1)?,
        subject: row.try_get(2)?,
        email: EmailAddress::parse(&row.try_get::<String, _>(3)?).map_err(|_| unreadable("address"))?,
        data: serde_json::from_str(&row.try_get::<String, _>(4)?).map_err(|_| unreadable("data"))?,
        created_at: Timestamp::from_micros(row.try_get(5)?),
        expires_at,
        state,
    })
}

/// Uses a token up; whether it was this call that did. Of many at once one does.
///
/// # Errors
/// What the database says.
pub async fn use_up(tx: &mut Tx, id: &OneTimeId, now: Timestamp) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE one_time_tokens SET used_at = $1 WHERE id = $2
         AND used_at IS NULL AND replaced_at IS NULL AND revoked_at IS NULL AND expires_at > $1",
    )
    .bind(now.as_micros())
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses up all tokens of one purpose about a subject, whatever their time: what they were for has come true.
///
/// # Errors
/// What the database says.
pub async fn use_up_all(tx: &mut Tx, (purpose, subject): (Purpose, &str), now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE one_time_tokens SET used_at = $1 WHERE subject = $2 AND purpose = $3
         AND used_at IS NULL AND replaced_at IS NULL AND revoked_at IS NULL",
    )
    .bind(now.as_micros())
    .bind(subject)
    .bind(purpose.name)
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Takes a token back; whether it could still have been used.
///
/// # Errors
/// What the database says.
pub async fn revoke(tx: &mut Tx, id: &OneTimeId, now: Timestamp) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE one_time_tokens SET revoked_at = $1 WHERE id = $2
         AND used_at IS NULL AND replaced_at IS NULL AND revoked_at IS NULL AND expires_at > $1",
    )
    .bind(now.as_micros())
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes back all tokens about a subject, those of every purpose; how many could still have been used.
///
/// # Errors
/// What the database says.
pub async fn revoke_all(tx: &mut Tx, subject: &str, now: Timestamp) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE one_time_tokens SET revoked_at = $1 WHERE subject = $2
         AND used_at IS NULL AND replaced_at IS NULL AND revoked_at IS NULL AND expires_at > $1",
    )
    .bind(now.as_micros())
    .bind(subject)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Takes back all tokens about a subject but those of one purpose; how many could still have been used.
///
/// # Errors
/// What the database says.
pub async fn revoke_all_but(tx: &mut Tx, (kept, subject): (Purpose, &str), now: Timestamp) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE one_time_tokens SET revoked_at = $1 WHERE subject = $2 AND purpose <> $3
         AND used_at IS NULL AND replaced_at IS NULL AND revoked_at IS NULL AND expires_at > $1",
    )
    .bind(now.as_micros())
    .bind(subject)
    .bind(kept.name)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Takes back the tokens of the same purpose and subject that were issued after this one; how many could still have been
/// used.
///
/// # Errors
/// What the database says.
pub async fn revoke_later(tx: &mut Tx, token: &OneTime, now: Timestamp) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE one_time_tokens SET revoked_at = $1 WHERE subject = $2 AND purpose = $3 AND id > $4
         AND used_at IS NULL AND replaced_at IS NULL AND revoked_at IS NULL AND expires_at > $1",
    )
    .bind(now.as_micros())
    .bind(token.subject.as_str())
    .bind(token.purpose.as_str())
    .bind(token.id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Lets the tokens about a subject that can still be used end at another time.
///
/// # Errors
/// What the database says.
pub async fn prolong(
    tx: &mut Tx,
    (purpose, subject): (Purpose, &str),
    expires_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE one_time_tokens SET expires_at = $1 WHERE subject = $2 AND purpose = $3
         AND used_at IS NULL AND replaced_at IS NULL AND revoked_at IS NULL",
    )
    .bind(expires_at.as_micros())
    .bind(subject)
    .bind(purpose.name)
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Makes the tokens about a subject those about another that has taken its place, whatever has become of them.
///
/// # Errors
/// What the database says.
pub async fn pass_on(tx: &mut Tx, (from, to): (&str, &str)) -> Result<(), sqlx::Error> {
    let statement = sqlx::query("UPDATE one_time_tokens SET subject = $1 WHERE subject = $2");
    statement.bind(to).bind(from).execute(&mut **tx).await.map(drop)
}

/// Deletes all tokens about a subject that is no more.
///
/// # Errors
/// What the database says.
pub async fn delete_all(tx: &mut Tx, subject: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM one_time_tokens WHERE subject = $1").bind(subject).execute(&mut **tx).await.map(drop)
}

/// Deletes what has ended long ago; how many there were.
///
/// # Errors
/// What the database says.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, sqlx::Error> {
    let mut total = 0;
    loop {
        let mut tx = db.begin().await?;
        let deleted = sqlx::query(
            "DELETE FROM one_time_tokens WHERE id IN
                 (SELECT id FROM one_time_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        )
        .bind(now.minus(KEPT).as_micros())
        .bind(SWEEP_BATCH)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        total += deleted;
        if deleted < SWEEP_BATCH.unsigned_abs() {
            return Ok(total);
        }
    }
}

#[cfg(test)]
mod tests;

//! The way of a mail out of the outbox. Whoever sends claims one mail at a time: no other process touches it until the
//! claim ends, so a process that dies takes one mail with it for that long and no longer. To one person mails leave in
//! the order in which they were written. What carries a link that no longer works is dropped. Called by the job that
//! sends; a mail that was sent keeps nothing but recipient, subject and times.

use std::time::Duration;

use sqlx::{Row, any::AnyRow};

use super::{
    super::{Db, Entropy, Timestamp, Tx},
    Outbox,
};
use crate::shared::{EmailAddress, MailId, OneTimeId};

/// How long mails that were sent or dropped, or failed and have ended, stay to be looked at.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// How many one sweep deletes at a time.
const SWEEP_BATCH: i64 = 1_000;
/// How many mails are looked at for one to claim; the others may be claimed by somebody else meanwhile.
const CANDIDATES: i64 = 8;
/// How many one call drops.
const DROP_BATCH: i64 = 500;
/// The longest reason that is kept, in characters; it comes from a server that may be anyone's.
const MAX_REASON_CHARS: usize = 300;

/// A mail that this process has claimed.
#[derive(Clone, Debug)]
pub struct DueMail {
    /// Which one.
    pub id: MailId,
    /// To whom.
    pub recipient: EmailAddress,
    /// The subject.
    pub subject: String,
    /// What it says; `None` if it was sealed with another key.
    pub content: Option<Vec<u8>>,
    /// The one-time token that it carries.
    pub token: Option<OneTimeId>,
    /// Whether that token has the hash of its code already.
    pub has_code: bool,
    /// How often it was refused.
    pub attempts: u32,
    /// When it was written.
    pub created_at: Timestamp,
    /// Under what it is claimed.
    claim: String,
}

impl Outbox {
    /// Claims the mail that is due first, for as long as `lease`; `None` if none is. Of several processes one gets it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim(&self, db: &Db, now: Timestamp, lease: Duration) -> Result<Option<DueMail>, sqlx::Error> {
        loop {
            let due = due(db, now).await?;
            if due.is_empty() {
                return Ok(None);
            }
            for id in due {
                let claim = self.entropy.uuid_v7(now);
                let mut tx = db.begin().await?;
                let row = take(&mut tx, (&id, &claim), (now, now.plus(lease))).await?;
                tx.commit().await?;
                if let Some(row) = row {
                    return self.due_mail(&row, claim).map(Some);
                }
            }
            // All of them went to others, so there is less to do now than there was.
        }
    }

    fn due_mail(&self, row: &AnyRow, claim: String) -> Result<DueMail, sqlx::Error> {
        let sealed: Option<String> = row.try_get(3)?;
        Ok(DueMail {
            id: MailId::new(row.try_get::<String, _>(0)?),
            recipient: EmailAddress::from_stored(row.try_get(1)?),
            subject: row.try_get(2)?,
            content: sealed.and_then(|sealed| self.open(&sealed)),
            token: row.try_get::<Option<String>, _>(4)?.map(OneTimeId::new),
            attempts: u32::try_from(row.try_get::<i64, _>(5)?).unwrap_or(u32::MAX),
            created_at: Timestamp::from_micros(row.try_get(6)?),
            has_code: row.try_get::<i64, _>(7)? > 0,
            claim,
        })
    }

    /// Lets a mail be tried at once that failed or was put off; whether there was such a mail that can still be sent.
    ///
    /// # Errors
    /// What the database says.
    pub async fn retry(&self, tx: &mut Tx, id: &MailId, now: Timestamp) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(
            "UPDATE mails SET failed_at = NULL, reason = NULL, attempts = 0, due_at = $1
             WHERE id = $2 AND sent_at IS NULL AND dropped_at IS NULL AND sealed IS NOT NULL AND expires_at > $1
                 AND claimed_until <= $1",
        )
        .bind(now.as_micros())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
        self.written.notify_one();
        Ok(done.rows_affected() == 1)
    }

    /// Deletes what has long been sent, dropped or failed; how many there were.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sweep(&self, db: &Db, now: Timestamp) -> Result<u64, sqlx::Error> {
        // Ids begin with the time at which they were made, so the index of the ids is one of age.
        let before = Entropy::first_uuid_v7(now.minus(KEPT));
        let mut total = 0;
        loop {
            let mut tx = db.begin().await?;
            let deleted = sqlx::query(
                "DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE id < $1 AND (sent_at IS NOT NULL
                     OR dropped_at IS NOT NULL OR (failed_at IS NOT NULL AND expires_at <= $2)) ORDER BY id LIMIT $3)",
            )
            .bind(&before)
            .bind(now.as_micros())
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
}

/// The mails that are due, those excepted whose link has ended, or that wait for an earlier one to the same person, if
/// that is still to be sent.
async fn due(db: &Db, now: Timestamp) -> Result<Vec<MailId>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT m.id FROM mails m WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dropped_at IS NULL
             AND m.due_at <= $1 AND m.claimed_until <= $1 AND m.expires_at > $1
             AND (m.token_id IS NULL OR EXISTS (SELECT 1 FROM one_time_tokens t WHERE t.id = m.token_id
                 AND t.used_at IS NULL AND t.replaced_at IS NULL AND t.revoked_at IS NULL AND t.expires_at > $1))
             AND NOT EXISTS (SELECT 1 FROM mails e WHERE e.recipient = m.recipient AND e.id < m.id
                 AND e.sent_at IS NULL AND e.failed_at IS NULL AND e.dropped_at IS NULL AND e.expires_at > $1
                 AND (e.token_id IS NULL OR EXISTS (SELECT 1 FROM one_time_tokens t WHERE t.id = e.token_id
                     AND t.used_at IS NULL AND t.replaced_at IS NULL AND t.revoked_at IS NULL AND t.expires_at > $1)))
         ORDER BY m.due_at, m.id LIMIT $2",
    )
    .bind(now.as_micros())
    .bind(CANDIDATES)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| row.try_get::<String, _>(0).map(MailId::new)).collect()
}

async fn take(
    tx: &mut Tx,
    (id, claim): (&MailId, &str),
    (now, until): (Timestamp, Timestamp),
) -> Result<Option<AnyRow>, sqlx::Error> {
    sqlx::query(
        "UPDATE mails SET claim = $1, claimed_until = $2
         WHERE id = $3 AND claimed_until <= $4 AND due_at <= $4
             AND sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL
         RETURNING id, recipient, subject, sealed, token_id, attempts, created_at, (SELECT count(*)
             FROM one_time_tokens t WHERE t.id = token_id AND t.code_hash IS NOT NULL)",
    )
    .bind(claim)
    .bind(until.as_micros())
    .bind(id.as_str())
    .bind(now.as_micros())
    .fetch_optional(&mut **tx)
    .await
}

/// Notes that a mail was sent, and forgets what it said. Whoever has claimed it since: it was sent.
///
/// # Errors
/// What the database says.
pub async fn mark_sent(db: &Db, mail: &DueMail, now: Timestamp) -> Result<(), sqlx::Error> {
    let mut tx = db.begin().await?;
    sqlx::query(
        "UPDATE mails SET sent_at = $1, failed_at = NULL, sealed = NULL, reason = NULL, claim = NULL, claimed_until = 0
         WHERE id = $2 AND sent_at IS NULL AND dropped_at IS NULL",
    )
    .bind(now.as_micros())
    .bind(mail.id.as_str())
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Puts a mail off that was refused for now, which counts as an attempt.
///
/// # Errors
/// What the database says.
pub async fn put_off(db: &Db, mail: &DueMail, (due_at, reason): (Timestamp, &str)) -> Result<(), sqlx::Error> {
    postpone(db, mail, (due_at, Some(reason)), 1).await
}

/// Holds a mail back that could not even be handed over, which is not its fault and so no attempt.
///
/// # Errors
/// What the database says.
pub async fn hold_back(db: &Db, mail: &DueMail, (due_at, reason): (Timestamp, &str)) -> Result<(), sqlx::Error> {
    postpone(db, mail, (due_at, Some(reason)), 0).await
}

/// Lets go of a mail that was not tried.
///
/// # Errors
/// What the database says.
pub async fn release(db: &Db, mail: &DueMail, now: Timestamp) -> Result<(), sqlx::Error> {
    postpone(db, mail, (now, None), 0).await
}

async fn postpone(
    db: &Db,
    mail: &DueMail,
    (due_at, reason): (Timestamp, Option<&str>),
    attempts: i64,
) -> Result<(), sqlx::Error> {
    let mut tx = db.begin().await?;
    sqlx::query(
        "UPDATE mails SET due_at = $1, reason = COALESCE($2, reason), attempts = attempts + $3, claim = NULL,
             claimed_until = 0
         WHERE id = $4 AND claim = $5",
    )
    .bind(due_at.as_micros())
    .bind(reason.map(cut))
    .bind(attempts)
    .bind(mail.id.as_str())
    .bind(&mail.claim)
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Gives a mail up. What it says stays until its link ends, so that an admin can send it again or hand the link on.
///
/// # Errors
/// What the database says.
pub async fn give_up(db: &Db, mail: &DueMail, (now, reason): (Timestamp, &str)) -> Result<(), sqlx::Error> {
    let mut tx = db.begin().await?;
    sqlx::query(
        "UPDATE mails SET failed_at = $1, reason = $2, attempts = attempts + 1, claim = NULL, claimed_until = 0
         WHERE id = $3 AND claim = $4",
    )
    .bind(now.as_micros())
    .bind(cut(reason))
    .bind(mail.id.as_str())
    .bind(&mail.claim)
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

fn cut(reason: &str) -> String {
    reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_REASON_CHARS).collect()
}

/// Drops mails that wait and are no longer worth sending: their time is over, or their link was used, replaced, taken
/// back or deleted. Of those that have failed, only what they say is forgotten. Answers how many there were.
///
/// # Errors
/// What the database says.
pub async fn drop_ended(db: &Db, now: Timestamp) -> Result<u64, sqlx::Error> {
    let ended = sqlx::query(
        "SELECT m.id FROM mails m WHERE m.sealed IS NOT NULL AND m.claimed_until <= $1 AND (m.expires_at <= $1 OR (m.token_id IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM one_time_tokens t WHERE t.id = m.token_id AND t.used_at IS NULL
                     AND t.replaced_at IS NULL AND t.revoked_at IS NULL AND t.expires_at > $1)))
         LIMIT $2",
    )
    .bind(now.as_micros())
    .bind(DROP_BATCH)
    .fetch_all(db.reader())
    .await?;
    let mut dropped = 0;
    for row in &ended {
        let mut tx = db.begin().await?;
        dropped += sqlx::query(
            "UPDATE mails SET sealed = NULL, claim = NULL, claimed_until = 0,
                 dropped_at = CASE WHEN failed_at IS NULL THEN $1 ELSE NULL END
             WHERE id = $2 AND sent_at IS NULL AND dropped_at IS NULL AND claimed_until <= $1",
        )
        .bind(now.as_micros())
        .bind(row.try_get::<String, _>(0)?)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
    }
    Ok(dropped)
}

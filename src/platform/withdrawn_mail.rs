//! Mails that are withdrawn: those that carry a link about something that has ended, or is no more. What was sent stays;
//! what waits is dropped or deleted, in the transaction of what ended. Called by the flows.

use super::{Timestamp, Tx};

/// Drops the mails that wait and carry a link about a subject: they are not sent, and what they say is gone.
///
/// # Errors
/// What the database says.
pub async fn drop_about(tx: &mut Tx, subject: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE mails SET dropped_at = $1, sealed = NULL
         WHERE token_id IN (SELECT id FROM one_time_tokens WHERE subject = $2)
         AND sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL",
    )
    .bind(now.as_micros())
    .bind(subject)
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Deletes the mails that carry a link about a subject and were not sent. To be called before its tokens are deleted.
///
/// # Errors
/// What the database says.
pub async fn delete_about(tx: &mut Tx, subject: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM mails WHERE sent_at IS NULL AND token_id IN (SELECT id FROM one_time_tokens WHERE subject = $1)",
    )
    .bind(subject)
    .execute(&mut **tx)
    .await
    .map(drop)
}

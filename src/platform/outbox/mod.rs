//! The outbox: mails as rows, written in the transaction of what they speak of, so that none is lost and none is sent for
//! what never happened. What a mail says is sealed with the instance key while it waits, because it holds a link, and is
//! gone once it was sent. Flows write; the job that sends and the mail page read.

mod list;
mod queue;

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::Notify;

pub use list::{List, Mail, MailState, Page, count, find, list};
pub use queue::{DueMail, drop_ended, give_up, hold_back, mark_sent, put_off, release};

use super::{Entropy, Seal, Timestamp, Tx};
use crate::shared::{EmailAddress, MailId, OneTimeId};

/// What the seal is bound to.
const SEAL_PURPOSE: &str = "mail";

/// A mail that is to be sent.
#[derive(Clone, Debug)]
pub struct NewMail<'a, Content> {
    /// What it is about, as one word: `reset_password`.
    pub kind: &'static str,
    /// To whom.
    pub recipient: &'a EmailAddress,
    /// The subject; stays readable when the mail was sent, so it holds no secret.
    pub subject: &'a str,
    /// What it says, as whoever sends it understands it.
    pub content: &'a Content,
    /// The one-time token that it carries.
    pub token: Option<&'a OneTimeId>,
    /// When it is no longer worth sending.
    pub expires_at: Timestamp,
}

/// Where mails are put; clones share it.
#[derive(Clone, Debug)]
pub struct Outbox {
    seal: Seal,
    entropy: Entropy,
    is_sent: bool,
    written: Arc<Notify>,
}

impl Outbox {
    /// The outbox of this instance; `is_sent` is false where no transport takes mails and admins copy their links.
    pub fn new(seal: Seal, entropy: Entropy, is_sent: bool) -> Self {
        Self { seal, entropy, is_sent, written: Arc::default() }
    }

    /// Whether mails leave at all. Where they don't, no page may promise one.
    pub fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// Puts a mail into the outbox, in the transaction of what it speaks of.
    ///
    /// # Errors
    /// What the database says; [`sqlx::Error::Encode`] if the content can't be written as JSON.
    pub async fn put<Content: Serialize>(
        &self,
        tx: &mut Tx,
        now: Timestamp,
        mail: NewMail<'_, Content>,
    ) -> Result<MailId, sqlx::Error> {
        let id = MailId::new(self.entropy.uuid_v7(now));
        let content = serde_json::to_vec(mail.content).map_err(|error| sqlx::Error::Encode(error.into()))?;
        sqlx::query(
            "INSERT INTO mails (id, kind, recipient, subject, sealed, token_id, created_at, due_at, expires_at, attempts,
                 claimed_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, 0, 0)",
        )
        .bind(id.as_str())
        .bind(mail.kind)
        .bind(mail.recipient.as_str())
        .bind(mail.subject)
        .bind(self.seal.seal(SEAL_PURPOSE, &content))
        .bind(mail.token.map(OneTimeId::as_str))
        .bind(now.as_micros())
        .bind(mail.expires_at.as_micros())
        .execute(&mut **tx)
        .await?;
        // Told before the commit: whoever looks too early looks again soon anyway.
        self.written.notify_one();
        Ok(id)
    }

    /// Waits until something was put in by this process.
    pub async fn written(&self) {
        self.written.notified().await;
    }

    /// Opens what a mail says.
    pub fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        self.seal.open(SEAL_PURPOSE, sealed)
    }
}

/// Deletes the mails to an address that wait, with those that could not be sent.
///
/// # Errors
/// What the database says.
pub async fn delete_waiting(tx: &mut Tx, recipient: &EmailAddress) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM mails WHERE recipient = $1 AND sent_at IS NULL")
        .bind(recipient.as_str())
        .execute(&mut **tx)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests;

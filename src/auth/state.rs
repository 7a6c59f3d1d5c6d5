//! What a provider remembers between the two halves of a redirect: lives 20 minutes, is read once, and only by the
//! browser that started. Keys and the browser's secret are stored as one hash, so that neither can be found in a copy.

use std::time::Duration;

use sqlx::Row;

use super::Error;
use crate::{
    platform::{Db, Timestamp, TokenHash},
    shared::ProviderId,
};

/// How long a redirect may take.
const STATE_LIFETIME: Duration = Duration::from_mins(20);

/// A secret that one browser holds while it is away at a provider.
#[derive(Clone)]
pub struct BrowserKey(String);

impl BrowserKey {
    /// The secret as the browser's cookie carries it.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }
}

/// Whose state it is: a provider's, and within it a browser's.
pub(super) struct StateKey<'a> {
    pub provider: &'a ProviderId,
    pub browser: &'a BrowserKey,
    pub key: &'a str,
}

impl StateKey<'_> {
    /// Lengths keep the parts apart: no two keys have the same text.
    fn hash(&self) -> TokenHash {
        let provider = self.provider.as_str();
        let text = format!("{}:{provider}{}:{}{}", provider.len(), self.browser.0.len(), self.browser.0, self.key);
        TokenHash::of(text.as_bytes())
    }
}

pub(super) async fn set(db: &Db, key: &StateKey<'_>, value: &str, now: Timestamp) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    sqlx::query(
        "INSERT INTO auth_states (key_hash, value, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (key_hash) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
    )
    .bind(key.hash().as_str())
    .bind(value)
    .bind(now.plus(STATE_LIFETIME).as_micros())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn take(db: &Db, key: &StateKey<'_>, now: Timestamp) -> Result<Option<String>, Error> {
    let mut tx = db.begin().await?;
    let row = sqlx::query("DELETE FROM auth_states WHERE key_hash = $1 RETURNING value, expires_at")
        .bind(key.hash().as_str())
        .fetch_optional(&mut *tx)
        .await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(None) };
    let expires_at: i64 = row.try_get(1).map_err(Error::Internal)?;
    if expires_at <= now.as_micros() {
        return Ok(None);
    }
    row.try_get(0).map(Some).map_err(Error::Internal)
}

/// Deletes what has expired; how much that was.
///
/// # Errors
/// What the database says.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, sqlx::Error> {
    let mut tx = db.begin().await?;
    let done =
        sqlx::query("DELETE FROM auth_states WHERE expires_at <= $1").bind(now.as_micros()).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

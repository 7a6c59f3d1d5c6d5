//! What a provider remembers between the two halves of a redirect: lives 20 minutes, is read once, and only by the
//! browser that started. Keys and the browser's secret are stored as one hash, so that neither can be found in a copy.
//! What the browser was sent away for rides along; all of it is sealed, since it may hold the token of an invite.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::Error;
use crate::{
    platform::{Db, Seal, Timestamp, TokenHash},
    shared::{ProviderId, SessionId},
};

/// How long a redirect may take.
const STATE_LIFETIME: Duration = Duration::from_mins(20);
/// What sealed states are for.
const SEALED_AS: &str = "auth state";

/// Who was sent away: a browser, by a secret that it holds meanwhile, or a program.
#[derive(Clone)]
pub struct BrowserKey(String);

impl BrowserKey {
    /// The secret as the browser's cookie carries it.
    pub fn new(secret: &str) -> Self {
        Self(format!("browser {secret}"))
    }

    /// A program that keeps no cookie. It holds the state itself and has to compare what comes back (RFC 6749 §10.12);
    /// no browser can end what a program began here, nor the other way round.
    pub fn of_program() -> Self {
        Self("program".to_owned())
    }

    /// A browser in the session that it is logged in by: no other session ends what was begun in it.
    pub fn of_session(session: &SessionId) -> Self {
        Self(format!("session {session}"))
    }
}

/// It is a secret.
impl fmt::Debug for BrowserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserKey")
    }
}

/// A browser that is elsewhere, or comes back.
pub(super) struct Away {
    seal: Seal,
    browser: Option<BrowserKey>,
    /// What it is sent away for, or was.
    errand: Mutex<Option<String>>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    value: String,
    errand: Option<String>,
}

impl Away {
    pub fn new(seal: Seal) -> Self {
        Self { seal, browser: None, errand: Mutex::default() }
    }

    pub fn of(self, browser: BrowserKey, errand: Option<String>) -> Self {
        Self { browser: Some(browser), errand: Mutex::new(errand), ..self }
    }

    /// The seal of the instance.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    pub fn errand(&self) -> Option<String> {
        self.errand.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub async fn set(
        &self,
        db: &Db,
        (provider, key): (&ProviderId, &str),
        (value, now): (&str, Timestamp),
    ) -> Result<(), Error> {
        let browser = self.browser.as_ref().ok_or(Error::NotFound)?;
        let kept = Kept { value: value.to_owned(), errand: self.errand() };
        let kept = serde_json::to_vec(&kept).map_err(Error::Unreadable)?;
        let hash = StateKey { provider, browser, key }.hash();
        set(db, &hash, (&self.seal.seal(SEALED_AS, &kept), now)).await
    }

    /// What was sealed with another instance key is as good as gone.
    pub async fn take(
        &self,
        db: &Db,
        (provider, key): (&ProviderId, &str),
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        let Some(browser) = self.browser.as_ref() else { return Ok(None) };
        let sealed = take(db, &StateKey { provider, browser, key }.hash(), now).await?;
        let Some(kept) = sealed.and_then(|sealed| self.seal.open(SEALED_AS, &sealed)) else { return Ok(None) };
        let kept: Kept = serde_json::from_slice(&kept).map_err(Error::Unreadable)?;
        *self.errand.lock().unwrap_or_else(PoisonError::into_inner) = kept.errand;
        Ok(Some(kept.value))
    }
}

/// Whose state it is: a provider's, and within it a browser's.
struct StateKey<'a> {
    provider: &'a ProviderId,
    browser: &'a BrowserKey,
    key: &'a str,
}

impl StateKey<'_> {
    /// Lengths keep the parts apart: no two keys have the same text.
    fn hash(&self) -> TokenHash {
        let provider = self.provider.as_str();
        let text = format!("{}:{provider}{}:{}{}", provider.len(), self.browser.0.len(), self.browser.0, self.key);
        TokenHash::of(text.as_bytes())
    }
}

async fn set(db: &Db, key: &TokenHash, (value, now): (&str, Timestamp)) -> Result<(), Error> {
    let mut tx = db.begin_relaxed().await?;
    sqlx::query(
        "INSERT INTO auth_states (key_hash, value, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (key_hash) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
    )
    .bind(key.as_str())
    .bind(value)
    .bind(now.plus(STATE_LIFETIME).as_micros())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

async fn take(db: &Db, key: &TokenHash, now: Timestamp) -> Result<Option<String>, Error> {
    let mut tx = db.begin().await?;
    let row = sqlx::query("DELETE FROM auth_states WHERE key_hash = $1 RETURNING value, expires_at")
        .bind(key.as_str())
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

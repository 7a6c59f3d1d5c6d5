//! The store behind the session cookie. A flow opens and ends rows in the transaction of what it does; this store
//! lets the cookie follow: `create` adopts a row that a flow has opened, `save` never brings one back that has ended.
//! Refuses to create a session that no flow has opened, so there are no rows for visitors.

use std::{collections::HashMap, fmt};

use sqlx::Row;
use tower_sessions::{
    SessionStore,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
    session_store,
};

use super::{Opened, SessionKey};
use crate::platform::{Clock, Db};

/// Where the cookie's record names the row that a flow has opened.
const ADOPTED: &str = "adopted";

/// Gives the browser the cookie of a session that a flow has opened, and drops the one that it had.
///
/// # Errors
/// What the store says.
pub async fn adopt(cookie: &tower_sessions::Session, opened: &Opened) -> Result<(), tower_sessions::session::Error> {
    if cookie.id().is_some() {
        cookie.flush().await?;
    }
    cookie.insert(ADOPTED, opened.key.0.to_string()).await
}

/// The store behind the session cookie.
#[derive(Clone)]
pub struct CookieStore {
    db: Db,
    clock: Clock,
}

impl CookieStore {
    /// A store over the sessions of this database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }
}

impl fmt::Debug for CookieStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieStore")
    }
}

#[async_trait::async_trait]
impl SessionStore for CookieStore {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let adopted = record.data.get(ADOPTED).and_then(serde_json::Value::as_str).and_then(|id| id.parse::<Id>().ok());
        record.id =
            adopted.ok_or_else(|| session_store::Error::Backend("no flow has opened this session".to_owned()))?;
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let mut tx = self.db.begin_relaxed().await.map_err(backend)?;
        sqlx::query("UPDATE sessions SET last_seen_at = $1 WHERE key_hash = $2 AND last_seen_at < $1")
            .bind(self.clock.now().as_micros())
            .bind(SessionKey(record.id).hash().as_str())
            .execute(&mut *tx)
            .await
            .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let row = sqlx::query("SELECT expires_at FROM sessions WHERE key_hash = $1 AND expires_at > $2")
            .bind(SessionKey(*id).hash().as_str())
            .bind(self.clock.now().as_micros())
            .fetch_optional(self.db.reader())
            .await
            .map_err(backend)?;
        let Some(row) = row else { return Ok(None) };
        let expires_at: i64 = row.try_get(0).map_err(backend)?;
        let expiry_date = OffsetDateTime::from_unix_timestamp(expires_at / 1_000_000)
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data: HashMap::new(), expiry_date }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let mut tx = self.db.begin().await.map_err(backend)?;
        sqlx::query("DELETE FROM sessions WHERE key_hash = $1")
            .bind(SessionKey(*id).hash().as_str())
            .execute(&mut *tx)
            .await
            .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn backend(error: sqlx::Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

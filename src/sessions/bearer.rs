//! Bearer tokens (RFC 6750) for programs: each belongs to a session and ends with it. A token says who it is for in words
//! that others can verify (a JWT, RFC 7519), but here it counts by its hash alone: one that was not given out, or whose
//! session has ended, is unknown, whatever it says.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use serde_json::{Map, Value};

use super::SessionKey;
use crate::{
    platform::{Entropy, Timestamp, TokenHash, Tx},
    shared::SessionId,
};

/// How long a token lives.
pub const TOKEN_LIFETIME: Duration = Duration::from_hours(24);

/// What a token says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claims {
    /// The account; empty until there is one.
    pub actor_id: String,
    /// What kind of account.
    pub actor_type: String,
    /// Who proved it.
    pub auth_identity_id: String,
    /// By which provider.
    pub auth_provider: String,
    /// The accounts of the identity, by `<actor type>_id`.
    pub app_metadata: BTreeMap<String, String>,
    /// What the provider knows of the person.
    pub user_metadata: Map<String, Value>,
    /// When it was issued, in seconds.
    pub iat: i64,
    /// When it ends, in seconds.
    pub exp: i64,
    /// The id of the token.
    pub jti: String,
}

/// Stores that a token belongs to a session, which has to be there still.
///
/// # Errors
/// What the database says, which includes a session that has ended.
pub async fn keep_token(
    tx: &mut Tx,
    session: &SessionId,
    (token, expires_at): (&str, Timestamp),
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO bearer_tokens (token_hash, session_id, expires_at) VALUES ($1, $2, $3)")
        .bind(TokenHash::of(token.as_bytes()).as_str())
        .bind(session.as_str())
        .bind(expires_at.as_micros())
        .execute(&mut **tx)
        .await
        .map(drop)
}

/// Gives a session a new key for a cookie; one that it had before is dead. `None` if the session has ended.
///
/// # Errors
/// What the database says.
pub async fn give_key(tx: &mut Tx, entropy: &Entropy, session: &SessionId) -> Result<Option<SessionKey>, sqlx::Error> {
    let key = SessionKey::random(entropy);
    let done = sqlx::query("UPDATE sessions SET key_hash = $1 WHERE id = $2")
        .bind(key.hash().as_str())
        .bind(session.as_str())
        .execute(&mut **tx)
        .await?;
    Ok((done.rows_affected() == 1).then_some(key))
}

/// Deletes tokens that have ended by time; how many there were.
///
/// # Errors
/// What the database says.
pub async fn sweep_tokens(db: &crate::platform::Db, now: Timestamp) -> Result<u64, sqlx::Error> {
    let mut tx = db.begin_relaxed().await?;
    let done =
        sqlx::query("DELETE FROM bearer_tokens WHERE expires_at <= $1").bind(now.as_micros()).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

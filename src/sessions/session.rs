//! Session rows. A session ends when it was idle too long, when it is too old, or when somebody ends it.

use std::time::Duration;

use sqlx::{Row, any::AnyRow};

use crate::{
    events::Scope,
    platform::{Db, Dialect, Entropy, Timestamp, TokenHash, Tx, Walk, WalkStep, Write, write_together},
    shared::{AuthIdentityId, ExternalUser, ProviderId, SessionId, UserId},
};

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// How long a session lives without a request.
    pub idle: Duration,
    /// How long it lives at most.
    pub absolute: Duration,
}

/// The secret of a session: 128 random bits, as the cookie carries them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionKey(pub(super) tower_sessions::session::Id);

impl SessionKey {
    pub(super) fn random(entropy: &Entropy) -> Self {
        Self(tower_sessions::session::Id(i128::from_le_bytes(entropy.bytes::<16>())))
    }

    /// The key that a cookie carried.
    pub fn from_cookie(id: tower_sessions::session::Id) -> Self {
        Self(id)
    }

    /// What is stored of it. 128 random bits can't be guessed from a plain hash.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0.0.to_le_bytes())
    }
}

/// A session that is to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What kind of account it is for.
    pub actor_type: String,
    /// Whose it is; `None` for an identity that has no user.
    pub user_id: Option<UserId>,
    /// Whom it is for, where the embedding application says so.
    pub external_user: Option<ExternalUser>,
    /// Who proved it; empty for a user who has no identity here.
    pub auth_identity_id: AuthIdentityId,
    /// By which provider.
    pub provider: ProviderId,
    /// Whether the cookie outlives the browser.
    pub is_remembered: bool,
}

/// A session that was opened: the one time that its secret is known.
#[derive(Clone)]
pub struct Opened {
    /// The secret for the cookie.
    pub key: SessionKey,
    /// The id under which it is listed.
    pub id: SessionId,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Whether the cookie outlives the browser.
    pub is_remembered: bool,
}

/// A session as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The id under which it is revoked.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Whom it is for, where the embedding application says so.
    pub external_user: Option<ExternalUser>,
    /// Who proved it.
    pub auth_identity_id: AuthIdentityId,
    /// By which provider.
    pub provider: ProviderId,
    /// The address at log-in.
    pub ip: Option<String>,
    /// The browser at log-in.
    pub user_agent: Option<String>,
    /// When the person logged in.
    pub created_at: Timestamp,
    /// When they last proved who they are.
    pub proved_at: Timestamp,
    /// When a request last came, within a few minutes.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Whether the cookie outlives the browser.
    pub is_remembered: bool,
}

/// The columns of a session, in the order that [`session_from_row`] reads.
pub fn session_columns() -> &'static str {
    "s.id, s.user_id, s.auth_identity_id, s.provider, s.ip, s.user_agent, s.created_at, s.proved_at, s.last_seen_at, \
     s.expires_at, s.is_remembered, s.external_user"
}

/// Reads a session from a row whose columns begin with [`session_columns`] at `at`.
///
/// # Errors
/// What the database driver says of a row that is none.
pub fn session_from_row(row: &AnyRow, at: usize) -> Result<Session, sqlx::Error> {
    let time = |index: usize| row.try_get::<i64, _>(at + index).map(Timestamp::from_micros);
    let external_user = row.try_get::<Option<String>, _>(at + 11)?;
    let external_user = external_user.map(|json| serde_json::from_str(&json)).transpose();
    Ok(Session {
        id: SessionId::new(row.try_get::<String, _>(at)?),
        user_id: UserId::new(row.try_get::<String, _>(at + 1)?),
        external_user: external_user.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        auth_identity_id: AuthIdentityId::new(row.try_get::<String, _>(at + 2)?),
        provider: ProviderId::new(row.try_get::<String, _>(at + 3)?),
        ip: row.try_get(at + 4)?,
        user_agent: row.try_get(at + 5)?,
        created_at: time(6)?,
        proved_at: time(7)?,
        last_seen_at: time(8)?,
        expires_at: time(9)?,
        is_remembered: row.try_get::<i64, _>(at + 10)? != 0,
    })
}

/// Opens a session in the transaction of the log-in.
///
/// # Errors
/// What the database says.
pub async fn open(
    tx: &mut Tx,
    entropy: &Entropy,
    scope: &Scope,
    (new, lifetime): (&NewSession, Lifetime),
) -> Result<Opened, sqlx::Error> {
    let (opened, write) = open_with(entropy, scope, (new, lifetime))?;
    write_together(tx, vec![write]).await?;
    Ok(opened)
}

/// The same as a write that goes to the database together with others; without it there is no session.
///
/// # Errors
/// As [`open`].
pub fn open_with(
    entropy: &Entropy,
    scope: &Scope,
    (new, lifetime): (&NewSession, Lifetime),
) -> Result<(Opened, Write), sqlx::Error> {
    let key = SessionKey::random(entropy);
    let id = SessionId::new(entropy.uuid_v7(scope.now));
    let expires_at = scope.now.plus(lifetime.absolute);
    let external_user = new.external_user.as_ref().map(serde_json::to_string).transpose();
    let external_user = external_user.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let write = Write::new(
        "INSERT INTO sessions (key_hash, id, actor_type, user_id, auth_identity_id, provider, ip, user_agent, created_at,
             proved_at, last_seen_at, expires_at, is_remembered, external_user)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9, $10, $11, $12)",
    )
    .text(key.hash().as_str())
    .text(id.as_str())
    .text(&new.actor_type)
    .text(new.user_id.as_ref().map_or("", UserId::as_str))
    .text(new.auth_identity_id.as_str())
    .text(new.provider.as_str())
    .maybe_text(scope.client.ip.map(|ip| ip.to_string()))
    .maybe_text(scope.client.user_agent.clone())
    .number(scope.now.as_micros())
    .number(expires_at.as_micros())
    .number(i64::from(new.is_remembered))
    .maybe_text(external_user);
    Ok((Opened { key, id, expires_at, is_remembered: new.is_remembered }, write))
}

/// Names the user that a session is for, as the embedding application says.
///
/// # Errors
/// What the database says.
pub async fn name_user(tx: &mut Tx, id: &SessionId, user: &ExternalUser) -> Result<(), sqlx::Error> {
    let user = serde_json::to_string(user).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query("UPDATE sessions SET external_user = $1 WHERE id = $2")
        .bind(user)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await
        .map(drop)
}

/// The live sessions of a user, the last seen first.
///
/// # Errors
/// What the database says.
pub async fn list(db: &Db, user: &UserId, lifetime: Lifetime, now: Timestamp) -> Result<Vec<Session>, sqlx::Error> {
    let sql = format!(
        "SELECT {} FROM sessions s WHERE s.user_id = $1 AND s.expires_at > $2 AND s.last_seen_at > $3
         ORDER BY s.last_seen_at DESC, s.id DESC LIMIT 200",
        session_columns()
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(user.as_str())
        .bind(now.as_micros())
        .bind(now.minus(lifetime.idle).as_micros())
        .fetch_all(db.reader())
        .await?;
    rows.iter().map(|row| session_from_row(row, 0)).collect()
}

/// Whether this session is still there; nobody ends it until the transaction does.
///
/// # Errors
/// What the database says.
pub async fn is_alive(tx: &mut Tx, id: &SessionId) -> Result<bool, sqlx::Error> {
    let sql = format!("SELECT 1 FROM sessions WHERE id = $1{}", Dialect::of(tx).hold_rows());
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&mut **tx).await?;
    Ok(row.is_some())
}

/// Gives a session to the user that its identity has got since it was opened; whether it was nobody's.
///
/// # Errors
/// What the database says.
pub async fn give_to(tx: &mut Tx, id: &SessionId, user: &UserId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("UPDATE sessions SET user_id = $1 WHERE id = $2 AND user_id = ''")
        .bind(user.as_str())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a request came; an ended session stays ended.
///
/// # Errors
/// What the database says.
pub async fn touch(db: &Db, id: &SessionId, now: Timestamp) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_relaxed().await?;
    sqlx::query("UPDATE sessions SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $1")
        .bind(now.as_micros())
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// Ends a session whose secret was shown; whether it was there still.
///
/// # Errors
/// What the database says.
pub async fn end(tx: &mut Tx, id: &SessionId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id.as_str()).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

/// Ends one session of a user; whether there was such a one.
///
/// # Errors
/// What the database says.
pub async fn revoke(tx: &mut Tx, user: &UserId, id: &SessionId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("DELETE FROM sessions WHERE id = $1 AND user_id = $2")
        .bind(id.as_str())
        .bind(user.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all sessions of a user, except one if that is named; how many ended.
///
/// # Errors
/// What the database says.
pub async fn end_all(tx: &mut Tx, user: &UserId, except: Option<&SessionId>) -> Result<u64, sqlx::Error> {
    let done = sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id <> $2")
        .bind(user.as_str())
        .bind(except.map_or("", SessionId::as_str))
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}

/// Ends all sessions that an identity has opened, with a user or without, but one that is named; how many ended.
///
/// # Errors
/// What the database says.
pub async fn end_all_of_identity(
    tx: &mut Tx,
    identity: &AuthIdentityId,
    except: Option<&SessionId>,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query("DELETE FROM sessions WHERE auth_identity_id = $1 AND id <> $2")
        .bind(identity.as_str())
        .bind(except.map_or("", SessionId::as_str))
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}

/// Ends the sessions that an identity has opened for an account of this type before it had one: they would become the
/// account's, and nobody would see them before.
///
/// # Errors
/// What the database says.
pub async fn end_unowned(tx: &mut Tx, identity: &AuthIdentityId, actor_type: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM sessions WHERE auth_identity_id = $1 AND actor_type = $2 AND user_id = ''")
        .bind(identity.as_str())
        .bind(actor_type)
        .execute(&mut **tx)
        .await
        .map(drop)
}

/// Deletes the rows of sessions that have ended by time; how many there were.
///
/// # Errors
/// What the database says.
pub async fn sweep(db: &Db, lifetime: Lifetime, now: Timestamp) -> Result<u64, sqlx::Error> {
    let (mut total, mut walk) = (0, Walk::through("sessions", "key_hash"));
    while let Some(WalkStep { after, upto }) = walk.step(db).await? {
        let mut tx = db.begin_relaxed().await?;
        let done = sqlx::query(
            "DELETE FROM sessions WHERE key_hash > $1 AND key_hash <= $2 AND (expires_at <= $3 OR last_seen_at <= $4)",
        )
        .bind(after)
        .bind(upto)
        .bind(now.as_micros())
        .bind(now.minus(lifetime.idle).as_micros())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        total += done.rows_affected();
    }
    Ok(total)
}

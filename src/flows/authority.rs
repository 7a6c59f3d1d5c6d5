//! Whether the one who asks still may, in the transaction that writes: a session that was ended or a right that was
//! lost while the request was on its way changes nothing any more. Who asks is held until the transaction ends, so whoever
//! ends a session waits for what was asked by it and finds all that came of it.
//!
//! Whoever holds several things does so in this order, or two would wait in a circle: the ways in of a user, the user,
//! their sessions, their links.

use sqlx::{AssertSqlSafe, Row};

use super::{Error, USER};
use crate::{
    events::{Actor, Scope},
    platform::{Dialect, Tx},
    shared::UserId,
};

/// Refuses a user whose session has ended, who was turned off, or whose role is another by now.
pub(super) async fn hold(tx: &mut Tx, scope: &Scope) -> Result<(), Error> {
    let Actor::User { id, role, session } = &scope.actor else { return Ok(()) };
    // Rows are held in the order of the tables.
    let sql = format!(
        "SELECT u.role FROM users u JOIN sessions s ON s.user_id = u.id
         WHERE s.id = $1 AND u.id = $2 AND u.disabled_at IS NULL{}",
        Dialect::of(tx).hold_rows()
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(session.as_str()).bind(id.as_str());
    let row = query.fetch_optional(&mut **tx).await?;
    let current: String = row.ok_or(Error::Unauthorized)?.try_get(0)?;
    if current == role.as_str() { Ok(()) } else { Err(Error::Forbidden) }
}

/// Holds a user: waits for whoever asks or logs in as them, and lets the next wait.
pub(super) async fn hold_user(tx: &mut Tx, id: &UserId) -> Result<(), Error> {
    let sql = format!("SELECT 1 FROM users WHERE id = $1{}", Dialect::of(tx).hold_rows());
    sqlx::query(AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&mut **tx).await?;
    Ok(())
}

/// Holds a user with all ways in, for whoever is going to change these.
pub(super) async fn hold_account(tx: &mut Tx, id: &UserId) -> Result<(), Error> {
    let sql = format!(
        "SELECT 1 FROM provider_identities p JOIN auth_identity_actors a ON a.auth_identity_id = p.auth_identity_id
         WHERE a.actor_type = $1 AND a.actor_id = $2 ORDER BY p.provider, p.entity_id{}",
        Dialect::of(tx).hold_rows()
    );
    sqlx::query(AssertSqlSafe(sql)).bind(USER).bind(id.as_str()).fetch_all(&mut **tx).await?;
    hold_user(tx, id).await
}

/// Refuses whoever may not manage users; a visitor is told to log in first.
pub(super) fn asks_as_manager(scope: &Scope) -> Result<(), Error> {
    match scope.actor {
        Actor::Visitor => Err(Error::Unauthorized),
        _ if scope.may_manage_users() => Ok(()),
        _ => Err(Error::Forbidden),
    }
}

/// The same for what only those may do who manage users.
pub(super) async fn hold_as_manager(tx: &mut Tx, scope: &Scope) -> Result<(), Error> {
    asks_as_manager(scope)?;
    hold(tx, scope).await
}

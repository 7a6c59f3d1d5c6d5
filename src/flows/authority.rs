//! Whether the one who asks still may, in the transaction that writes: a session that was ended or a right that was
//! lost while the request was on its way changes nothing any more.

use sqlx::Row;

use super::Error;
use crate::{
    events::{Actor, Scope},
    platform::Tx,
};

/// Refuses a user whose session has ended, who was turned off, or whose role is another by now.
pub(super) async fn hold(tx: &mut Tx, scope: &Scope) -> Result<(), Error> {
    let Actor::User { id, role, session } = &scope.actor else { return Ok(()) };
    let row = sqlx::query(
        "SELECT u.role FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.id = $1 AND u.id = $2 AND u.disabled_at IS NULL",
    )
    .bind(session.as_str())
    .bind(id.as_str())
    .fetch_optional(&mut **tx)
    .await?;
    let current: String = row.ok_or(Error::Unauthorized)?.try_get(0)?;
    if current == role.as_str() { Ok(()) } else { Err(Error::Forbidden) }
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

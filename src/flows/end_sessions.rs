//! End sessions: log out here, end one elsewhere, end all others. A session that has ended is out at its next request.

use serde_json::json;

use super::{Error, Services, USER, authority};
use crate::{
    events::{self, Event, EventKind, Scope},
    platform::Tx,
    sessions,
    shared::{SessionId, UserId},
};

/// Ends the session of the one who asks; nothing happens to who has none.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn log_out(services: &Services, scope: &Scope) -> Result<(), Error> {
    let (Some(user), Some(session)) = (scope.user_id(), scope.session_id()) else { return Ok(()) };
    let mut tx = services.platform.db.begin().await?;
    if sessions::revoke(&mut tx, user, session).await? {
        note(services, scope, (user, json!({ "session_id": session.as_str(), "by": "log_out" })), &mut tx).await?;
    }
    Ok(tx.commit().await?)
}

/// Ends one session of the one who asks.
///
/// # Errors
/// [`Error::NotFound`] if they have no such session.
pub async fn end_session(services: &Services, scope: &Scope, session: &SessionId) -> Result<(), Error> {
    let user = scope.user_id().ok_or(Error::Unauthorized)?;
    let mut tx = services.platform.db.begin().await?;
    authority::hold(&mut tx, scope).await?;
    if !sessions::revoke(&mut tx, user, session).await? {
        return Err(Error::NotFound);
    }
    note(services, scope, (user, json!({ "session_id": session.as_str() })), &mut tx).await?;
    Ok(tx.commit().await?)
}

/// Ends all sessions of the one who asks but this one; answers how many ended.
///
/// # Errors
/// [`Error::Unauthorized`] if nobody is logged in.
pub async fn end_other_sessions(services: &Services, scope: &Scope) -> Result<u64, Error> {
    let user = scope.user_id().ok_or(Error::Unauthorized)?;
    let mut tx = services.platform.db.begin().await?;
    authority::hold(&mut tx, scope).await?;
    let ended = end_all(&mut tx, user, scope.session_id()).await?;
    if ended > 0 {
        note(services, scope, (user, json!({ "count": ended })), &mut tx).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

/// Ends all sessions of a user but one that is named, and those that the user's identities opened before they had a user:
/// who holds one of those is let in by a refresh. How many of the user's own ended. Whatever somebody asks for as the user
/// meanwhile has been done by then, with a session or a link to be ended, or finds its session ended.
pub(super) async fn end_all(tx: &mut Tx, user: &UserId, except: Option<&SessionId>) -> Result<u64, Error> {
    authority::hold_user(tx, user).await?;
    sqlx::query(
        "DELETE FROM sessions WHERE user_id = '' AND actor_type = $1 AND auth_identity_id IN
             (SELECT auth_identity_id FROM auth_identity_actors WHERE actor_type = $1 AND actor_id = $2)",
    )
    .bind(USER)
    .bind(user.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(sessions::end_all(tx, user, except).await?)
}

/// Writes that sessions of a user were ended.
pub(super) async fn note(
    services: &Services,
    scope: &Scope,
    (user, details): (&UserId, serde_json::Value),
    tx: &mut Tx,
) -> Result<(), Error> {
    let event = Event::about_user(EventKind::SessionRevoked, user).with(details);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

//! End sessions: log out here, end one elsewhere, end all others. A session that has ended is out at its next request.

use serde_json::json;

use super::{Error, Holder, Services, USER, authority};
use crate::{
    auth::{self, AuthIdentity},
    events::{self, Event, EventKind, Scope, Target},
    platform::{Timestamp, Tx, one_time, withdrawn_mail},
    sessions,
    shared::{AuthIdentityId, EmailAddress, ProviderId, SessionId, UserId},
    users::{self, User},
};

async fn log_out(services: &Services, scope: &Scope) -> Result<(), Error> {
    let (Some(user), Some(session)) = (scope.user_id(), scope.session_id()) else { return Ok(()) };
    let mut tx = services.platform.db.begin().await?;
    if sessions::revoke(&mut tx, user, session).await? {
        note(services, scope, (user, json!({ "session_id": session.as_str(), "by": "log_out" })), &mut tx).await?;
    }
    Ok(tx.commit().await?)
}

/// Ends the session behind a bearer token or a cookie, which may be nobody's; nothing happens to who has none.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn log_out_holder(services: &Services, scope: &Scope, holder: &Holder) -> Result<(), Error> {
    let Holder { user: None, session, .. } = holder else { return log_out(services, scope).await };
    let mut tx = services.platform.db.begin().await?;
    // Whosever it is by now: a refresh may just have given it to a user.
    if sessions::end(&mut tx, &session.id).await? {
        let details = json!({ "session_id": session.id.as_str(), "by": "log_out" });
        let target = match &session.external_user {
            Some(_) => Target::Session(session.id.clone()),
            None => Target::AuthIdentity(session.auth_identity_id.clone()),
        };
        let event = Event { kind: EventKind::SessionRevoked, target, details };
        events::record(&mut tx, &services.platform.entropy, scope, event).await?;
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

/// Ends all sessions of a user but one that is named, and those that were opened before there was the user: they would
/// become the user's at their next refresh. How many of the user's ended. Whatever somebody asks for as the user meanwhile
/// has been done by then, with a session or a link to be ended, or finds its session ended.
pub(super) async fn end_all(tx: &mut Tx, user: &UserId, except: Option<&SessionId>) -> Result<u64, Error> {
    authority::hold_user(tx, user).await?;
    for identity in auth::find_of_actor(tx, USER, user.as_str()).await? {
        sessions::end_unowned(tx, &identity, USER).await?;
    }
    Ok(sessions::end_all(tx, user, except).await?)
}

/// Ends all that was opened by an identity, or asked for by its password's owner: somebody else may have made it.
pub(super) async fn oust(tx: &mut Tx, identity: &AuthIdentityId, now: Timestamp) -> Result<(), Error> {
    sessions::end_all_of_identity(tx, identity, None).await?;
    withdrawn_mail::drop_about(tx, identity.as_str(), now).await?;
    one_time::revoke_all(tx, identity.as_str(), now).await?;
    Ok(())
}

/// Deletes the identity that somebody has registered with an address and that is nobody's, with what was opened by it;
/// whether there was one. Whoever gets the address has proved it, or is vouched for.
pub(super) async fn oust_stranger(
    tx: &mut Tx,
    (provider, email): (&ProviderId, &EmailAddress),
    now: Timestamp,
) -> Result<bool, Error> {
    let Some(stranger) = auth::delete_unowned(tx, provider, email.as_str()).await? else { return Ok(false) };
    oust(tx, &stranger, now).await?;
    Ok(true)
}

/// Deletes every way in of a user, with what was opened by it. Before the user's sessions are ended: a log-in that is
/// under way either sees them gone, or has opened its session by then.
pub(super) async fn close_ways_in(tx: &mut Tx, user: &UserId, now: Timestamp) -> Result<(), Error> {
    authority::hold_account(tx, user).await?;
    let identities = auth::find_of_actor(tx, USER, user.as_str()).await?;
    auth::delete_of_actor(tx, USER, user.as_str()).await?;
    for identity in &identities {
        oust(tx, identity, now).await?;
    }
    Ok(())
}

/// Gives an account whose address nobody had proved to whoever has, by this identity: no way in, session, mail or link of
/// before is left, and the address is proved. [`Error::Conflict`] where the account is not any more what it was when that
/// was decided.
pub(super) async fn hand_over(
    services: &Services,
    scope: &Scope,
    (user, identity): (&User, &AuthIdentity),
    tx: &mut Tx,
) -> Result<(), Error> {
    // Whoever links one more way in at this moment has done so by now, and it goes with the others, or finds the session
    // ended. Of two who have proved the address at once, one comes second.
    authority::hold_account(tx, &user.id).await?;
    let held = users::find_by_email_in(tx, &user.email).await?;
    if held.as_ref().map(what_was_decided_on) != Some(what_was_decided_on(user)) {
        return Err(Error::Conflict);
    }
    let strangers = auth::find_of_actor(tx, USER, user.id.as_str()).await?;
    auth::leave_only(tx, (USER, user.id.as_str()), identity).await?;
    // Behind the ways in: a log-in that is under way either sees them gone, or has opened its session by now.
    end_all(tx, &user.id, None).await?;
    if identity.actor_id(USER).is_none() {
        auth::link_actor(tx, &identity.id, USER, user.id.as_str()).await?;
    }
    for stranger in &strangers {
        oust(tx, stranger, scope.now).await?;
    }
    withdrawn_mail::drop_about(tx, user.id.as_str(), scope.now).await?;
    one_time::revoke_all(tx, user.id.as_str(), scope.now).await?;
    users::set_email_verified(tx, user, scope.now).await?;
    let event = Event::about_user(EventKind::AuthEmailVerified, &user.id);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

fn what_was_decided_on(user: &User) -> (&UserId, bool, bool) {
    (&user.id, user.email_verified_at.is_some(), user.disabled_at.is_some())
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

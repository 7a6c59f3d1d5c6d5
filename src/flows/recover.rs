//! Recover: mail a link, by which whoever reads the mail sets a new password. A link is about one way in for one kind of
//! account; what it does is in `new_password`, and a notice lets the owner of an account take that back.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Error, Services, USER, authority,
    end_sessions::{close_ways_in, end_all},
    letter::{self, Letter},
    link::{RESET_IDENTITY, RESET_PASSWORD, UNDO_EMAIL_CHANGE},
};
use crate::{
    auth::{AuthIdentity, Configured, Flow, providers::EMAILPASS},
    events::{self, Event, EventKind, Scope, Target},
    platform::{Issued, NewOneTime, OneTime, Purpose, Timestamp, Tx, one_time},
    shared::{EmailAddress, ProviderId, UserId},
    users::{self, User},
};

/// Whose password is lost: somebody as a provider knows them, and the kind of account that they want to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPassword {
    /// What kind of account it is for.
    pub actor_type: String,
    /// The provider of the password.
    pub provider: ProviderId,
    /// What the provider knows the person by, as somebody typed it.
    pub identifier: String,
}

/// What a link sets the password of, as its token keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WayIn {
    /// What kind of account it is for.
    pub actor_type: String,
    /// The provider; `None` for the one of passwords.
    #[serde(default)]
    pub provider: Option<ProviderId>,
    /// What the provider knows the person by; `None` for the address of the user.
    #[serde(default)]
    pub entity_id: Option<String>,
}

/// Whose password a token was to set, for another mail in its place.
pub(super) fn lost_by(token: &OneTime) -> Option<LostPassword> {
    let way: WayIn = serde_json::from_value(token.data.clone()).ok()?;
    Some(LostPassword { actor_type: way.actor_type, provider: way.provider?, identifier: way.entity_id? })
}

/// Mails a link to whoever is known by this, if anybody is who may log in.
pub(super) async fn send_link(
    services: &Services,
    scope: &Scope,
    lost: &LostPassword,
    tx: &mut Tx,
) -> Result<(), Error> {
    // Another process may be configured otherwise than the one that was asked.
    let Ok(configured) = services.provider_of(&lost.actor_type, &lost.provider) else { return Ok(()) };
    if services.is_linked(&configured.id) || configured.flow != Flow::Credentials {
        return Ok(());
    }
    let email = EmailAddress::parse(&lost.identifier).ok();
    let entity_id = email.as_ref().map_or(lost.identifier.trim(), EmailAddress::as_str);
    let identity = services.identities(configured, scope).retrieve(entity_id).await?;
    let way = WayIn {
        actor_type: lost.actor_type.clone(),
        provider: Some(lost.provider.clone()),
        entity_id: Some(entity_id.to_owned()),
    };
    let user = user_of(services, (configured, identity.as_ref()), email.as_ref(), tx).await?;
    // It is the password of all accounts of the identity.
    if user.as_ref().is_some_and(|user| user.disabled_at.is_some()) {
        return Ok(());
    }
    match (user.filter(|_| lost.actor_type == USER), identity, email) {
        (Some(user), ..) => send_to_user(services, scope, (&user, &way), tx).await,
        (None, Some(identity), Some(email)) => send_to_identity(services, scope, (&identity, &email, &way), tx).await,
        _ => Ok(()),
    }
}

/// The user of an identity; who has a password to set and none yet is known by the address alone.
async fn user_of(
    services: &Services,
    (configured, identity): (&Configured, Option<&AuthIdentity>),
    email: Option<&EmailAddress>,
    tx: &mut Tx,
) -> Result<Option<User>, Error> {
    if let Some(id) = identity.and_then(|identity| identity.actor_id(USER)) {
        return Ok(users::find(&services.platform.db, &UserId::new(id)).await?);
    }
    match email.filter(|_| configured.identifier == EMAILPASS) {
        Some(email) => Ok(users::find_by_email_in(tx, email).await?),
        None => Ok(None),
    }
}

async fn send_to_user(
    services: &Services,
    scope: &Scope,
    (user, way): (&User, &WayIn),
    tx: &mut Tx,
) -> Result<(), Error> {
    let issued = issue_for(services, scope, (RESET_PASSWORD, user, way), tx).await?;
    letter::write(services, scope, (&user.email, Letter::ResetPassword, Some(&issued)), tx).await?;
    let event = Event::about_user(EventKind::AuthPasswordResetRequested, &user.id);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

/// To an identity that has no account of this kind, or one that Latchkey knows nothing of.
async fn send_to_identity(
    services: &Services,
    scope: &Scope,
    (identity, email, way): (&AuthIdentity, &EmailAddress, &WayIn),
    tx: &mut Tx,
) -> Result<(), Error> {
    let entropy = &services.platform.entropy;
    let new = NewOneTime {
        purpose: RESET_IDENTITY,
        subject: identity.id.as_str(),
        email,
        data: serde_json::to_value(way).map_err(Error::internal)?,
        expires_at: scope.now.plus(RESET_IDENTITY.lifetime),
    };
    let issued = one_time::issue(tx, entropy, scope.now, new).await?;
    letter::write(services, scope, (email, Letter::ResetPassword, Some(&issued)), tx).await?;
    let event = Event {
        kind: EventKind::AuthPasswordResetRequested,
        target: Target::AuthIdentity(identity.id.clone()),
        details: json!({ "actor_type": way.actor_type }),
    };
    Ok(events::record(tx, entropy, scope, event).await?)
}

/// Issues a token about a user that is sent to the user's own address.
pub(super) async fn issue(
    services: &Services,
    scope: &Scope,
    (purpose, user): (Purpose, &User),
    tx: &mut Tx,
) -> Result<Issued, Error> {
    let way = WayIn { actor_type: USER.to_owned(), provider: None, entity_id: None };
    issue_for(services, scope, (purpose, user, &way), tx).await
}

async fn issue_for(
    services: &Services,
    scope: &Scope,
    (purpose, user, way): (Purpose, &User, &WayIn),
    tx: &mut Tx,
) -> Result<Issued, Error> {
    let new = NewOneTime {
        purpose,
        subject: user.id.as_str(),
        email: &user.email,
        data: serde_json::to_value(way).map_err(Error::internal)?,
        expires_at: scope.now.plus(purpose.lifetime),
    };
    Ok(one_time::issue(tx, &services.platform.entropy, scope.now, new).await?)
}

/// Makes an account that of whoever reads its mail: sessions and links that were there before end, and the address is
/// proved. Somebody else may have made the account in advance. The link that takes a change of address back stays, or
/// whoever took the account away by one could end it.
pub(super) async fn take_over(services: &Services, scope: &Scope, user: &User, tx: &mut Tx) -> Result<(), Error> {
    end_all(tx, &user.id, None).await?;
    one_time::revoke_all_but(tx, (UNDO_EMAIL_CHANGE, user.id.as_str()), scope.now).await?;
    if user.email_verified_at.is_none() {
        users::set_email_verified(tx, user, scope.now).await?;
        let event = Event::about_user(EventKind::AuthEmailVerified, &user.id);
        events::record(tx, &services.platform.entropy, scope, event).await?;
    }
    Ok(())
}

/// What was mailed before a role rises gives nobody the account that has it: whoever had it at another address could take
/// it back, and the new rights along. Ended first and looked at behind that, so that a link in use is waited for.
pub(super) async fn end_links_of_before(tx: &mut Tx, user: &User, now: Timestamp) -> Result<(), Error> {
    one_time::revoke_all(tx, user.id.as_str(), now).await?;
    let email = users::get_for_update(tx, &user.id).await?.email;
    if email == user.email { Ok(()) } else { Err(Error::Conflict) }
}

/// Takes a new password back that its owner has not set: it is dead, all sessions end, and a new link is mailed.
///
/// # Errors
/// [`Error::Conflict`] if the link was used meanwhile, [`Error::NotFound`] if there is no such user any more.
pub(super) async fn disown(services: &Services, scope: &Scope, token: &OneTime) -> Result<(), Error> {
    let id = UserId::new(token.subject.as_str());
    let mut tx = services.platform.db.begin().await?;
    authority::hold_account(&mut tx, &id).await?;
    if !one_time::use_up(&mut tx, &token.id, scope.now).await? {
        return Err(Error::Conflict);
    }
    let user = users::get_for_update(&mut tx, &id).await?;
    close_ways_in(&mut tx, &user.id, scope.now).await?;
    take_over(services, scope, &user, &mut tx).await?;
    let details = json!({ "by": token.purpose });
    let event = Event::about_user(EventKind::AuthPasswordChanged, &user.id).with(details);
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    if user.disabled_at.is_none() {
        let issued = issue(services, scope, (RESET_PASSWORD, &user), &mut tx).await?;
        letter::write(services, scope, (&user.email, Letter::ResetPassword, Some(&issued)), &mut tx).await?;
    }
    Ok(tx.commit().await?)
}

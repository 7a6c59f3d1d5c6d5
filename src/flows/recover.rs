//! Recover: set a password by a mailed link, which proves the address. All sessions end, all other links of the account
//! end, and a notice goes out whose link takes everything back. Of many who use one link at once, one does.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    Error, LoggedIn, Services, USER, authority,
    end_sessions::end_all,
    letter::{self, Letter},
    link::{DISOWN_RESET, RESET_PASSWORD, SET_PASSWORD, UNDO_EMAIL_CHANGE},
    login::{Proof, judge, open_session},
};
use crate::{
    auth::{self, AuthIdentity, AuthIdentityProviderService, AuthInput, Configured, UpdateData, providers::EMAILPASS},
    events::{self, Event, EventKind, Scope},
    platform::{Issued, NewOneTime, OneTime, OneTimeState, Purpose, Timestamp, Tx, one_time},
    sessions,
    shared::{EmailAddress, OneTimeId, UserId},
    users::{self, User},
};

/// Mails a link to whoever has this address, if anybody does who may log in.
pub(super) async fn send_link(
    services: &Services,
    scope: &Scope,
    email: &EmailAddress,
    tx: &mut Tx,
) -> Result<(), Error> {
    let Some(user) = users::find_by_email_in(tx, email).await? else { return Ok(()) };
    if user.disabled_at.is_some() {
        return Ok(());
    }
    let issued = issue(services, scope, (RESET_PASSWORD, &user), tx).await?;
    letter::write(services, scope, (&user.email, Letter::ResetPassword, Some(&issued)), tx).await?;
    let event = Event::about_user(EventKind::AuthPasswordResetRequested, &user.id);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

/// Issues a token about a user that is sent to the user's own address.
pub(super) async fn issue(
    services: &Services,
    scope: &Scope,
    (purpose, user): (Purpose, &User),
    tx: &mut Tx,
) -> Result<Issued, Error> {
    let new = NewOneTime {
        purpose,
        subject: user.id.as_str(),
        email: &user.email,
        data: json!({ "actor_type": USER }),
        expires_at: scope.now.plus(purpose.lifetime),
    };
    Ok(one_time::issue(tx, &services.platform.entropy, scope.now, new).await?)
}

/// Sets the password of the account that a link is about, and logs its owner in.
///
/// # Errors
/// [`Error::NotFound`] for a link that can't be used or not for this, [`Error::Password`], [`Error::Disabled`],
/// [`Error::Conflict`] if another has used the link meanwhile.
pub async fn set_password_by_link(
    services: &Services,
    scope: &Scope,
    link: &OneTimeId,
    password: String,
) -> Result<LoggedIn, Error> {
    let (token, user) = usable(services, scope, link).await?;
    let configured = services.providers.first_of(EMAILPASS).ok_or(Error::UnknownProvider)?;
    let identities = services.identities(configured, scope);
    // Hashed outside of the transaction; what was checked is checked again in it.
    let identity = prepare(configured, &identities, (&user, password)).await?;
    let mut tx = services.platform.db.begin().await?;
    // First, so that a log-in by the old password that is under way has ended, with a session to end, or comes too late.
    authority::hold_account(&mut tx, &user.id).await?;
    if !one_time::use_up(&mut tx, link, scope.now).await? {
        return Err(Error::Conflict);
    }
    identities.commit(&mut tx).await?;
    take_over(services, scope, &user, &mut tx).await?;
    if identity.actor_id(USER).is_none() {
        auth::link_actor(&mut tx, &identity.id, USER, user.id.as_str()).await?;
        // Whoever registered the identity may still hold a session of it.
        sessions::end_all_of_identity(&mut tx, &identity.id).await?;
    }
    let event = Event::about_user(EventKind::AuthPasswordChanged, &user.id).with(json!({ "by": token.purpose }));
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    if token.is_for(RESET_PASSWORD) {
        let disown = issue(services, scope, (DISOWN_RESET, &user), &mut tx).await?;
        letter::write(services, scope, (&user.email, Letter::PasswordWasReset, Some(&disown)), &mut tx).await?;
    }
    let logged_in = open_session(services, scope, (&user.id, &identity, false), &mut tx).await?;
    tx.commit().await?;
    Ok(logged_in)
}

/// The token, and the user whose address it was sent to.
async fn usable(services: &Services, scope: &Scope, link: &OneTimeId) -> Result<(OneTime, User), Error> {
    let db = &services.platform.db;
    let token = one_time::find_by_id(db, link, scope.now).await?.ok_or(Error::NotFound)?;
    let is_usable = token.state == OneTimeState::Ready && (token.is_for(RESET_PASSWORD) || token.is_for(SET_PASSWORD));
    let user = users::find(db, &UserId::new(token.subject.as_str())).await?;
    let user = user.filter(|user| is_usable && user.email == token.email).ok_or(Error::NotFound)?;
    if user.disabled_at.is_some() {
        return Err(Error::Disabled);
    }
    Ok((token, user))
}

/// Sets the password of the user's identity, or makes one where there is none.
async fn prepare(
    configured: &Configured,
    identities: &AuthIdentityProviderService,
    (user, password): (&User, String),
) -> Result<AuthIdentity, Error> {
    let known = identities.retrieve(user.email.as_str()).await?;
    let is_anothers = known.as_ref().and_then(|known| known.actor_id(USER)).is_some_and(|id| id != user.id.as_str());
    if is_anothers {
        return Err(Error::Conflict);
    }
    let mut body = BTreeMap::from([("password".to_owned(), password)]);
    let answer = if known.is_some() {
        configured.provider.update(&UpdateData { entity_id: user.email.to_string(), body }, identities).await?
    } else {
        body.insert("email".to_owned(), user.email.to_string());
        configured.provider.register(&AuthInput { body, ..AuthInput::default() }, identities).await?
    };
    match judge(answer) {
        Proof::Proved(identity) => Ok(identity),
        Proof::Failed(_) | Proof::Elsewhere(_) => Err(Error::Conflict),
    }
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
    auth::delete_of_actor(&mut tx, USER, user.id.as_str()).await?;
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

//! Follow a mailed link, by the link itself or by the code in the same mail: finds out what it is for and does that. A link
//! about a user is followed by that user or by nobody who is logged in; one that is used, replaced, revoked or past its
//! time does nothing.

use std::time::Duration;

use super::{
    Error, LoggedIn, MailedLogIn, Services, change_email,
    confirm_email::{self, Confirmed},
    link::{
        CHANGE_EMAIL, CONFIRM_EMAIL, DISOWN_RESET, INVITE, LOG_IN, RESET_IDENTITY, RESET_PASSWORD, SET_PASSWORD,
        UNDO_EMAIL_CHANGE,
    },
    log_in_by_mail, recover,
    services::client_subject,
};
use crate::{
    events::Scope,
    platform::{
        Bucket, CodeFor, Limit, NewOneTime, OneTime, OneTimeCode, OneTimeState, Refused, SecretToken, Tx, Verdict,
        one_time,
    },
    shared::{EmailAddress, OneTimeId, UserId},
};

/// How often one client may try one code; none comes back while a code lives.
const OWN_CODE_TRIES: Limit = Limit::new(5, Duration::from_hours(30 * 24));

/// What came of following a link.
pub enum Followed {
    /// The address is confirmed; logged in where it was registered in this browser.
    EmailConfirmed(Option<Box<LoggedIn>>),
    /// The address is confirmed where nobody had shown to know the password, and a new one may be set by this link.
    EmailConfirmedElsewhere(OneTimeId),
    /// The browser may set a new password by this link.
    MaySetPassword(OneTimeId),
    /// The new password is dead, and another link was mailed.
    PasswordDisowned,
    /// The account has its new address.
    EmailChanged,
    /// The account has its old address again, and a new password may be set by this link.
    EmailChangeUndone(OneTimeId),
    /// The person is logged in, and goes on where they wanted to.
    LoggedIn(Box<LoggedIn>, MailedLogIn),
    /// It is an invite, which has a page of its own.
    Invite,
}

/// The one-time token of a link; `None` if there never was one or it ended long ago.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn open_link(services: &Services, scope: &Scope, token: &str) -> Result<Option<OneTime>, Error> {
    let Some(token) = SecretToken::parse(token) else { return Ok(None) };
    Ok(one_time::find(&services.platform.db, &token, scope.now).await?)
}

/// Whether somebody else than the one it is about is logged in.
pub fn is_for_another(scope: &Scope, token: &OneTime) -> bool {
    let is_about_user = !token.is_for(INVITE);
    is_about_user && scope.user_id().is_some_and(|user| user.as_str() != token.subject)
}

/// Does what a link is for. `registered_here` is who registered in this browser and waits for the confirmation.
///
/// # Errors
/// [`Error::Conflict`] if it can't be used, or not by the one who is logged in.
pub async fn follow_link(
    services: &Services,
    scope: &Scope,
    (token, registered_here): (&OneTime, Option<&UserId>),
) -> Result<Followed, Error> {
    let client = client_subject(scope);
    let limit = services.rules.limits.code_per_ip;
    services.take(scope, &[Bucket { name: "code_client", subject: &client, limit }]).await?;
    if token.state != OneTimeState::Ready || is_for_another(scope, token) {
        return Err(Error::Conflict);
    }
    let is_for = |purpose| token.is_for(purpose);
    if is_for(CONFIRM_EMAIL) {
        return Ok(match confirm_email::confirm_email(services, scope, (token, registered_here)).await? {
            Confirmed::Kept(logged_in) => Followed::EmailConfirmed(logged_in),
            Confirmed::MaySetPassword(link) => Followed::EmailConfirmedElsewhere(link),
        });
    }
    if is_for(RESET_PASSWORD) || is_for(SET_PASSWORD) || is_for(RESET_IDENTITY) {
        return Ok(Followed::MaySetPassword(token.id.clone()));
    }
    if is_for(CHANGE_EMAIL) {
        return change_email::confirm_new_email(services, scope, token).await.map(|()| Followed::EmailChanged);
    }
    if is_for(UNDO_EMAIL_CHANGE) {
        return change_email::undo_email_change(services, scope, token).await.map(Followed::EmailChangeUndone);
    }
    if is_for(DISOWN_RESET) {
        return recover::disown(services, scope, token).await.map(|()| Followed::PasswordDisowned);
    }
    if is_for(LOG_IN) {
        let (logged_in, mailed) = log_in_by_mail::follow(services, scope, token).await?;
        return Ok(Followed::LoggedIn(Box::new(logged_in), mailed));
    }
    if is_for(INVITE) { Ok(Followed::Invite) } else { Err(Error::NotFound) }
}

/// The token whose mail carried this code to this address, of those that are looked at. A wrong code, a code that had too
/// many tries and an address that nothing was mailed to are the same, and take the same time.
///
/// # Errors
/// [`Error::NotProved`], [`Error::TooManyTries`], [`Error::Busy`].
pub async fn find_by_code(
    services: &Services,
    scope: &Scope,
    (email, code): (&EmailAddress, &OneTimeCode),
    wanted: CodeFor,
) -> Result<OneTime, Error> {
    let _place = services.platform.passwords.reserve()?;
    let client = client_subject(scope);
    let limits = &services.rules.limits;
    // As for passwords: strict for one client at one address, wide for all at one.
    let both = format!("{client} {email}");
    let tries = [
        Bucket { name: "code_client", subject: &client, limit: limits.code_per_ip },
        Bucket { name: "code_account_client", subject: &both, limit: limits.code_per_account },
        Bucket { name: "code_account", subject: email.as_str(), limit: limits.code_per_account_anywhere },
    ];
    // In one transaction, which writes for every address.
    let mut tx = services.platform.db.begin().await?;
    services.platform.limits.take_in(&mut tx, scope.now, &tries).await?;
    let known = one_time::take_code_try(&mut tx, (email, wanted), scope.now).await?;
    let may_try = take_own_try(services, scope, (email, known.as_ref().map(|(id, _)| id)), &mut tx).await?;
    tx.commit().await?;
    let known = known.filter(|_| may_try);
    let hash = known.as_ref().map(|(_, hash)| hash.as_str());
    let verdict = services.platform.passwords.verify(code.to_password(), hash).await?;
    let (Some((id, _)), true) = (known, verdict != Verdict::Wrong) else {
        return Err(Error::NotProved("Invalid code".to_owned()));
    };
    let token = one_time::find_by_id(&services.platform.db, &id, scope.now).await?;
    token.ok_or_else(|| Error::NotProved("Invalid code".to_owned()))
}

/// Counts a client's try at this very code, or at none; whether it has one.
async fn take_own_try(
    services: &Services,
    scope: &Scope,
    (email, code): (&EmailAddress, Option<&OneTimeId>),
    tx: &mut Tx,
) -> Result<bool, Error> {
    let subject = format!("{} {}", client_subject(scope), code.map_or(email.as_str(), OneTimeId::as_str));
    let own = [Bucket { name: "code_own", subject: &subject, limit: OWN_CODE_TRIES }];
    match services.platform.limits.take_in(tx, scope.now, &own).await {
        Ok(()) => Ok(true),
        Err(Refused::TooMany { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Another link to what a link is about, for whoever has proved by its code to have read its mail.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn link_again(services: &Services, scope: &Scope, token: &OneTime) -> Result<SecretToken, Error> {
    let mut tx = services.platform.db.begin().await?;
    let new = NewOneTime {
        purpose: INVITE,
        subject: &token.subject,
        email: &token.email,
        data: token.data.clone(),
        expires_at: token.expires_at,
    };
    let issued = one_time::issue(&mut tx, &services.platform.entropy, scope.now, new).await?;
    tx.commit().await?;
    Ok(issued.token)
}

/// Whether whoever did not ask for a link may make it useless. What takes a change back is mailed to who did not make the
/// change: it is the remedy, and useless only to the thief.
pub fn may_be_void(token: &OneTime) -> bool {
    ![UNDO_EMAIL_CHANGE, DISOWN_RESET].iter().any(|purpose| token.is_for(*purpose))
}

/// Makes a link useless that its receiver has not asked for.
///
/// # Errors
/// [`Error::NotFound`] for a link that nobody asks for, [`Error::Internal`] if the database fails.
pub async fn void_link(services: &Services, scope: &Scope, token: &OneTime) -> Result<(), Error> {
    if !may_be_void(token) {
        return Err(Error::NotFound);
    }
    let mut tx = services.platform.db.begin().await?;
    one_time::revoke(&mut tx, &token.id, scope.now).await?;
    Ok(tx.commit().await?)
}

//! Confirm an e-mail address: the link that goes to whoever registers with one, and what using it does. A password that
//! was set before counts only where the browser that confirms has shown that it knows it: somebody else may have
//! registered the address with theirs.

use serde_json::json;

use super::{
    Error, LoggedIn, Services, USER, authority,
    end_sessions::close_ways_in,
    letter::{self, Letter},
    link::{CONFIRM_EMAIL, RESET_PASSWORD},
    login::open_session,
    recover::{issue, take_over},
};
use crate::{
    auth::{self, providers::EMAILPASS},
    events::{self, Event, EventKind, Scope},
    platform::{OneTime, Tx, one_time},
    shared::{EmailAddress, OneTimeId, UserId},
    users::{self, User},
};

/// Mails the link to a user who has just registered.
pub(super) async fn send_link(services: &Services, scope: &Scope, user: &User, tx: &mut Tx) -> Result<(), Error> {
    let issued = issue(services, scope, (CONFIRM_EMAIL, user), tx).await?;
    letter::write(services, scope, (&user.email, Letter::ConfirmEmail, Some(&issued)), tx).await?;
    Ok(())
}

/// Mails another link to whoever waits for one; who has confirmed the address is told that there is an account.
pub(super) async fn send_link_again(
    services: &Services,
    scope: &Scope,
    email: &EmailAddress,
    tx: &mut Tx,
) -> Result<(), Error> {
    match users::find_by_email_in(tx, email).await? {
        Some(user) if user.disabled_at.is_some() => Ok(()),
        Some(user) if user.email_verified_at.is_none() => send_link(services, scope, &user, tx).await,
        Some(user) => say_taken(services, scope, &user.email, tx).await,
        None => Ok(()),
    }
}

/// Tells the owner of an address that somebody wanted to register with it.
pub(super) async fn say_taken(
    services: &Services,
    scope: &Scope,
    email: &EmailAddress,
    tx: &mut Tx,
) -> Result<(), Error> {
    letter::write(services, scope, (email, Letter::AlreadyRegistered, None), tx).await?;
    Ok(())
}

/// What came of a confirmation.
pub(super) enum Confirmed {
    /// The password stays; logged in where the browser waited for it.
    Kept(Option<Box<LoggedIn>>),
    /// The password is dead, and this link sets one anew.
    MaySetPassword(OneTimeId),
}

/// Confirms the address, and logs in whoever waits for it in the browser that registered it with its password. Anywhere
/// else the password of before is dead and all sessions end.
///
/// # Errors
/// [`Error::Conflict`] if the link was used meanwhile, or the account has another address by now.
pub(super) async fn confirm_email(
    services: &Services,
    scope: &Scope,
    (token, registered_here): (&OneTime, Option<&UserId>),
) -> Result<Confirmed, Error> {
    let id = UserId::new(token.subject.as_str());
    let is_known_here = registered_here == Some(&id) || scope.is(&id);
    let logs_in = is_known_here && !scope.is(&id);
    let identity = if logs_in { password_identity(services, scope, &token.email).await? } else { None };
    let mut tx = services.platform.db.begin().await?;
    authority::hold_account(&mut tx, &id).await?;
    if !one_time::use_up(&mut tx, &token.id, scope.now).await? {
        return Err(Error::Conflict);
    }
    let user = users::get_for_update(&mut tx, &id).await?;
    if user.email != token.email {
        return Err(Error::Conflict);
    }
    if user.email_verified_at.is_none() {
        if !is_known_here {
            let link = start_anew(services, scope, &user, &mut tx).await?;
            tx.commit().await?;
            return Ok(Confirmed::MaySetPassword(link));
        }
        users::set_email_verified(&mut tx, &user, scope.now).await?;
        let event = Event::about_user(EventKind::AuthEmailVerified, &id);
        events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    }
    let logged_in = match identity.filter(|identity| identity.actor_id(USER) == Some(id.as_str())) {
        Some(identity) if user.disabled_at.is_none() => {
            Some(open_session(services, scope, (&id, &identity, false), &mut tx).await?)
        }
        _ => None,
    };
    tx.commit().await?;
    Ok(Confirmed::Kept(logged_in.map(Box::new)))
}

/// Gives the account to whoever reads its mail: no way in, session or link of before is left. Answers with the link by
/// which a password is set.
async fn start_anew(services: &Services, scope: &Scope, user: &User, tx: &mut Tx) -> Result<OneTimeId, Error> {
    // The way in first: a log-in that is under way either sees it gone, or has opened its session by now.
    close_ways_in(tx, &user.id, scope.now).await?;
    take_over(services, scope, user, tx).await?;
    let details = json!({ "by": CONFIRM_EMAIL.name });
    let event = Event::about_user(EventKind::AuthPasswordChanged, &user.id).with(details);
    events::record(tx, &services.platform.entropy, scope, event).await?;
    Ok(issue(services, scope, (RESET_PASSWORD, user), tx).await?.id)
}

async fn password_identity(
    services: &Services,
    scope: &Scope,
    email: &EmailAddress,
) -> Result<Option<auth::AuthIdentity>, Error> {
    let Some(configured) = services.providers.first_of(EMAILPASS) else { return Ok(None) };
    Ok(services.identities(configured, scope).retrieve(email.as_str()).await?)
}

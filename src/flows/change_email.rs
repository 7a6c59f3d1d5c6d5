//! Change one's e-mail address: the password is proved, the new address confirms by a mailed link, and the old one is
//! told and can take it back. Whether the new address has an account is told to nobody but its owner.

use serde_json::{Value, json};

use super::{
    Error, Resumed, Services, USER, authority,
    change_password::prove_password,
    end_sessions::{close_ways_in, oust_stranger},
    held_address,
    letter::{self, Letter},
    link::{CHANGE_EMAIL, RESET_PASSWORD, UNDO_EMAIL_CHANGE},
    recover::{issue, take_over},
};
use crate::{
    auth::{self, Configured, Flow, providers::EMAILPASS},
    events::{self, Event, EventKind, Scope},
    platform::{Bucket, NewOneTime, OneTime, Tx, one_time},
    shared::{EmailAddress, OneTimeId, UserId},
    users::{self, User},
};

/// Mails a link to the new address of the one who asks.
///
/// # Errors
/// [`Error::NotProved`] for a wrong password, [`Error::InvalidData`] for the address that it is already,
/// [`Error::DomainNotAllowed`], [`Error::TooManyTries`].
pub async fn request_email_change(
    services: &Services,
    scope: &Scope,
    asking: &Resumed,
    (password, new): (String, EmailAddress),
) -> Result<(), Error> {
    let user = &asking.user;
    if new == user.email {
        return Err(Error::InvalidData("This is your address already.".to_owned()));
    }
    refuse_domain(services, &new)?;
    let proved = prove_password(services, scope, asking, password).await?;
    let limit = services.rules.limits.mail_per_account;
    services.take(scope, &[Bucket { name: "mail_account", subject: new.as_str(), limit }]).await?;
    let mut tx = services.platform.db.begin().await?;
    // Proved by a password that is still the password, and asked by a session that is still one.
    proved.identities.commit(&mut tx).await?;
    authority::hold(&mut tx, scope).await?;
    let wanted = NewOneTime {
        purpose: CHANGE_EMAIL,
        subject: user.id.as_str(),
        email: &new,
        data: json!({ "old": user.email.as_str() }),
        expires_at: scope.now.plus(CHANGE_EMAIL.lifetime),
    };
    // Either way, since it replaces the link before, which may have gone to the one who asks.
    let issued = one_time::issue(&mut tx, &services.platform.entropy, scope.now, wanted).await?;
    if held_address::is_taken(&mut tx, (&user.id, &new), scope.now).await? {
        one_time::revoke(&mut tx, &issued.id, scope.now).await?;
        letter::write(services, scope, (&new, Letter::EmailIsTaken, None), &mut tx).await?;
    } else {
        letter::write(services, scope, (&new, Letter::ConfirmNewEmail, Some(&issued)), &mut tx).await?;
    }
    Ok(tx.commit().await?)
}

/// Nobody gets by a change what they would not get by registering.
fn refuse_domain(services: &Services, new: &EmailAddress) -> Result<(), Error> {
    if services.rules.registration.allows(new) { Ok(()) } else { Err(Error::DomainNotAllowed) }
}

/// Gives the account its new address, and the old one a link that takes it back.
///
/// # Errors
/// [`Error::Conflict`] if the link was used meanwhile or the account has another address than when it was asked for,
/// [`Error::Disabled`], [`Error::DomainNotAllowed`], [`Error::Taken`] if somebody has the new address by now.
pub(super) async fn confirm_new_email(services: &Services, scope: &Scope, token: &OneTime) -> Result<(), Error> {
    refuse_domain(services, &token.email)?;
    let id = UserId::new(token.subject.as_str());
    let mut tx = services.platform.db.begin().await?;
    authority::hold_account(&mut tx, &id).await?;
    if !one_time::use_up(&mut tx, &token.id, scope.now).await? {
        return Err(Error::Conflict);
    }
    let user = users::get_for_update(&mut tx, &id).await?;
    if user.disabled_at.is_some() {
        return Err(Error::Disabled);
    }
    if token.data.get("old").and_then(Value::as_str) != Some(user.email.as_str()) {
        return Err(Error::Conflict);
    }
    // Links that went to the old address are no longer its owner's to use, but the one that takes a change back.
    one_time::revoke_all_but(&mut tx, (UNDO_EMAIL_CHANGE, user.id.as_str()), scope.now).await?;
    give_email(services, scope, (&user, &token.email), &mut tx).await?;
    let undo = NewOneTime {
        purpose: UNDO_EMAIL_CHANGE,
        subject: user.id.as_str(),
        email: &user.email,
        data: json!({ "new": token.email.as_str() }),
        expires_at: scope.now.plus(UNDO_EMAIL_CHANGE.lifetime),
    };
    let issued = one_time::issue(&mut tx, &services.platform.entropy, scope.now, undo).await?;
    let letter = Letter::EmailWasChanged { new: token.email.clone() };
    letter::write(services, scope, (&user.email, letter, Some(&issued)), &mut tx).await?;
    Ok(tx.commit().await?)
}

/// Gives the account its old address back: whoever changed it knew the password, so that is dead and all sessions end.
/// Answers with the link by which a new password is set.
///
/// # Errors
/// [`Error::Conflict`] if the link was used meanwhile, [`Error::Taken`] if somebody else has the old address by now.
pub(super) async fn undo_email_change(services: &Services, scope: &Scope, token: &OneTime) -> Result<OneTimeId, Error> {
    let id = UserId::new(token.subject.as_str());
    let mut tx = services.platform.db.begin().await?;
    authority::hold_account(&mut tx, &id).await?;
    if !one_time::use_up(&mut tx, &token.id, scope.now).await? {
        return Err(Error::Conflict);
    }
    let user = users::get_for_update(&mut tx, &id).await?;
    // First, since an identity that is nobody's may have the old address by now.
    close_ways_in(&mut tx, &user.id, scope.now).await?;
    give_email(services, scope, (&user, &token.email), &mut tx).await?;
    let user = User { email: token.email.clone(), email_verified_at: Some(scope.now), ..user };
    take_over(services, scope, &user, &mut tx).await?;
    // Whoever had the account after this address can't take it back; whoever had it before still can.
    one_time::revoke_later(&mut tx, token, scope.now).await?;
    let issued = issue(services, scope, (RESET_PASSWORD, &user), &mut tx).await?;
    tx.commit().await?;
    Ok(issued.id)
}

/// Whether a provider knows people by the address of their account: that of passwords, and those of mails.
fn is_known_by_address(services: &Services, configured: &Configured) -> bool {
    let of_passwords = services.providers.first_of(EMAILPASS).map(|first| &first.id);
    configured.flow == Flow::Mail || of_passwords == Some(&configured.id)
}

/// Changes the address where the account is known by it: at the user and at the identities that have it.
async fn give_email(
    services: &Services,
    scope: &Scope,
    (user, new): (&User, &EmailAddress),
    tx: &mut Tx,
) -> Result<(), Error> {
    users::set_email(tx, user, new, scope.now).await?;
    held_address::refuse_held(tx, (&user.id, new), scope.now).await?;
    one_time::pass_on(tx, (new.as_str(), user.id.as_str())).await?;
    for configured in services.providers.all().iter().filter(|configured| is_known_by_address(services, configured)) {
        // Nobody has proved to have the address but this user.
        oust_stranger(tx, (&configured.id, new), scope.now).await?;
        let renamed = (user.email.as_str(), new.as_str());
        auth::rename_identity(tx, &configured.id, (USER, user.id.as_str()), (renamed, scope.now)).await?;
    }
    let details = json!({ "email": { "from": user.email.as_str(), "to": new.as_str() } });
    let event = Event::about_user(EventKind::UserUpdated, &user.id).with(details);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

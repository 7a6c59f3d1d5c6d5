//! Accept an invite: the link proves the address, so whoever has it gets the account that was promised to it, whatever
//! somebody else has registered there before. Accepting is once, also for many at once; everything it changes is one
//! transaction, and the password is hashed before that begins.
//!
//! 1. Nobody has the address: a user is made; an identity without a user gets the new password.
//! 2. A user has it and has proved it: they log in, and the invite raises their role, never lowers it.
//! 3. A user has it and never proved it: what was set up there ends, and the account is the invited person's.
//! 4. The user is turned off, somebody else is logged in, or the inviter may not invite any more: refused.

mod by_identity;
mod by_provider;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, json};

pub use by_identity::{Claim, accept_invite_by_identity};
pub(super) use by_provider::accept_invite_by_provider;
pub use by_provider::{Newcomer, accept_invite_by_mail};

use super::{
    EmailMatch, Error, Holder, LoggedIn, RegistrationMode, Resumed, Services, USER, authority, create_user,
    end_sessions::{end_all, hand_over, oust},
    letter::{self, Letter},
    link::INVITE,
    login::{Proof, judge, open_session},
    recover::end_links_of_before,
    services::client_subject,
};
use crate::{
    auth::{AuthIdentity, AuthIdentityProviderService, AuthInput, UpdateData, providers::EMAILPASS},
    events::{self, Event, EventKind, Scope},
    platform::{Bucket, Limit, OneTimeState, SecretToken, Tx, one_time, withdrawn_mail},
    sessions::{self, NewSession, Opened},
    shared::{EmailAddress, InviteId, Role, UserId},
    users::{self, Invite, InviteState, NewUser, Profile, User},
};

/// How often an inviter is asked for another invite.
const ASKED_AGAIN: Limit = Limit::new(1, Duration::from_hours(1));

/// What stands between somebody with a link and the account that it promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteStanding {
    /// There is no such link.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
    /// It was accepted.
    Accepted,
    /// Who invited may not any more.
    InviterGone,
    /// Nobody can come in by an invite now.
    Closed,
    /// The account with the address is turned off.
    Disabled,
    /// Somebody else is logged in.
    WrongAccount,
    /// There is an account with the address: log in first.
    LogIn,
    /// The one who is logged in has the address: one click.
    Own,
    /// A name and a password, and it is done.
    Ready,
}

/// What a person accepts an invite with.
pub struct Acceptance {
    /// The secret of the link.
    pub token: String,
    /// The names.
    pub profile: Profile,
    /// The password to be set.
    pub password: String,
}

/// How it stands with a link, and the invite where it can be accepted; changes nothing.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn view_invite(
    services: &Services,
    scope: &Scope,
    token: &str,
) -> Result<(InviteStanding, Option<Invite>), Error> {
    let (standing, found) = look_up(services, scope, token).await?;
    let is_shown = !matches!(
        standing,
        InviteStanding::Unknown
            | InviteStanding::Expired
            | InviteStanding::Revoked
            | InviteStanding::Accepted
            | InviteStanding::InviterGone
    );
    Ok((standing, found.map(|found| found.invite).filter(|_| is_shown)))
}

/// An invite that was found by its link, and the user with its address.
struct Found {
    invite: Invite,
    user: Option<User>,
}

async fn look_up(services: &Services, scope: &Scope, token: &str) -> Result<(InviteStanding, Option<Found>), Error> {
    let unknown = (InviteStanding::Unknown, None);
    let db = &services.platform.db;
    let Some(token) = SecretToken::parse(token) else { return Ok(unknown) };
    let found = one_time::find(db, &token, scope.now).await?;
    let Some(link) = found.filter(|link| link.is_for(INVITE)) else { return Ok(unknown) };
    let Some(invite) = users::find_invite(db, &InviteId::new(link.subject.clone())).await? else { return Ok(unknown) };
    let user = users::find_by_email(db, &invite.email).await?;
    let standing = stand(services, scope, link.state, (&invite, user.as_ref()));
    Ok((standing, Some(Found { invite, user })))
}

fn stand(
    services: &Services,
    scope: &Scope,
    link: OneTimeState,
    (invite, user): (&Invite, Option<&User>),
) -> InviteStanding {
    match (invite.state(scope.now), link) {
        (InviteState::Accepted, _) | (_, OneTimeState::Used) => return InviteStanding::Accepted,
        (InviteState::Revoked, _) | (_, OneTimeState::Revoked | OneTimeState::Replaced) => {
            return InviteStanding::Revoked;
        }
        (InviteState::Expired, _) | (_, OneTimeState::Expired) => return InviteStanding::Expired,
        (InviteState::Pending, OneTimeState::Ready) => {}
    }
    if !invite.is_by_who_may() {
        return InviteStanding::InviterGone;
    }
    if services.rules.registration.mode == RegistrationMode::Closed {
        return InviteStanding::Closed;
    }
    match user {
        Some(user) if user.disabled_at.is_some() => InviteStanding::Disabled,
        Some(user) if scope.user_id().is_some() && !scope.is(&user.id) => InviteStanding::WrongAccount,
        None if scope.user_id().is_some() => InviteStanding::WrongAccount,
        Some(user) if user.email_verified_at.is_none() => InviteStanding::Ready,
        Some(user) if scope.is(&user.id) => InviteStanding::Own,
        Some(_) => InviteStanding::LogIn,
        None => InviteStanding::Ready,
    }
}

fn refusal(standing: InviteStanding) -> Error {
    match standing {
        InviteStanding::Closed => Error::RegistrationClosed,
        InviteStanding::Disabled => Error::Disabled,
        InviteStanding::WrongAccount => Error::WrongAccount,
        InviteStanding::LogIn | InviteStanding::Own => Error::HasAccount,
        _ => Error::InviteEnded,
    }
}

async fn limit_tries(services: &Services, scope: &Scope) -> Result<(), Error> {
    let client = client_subject(scope);
    let limit = services.rules.limits.accept_invite_per_ip;
    services.take(scope, &[Bucket { name: "accept_invite_client", subject: &client, limit }]).await
}

/// Accepts an invite by a password and logs the person in.
///
/// # Errors
/// [`Error::InviteEnded`], [`Error::HasAccount`] for who has to log in first, [`Error::WrongAccount`],
/// [`Error::Disabled`], [`Error::RegistrationClosed`], [`Error::Password`], [`Error::TooManyTries`], [`Error::Busy`].
pub async fn accept_invite(services: &Services, scope: &Scope, accepted: &Acceptance) -> Result<LoggedIn, Error> {
    limit_tries(services, scope).await?;
    match try_to_accept(services, scope, accepted).await {
        // Somebody has registered with the address, or changed it, since the link was looked up.
        Err(Error::Conflict | Error::Taken(_)) => try_to_accept(services, scope, accepted).await,
        answer => answer,
    }
}

async fn try_to_accept(services: &Services, scope: &Scope, accepted: &Acceptance) -> Result<LoggedIn, Error> {
    let (standing, found) = look_up(services, scope, &accepted.token).await?;
    let Some(found) = found.filter(|_| standing == InviteStanding::Ready) else { return Err(refusal(standing)) };
    let (identities, identity) = prove(services, scope, &found, &accepted.password).await?;
    let mut tx = services.platform.db.begin().await?;
    let user = users::find_by_email_in(&mut tx, &found.invite.email).await?;
    if user.as_ref().map(fingerprint) != found.user.as_ref().map(fingerprint) {
        return Err(Error::Conflict);
    }
    let id = match &user {
        Some(user) => user.id.clone(),
        None => UserId::new(services.platform.entropy.uuid_v7(scope.now)),
    };
    end_invite(services, scope, (&found.invite, &id), &mut tx).await?;
    identities.commit(&mut tx).await?;
    if let Some(user) = &user {
        take_over(services, scope, (user, &found.invite, &accepted.profile), (&identity, &mut tx)).await?;
    } else {
        let new = NewUser {
            id: id.clone(),
            email: found.invite.email.clone(),
            email_verified_at: Some(scope.now),
            profile: accepted.profile.clone(),
            role: found.invite.role,
            metadata: Map::new(),
        };
        create_user::insert(services, scope, (&new, &identity), &mut tx).await?;
    }
    // Somebody else may have registered with the address over the API, and wait for it to become an account.
    oust(&mut tx, &identity.id, scope.now).await?;
    let logged_in = open_session(services, scope, (&id, &identity, false), &mut tx).await?;
    tx.commit().await?;
    Ok(logged_in)
}

/// What must be as it was when the password was hashed.
fn fingerprint(user: &User) -> (UserId, bool, bool) {
    (user.id.clone(), user.email_verified_at.is_some(), user.disabled_at.is_some())
}

/// Makes the identity of the invited address, or gives the one that is there the new password: whoever set the old one
/// has not read the mail of this address.
async fn prove(
    services: &Services,
    scope: &Scope,
    found: &Found,
    password: &str,
) -> Result<(AuthIdentityProviderService, AuthIdentity), Error> {
    let configured = services.providers.first_of(EMAILPASS).ok_or(Error::UnknownProvider)?;
    let provider = services.provider(&configured.id)?;
    let identities = services.identities(provider, scope);
    let email = found.invite.email.to_string();
    let known = identities.retrieve(&email).await?;
    let response = match known.as_ref().map(|identity| identity.actor_id(USER)) {
        None => {
            let body = BTreeMap::from([("email".to_owned(), email), ("password".to_owned(), password.to_owned())]);
            provider.provider.register(&AuthInput { body, ..AuthInput::default() }, &identities).await?
        }
        Some(owner) if owner.is_none() || owner == found.user.as_ref().map(|user| user.id.as_str()) => {
            let body = BTreeMap::from([("password".to_owned(), password.to_owned())]);
            provider.provider.update(&UpdateData { entity_id: email, body }, &identities).await?
        }
        Some(_) => return Err(Error::InviteEnded),
    };
    match judge(response) {
        Proof::Proved(identity) => Ok((identities, identity)),
        Proof::Failed(reason) => Err(Error::Taken(reason)),
        Proof::Elsewhere(_) | Proof::External(_) | Proof::ByMail(_) => Err(Error::UnknownProvider),
    }
}

/// Marks the invite as accepted, with all that hangs on it. The one statement within decides who of many is first.
async fn end_invite(
    services: &Services,
    scope: &Scope,
    (invite, user): (&Invite, &UserId),
    tx: &mut Tx,
) -> Result<(), Error> {
    if !users::accept_invite(tx, &invite.id, user, scope.now).await? {
        return Err(Error::InviteEnded);
    }
    withdrawn_mail::drop_about(tx, invite.id.as_str(), scope.now).await?;
    one_time::use_up_all(tx, (INVITE, invite.id.as_str()), scope.now).await?;
    let details = json!({ "email": invite.email.as_str(), "user_id": user.as_str() });
    let event = Event::about_invite(EventKind::InviteAccepted, &invite.id).with(details);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

/// Gives an account whose address nobody had proved to the one who has, with a password that they have set.
async fn take_over(
    services: &Services,
    scope: &Scope,
    (user, invite, profile): (&User, &Invite, &Profile),
    (identity, tx): (&AuthIdentity, &mut Tx),
) -> Result<(), Error> {
    take_over_by(services, scope, (user, invite, profile), (identity, tx)).await?;
    let event = Event::about_user(EventKind::AuthPasswordChanged, &user.id);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

/// The same by any way in.
async fn take_over_by(
    services: &Services,
    scope: &Scope,
    (user, invite, profile): (&User, &Invite, &Profile),
    (identity, tx): (&AuthIdentity, &mut Tx),
) -> Result<(), Error> {
    hand_over(services, scope, (user, identity), tx).await?;
    users::set_profile(tx, user, profile, scope.now).await?;
    raise(services, scope, (user, invite.role), tx).await.map(drop)
}

/// Gives a user the promised role if it is the mightier one; whether it was.
async fn raise(services: &Services, scope: &Scope, (user, role): (&User, Role), tx: &mut Tx) -> Result<bool, Error> {
    if !role.is_mightier_than(user.role) {
        return Ok(false);
    }
    end_links_of_before(tx, user, scope.now).await?;
    users::set_role(tx, &user.id, role, scope.now).await?;
    let details = json!({ "from": user.role.as_str(), "to": role.as_str(), "by": "invite" });
    let event = Event::about_user(EventKind::UserRoleChanged, &user.id).with(details);
    events::record(tx, &services.platform.entropy, scope, event).await?;
    Ok(true)
}

/// Accepts an invite for the one who is logged in and has its address. Where that raises the role, the browser goes on with
/// a new session and all others end.
///
/// # Errors
/// [`Error::Unauthorized`], [`Error::InviteEnded`], [`Error::WrongAccount`], [`Error::RegistrationClosed`].
pub async fn raise_by_invite(
    services: &Services,
    scope: &Scope,
    (asking, token): (&Resumed, &str),
) -> Result<Option<Opened>, Error> {
    limit_tries(services, scope).await?;
    let (standing, found) = look_up(services, scope, token).await?;
    let Some(Found { invite, .. }) = found.filter(|_| standing == InviteStanding::Own) else {
        return Err(refusal(standing));
    };
    let mut tx = services.platform.db.begin().await?;
    authority::hold(&mut tx, scope).await?;
    let user = users::get_for_update(&mut tx, &asking.user.id).await?;
    if user.email != invite.email || user.email_verified_at.is_none() {
        return Err(Error::Conflict);
    }
    end_invite(services, scope, (&invite, &user.id), &mut tx).await?;
    let opened = if raise(services, scope, (&user, invite.role), &mut tx).await? {
        Some(open_anew(services, scope, asking, &mut tx).await?)
    } else {
        None
    };
    tx.commit().await?;
    Ok(opened)
}

/// A session gets a new key when its rights grow; what others may have got hold of before does not grow with it.
async fn open_anew(services: &Services, scope: &Scope, asking: &Resumed, tx: &mut Tx) -> Result<Opened, Error> {
    let (user, session) = (&asking.user.id, &asking.session);
    end_all(tx, user, None).await?;
    let new = NewSession {
        actor_type: USER.to_owned(),
        external_user: session.external_user.clone(),
        user_id: Some(user.clone()),
        auth_identity_id: session.auth_identity_id.clone(),
        provider: session.provider.clone(),
        is_remembered: session.is_remembered,
    };
    let entropy = &services.platform.entropy;
    let opened = sessions::open(tx, entropy, scope, (&new, services.rules.lifetime)).await?;
    let details = json!({ "provider": session.provider.as_str(), "session_id": opened.id.as_str() });
    let event = Event::about_user(EventKind::SessionCreated, user).with(details);
    events::record(tx, entropy, scope, event).await?;
    Ok(opened)
}

/// Asks who invited for another invite, where this one has ended; at most once an hour, and nobody is told whether.
///
/// # Errors
/// [`Error::TooManyTries`] by one client, [`Error::Busy`].
pub async fn ask_for_invite(services: &Services, scope: &Scope, token: &str) -> Result<(), Error> {
    limit_tries(services, scope).await?;
    let (standing, found) = look_up(services, scope, token).await?;
    if !matches!(standing, InviteStanding::Expired | InviteStanding::Revoked) {
        return Ok(());
    }
    let Some((inviter, email)) = found.as_ref().and_then(|found| whom_to_ask(&found.invite)) else { return Ok(()) };
    let asked = [Bucket { name: "ask_for_invite", subject: email.as_str(), limit: ASKED_AGAIN }];
    match services.take(scope, &asked).await {
        Err(Error::TooManyTries { .. }) => return Ok(()),
        other => other?,
    }
    let mut tx = services.platform.db.begin().await?;
    let wanted = Letter::InviteIsWanted { email: email.clone() };
    letter::write(services, scope, (inviter, wanted, None), &mut tx).await?;
    Ok(tx.commit().await?)
}

fn whom_to_ask(invite: &Invite) -> Option<(&EmailAddress, &EmailAddress)> {
    let inviter = invite.inviter.as_ref().filter(|inviter| inviter.may_invite)?;
    Some((inviter.email.as_ref()?, &invite.email))
}

//! Accept an invite as a program does: whoever holds a session of an identity without a user, and the token of an invite,
//! gets the account that was promised. The token proves the invited address, the session proves the identity; the
//! account belongs to both. The rules are those of the page, and one more: whose identity it is (`invites.email_match`).
//!
//! 1. `exact`: the identity is known by the invited address, and that is the account's.
//! 2. `any`: the account has the address that the identity is known by; where that is none, the one that is asked for, else
//!    the invited one. What is not the invited address counts as not verified, must be of a domain that may register, and
//!    takes nobody's account over.

use serde_json::Map;

use super::{
    EmailMatch, Error, Found, Holder, InviteStanding, Services, USER, create_user, end_invite, fingerprint,
    limit_tries, look_up, refusal, take_over,
};
use crate::{
    auth::{self, AuthIdentity},
    events::Scope,
    flows::confirm_email,
    platform::Tx,
    sessions,
    shared::{EmailAddress, UserId},
    users::{self, Invite, NewUser, Profile, User},
};

/// What a program accepts an invite with.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The secret of the link.
    pub token: String,
    /// The names.
    pub profile: Profile,
    /// The address that the account is to have: the invited one, or what else the configuration allows.
    pub email: Option<EmailAddress>,
}

/// Accepts an invite for the identity behind a session, which has no user yet. Its sessions go on; a refresh then names
/// the user.
///
/// # Errors
/// [`Error::InvalidData`] for an identity that has a user, [`Error::TooManyTries`], [`Error::Busy`]; all others mean that
/// the invite, the identity and the address do not belong together.
pub async fn accept_invite_by_identity(
    services: &Services,
    scope: &Scope,
    (holder, claim): (&Holder, &Claim),
) -> Result<User, Error> {
    if holder.user.is_some() {
        return Err(has_user());
    }
    limit_tries(services, scope).await?;
    match try_to_accept(services, scope, (holder, claim)).await {
        // Somebody has registered with the address, or changed it, since the link was looked up.
        Err(Error::Conflict | Error::Taken(_)) => try_to_accept(services, scope, (holder, claim)).await,
        answer => answer,
    }
}

fn has_user() -> Error {
    Error::InvalidData("The user is already authenticated and cannot accept an invite.".to_owned())
}

async fn try_to_accept(services: &Services, scope: &Scope, (holder, claim): (&Holder, &Claim)) -> Result<User, Error> {
    let (standing, found) = look_up(services, scope, &claim.token).await?;
    let Some(found) = found.filter(|_| standing == InviteStanding::Ready) else { return Err(refusal(standing)) };
    let mut tx = services.platform.db.begin().await?;
    let identity = identity_behind(holder, &mut tx).await?;
    let address = address_of(services, &found.invite, (&identity, claim.email.as_ref()))?;
    let is_invited = address == found.invite.email;
    let user = users::find_by_email_in(&mut tx, &address).await?;
    match &user {
        Some(_) if !is_invited => return Err(Error::HasAccount),
        user if is_invited && user.as_ref().map(fingerprint) != found.user.as_ref().map(fingerprint) => {
            return Err(Error::Conflict);
        }
        _ => {}
    }
    let id = match &user {
        Some(user) => user.id.clone(),
        None => UserId::new(services.platform.entropy.uuid_v7(scope.now)),
    };
    end_invite(services, scope, (&found.invite, &id), &mut tx).await?;
    if let Some(user) = &user {
        take_over(services, scope, (user, &found.invite, &claim.profile), (&identity, &mut tx)).await?;
    } else {
        create(services, scope, (&id, address, &found, claim), (&identity, &mut tx)).await?;
    }
    let user = users::get_for_update(&mut tx, &id).await?;
    tx.commit().await?;
    Ok(user)
}

/// The identity of a session that still lives, if nobody has it yet.
async fn identity_behind(holder: &Holder, tx: &mut Tx) -> Result<AuthIdentity, Error> {
    let session = &holder.session;
    if holder.actor_type != USER || !sessions::is_alive(tx, &session.id).await? {
        return Err(Error::Unauthorized);
    }
    let identity = auth::get_identity(tx, &session.auth_identity_id, &session.provider).await?;
    let identity = identity.ok_or(Error::Unauthorized)?;
    if identity.actor_id(USER).is_some() { Err(has_user()) } else { Ok(identity) }
}

/// Which address the account gets.
fn address_of(
    services: &Services,
    invite: &Invite,
    (identity, asked): (&AuthIdentity, Option<&EmailAddress>),
) -> Result<EmailAddress, Error> {
    let own = create_user::email_of(services, identity);
    match services.rules.invites.email_match {
        EmailMatch::Exact => {
            let is_theirs = own.as_ref() == Some(&invite.email) && asked.is_none_or(|asked| *asked == invite.email);
            if is_theirs { Ok(invite.email.clone()) } else { Err(Error::WrongAccount) }
        }
        EmailMatch::Any => {
            // Its holder would come in by an address that is another's, whose way in it then were.
            if own.as_ref().is_some_and(|own| asked.is_some_and(|asked| asked != own)) {
                return Err(Error::WrongAccount);
            }
            let address = own.or_else(|| asked.cloned()).unwrap_or_else(|| invite.email.clone());
            let may_be = address == invite.email || services.rules.registration.allows(&address);
            if may_be { Ok(address) } else { Err(Error::DomainNotAllowed) }
        }
    }
}

async fn create(
    services: &Services,
    scope: &Scope,
    (id, email, found, claim): (&UserId, EmailAddress, &Found, &Claim),
    (identity, tx): (&AuthIdentity, &mut Tx),
) -> Result<(), Error> {
    let new = NewUser {
        id: id.clone(),
        email_verified_at: (email == found.invite.email).then_some(scope.now),
        email,
        profile: claim.profile.clone(),
        role: found.invite.role,
        metadata: Map::new(),
    };
    let user = create_user::insert(services, scope, (&new, identity), tx).await?;
    if user.email_verified_at.is_none() && services.platform.outbox.is_sent() {
        confirm_email::send_link(services, scope, &user, tx).await?;
    }
    Ok(())
}

//! Accept an invite with another provider: the link proves the invited address, the provider who the person is. The
//! account has the invited address, whatever address the person has there; their account there is its way in. To a provider
//! that proves by mail who somebody is, the link of the invite is such a mail.

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::{
    Error, InviteStanding, Services, USER, create_user, end_invite, fingerprint, limit_tries, look_up, refusal,
    take_over_by,
};
use crate::{
    auth::{AuthIdentity, AuthIdentityProviderService, AuthInput, Configured},
    events::Scope,
    flows::{LoggedIn, log_in_by_mail, login::open_session, resolve_user},
    sessions,
    shared::{PersonName, ProviderId, UserId},
    users::{self, NewUser, Profile},
};

/// Somebody who is on the way to accept an invite.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    /// The secret of the link.
    pub token: String,
    /// The first name, as it was typed.
    pub first_name: Option<String>,
    /// The last name, as it was typed.
    pub last_name: Option<String>,
}

impl std::fmt::Debug for Newcomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Newcomer").finish_non_exhaustive()
    }
}

impl Newcomer {
    /// What was typed counts, else what the provider knows.
    fn profile(&self, identity: &AuthIdentity) -> Profile {
        let typed = |name: &Option<String>| PersonName::parse(name.as_deref()?).ok().flatten();
        let told = create_user::profile_of(identity);
        match (typed(&self.first_name), typed(&self.last_name)) {
            (None, None) => told,
            (first_name, last_name) => Profile { first_name, last_name },
        }
    }
}

/// Accepts an invite without a password: its link has proved what a mail to log in by proves.
///
/// # Errors
/// As [`super::accept_invite`], [`Error::UnknownProvider`] for one that proves nothing by mail.
pub async fn accept_invite_by_mail(
    services: &Services,
    scope: &Scope,
    (provider, newcomer): (&ProviderId, &Newcomer),
) -> Result<LoggedIn, Error> {
    match try_to_accept_by_mail(services, scope, (provider, newcomer)).await {
        // Somebody has registered with the address, or come in by a mail, since the link was looked up.
        Err(Error::Conflict | Error::Taken(_)) => try_to_accept_by_mail(services, scope, (provider, newcomer)).await,
        answer => answer,
    }
}

async fn try_to_accept_by_mail(
    services: &Services,
    scope: &Scope,
    (provider, newcomer): (&ProviderId, &Newcomer),
) -> Result<LoggedIn, Error> {
    let configured = services.provider(provider)?;
    let (standing, found) = look_up(services, scope, &newcomer.token).await?;
    let Some(found) = found.filter(|_| standing == InviteStanding::Ready) else { return Err(refusal(standing)) };
    let identities = services.identities(configured, scope).proved_by_mail(found.invite.email);
    let identity = log_in_by_mail::prove(configured, &identities, &AuthInput::default()).await?;
    accept_invite_by_provider(services, scope, newcomer, ((configured, &identity), &identities)).await
}

/// Accepts an invite with an identity that a provider has proved, and logs the person in, as the user whom the hook names.
/// It is asked about those alone who can accept the invite.
pub(in crate::flows) async fn accept_invite_by_provider(
    services: &Services,
    scope: &Scope,
    newcomer: &Newcomer,
    ((configured, identity), identities): ((&Configured, &AuthIdentity), &AuthIdentityProviderService),
) -> Result<LoggedIn, Error> {
    limit_tries(services, scope).await?;
    let (standing, found) = look_up(services, scope, &newcomer.token).await?;
    let Some(found) = found.filter(|_| standing == InviteStanding::Ready) else { return Err(refusal(standing)) };
    let owner = identity.actor_id(USER);
    if owner.is_some() && owner != found.user.as_ref().map(|user| user.id.as_str()) {
        return Err(Error::LinkedElsewhere);
    }
    let asked = resolve_user::ask_about(services, configured, identity, found.user.as_ref()).await?;
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
    // What somebody opened by it before it was anybody's is not this person's.
    sessions::end_all_of_identity(&mut tx, &identity.id, None).await?;
    let profile = newcomer.profile(identity);
    if let Some(user) = &user {
        take_over_by(services, scope, (user, &found.invite, &profile), (identity, &mut tx)).await?;
    } else {
        let new = NewUser {
            id: id.clone(),
            email: found.invite.email.clone(),
            email_verified_at: Some(scope.now),
            profile,
            role: found.invite.role,
            metadata: Map::new(),
        };
        create_user::insert(services, scope, (&new, identity), &mut tx).await?;
    }
    // Who comes by the mail of the invite has linked nothing: the account was made of it.
    if user.is_some() || services.is_redirect(&identity.provider_identity.provider) {
        create_user::note_link(services, scope, (&id, identity), &mut tx).await?;
    }
    let logged_in = open_session(services, scope, (&id, identity, false), &mut tx).await?;
    if let Some(named) = asked.named() {
        resolve_user::name(&logged_in.session.id, named, &mut tx).await?;
    }
    tx.commit().await?;
    Ok(logged_in)
}

//! Connections: the ways in of one's own account. One more is linked by whoever is logged in and proves the account at
//! the provider, whatever address that has; one that is another user's is refused without a word about them. The last way
//! in stays.

use serde_json::json;

use super::{
    Error, Services, USER, authority, create_user, end_sessions,
    letter::{self, Letter},
    passkeys,
};
use crate::{
    auth::{self, AuthIdentity, AuthIdentityProviderService, Flow, providers::PASSKEY},
    events::{self, Event, EventKind, Scope},
    platform::Tx,
    sessions,
    shared::{ProviderId, SessionId},
    users::{self, User},
};

/// A way in of one's own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The provider.
    pub provider: ProviderId,
    /// What people call it; its id where it is not configured any more.
    pub name: String,
    /// What the provider knows the person by.
    pub entity_id: String,
    /// What to show of the account there: an address or a name.
    pub account: Option<String>,
    /// Whether it can be used: the provider is configured, for people.
    pub is_usable: bool,
    /// Whether the provider is not configured any more.
    pub is_gone: bool,
    /// How people use it.
    pub flow: Flow,
    /// Whether it is a passkey.
    pub is_passkey: bool,
}

/// The ways in of the one who asks.
///
/// # Errors
/// [`Error::Unauthorized`] if nobody is logged in.
pub async fn own_connections(services: &Services, scope: &Scope) -> Result<Vec<Connection>, Error> {
    let user = scope.user_id().ok_or(Error::Unauthorized)?;
    let ways = auth::ways_in(&services.platform.db, USER, user.as_str()).await?;
    let of_way = |way: auth::WayIn| {
        let configured = services.providers.get(&way.provider);
        let flow = configured.map_or(Flow::Credentials, |provider| provider.flow);
        Connection {
            name: configured.map_or_else(|| way.provider.to_string(), |provider| provider.display_name.clone()),
            is_usable: services.provider(&way.provider).is_ok(),
            is_gone: configured.is_none(),
            account: way.account.or_else(|| (flow != Flow::Redirect).then(|| way.entity_id.clone())),
            flow,
            is_passkey: configured.is_some_and(|provider| provider.identifier == PASSKEY),
            provider: way.provider,
            entity_id: way.entity_id,
        }
    };
    Ok(ways.into_iter().map(of_way).collect())
}

/// Makes the account at a provider a way in of the one who is logged in, in the session that asked for it.
pub(super) async fn link(
    services: &Services,
    scope: &Scope,
    session: &SessionId,
    (identity, identities): (&AuthIdentity, &AuthIdentityProviderService),
) -> Result<(), Error> {
    let user = scope.user_id().filter(|_| scope.session_id() == Some(session)).ok_or(Error::Unauthorized)?;
    match identity.actor_id(USER) {
        Some(owner) if owner == user.as_str() => return Ok(()),
        Some(_) => return Err(Error::LinkedElsewhere),
        None => {}
    }
    let mut tx = services.platform.db.begin().await?;
    authority::hold(&mut tx, scope).await?;
    passkeys::refuse_too_many(services, (user, identity), &mut tx).await?;
    identities.commit(&mut tx).await?;
    // What somebody opened by it before it was anybody's is not this person's.
    sessions::end_all_of_identity(&mut tx, &identity.id, None).await?;
    auth::link_actor(&mut tx, &identity.id, USER, user.as_str()).await?;
    let own = users::get_for_update(&mut tx, user).await?;
    if own.email_verified_at.is_none()
        && create_user::says_verified(identity)
        && create_user::email_of(services, identity).as_ref() == Some(&own.email)
    {
        users::set_email_verified(&mut tx, &own, scope.now).await?;
        let event = Event::about_user(EventKind::AuthEmailVerified, user);
        events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    }
    create_user::note_link(services, scope, (user, identity), &mut tx).await?;
    tell_owner(services, scope, (&own, identity), &mut tx).await?;
    Ok(tx.commit().await?)
}

/// Whoever got hold of a session could add a way in of their own, which outlives it. An address that nobody has proved may
/// be a stranger's, who is told nothing.
async fn tell_owner(
    services: &Services,
    scope: &Scope,
    (user, added): (&User, &AuthIdentity),
    tx: &mut Tx,
) -> Result<(), Error> {
    let Some(configured) = services.providers.get(&added.provider_identity.provider) else { return Ok(()) };
    if user.email_verified_at.is_some() && services.platform.outbox.is_sent() {
        let letter = Letter::WayInWasAdded { name: configured.display_name.clone() };
        letter::write(services, scope, (&user.email, letter, None), tx).await?;
    }
    Ok(())
}

/// Takes a way in away from the account of the one who asks: one that was linked, or one of a provider that is not
/// configured any more. The sessions that were opened by it elsewhere end with it: it may be in the hands of somebody else.
///
/// # Errors
/// [`Error::LastWayIn`] where nobody could log in afterwards, [`Error::NotFound`] if there is no such way in,
/// [`Error::Unauthorized`].
pub async fn unlink(
    services: &Services,
    scope: &Scope,
    (provider, entity_id): (&ProviderId, &str),
) -> Result<(), Error> {
    let user = scope.user_id().ok_or(Error::Unauthorized)?;
    let mut tx = services.platform.db.begin().await?;
    authority::hold_account(&mut tx, user).await?;
    authority::hold(&mut tx, scope).await?;
    let ways = auth::ways_in_of(&mut tx, USER, user.as_str()).await?;
    let is_it = |way: &auth::WayIn| way.provider == *provider && way.entity_id == entity_id;
    let may_go = services.is_linked(provider) || services.providers.get(provider).is_none();
    let Some(way) = ways.iter().find(|way| is_it(way) && may_go) else {
        return Err(Error::NotFound);
    };
    // A way in of a provider that is not configured any more lets nobody in.
    if !ways.iter().any(|other| !is_it(other) && services.provider(&other.provider).is_ok()) {
        return Err(Error::LastWayIn);
    }
    auth::unlink(&mut tx, way).await?;
    let is_alone = !ways.iter().any(|other| !is_it(other) && other.auth_identity_id == way.auth_identity_id);
    if is_alone {
        let ended = sessions::end_all_of_identity(&mut tx, &way.auth_identity_id, scope.session_id()).await?;
        if ended > 0 {
            end_sessions::note(services, scope, (user, json!({ "count": ended })), &mut tx).await?;
        }
    }
    let details = json!({ "provider": provider.as_str() });
    let event = Event::about_user(EventKind::IdentityUnlinked, user).with(details);
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    Ok(tx.commit().await?)
}

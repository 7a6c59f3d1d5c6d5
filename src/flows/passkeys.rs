//! Passkeys: log in by one, and look after one's own. One is added by who is logged in, in the session that asked for it;
//! one that is another user's is refused without a word about them. The last way in stays.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Error, Services, USER, authority, connections, providers_of, services::client_subject};
use crate::{
    auth::{self, AuthIdentity, AuthInput, BrowserKey, Configured, Holder, OwnPasskey, providers::PASSKEY},
    events::Scope,
    platform::{Bucket, Tx},
    shared::{PasskeyName, ProviderId, SessionId, UserId},
    users,
};

/// The most passkeys of an account: more than anybody has devices, and few enough for a browser to compare.
const MAX_PASSKEYS: usize = 20;

/// A passkey that was made for somebody.
pub struct PasskeyChoice {
    /// What they call it.
    pub name: PasskeyName,
    /// What their browser has answered.
    pub credential: String,
}

/// The first provider of passkeys that people may use.
pub fn passkey_provider(services: &Services) -> Option<&Configured> {
    providers_of(services, USER).ok()?.into_iter().find(|provider| provider.identifier == PASSKEY)
}

fn provider_of<'a>(services: &'a Services, id: &ProviderId) -> Result<&'a Configured, Error> {
    let configured = services.provider(id)?;
    if configured.identifier == PASSKEY { Ok(configured) } else { Err(Error::UnknownProvider) }
}

/// What a browser is to be asked, so that somebody logs in by a passkey. Logging in with what it answers is
/// [`super::log_in`].
///
/// # Errors
/// [`Error::UnknownProvider`] where people have no passkeys, [`Error::TooManyTries`].
pub async fn ask_for_passkey(
    services: &Services,
    scope: &Scope,
    (provider, browser): (&ProviderId, BrowserKey),
) -> Result<Value, Error> {
    let configured = provider_of(services, provider)?;
    count_question(services, scope).await?;
    let identities = services.identities(configured, scope).seen_by(browser, None);
    let answer = configured.provider.authenticate(&AuthInput::default(), &identities).await?;
    answer.options.ok_or(Error::UnknownProvider)
}

async fn count_question(services: &Services, scope: &Scope) -> Result<(), Error> {
    let (subject, limit) = (client_subject(scope), services.rules.limits.ask_passkey_per_ip);
    services.take(scope, &[Bucket { name: "ask_passkey_client", subject: &subject, limit }]).await
}

/// What a browser is to be asked, so that whoever is logged in gets one more passkey.
///
/// # Errors
/// [`Error::Unauthorized`], [`Error::UnknownProvider`], [`Error::TooManyPasskeys`], [`Error::TooManyTries`].
pub async fn offer_passkey(services: &Services, scope: &Scope, provider: &ProviderId) -> Result<Value, Error> {
    let (user, session) = who_asks(scope)?;
    let configured = provider_of(services, provider)?;
    count_question(services, scope).await?;
    let holder = holder_of(services, configured, user).await?;
    let identities = services.identities(configured, scope).seen_by(BrowserKey::of_session(session), None);
    let answer = configured.provider.link(&holder, &AuthInput::default(), &identities).await?;
    answer.options.ok_or(Error::UnknownProvider)
}

/// Adds a passkey to the account of whoever is logged in.
///
/// # Errors
/// [`Error::NotProved`] with the provider's text, [`Error::LinkedElsewhere`] where it is somebody's already,
/// [`Error::TooManyPasskeys`], [`Error::Unauthorized`], [`Error::UnknownProvider`].
pub async fn add_passkey(
    services: &Services,
    scope: &Scope,
    (provider, new): (&ProviderId, PasskeyChoice),
) -> Result<(), Error> {
    let (user, session) = who_asks(scope)?;
    let configured = provider_of(services, provider)?;
    let holder = holder_of(services, configured, user).await?;
    let identities = services.identities(configured, scope).seen_by(BrowserKey::of_session(session), None);
    let body = [("name".to_owned(), new.name.as_str().to_owned()), ("credential".to_owned(), new.credential)];
    let input = AuthInput { body: BTreeMap::from(body), ..AuthInput::default() };
    let answer = configured.provider.link(&holder, &input, &identities).await?;
    let Some(identity) = answer.auth_identity.filter(|_| answer.success) else {
        return Err(Error::NotProved(answer.error.unwrap_or_else(|| "Authentication failed".to_owned())));
    };
    match connections::link(services, scope, session, (&identity, &identities)).await {
        Err(Error::Taken(_)) => Err(Error::LinkedElsewhere),
        linked => linked,
    }
}

/// Asked once the account is held: of many that are added at once, no more than fit are.
pub(super) async fn refuse_too_many(
    services: &Services,
    (user, new): (&UserId, &AuthIdentity),
    tx: &mut Tx,
) -> Result<(), Error> {
    let provider = &new.provider_identity.provider;
    if provider_of(services, provider).is_err() {
        return Ok(());
    }
    let ways = auth::ways_in_of(tx, USER, user.as_str()).await?;
    let known = ways.iter().filter(|way| way.provider == *provider).count();
    if known >= MAX_PASSKEYS { Err(Error::TooManyPasskeys) } else { Ok(()) }
}

fn who_asks(scope: &Scope) -> Result<(&UserId, &SessionId), Error> {
    scope.user_id().zip(scope.session_id()).ok_or(Error::Unauthorized)
}

async fn holder_of(services: &Services, configured: &Configured, id: &UserId) -> Result<Holder, Error> {
    let db = &services.platform.db;
    let user = users::find(db, id).await?.ok_or(Error::Unauthorized)?;
    let ways = auth::ways_in(db, USER, id.as_str()).await?.into_iter();
    let entity_ids: Vec<String> = ways.filter(|way| way.provider == configured.id).map(|way| way.entity_id).collect();
    if entity_ids.len() >= MAX_PASSKEYS {
        return Err(Error::TooManyPasskeys);
    }
    Ok(Holder { id: id.to_string(), email: user.email.to_string(), name: user.full_name(), entity_ids })
}

/// The passkeys of the one who asks, the oldest first.
///
/// # Errors
/// [`Error::Unauthorized`] if nobody is logged in.
pub async fn own_passkeys(services: &Services, scope: &Scope) -> Result<Vec<OwnPasskey>, Error> {
    let user = scope.user_id().ok_or(Error::Unauthorized)?;
    let mut all = Vec::new();
    for provider in services.providers.all().iter().filter(|provider| provider.identifier == PASSKEY) {
        all.extend(auth::list_passkeys(&services.platform.db, &provider.id, (USER, user.as_str())).await?);
    }
    Ok(all)
}

/// Gives a passkey of the one who asks another name.
///
/// # Errors
/// [`Error::NotFound`] if it is not theirs, [`Error::Unauthorized`], [`Error::UnknownProvider`].
pub async fn rename_passkey(
    services: &Services,
    scope: &Scope,
    (provider, id): (&ProviderId, &str),
    name: &PasskeyName,
) -> Result<(), Error> {
    let user = scope.user_id().ok_or(Error::Unauthorized)?;
    provider_of(services, provider)?;
    let mut tx = services.platform.db.begin().await?;
    authority::hold(&mut tx, scope).await?;
    auth::rename_passkey(&mut tx, (provider, id), (USER, user.as_str()), name).await?;
    Ok(tx.commit().await?)
}

/// Takes a passkey away from the account of the one who asks; nothing else ends.
///
/// # Errors
/// As [`super::unlink`], and [`Error::UnknownProvider`].
pub async fn remove_passkey(services: &Services, scope: &Scope, which: (&ProviderId, &str)) -> Result<(), Error> {
    provider_of(services, which.0)?;
    connections::unlink(services, scope, which).await
}

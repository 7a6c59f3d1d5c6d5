//! Set a new password by a mailed link, which proves the address: people by the page of the link, programs by its secret.
//! All sessions end, those of programs too, all other links end, and the owner of an account is sent a notice whose link
//! takes everything back. Of many who use one link at once, one does.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    Ask, Error, LoggedIn, Services, USER, authority,
    end_sessions::{end_all, oust},
    letter::{self, Letter},
    link::{DISOWN_RESET, RESET_IDENTITY, RESET_PASSWORD, SET_PASSWORD},
    login::{Proof, judge, open_session},
    recover::{WayIn, issue, take_over},
    services::client_subject,
};
use crate::{
    auth::{self, AuthIdentity, AuthIdentityProviderService, AuthInput, Configured, UpdateData, providers::EMAILPASS},
    events::{self, Event, EventKind, Scope, Target},
    platform::{Bucket, OneTime, OneTimeState, SecretToken, Tx, one_time},
    shared::{AuthIdentityId, OneTimeId, UserId},
    users::{self, User},
};

/// What came of setting a password by the page of a link.
pub enum PasswordSet {
    /// The owner of the account is logged in.
    LoggedIn(Box<LoggedIn>),
    /// There is no account yet: they log in with the new password.
    LogIn,
    /// It is the password of another kind of account than the pages know.
    Elsewhere,
}

/// What a link sets the password of.
struct Reset<'a> {
    token: OneTime,
    configured: &'a Configured,
    entity_id: String,
    /// The user whom the link is about, or whose identity it is about.
    user: Option<User>,
}

/// The new password, to be stored.
struct Prepared {
    identities: AuthIdentityProviderService,
    identity: AuthIdentity,
}

/// Sets the password that a link is for, and logs the owner of an account in.
///
/// # Errors
/// [`Error::NotFound`] for a link that can't be used or not for this, [`Error::Password`], [`Error::Disabled`],
/// [`Error::Conflict`] if another has used the link meanwhile.
pub async fn set_password_by_link(
    services: &Services,
    scope: &Scope,
    link: &OneTimeId,
    password: String,
) -> Result<PasswordSet, Error> {
    let token = one_time::find_by_id(&services.platform.db, link, scope.now).await?.ok_or(Error::NotFound)?;
    let way = way_of(&token)?;
    let reset = usable(services, scope, (token, &way)).await?;
    let body = BTreeMap::from([("password".to_owned(), password)]);
    let prepared = match prepare(services, scope, &reset, body).await {
        // A provider that sets no passwords: the link is good for nothing.
        Err(Error::NotProved(_)) => return Err(Error::Conflict),
        prepared => prepared?,
    };
    let mut tx = services.platform.db.begin().await?;
    store(services, scope, (&reset, &prepared), &mut tx).await?;
    let set = match &reset.user {
        _ if way.actor_type != USER => PasswordSet::Elsewhere,
        Some(user) => {
            let session = open_session(services, scope, (&user.id, &prepared.identity, false), &mut tx).await?;
            PasswordSet::LoggedIn(Box::new(session))
        }
        None => PasswordSet::LogIn,
    };
    tx.commit().await?;
    Ok(set)
}

/// Sets a password by the secret of a link, for a program; logs nobody in. What else is set is the provider's business.
///
/// # Errors
/// [`Error::NotFound`] for a token that can't be used, or not for this actor type and provider; [`Error::NotProved`] with
/// the provider's text, [`Error::Password`], [`Error::UnknownActorType`], [`Error::UnknownProvider`],
/// [`Error::TooManyTries`], [`Error::Busy`].
pub async fn update_by_token(services: &Services, scope: &Scope, (ask, token): (&Ask, &str)) -> Result<(), Error> {
    services.provider_of(&ask.actor_type, &ask.provider)?;
    let client = client_subject(scope);
    let limit = services.rules.limits.code_per_ip;
    services.take(scope, &[Bucket { name: "code_client", subject: &client, limit }]).await?;
    let answer = match try_to_update(services, scope, (ask, token)).await {
        // Changed since it was read: by a log-in that has hashed it anew, or by another who has used the token.
        Err(Error::Conflict) => try_to_update(services, scope, (ask, token)).await,
        answer => answer,
    };
    // Whoever holds the token is not told more of the account than that.
    answer.map_err(|error| match error {
        Error::Conflict | Error::Disabled => Error::NotFound,
        other => other,
    })
}

async fn try_to_update(services: &Services, scope: &Scope, (ask, token): (&Ask, &str)) -> Result<(), Error> {
    let secret = SecretToken::parse(token).ok_or(Error::NotFound)?;
    let token = one_time::find(&services.platform.db, &secret, scope.now).await?.ok_or(Error::NotFound)?;
    if token.is_for(SET_PASSWORD) {
        return Err(Error::NotFound);
    }
    let way = way_of(&token)?;
    let reset = usable(services, scope, (token, &way)).await?;
    if way.actor_type != ask.actor_type || reset.configured.id != ask.provider {
        return Err(Error::NotFound);
    }
    let prepared = prepare(services, scope, &reset, ask.input.body.clone()).await?;
    let mut tx = services.platform.db.begin().await?;
    store(services, scope, (&reset, &prepared), &mut tx).await?;
    Ok(tx.commit().await?)
}

/// What a token is for, if it sets a password at all.
fn way_of(token: &OneTime) -> Result<WayIn, Error> {
    let sets_password = [RESET_PASSWORD, SET_PASSWORD, RESET_IDENTITY].into_iter().any(|purpose| token.is_for(purpose));
    if token.state != OneTimeState::Ready || !sets_password {
        return Err(Error::NotFound);
    }
    serde_json::from_value(token.data.clone()).map_err(Error::internal)
}

/// What the token sets the password of, if that is still as it was when it was mailed.
async fn usable<'a>(
    services: &'a Services,
    scope: &Scope,
    (token, way): (OneTime, &WayIn),
) -> Result<Reset<'a>, Error> {
    let configured = match &way.provider {
        Some(id) => services.provider_of(&way.actor_type, id)?,
        None => services.providers.first_of(EMAILPASS).ok_or(Error::UnknownProvider)?,
    };
    let entity_id = way.entity_id.clone().unwrap_or_else(|| token.email.to_string());
    let user = if token.is_for(RESET_IDENTITY) {
        let identity = services.identities(configured, scope).retrieve(&entity_id).await?;
        let identity = identity.filter(|identity| identity.id.as_str() == token.subject).ok_or(Error::NotFound)?;
        find_user(services, identity.actor_id(USER)).await?
    } else {
        let user = find_user(services, Some(&token.subject)).await?;
        Some(user.filter(|user| user.email == token.email).ok_or(Error::NotFound)?)
    };
    // It is the password of all accounts of the identity.
    if user.as_ref().is_some_and(|user| user.disabled_at.is_some()) {
        return Err(Error::Disabled);
    }
    Ok(Reset { token, configured, entity_id, user })
}

async fn find_user(services: &Services, id: Option<&str>) -> Result<Option<User>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(users::find(&services.platform.db, &UserId::new(id)).await?)
}

/// Lets the provider set the password of the identity, or make one for a user who has none. Hashed outside of the
/// transaction; what was checked is checked again in it.
async fn prepare(
    services: &Services,
    scope: &Scope,
    reset: &Reset<'_>,
    mut body: BTreeMap<String, String>,
) -> Result<Prepared, Error> {
    let Reset { configured, entity_id, user, .. } = reset;
    let identities = services.identities(configured, scope);
    let known = identities.retrieve(entity_id).await?;
    let owner = known.as_ref().and_then(|known| known.actor_id(USER));
    if owner.is_some() && owner != user.as_ref().map(|user| user.id.as_str()) {
        return Err(Error::Conflict);
    }
    let answer = match (known.is_some(), user) {
        (true, _) => {
            let data = UpdateData { entity_id: entity_id.clone(), body };
            configured.provider.update(&data, &identities).await?
        }
        (false, Some(user)) => {
            body.insert("email".to_owned(), user.email.to_string());
            configured.provider.register(&AuthInput { body, ..AuthInput::default() }, &identities).await?
        }
        (false, None) => return Err(Error::NotFound),
    };
    match judge(answer) {
        Proof::Proved(identity) => Ok(Prepared { identities, identity }),
        Proof::Failed(reason) => Err(Error::NotProved(reason)),
        Proof::Elsewhere(_) | Proof::External(_) | Proof::ByMail(_) => Err(Error::Conflict),
    }
}

/// An account whose address nobody had proved may be another's making: no way in is left but the one that is proved now.
async fn leave_own_way(user: &User, identity: &AuthIdentity, tx: &mut Tx) -> Result<Vec<AuthIdentityId>, Error> {
    if user.email_verified_at.is_some() {
        return Ok(Vec::new());
    }
    let mut strangers = auth::find_of_actor(tx, USER, user.id.as_str()).await?;
    strangers.retain(|stranger| *stranger != identity.id);
    auth::leave_only(tx, (USER, user.id.as_str()), identity).await?;
    Ok(strangers)
}

/// Stores the new password and ends what was there before.
async fn store(
    services: &Services,
    scope: &Scope,
    (reset, prepared): (&Reset<'_>, &Prepared),
    tx: &mut Tx,
) -> Result<(), Error> {
    let Prepared { identities, identity } = prepared;
    let token = &reset.token;
    // First, so that a log-in by the old password that is under way has ended, with a session to end, or comes too late.
    if let Some(user) = &reset.user {
        authority::hold_account(tx, &user.id).await?;
    }
    identities.commit(tx).await?;
    if !one_time::use_up(tx, &token.id, scope.now).await? {
        return Err(Error::Conflict);
    }
    oust(tx, &identity.id, scope.now).await?;
    let details = json!({ "by": token.purpose });
    let Some(user) = &reset.user else {
        let target = Target::AuthIdentity(identity.id.clone());
        let event = Event { kind: EventKind::AuthPasswordChanged, target, details };
        return Ok(events::record(tx, &services.platform.entropy, scope, event).await?);
    };
    // The mail may have gone to what the identity is called, and the account have another address.
    if user.email == token.email {
        let strangers = leave_own_way(user, identity, tx).await?;
        take_over(services, scope, user, tx).await?;
        for stranger in &strangers {
            oust(tx, stranger, scope.now).await?;
        }
    } else {
        end_all(tx, &user.id, None).await?;
    }
    if identity.actor_id(USER).is_none() {
        auth::link_actor(tx, &identity.id, USER, user.id.as_str()).await?;
    }
    let event = Event::about_user(EventKind::AuthPasswordChanged, &user.id).with(details);
    events::record(tx, &services.platform.entropy, scope, event).await?;
    if !token.is_for(SET_PASSWORD) {
        let disown = issue(services, scope, (DISOWN_RESET, user), tx).await?;
        letter::write(services, scope, (&user.email, Letter::PasswordWasReset, Some(&disown)), tx).await?;
    }
    Ok(())
}

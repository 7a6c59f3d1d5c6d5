//! Change one's password: the current one is proved, the new one is set, every session of the user ends, and the
//! browser that asked goes on with a new one.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    Error, LoggedIn, Resumed, Services, USER, authority,
    end_sessions::{end_all, oust},
    link::UNDO_EMAIL_CHANGE,
    login::{Proof, judge, open_session},
};
use crate::{
    auth::{
        self, AuthIdentity, AuthIdentityProviderService, AuthInput, Configured, UpdateData, WayIn, providers::EMAILPASS,
    },
    events::{self, Event, EventKind, Scope},
    platform::{Bucket, one_time},
    sessions,
    shared::{ProviderId, UserId},
};

/// Changes the password of the one who asks; answers how many other sessions ended.
///
/// # Errors
/// [`Error::NotProved`] for a wrong current password, [`Error::Password`] for a new one that breaks a rule,
/// [`Error::NotFound`] for who has no password.
pub async fn change_password(
    services: &Services,
    scope: &Scope,
    asking: &Resumed,
    (current, new): (String, String),
) -> Result<(LoggedIn, u64), Error> {
    let user = &asking.user;
    let Proved { configured, identities, identity } = prove_password(services, scope, asking, current).await?;
    let body = BTreeMap::from([("password".to_owned(), new)]);
    let entity_id = identity.provider_identity.entity_id.clone();
    configured.provider.update(&UpdateData { entity_id, body }, &identities).await?;
    let mut tx = services.platform.db.begin().await?;
    identities.commit(&mut tx).await?;
    authority::hold(&mut tx, scope).await?;
    // Ended by somebody while the passwords were hashed: then there is nothing to go on with.
    let own = scope.session_id().ok_or(Error::Unauthorized)?;
    if !sessions::revoke(&mut tx, &user.id, own).await? {
        return Err(Error::Unauthorized);
    }
    let ended = end_all(&mut tx, &user.id, scope.session_id()).await?;
    oust(&mut tx, &identity.id, scope.now).await?;
    // A link that was mailed before would set yet another password. The one that takes a change of address back stays:
    // whoever has taken the account away could end it by a new password.
    one_time::revoke_all_but(&mut tx, (UNDO_EMAIL_CHANGE, user.id.as_str()), scope.now).await?;
    let event = Event::about_user(EventKind::AuthPasswordChanged, &user.id);
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    let opened = open_session(services, scope, (&user.id, &identity, asking.session.is_remembered), &mut tx).await?;
    tx.commit().await?;
    Ok((opened, ended))
}

/// Somebody who has proved the password once more.
pub(super) struct Proved<'a> {
    /// The provider of the password.
    pub configured: &'a Configured,
    /// What the provider has read, to be committed by whoever changes anything.
    pub identities: AuthIdentityProviderService,
    /// Who they are to the provider.
    pub identity: AuthIdentity,
}

/// Proves the password of the one who asks, within limits: a session that somebody else got hold of can't guess it.
pub(super) async fn prove_password<'a>(
    services: &'a Services,
    scope: &Scope,
    asking: &Resumed,
    password: String,
) -> Result<Proved<'a>, Error> {
    let user = &asking.user;
    if !scope.is(&user.id) {
        return Err(Error::Unauthorized);
    }
    let limit = services.rules.limits.change_password_per_account;
    services.take(scope, &[Bucket { name: "change_password", subject: user.id.as_str(), limit }]).await?;
    let way_in = password_of(services, &user.id).await?.ok_or(Error::NotFound)?;
    let configured = services.provider(&way_in.provider)?;
    let identities = services.identities(configured, scope);
    let body = BTreeMap::from([("email".to_owned(), way_in.entity_id), ("password".to_owned(), password)]);
    let input = AuthInput { body, ..AuthInput::default() };
    match judge(configured.provider.authenticate(&input, &identities).await?) {
        Proof::Proved(identity) if identity.actor_id(USER) == Some(user.id.as_str()) => {
            Ok(Proved { configured, identities, identity })
        }
        _ => {
            let event =
                Event::about_user(EventKind::AuthFailed, &user.id).with(json!({ "provider": configured.id.as_str() }));
            let mut tx = services.platform.db.begin().await?;
            events::record(&mut tx, &services.platform.entropy, scope, event).await?;
            tx.commit().await?;
            Err(Error::NotProved("Invalid email or password".to_owned()))
        }
    }
}

/// Whether a user logs in by a password.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn has_password(services: &Services, user: &UserId) -> Result<bool, Error> {
    Ok(password_of(services, user).await?.is_some())
}

async fn password_of(services: &Services, user: &UserId) -> Result<Option<WayIn>, Error> {
    let known = auth::ways_in(&services.platform.db, USER, user.as_str()).await?;
    let is_password =
        |id: &ProviderId| services.providers.get(id).is_some_and(|provider| provider.identifier == EMAILPASS);
    Ok(known.into_iter().find(|it| is_password(&it.provider)))
}

//! Register with a password: identity, user, session and their events in one transaction, or none of them.
//! Refuses by mode, domain and limits; two who register one address at once make one user.

use std::collections::BTreeMap;

use super::{
    Error, LoggedIn, Services,
    create_user::{insert_registered, may_register},
    login::{Proof, judge, open_session},
    services::client_subject,
};
use crate::{
    auth::{AuthInput, providers::EMAILPASS},
    events::Scope,
    platform::Bucket,
    shared::EmailAddress,
    users::Profile,
};

/// What a person registers with.
pub struct Registration {
    /// The address.
    pub email: EmailAddress,
    /// The password.
    pub password: String,
    /// The names.
    pub profile: Profile,
}

/// Registers a person and logs them in.
///
/// # Errors
/// [`Error::RegistrationClosed`], [`Error::DomainNotAllowed`], [`Error::Password`], [`Error::Taken`],
/// [`Error::TooManyTries`], [`Error::Busy`].
pub async fn register(services: &Services, scope: &Scope, new: Registration) -> Result<LoggedIn, Error> {
    may_register(services, &new.email)?;
    let client = client_subject(scope);
    let limits = &services.rules.limits;
    let tries = [
        Bucket { name: "register_client", subject: &client, limit: limits.register_per_ip },
        Bucket { name: "register_account", subject: new.email.as_str(), limit: limits.register_per_account },
    ];
    services.take(scope, &tries).await?;
    let configured = services.providers.first_of(EMAILPASS).ok_or(Error::UnknownProvider)?;
    let identities = services.identities(services.provider(&configured.id)?, scope);
    let body = BTreeMap::from([("email".to_owned(), new.email.to_string()), ("password".to_owned(), new.password)]);
    let input = AuthInput { body, ..AuthInput::default() };
    let identity = match judge(configured.provider.register(&input, &identities).await?) {
        Proof::Proved(identity) => identity,
        Proof::Failed(reason) => return Err(Error::Taken(reason)),
        Proof::Elsewhere(_) => return Err(Error::UnknownProvider),
    };
    let mut tx = services.platform.db.begin().await?;
    identities.commit(&mut tx).await?;
    let user = insert_registered(services, scope, (new.email, new.profile, &identity), &mut tx).await?;
    let logged_in = open_session(services, scope, (&user.id, &identity, false), &mut tx).await?;
    tx.commit().await?;
    Ok(logged_in)
}

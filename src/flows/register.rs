//! Register with a password: identity, user, session or mail, and their events in one transaction, or none of them.
//! Refuses by mode, domain and limits; two who register one address at once make one user. Where mails are sent, nobody
//! learns from the answer whether the address has an account: its owner is told by mail.

use std::collections::BTreeMap;

use super::{
    Error, LoggedIn, Services, confirm_email,
    create_user::{insert_registered, may_register},
    login::{Proof, judge, open_session},
    register_by_mail,
    services::client_subject,
};
use crate::{
    auth::{AuthIdentity, AuthIdentityProviderService, AuthInput, Configured, providers::EMAILPASS},
    events::Scope,
    platform::Bucket,
    shared::{EmailAddress, UserId},
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
    /// Who registered with this address in the same browser a moment ago.
    pub registered_here: Option<UserId>,
}

/// What came of a registration that was not refused.
pub enum Registered {
    /// The person is logged in.
    LoggedIn(Box<LoggedIn>),
    /// A mail is on its way: to the person, or to whoever has the address already. The two can't be told apart.
    MailSent {
        /// Who registers; an id of nobody where the address was taken.
        user: UserId,
    },
}

/// Registers a person. Where mails are sent, the address is confirmed before anybody is logged in.
///
/// # Errors
/// [`Error::RegistrationClosed`], [`Error::DomainNotAllowed`], [`Error::Password`], [`Error::Taken`],
/// [`Error::TooManyTries`], [`Error::Busy`].
pub async fn register(services: &Services, scope: &Scope, new: Registration) -> Result<Registered, Error> {
    may_register(services, &new.email)?;
    let client = client_subject(scope);
    let limits = &services.rules.limits;
    let tries = [
        Bucket { name: "register_client", subject: &client, limit: limits.register_per_ip },
        Bucket { name: "register_account", subject: new.email.as_str(), limit: limits.register_per_account },
    ];
    services.take(scope, &tries).await?;
    if services.platform.outbox.is_sent() {
        return register_by_mail::take_in(services, scope, new).await;
    }
    let is_by_mail = services.rules.registration.requires_verified_email();
    let email = new.email.clone();
    match try_register(services, scope, (new, is_by_mail)).await {
        Err(Error::Taken(_)) if is_by_mail => tell_owner(services, scope, &email).await,
        answer => answer,
    }
}

async fn try_register(
    services: &Services,
    scope: &Scope,
    (new, is_by_mail): (Registration, bool),
) -> Result<Registered, Error> {
    let configured = services.providers.first_of(EMAILPASS).ok_or(Error::UnknownProvider)?;
    let identities = services.identities(services.provider(&configured.id)?, scope);
    let identity = prove(configured, &identities, (&new.email, new.password)).await?;
    let mut tx = services.platform.db.begin().await?;
    identities.commit(&mut tx).await?;
    let user = insert_registered(services, scope, (new.email, new.profile, &identity), &mut tx).await?;
    let registered = if is_by_mail {
        confirm_email::send_link(services, scope, &user, &mut tx).await?;
        Registered::MailSent { user: user.id }
    } else {
        let logged_in = open_session(services, scope, (&user.id, &identity, false), &mut tx).await?;
        Registered::LoggedIn(Box::new(logged_in))
    };
    tx.commit().await?;
    Ok(registered)
}

/// Lets the provider make an identity of address and password, with the hash; it is not stored yet.
pub(super) async fn prove(
    configured: &Configured,
    identities: &AuthIdentityProviderService,
    (email, password): (&EmailAddress, String),
) -> Result<AuthIdentity, Error> {
    let body = BTreeMap::from([("email".to_owned(), email.to_string()), ("password".to_owned(), password)]);
    let input = AuthInput { body, ..AuthInput::default() };
    match judge(configured.provider.register(&input, identities).await?) {
        Proof::Proved(identity) => Ok(identity),
        Proof::Failed(reason) => Err(Error::Taken(reason)),
        Proof::Elsewhere(_) | Proof::External(_) | Proof::ByMail(_) => Err(Error::UnknownProvider),
    }
}

/// The owner of a taken address is told; who registers sees what everybody sees.
async fn tell_owner(services: &Services, scope: &Scope, email: &EmailAddress) -> Result<Registered, Error> {
    let mut tx = services.platform.db.begin().await?;
    confirm_email::say_taken(services, scope, email, &mut tx).await?;
    tx.commit().await?;
    Ok(Registered::MailSent { user: UserId::new(services.platform.entropy.uuid_v7(scope.now)) })
}

//! Authenticate: the way in of programs. They prove who somebody is by a provider, as people do at the log-in page, and
//! pass the same steps; what they get is a bearer token, whose session can be revoked. An identity that has no account
//! gets a token too, with which it can do nothing but accept an invite or, in time, become one.
//!
//! 1. The identity has a user: may they log in now?
//! 2. It has none, accounts of this type are users and anybody may register: the user is created.
//! 3. It has none otherwise: the token names nobody. Where registration is closed, no identity is made either.

use serde_json::json;

use super::{
    Error, MailRequest, RegistrationMode, Services, USER,
    bearer::{Subject, issue},
    create_user,
    external_user::{self, Entry, Outsider},
    log_in_by_mail::{self, Wish},
    login::{Elsewhere, Proof, email_in, judge, limit_tries, note_failure, open_session},
    redirect::as_it_stands,
    request_mail,
    resolve_user::{self, Asked},
    services::client_subject,
};
use crate::{
    auth::{AuthIdentity, AuthIdentityProviderService, AuthInput, BrowserKey, Configured, Flow, MailedProof},
    events::{self, Actor, Event, EventKind, Scope, Target},
    platform::{Bucket, Signer, Tx},
    sessions::{self, NewSession, Opened},
    shared::{ExternalUser, ProviderId, UserId},
};

/// Who wants to come in, and how.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What kind of account it is for.
    pub actor_type: String,
    /// By which provider.
    pub provider: ProviderId,
    /// What came in with the request.
    pub input: AuthInput,
}

/// What a program is answered that was not refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    /// A bearer token.
    Token(String),
    /// The browser must go somewhere first, or be asked something.
    Elsewhere(Elsewhere),
    /// Whoever reads the mail of this address proves by that mail who they are.
    ByMail(MailedProof),
}

/// Proves by a provider who somebody is, and opens a session for a program.
///
/// # Errors
/// As [`super::log_in`], [`Error::UnknownActorType`], [`Error::UnknownProvider`].
pub async fn authenticate(services: &Services, scope: &Scope, ask: &Ask) -> Result<Access, Error> {
    let configured = services.provider_of(&ask.actor_type, &ask.provider)?;
    if configured.flow == Flow::Mail {
        let Ask { actor_type, input, .. } = ask;
        let wish = Wish { configured, actor_type, input, next: None, is_remembered: false, is_by_program: true };
        return log_in_by_mail::ask(services, scope, wish).await.map(Access::ByMail);
    }
    limit_tries(services, scope, (configured, &ask.input)).await?;
    let answer = match try_to_authenticate(services, scope, (ask, Step::First)).await {
        // Changed since it was proved: another log-in has hashed the password anew, or it is another password now. Or two
        // first log-ins have come at once.
        Err(Error::Conflict | Error::Taken(_)) => try_to_authenticate(services, scope, (ask, Step::First)).await,
        answer => answer,
    };
    if let Err(Error::EmailNotVerified { email, .. }) = &answer {
        request_mail(services, scope, (MailRequest::ConfirmEmail, email)).await?;
    }
    answer
}

/// Proves by the second half of a redirect or by a mail who somebody is, and opens a session for a program.
///
/// # Errors
/// As [`authenticate`].
pub async fn call_back(services: &Services, scope: &Scope, ask: &Ask) -> Result<Access, Error> {
    let configured = services.provider_of(&ask.actor_type, &ask.provider)?;
    if configured.flow == Flow::Mail {
        return log_in_by_mail::call_back(services, scope, (ask, configured)).await;
    }
    limit_tries(services, scope, (configured, &ask.input)).await?;
    let answer = try_to_authenticate(services, scope, (ask, Step::Second)).await;
    if let Err(Error::EmailNotVerified { email, .. }) = &answer {
        request_mail(services, scope, (MailRequest::ConfirmEmail, email)).await?;
    }
    answer
}

/// Which half of a way in it is: most have one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    First,
    Second,
}

async fn try_to_authenticate(services: &Services, scope: &Scope, (ask, step): (&Ask, Step)) -> Result<Access, Error> {
    let configured = services.provider_of(&ask.actor_type, &ask.provider)?;
    let mut identities = services.identities(configured, scope).seen_by(BrowserKey::of_program(), None);
    // For all kinds of accounts, as where identities are registered.
    if services.rules.registration.mode == RegistrationMode::Closed {
        identities = identities.closed();
    }
    let answer = match step {
        Step::First => configured.provider.authenticate(&ask.input, &identities).await?,
        Step::Second => configured.provider.validate_callback(&ask.input, &identities).await?,
    };
    match judge(answer) {
        Proof::Elsewhere(elsewhere) => Ok(Access::Elsewhere(elsewhere)),
        Proof::ByMail(_) => Err(Error::UnknownProvider),
        Proof::Failed(reason) => {
            note_failure(services, scope, (&ask.provider, &identities, &ask.input)).await?;
            Err(Error::NotProved(reason))
        }
        Proof::Proved(identity) => {
            let proved = (ask.actor_type.as_str(), configured, identity.clone());
            match come_in(services, scope, proved, &identities).await {
                // Another request of the same person was first, and no provider answers twice.
                Err(Error::Conflict | Error::Taken(_)) if step == Step::Second => {
                    let identity = as_it_stands((configured, &identities), identity).await?;
                    come_in(services, scope, (&ask.actor_type, configured, identity), &identities).await
                }
                answer => answer,
            }
        }
        Proof::External(outsider) => let_in(services, scope, (ask, configured), outsider).await,
    }
}

/// Opens a session for somebody of whom nothing is kept, if they may come in.
async fn let_in(
    services: &Services,
    scope: &Scope,
    (ask, configured): (&Ask, &Configured),
    outsider: Outsider,
) -> Result<Access, Error> {
    let user = &external_user::admit(services, configured, (&ask.actor_type, outsider)).await?;
    let signer = services.platform.signing_keys.signer(scope.now).await?;
    let entry = Entry { user, provider: &ask.provider, actor_type: &ask.actor_type, is_remembered: false };
    let mut tx = services.platform.db.begin().await?;
    let session = external_user::open_session(services, scope, &entry, &mut tx).await?;
    let subject = Subject::of_external(&ask.actor_type, user, &ask.provider);
    let token = issue(services, (&signer, scope.now), subject, ((&session.id, session.expires_at), &mut tx)).await?;
    tx.commit().await?;
    Ok(Access::Token(token))
}

/// The providers that accounts of this type may use, in the order of the configuration.
///
/// # Errors
/// [`Error::UnknownActorType`].
pub fn providers_of<'a>(services: &'a Services, actor_type: &str) -> Result<Vec<&'a Configured>, Error> {
    let actor = services.rules.actors.get(actor_type).ok_or(Error::UnknownActorType)?;
    let may_use = |provider: &&Configured| actor.providers.iter().any(|id| id == provider.id.as_str());
    Ok(services.providers.all().iter().filter(may_use).collect())
}

/// Creates an identity and opens a session for it that has no account yet.
///
/// # Errors
/// [`Error::NotProved`] with the provider's text, also where the identity exists; [`Error::Password`],
/// [`Error::InvalidData`], [`Error::RegistrationClosed`], [`Error::DomainNotAllowed`], [`Error::TooManyTries`],
/// [`Error::UnknownActorType`], [`Error::UnknownProvider`].
pub async fn register_identity(services: &Services, scope: &Scope, ask: &Ask) -> Result<Access, Error> {
    let configured = services.provider_of(&ask.actor_type, &ask.provider)?;
    if services.rules.registration.mode == RegistrationMode::Closed {
        return Err(Error::RegistrationClosed);
    }
    let (client, email, limits) = (client_subject(scope), email_in(&ask.input), &services.rules.limits);
    let mut tries = vec![Bucket { name: "register_client", subject: &client, limit: limits.register_per_ip }];
    if let Some(email) = &email {
        tries.push(Bucket { name: "register_account", subject: email.as_str(), limit: limits.register_per_account });
    }
    services.take(scope, &tries).await?;
    let identities = services.identities(configured, scope);
    let identity = match judge(configured.provider.register(&ask.input, &identities).await?) {
        Proof::Proved(identity) => identity,
        Proof::Failed(reason) => return Err(Error::NotProved(reason)),
        Proof::Elsewhere(elsewhere) => return Ok(Access::Elsewhere(elsewhere)),
        Proof::ByMail(_) => return Err(Error::UnknownProvider),
        Proof::External(outsider) => return let_in(services, scope, (ask, configured), outsider).await,
    };
    let signer = services.platform.signing_keys.signer(scope.now).await?;
    let mut tx = services.platform.db.begin().await?;
    identities.commit(&mut tx).await?;
    let session = open_for_nobody(services, scope, (&ask.actor_type, &identity), &mut tx).await?;
    let of_session = ((&session.id, session.expires_at), &mut tx);
    let token =
        issue(services, (&signer, scope.now), Subject::of_identity(&ask.actor_type, &identity), of_session).await?;
    tx.commit().await?;
    Ok(Access::Token(token))
}

async fn come_in(
    services: &Services,
    scope: &Scope,
    (actor_type, configured, mut identity): (&str, &Configured, AuthIdentity),
    identities: &AuthIdentityProviderService,
) -> Result<Access, Error> {
    let is_user = actor_type == USER;
    let asked = if is_user { ask_hook(services, scope, (configured, &identity)).await? } else { Asked::default() };
    let signer = services.platform.signing_keys.signer(scope.now).await?;
    let mut tx = services.platform.db.begin().await?;
    identities.commit(&mut tx).await?;
    let is_open = services.rules.registration.mode == RegistrationMode::Open;
    if is_user && identity.actor_id(USER).is_none() && is_open {
        let user = create_user::for_identity(services, scope, (&identity, &asked), &mut tx).await?;
        identity.app_metadata.insert(format!("{USER}_id"), user.id.to_string());
        if services.rules.registration.requires_verified_email() && user.email_verified_at.is_none() {
            // They have an account now, which the mail that follows makes theirs.
            tx.commit().await?;
            return Err(Error::EmailNotVerified { user: user.id, email: user.email });
        }
    }
    let token = open_for_program(services, scope, (actor_type, &identity, asked.named()), (&signer, &mut tx)).await?;
    tx.commit().await?;
    Ok(Access::Token(token))
}

/// Opens a session for whoever was let in, of the account if there is one, and issues its token.
pub(super) async fn open_for_program(
    services: &Services,
    scope: &Scope,
    (actor_type, identity, named): (&str, &AuthIdentity, Option<&ExternalUser>),
    (signer, tx): (&Signer, &mut Tx),
) -> Result<String, Error> {
    let user = identity.actor_id(actor_type).filter(|_| actor_type == USER).map(UserId::new);
    let session = match &user {
        Some(user) => {
            // What session a browser sent along is not the program's to end.
            let visitor = scope.acting_as(Actor::Visitor);
            open_session(services, &visitor, (user, identity, false), tx).await?.session
        }
        None => open_for_nobody(services, scope, (actor_type, identity), tx).await?,
    };
    let mut subject = Subject::of_identity(actor_type, identity);
    if let Some(named) = named {
        resolve_user::name(&session.id, named, tx).await?;
        subject = Subject::of_external(actor_type, named, &identity.provider_identity.provider);
    }
    issue(services, (signer, scope.now), subject, ((&session.id, session.expires_at), tx)).await
}

/// Asks the hook whom the session is for. Whom it names comes in by an account, which can be turned off, or not at all.
async fn ask_hook(
    services: &Services,
    scope: &Scope,
    (configured, identity): (&Configured, &AuthIdentity),
) -> Result<Asked, Error> {
    if identity.actor_id(USER).is_some() || services.rules.registration.mode == RegistrationMode::Open {
        return resolve_user::ask(services, scope, (configured, identity)).await;
    }
    let asked = resolve_user::ask_about(services, configured, identity, None).await?;
    if asked.named().is_some() { Err(Error::RegistrationClosed) } else { Ok(asked) }
}

/// A session of an identity that has no account of this type.
async fn open_for_nobody(
    services: &Services,
    scope: &Scope,
    (actor_type, identity): (&str, &AuthIdentity),
    tx: &mut Tx,
) -> Result<Opened, Error> {
    let provider = &identity.provider_identity.provider;
    let new = NewSession {
        actor_type: actor_type.to_owned(),
        user_id: None,
        external_user: None,
        auth_identity_id: identity.id.clone(),
        provider: provider.clone(),
        is_remembered: false,
    };
    let entropy = &services.platform.entropy;
    let session = sessions::open(tx, entropy, scope, (&new, services.rules.lifetime)).await?;
    let details = json!({ "provider": provider.as_str(), "session_id": session.id.as_str(), "actor_type": actor_type });
    let target = Target::AuthIdentity(identity.id.clone());
    events::record(tx, entropy, scope, Event { kind: EventKind::SessionCreated, target, details }).await?;
    Ok(session)
}

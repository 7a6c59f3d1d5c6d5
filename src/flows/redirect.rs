//! Redirect: a browser is sent to a provider and comes back. Why it was sent (to log in, to link, to accept an invite, to
//! rehearse) is sealed into the state of the redirect, so that nobody can bend it on the way. Whatever comes back passes
//! the steps of every other way in; a refused person leaves no row.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Error, LoggedIn, MailRequest, Services, USER,
    accept_invite::Newcomer,
    accept_invite::accept_invite_by_provider,
    connections,
    create_user::{self, Admission},
    external_user::{self, Entry},
    login::{Proof, come_in, judge, limit_tries, note_failure},
    request_mail, resolve_user,
};
use crate::{
    auth::{AuthIdentity, AuthIdentityProviderService, AuthInput, BrowserKey, Configured, Flow},
    events::Scope,
    sessions::Opened,
    shared::{ProviderId, SessionId},
    users,
};

/// Why a browser is sent to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Errand {
    /// To log in.
    LogIn {
        /// Whether the session outlives the browser.
        is_remembered: bool,
    },
    /// To link the account there to the account here, in the session that asked for it.
    Link {
        /// The session.
        session: SessionId,
    },
    /// To accept an invite.
    AcceptInvite(Newcomer),
    /// To see what would be decided, without doing it.
    Rehearse,
}

/// A journey of a browser: why it is sent away, and where it goes on afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    /// Why.
    pub errand: Errand,
    /// Where it goes on: a path of this site, which whoever reads it must judge.
    pub next: Option<String>,
}

/// What came of a journey.
pub enum Arrival {
    /// Somebody is logged in now.
    LoggedIn(Box<LoggedIn>),
    /// Somebody is logged in who has no account here.
    Guest(Opened),
    /// The account there is a way in now.
    Linked,
    /// What would have been decided.
    Rehearsed(Rehearsal),
}

/// What a provider has told in a rehearsal, and what would have been decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// What the provider knows the person by.
    pub entity_id: String,
    /// What it has told of the person.
    pub profile: Map<String, Value>,
    /// What would have been decided.
    pub decision: Decision,
}

/// What would become of somebody who comes in by a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// They log in to the account with this address, which is linked.
    LogIn(String),
    /// They get an account with this address.
    Create {
        /// The address.
        email: String,
        /// Whether the provider says that it is theirs.
        is_verified: bool,
    },
    /// They get the account with this address, which nobody has proved.
    TakeOver(String),
    /// They come in, and nothing is stored of them.
    Guest,
    /// They are refused: the account with their address is not linked.
    NotLinked,
    /// They are refused: the provider tells no address.
    NoAddress,
    /// They are refused: nobody can register now.
    RegistrationClosed,
    /// They are refused: addresses of the domain can't register.
    DomainNotAllowed,
    /// They are refused: the account is turned off.
    Disabled,
    /// They are refused by the application.
    Refused,
}

/// Sends a browser to a provider; answers where to.
///
/// # Errors
/// [`Error::UnknownProvider`] where nobody is sent elsewhere by it, [`Error::TooManyTries`], [`Error::Busy`] where the
/// provider does not answer, [`Error::NotProved`] with its text.
pub async fn set_out(
    services: &Services,
    scope: &Scope,
    (provider, browser): (&ProviderId, BrowserKey),
    journey: &Journey,
) -> Result<String, Error> {
    let configured = redirecting(services, provider)?;
    let input = AuthInput::default();
    limit_tries(services, scope, (configured, &input)).await?;
    let errand = serde_json::to_string(journey).map_err(Error::internal)?;
    let identities = services.identities(configured, scope).seen_by(browser, Some(errand));
    match judge(configured.provider.authenticate(&input, &identities).await?) {
        Proof::Elsewhere(location) => Ok(location),
        Proof::Failed(reason) => Err(Error::NotProved(reason)),
        Proof::Proved(_) | Proof::External(_) => Err(Error::UnknownProvider),
    }
}

fn redirecting<'a>(services: &'a Services, provider: &ProviderId) -> Result<&'a Configured, Error> {
    let configured = services.provider(provider)?;
    if configured.flow == Flow::Redirect { Ok(configured) } else { Err(Error::UnknownProvider) }
}

/// Takes a browser back that comes from a provider: what journey it was on, as far as that is known, and what came of it.
pub async fn arrive(
    services: &Services,
    scope: &Scope,
    (provider, browser): (&ProviderId, BrowserKey),
    input: &AuthInput,
) -> (Option<Journey>, Result<Arrival, Error>) {
    let configured = match redirecting(services, provider) {
        Ok(configured) => configured,
        Err(error) => return (None, Err(error)),
    };
    if let Err(error) = limit_tries(services, scope, (configured, input)).await {
        return (None, Err(error));
    }
    let identities = services.identities(configured, scope).seen_by(browser, None);
    let answer = configured.provider.validate_callback(input, &identities).await;
    let journey = identities.errand().and_then(|errand| serde_json::from_str::<Journey>(&errand).ok());
    let proof = match answer {
        Ok(answer) => judge(answer),
        Err(error) => return (journey, Err(error.into())),
    };
    let arrival = match (&journey, proof) {
        (Some(journey), Proof::Proved(identity)) => {
            carry_out(services, scope, (configured, &identities), (&journey.errand, identity)).await
        }
        (Some(Journey { errand: Errand::LogIn { is_remembered }, .. }), Proof::External(user)) => {
            let entry = Entry { user: &user, provider, actor_type: USER, is_remembered: *is_remembered };
            open_for_guest(services, scope, &entry).await
        }
        (Some(Journey { errand: Errand::Rehearse, .. }), Proof::External(user)) => {
            let profile = Map::from_iter([("name".to_owned(), user.display_name().into())]);
            Ok(Arrival::Rehearsed(Rehearsal { entity_id: user.id, profile, decision: Decision::Guest }))
        }
        (_, Proof::Failed(reason)) => {
            let noted = note_failure(services, scope, (provider, &identities, input)).await;
            Err(noted.err().unwrap_or(Error::NotProved(reason)))
        }
        // A provider that believes in a browser which nobody has sent.
        _ => Err(Error::NotProved("No state provided, or session expired".to_owned())),
    };
    if let Err(Error::EmailNotVerified { email, .. }) = &arrival
        && let Err(error) = request_mail(services, scope, (MailRequest::ConfirmEmail, email)).await
    {
        return (journey, Err(error));
    }
    (journey, arrival)
}

/// Does what the browser was sent away for.
async fn carry_out(
    services: &Services,
    scope: &Scope,
    (configured, identities): (&Configured, &AuthIdentityProviderService),
    (errand, identity): (&Errand, AuthIdentity),
) -> Result<Arrival, Error> {
    if *errand == Errand::Rehearse {
        return rehearse(services, scope, (configured, &identity)).await.map(Arrival::Rehearsed);
    }
    match carry_out_once(services, scope, (configured, identities), (errand, &identity)).await {
        // Another request of the same person was first: theirs is what is stored now, or nothing is.
        Err(Error::Conflict | Error::Taken(_)) => {
            let identity = as_it_stands(identities, identity).await?;
            carry_out_once(services, scope, (configured, identities), (errand, &identity)).await
        }
        answer => answer,
    }
}

/// What is stored of an identity by now, with what is told of it now; where nothing is, it is somebody new, whosever it was.
pub(super) async fn as_it_stands(
    identities: &AuthIdentityProviderService,
    AuthIdentity { provider_identity: known, .. }: AuthIdentity,
) -> Result<AuthIdentity, Error> {
    match identities.retrieve(&known.entity_id).await? {
        Some(_) => Ok(identities.describe(&known.entity_id, known.user_metadata).await?),
        None => Ok(identities.create_anew(known)),
    }
}

async fn carry_out_once(
    services: &Services,
    scope: &Scope,
    (configured, identities): (&Configured, &AuthIdentityProviderService),
    (errand, identity): (&Errand, &AuthIdentity),
) -> Result<Arrival, Error> {
    match errand {
        Errand::LogIn { is_remembered } => {
            let named = resolve_user::ask(services, configured, identity).await?;
            let proved = (identity, *is_remembered, named.as_ref());
            come_in(services, scope, proved, identities).await.map(|logged_in| Arrival::LoggedIn(Box::new(logged_in)))
        }
        Errand::Link { session } => {
            connections::link(services, scope, session, (identity, identities)).await?;
            Ok(Arrival::Linked)
        }
        Errand::AcceptInvite(newcomer) => {
            let named = resolve_user::ask(services, configured, identity).await?;
            let proved = ((identity, named.as_ref()), identities);
            let accepted = accept_invite_by_provider(services, scope, newcomer, proved).await?;
            Ok(Arrival::LoggedIn(Box::new(accepted)))
        }
        Errand::Rehearse => rehearse(services, scope, (configured, identity)).await.map(Arrival::Rehearsed),
    }
}

async fn open_for_guest(services: &Services, scope: &Scope, entry: &Entry<'_>) -> Result<Arrival, Error> {
    let mut tx = services.platform.db.begin_relaxed().await?;
    let opened = external_user::open_session(services, scope, entry, &mut tx).await?;
    tx.commit().await?;
    Ok(Arrival::Guest(opened))
}

/// Asks all that a log-in asks, and writes nothing.
async fn rehearse(
    services: &Services,
    scope: &Scope,
    (configured, identity): (&Configured, &AuthIdentity),
) -> Result<Rehearsal, Error> {
    super::authority::asks_as_manager(scope)?;
    let own = &identity.provider_identity;
    let decision = match resolve_user::ask(services, configured, identity).await {
        Ok(Some(_)) => Decision::Guest,
        Ok(None) => would_decide(services, identity).await?,
        Err(Error::Refused) => Decision::Refused,
        Err(error) => return Err(error),
    };
    Ok(Rehearsal { entity_id: own.entity_id.clone(), profile: own.user_metadata.clone(), decision })
}

async fn would_decide(services: &Services, identity: &AuthIdentity) -> Result<Decision, Error> {
    let mut tx = services.platform.db.begin_relaxed().await?;
    if let Some(id) = identity.actor_id(USER) {
        let user = users::find(&services.platform.db, &crate::shared::UserId::new(id)).await?.ok_or(Error::NotFound)?;
        let is_off = user.disabled_at.is_some();
        return Ok(if is_off { Decision::Disabled } else { Decision::LogIn(user.email.to_string()) });
    }
    Ok(match create_user::decide(services, identity, &mut tx).await {
        Ok(Admission::Create(email)) => {
            Decision::Create { email: email.to_string(), is_verified: create_user::says_verified(identity) }
        }
        Ok(Admission::TakeOver(user)) if user.disabled_at.is_some() => Decision::Disabled,
        Ok(Admission::TakeOver(user)) => Decision::TakeOver(user.email.to_string()),
        Err(Error::NotLinked) => Decision::NotLinked,
        Err(Error::NoAddress) => Decision::NoAddress,
        Err(Error::RegistrationClosed) => Decision::RegistrationClosed,
        Err(Error::DomainNotAllowed) => Decision::DomainNotAllowed,
        Err(error) => return Err(error),
    })
}

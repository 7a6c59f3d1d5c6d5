//! Redirect: a browser is sent to a provider and comes back. Why it was sent (to log in, to link, to accept an invite, to
//! rehearse) is sealed into the state of the redirect, so that nobody can bend it on the way. Whatever comes back passes
//! the steps of every other way in; a refused person leaves no row.

use serde::{Deserialize, Serialize};

use super::{
    Error, LoggedIn, MailRequest, Services,
    accept_invite::Newcomer,
    accept_invite::accept_invite_by_provider,
    authority, connections, external_user,
    login::{Proof, come_in, judge, limit_tries, note_failure},
    rehearse::{Rehearsal, rehearse, rehearse_guest},
    request_mail, resolve_user,
};
use crate::{
    auth::{
        AuthIdentity, AuthIdentityProviderService, AuthInput, AuthResponse, BrowserKey, Configured, Flow, ProviderError,
    },
    events::Scope,
    platform::SecretToken,
    sessions::Opened,
    shared::{ProviderId, SessionId},
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
    /// Why nothing could be decided.
    RehearsalFailed(String),
}

/// Sends a browser to a provider; answers where to.
///
/// # Errors
/// [`Error::UnknownProvider`] where nobody is sent elsewhere by it, or not for this, [`Error::InviteEnded`] for what is no
/// invite's token, [`Error::TooManyTries`], [`Error::Busy`] where the provider does not answer, [`Error::NotProved`] with its
/// text, in a rehearsal with its reason.
pub async fn set_out(
    services: &Services,
    scope: &Scope,
    (provider, browser): (&ProviderId, BrowserKey),
    journey: &Journey,
) -> Result<String, Error> {
    let configured = redirecting(services, provider)?;
    may_set_out(configured, &journey.errand)?;
    let input = AuthInput::default();
    limit_tries(services, scope, (configured, &input)).await?;
    let errand = serde_json::to_string(journey).map_err(Error::internal)?;
    let identities = services.identities(configured, scope).seen_by(browser, Some(errand));
    let answer = match (configured.provider.authenticate(&input, &identities).await, &journey.errand) {
        (Err(error), Errand::Rehearse) => return Err(Error::NotProved(error.to_string())),
        (answer, _) => answer?,
    };
    let reason = answer.reason.clone().filter(|_| journey.errand == Errand::Rehearse);
    match judge(answer) {
        Proof::Elsewhere(elsewhere) => Ok(elsewhere.location),
        Proof::Failed(text) => Err(Error::NotProved(reason.unwrap_or(text))),
        Proof::Proved(_) | Proof::External(_) | Proof::ByMail(_) => Err(Error::UnknownProvider),
    }
}

/// Nobody is sent away for what can't come of it.
fn may_set_out(configured: &Configured, errand: &Errand) -> Result<(), Error> {
    match errand {
        Errand::Link { .. } | Errand::AcceptInvite(_) if !configured.provider.keeps_accounts() => {
            Err(Error::UnknownProvider)
        }
        Errand::AcceptInvite(newcomer) if SecretToken::parse(&newcomer.token).is_none() => Err(Error::InviteEnded),
        _ => Ok(()),
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
    if let Some(Journey { errand: Errand::Rehearse, .. }) = &journey {
        return (journey, rehearsed(services, scope, configured, answer).await);
    }
    let proof = match answer {
        Ok(answer) => judge(answer),
        Err(error) => return (journey, Err(error.into())),
    };
    let arrival = match (&journey, proof) {
        (Some(journey), Proof::Proved(identity)) => {
            carry_out(services, scope, (configured, &identities), (&journey.errand, identity)).await
        }
        (Some(Journey { errand: Errand::LogIn { is_remembered }, .. }), Proof::External(outsider)) => {
            let came_in = external_user::come_in(services, scope, configured, (outsider, *is_remembered)).await;
            came_in.map(Arrival::Guest)
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
    match carry_out_once(services, scope, (configured, identities), (errand, &identity)).await {
        // Another request of the same person was first: theirs is what is stored now, or nothing is.
        Err(Error::Conflict | Error::Taken(_)) => {
            let identity = as_it_stands((configured, identities), identity).await?;
            carry_out_once(services, scope, (configured, identities), (errand, &identity)).await
        }
        answer => answer,
    }
}

/// What is stored of an identity by now, with what is told of it now. Where nothing is, it is somebody new, whosever it was,
/// if the provider vouches for the new; what was kept here alone, such as a passkey, proves nothing any more.
pub(super) async fn as_it_stands(
    (configured, identities): (&Configured, &AuthIdentityProviderService),
    AuthIdentity { provider_identity: known, .. }: AuthIdentity,
) -> Result<AuthIdentity, Error> {
    identities.look_again();
    match identities.retrieve(&known.entity_id).await? {
        Some(_) => Ok(identities.describe(&known.entity_id, known.user_metadata).await?),
        None if configured.flow == Flow::Redirect => Ok(identities.create_anew(known)),
        None => Err(Error::NotProved("Authentication failed".to_owned())),
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
            let asked = resolve_user::ask(services, scope, (configured, identity)).await?;
            let proved = (identity, *is_remembered, &asked);
            come_in(services, scope, proved, identities).await.map(|logged_in| Arrival::LoggedIn(Box::new(logged_in)))
        }
        Errand::Link { session } => {
            connections::link(services, scope, session, (identity, identities)).await?;
            Ok(Arrival::Linked)
        }
        Errand::AcceptInvite(newcomer) => {
            let proved = ((configured, identity), identities);
            let accepted = accept_invite_by_provider(services, scope, newcomer, proved).await?;
            Ok(Arrival::LoggedIn(Box::new(accepted)))
        }
        // What would be decided is shown by `rehearsed`, and never done.
        Errand::Rehearse => Err(Error::Unauthorized),
    }
}

/// What a rehearsal shows to the one who may see it, trouble included; nothing is written.
async fn rehearsed(
    services: &Services,
    scope: &Scope,
    configured: &Configured,
    answer: Result<AuthResponse, ProviderError>,
) -> Result<Arrival, Error> {
    authority::asks_as_manager(scope)?;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Ok(Arrival::RehearsalFailed(error.to_string())),
    };
    let reason = answer.reason.clone();
    let decided = match judge(answer) {
        Proof::Proved(identity) => rehearse(services, scope, (configured, &identity)).await,
        Proof::External(outsider) => rehearse_guest(services, scope, configured, outsider).await,
        Proof::Failed(text) => Err(Error::NotProved(reason.unwrap_or(text))),
        Proof::Elsewhere(_) | Proof::ByMail(_) => Err(Error::UnknownProvider),
    };
    match decided {
        Ok(rehearsal) => Ok(Arrival::Rehearsed(rehearsal)),
        Err(error @ (Error::NotProved(_) | Error::Internal(_) | Error::Busy { .. })) => {
            Ok(Arrival::RehearsalFailed(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

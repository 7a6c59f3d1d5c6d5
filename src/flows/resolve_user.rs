//! The hook of the embedding application: after a provider that people are sent to has said who somebody is, and before
//! anything is written, the application may refuse them or name the user that the session is for. The account is kept
//! here all the same, so that it can be turned off; what applications are told is the hook's user. It is asked when all else
//! is decided: whoever is refused anyway is told to nobody, and whose account somebody would get is said. No transaction
//! is open meanwhile, so what was told is compared with what is done.

mod by_http;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Error, Services,
    create_user::Admission,
    external_user::Outsider,
    foresee::{Foreseen, foresee},
};
use crate::{
    auth::{AuthIdentity, Configured, Flow},
    events::Scope,
    platform::Tx,
    sessions,
    shared::{ExternalUser, ProviderId, SessionId, UserId},
    users::{self, User},
};

pub use by_http::HookSettings;

/// Why a hook could not answer; it is logged, and the person is let in by nobody.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

type Answer = Pin<Box<dyn Future<Output = Result<Resolution, HookError>> + Send>>;

/// What a provider has proved, for the application to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvedLogin {
    /// The account that it belongs to, or would from now on; `None` where there is none yet.
    pub user: Option<User>,
    /// The provider's id.
    pub provider: ProviderId,
    /// What the provider knows the person by.
    pub entity_id: String,
    /// What the provider says of the person.
    pub profile: Map<String, Value>,
    /// Whether there is no account yet: one would be created, or none is kept of the person.
    pub is_new_user: bool,
}

/// What the application says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The session is for the account, as without a hook.
    AsProved,
    /// The session is for this user.
    As(ExternalUser),
    /// They don't come in, and nothing is written.
    Refused,
}

/// The hook: asked at each log-in by a provider that people are sent to.
#[derive(Clone)]
pub struct ResolveUser(Arc<dyn Fn(ProvedLogin) -> Answer + Send + Sync>);

impl ResolveUser {
    /// Makes a hook of a function.
    pub fn new<F, A>(hook: F) -> Self
    where
        F: Fn(ProvedLogin) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Resolution, HookError>> + Send + 'static,
    {
        Self(Arc::new(move |login| Box::pin(hook(login))))
    }
}

impl fmt::Debug for ResolveUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResolveUser")
    }
}

/// What the hook was told of whom a log-in is, and whom it has named.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    told: Option<Told>,
    named: Option<ExternalUser>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    NewUser,
    Of(UserId),
}

impl Asked {
    /// Whom the session is for; `None` where it is for the account.
    pub fn named(&self) -> Option<&ExternalUser> {
        self.named.as_ref()
    }

    /// Whether what was told still holds where this is what becomes of an identity without a user.
    pub fn fits(&self, admission: &Admission) -> bool {
        let is = match admission {
            Admission::Create(_) => Told::NewUser,
            Admission::TakeOver(user) | Admission::Join(user) => Told::Of(user.id.clone()),
        };
        self.told.as_ref().is_none_or(|told| *told == is)
    }
}

/// Decides what will become of an identity, and asks the hook, if there is one, about whoever is not refused.
pub(super) async fn ask(
    services: &Services,
    scope: &Scope,
    (configured, identity): (&Configured, &AuthIdentity),
) -> Result<Asked, Error> {
    if hook_of(services, configured).is_none() {
        return Ok(Asked::default());
    }
    let foreseen = foresee(services, scope, identity).await?;
    if let Foreseen::LogIn(user) = &foreseen
        && foreseen.must_confirm(services, identity)
    {
        return Err(Error::EmailNotVerified { user: user.id.clone(), email: user.email.clone() });
    }
    ask_about(services, configured, identity, foreseen.user()).await
}

/// Asks the hook, if there is one, about an identity that is this user's, or is going to be.
pub(super) async fn ask_about(
    services: &Services,
    configured: &Configured,
    identity: &AuthIdentity,
    user: Option<&User>,
) -> Result<Asked, Error> {
    let Some(hook) = hook_of(services, configured) else { return Ok(Asked::default()) };
    let own = &identity.provider_identity;
    let login = ProvedLogin {
        is_new_user: user.is_none(),
        user: user.cloned(),
        provider: own.provider.clone(),
        entity_id: own.entity_id.clone(),
        profile: own.user_metadata.clone(),
    };
    let named = whom((hook, configured), login).await?;
    let named = named.filter(|named| user.is_none_or(|user| user.id.as_str() != named.id));
    Ok(Asked { told: Some(user.map_or(Told::NewUser, |user| Told::Of(user.id.clone()))), named })
}

/// Asks the hook, if there is one, about somebody of whom nothing is kept.
pub(super) async fn ask_about_guest(
    services: &Services,
    configured: &Configured,
    outsider: &Outsider,
) -> Result<Option<ExternalUser>, Error> {
    let Some(hook) = hook_of(services, configured) else { return Ok(None) };
    let login = ProvedLogin {
        user: None,
        provider: configured.id.clone(),
        entity_id: outsider.known_by().to_owned(),
        profile: outsider.profile(),
        is_new_user: true,
    };
    whom((hook, configured), login).await
}

fn hook_of<'a>(services: &'a Services, configured: &Configured) -> Option<&'a ResolveUser> {
    services.resolve_user.as_ref().filter(|_| configured.flow == Flow::Redirect)
}

/// The hook has not said whom a session is for.
#[derive(Debug, thiserror::Error)]
#[error("the application's hook, asked about a log-in by {provider}: {source}")]
struct Unclear {
    provider: ProviderId,
    source: HookError,
}

/// Whom the hook names; `None` where it lets them be.
async fn whom(
    (ResolveUser(hook), configured): (&ResolveUser, &Configured),
    login: ProvedLogin,
) -> Result<Option<ExternalUser>, Error> {
    let unclear = |source| Error::internal(Unclear { provider: configured.id.clone(), source });
    match hook(login).await.map_err(unclear)? {
        Resolution::AsProved => Ok(None),
        Resolution::Refused => Err(Error::Refused),
        Resolution::As(user) => {
            user.check().map_err(Error::internal)?;
            Ok(Some(user))
        }
    }
}

/// Names the user that a session is for, who must not be somebody else's account.
pub(super) async fn name(session: &SessionId, user: &ExternalUser, tx: &mut Tx) -> Result<(), Error> {
    if users::exists(tx, &UserId::new(user.id.as_str())).await? {
        tracing::error!(id = user.id, "the hook has named the account of somebody else");
        return Err(Error::NotProved("Authentication failed".to_owned()));
    }
    Ok(sessions::name_user(tx, session, user).await?)
}

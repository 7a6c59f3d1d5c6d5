//! The hook of the embedding application: after a provider that people are sent to has said who somebody is, and before
//! anything is written, the application may refuse them or name the user that the session is for. The account is kept
//! here all the same, so that it can be turned off; what applications are told is the hook's user.

mod by_http;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use serde_json::{Map, Value};

use super::{Error, Services, USER};
use crate::{
    auth::{AuthIdentity, Configured, Flow},
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
    /// The account that it belongs to; `None` where one would be created.
    pub user: Option<User>,
    /// The provider's id.
    pub provider: ProviderId,
    /// What the provider knows the person by.
    pub entity_id: String,
    /// What the provider says of the person.
    pub profile: Map<String, Value>,
    /// Whether an account would be created.
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

/// Asks the hook, if there is one; `None` where the session is for the account.
pub(super) async fn ask(
    services: &Services,
    configured: &Configured,
    identity: &AuthIdentity,
) -> Result<Option<ExternalUser>, Error> {
    let Some(ResolveUser(hook)) = services.resolve_user.as_ref().filter(|_| configured.flow == Flow::Redirect) else {
        return Ok(None);
    };
    let user = match identity.actor_id(USER) {
        Some(id) => users::find(&services.platform.db, &UserId::new(id)).await?,
        None => None,
    };
    let own = &identity.provider_identity;
    let login = ProvedLogin {
        is_new_user: user.is_none(),
        user,
        provider: own.provider.clone(),
        entity_id: own.entity_id.clone(),
        profile: own.user_metadata.clone(),
    };
    match hook(login).await.map_err(Error::Internal)? {
        Resolution::AsProved => Ok(None),
        Resolution::Refused => Err(Error::Refused),
        Resolution::As(user) => {
            user.check().map_err(Error::internal)?;
            Ok(Some(user).filter(|user| identity.actor_id(USER) != Some(user.id.as_str())))
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

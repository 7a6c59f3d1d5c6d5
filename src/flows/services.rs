//! What every flow works with: the platform, the configured providers and the operator's rules.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{Error, ResolveUser, Rules, USER};
use crate::{
    auth::{AuthIdentityProviderService, Configured, Flow, Registry, providers::PASSKEY},
    events::Scope,
    platform::{Bucket, Platform, ip_subject},
    shared::ProviderId,
};

/// What every flow works with; cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Database, clock, hasher and the other tools.
    pub platform: Platform,
    /// The configured providers.
    pub providers: Arc<Registry>,
    /// The operator's rules.
    pub rules: Arc<Rules>,
    /// The hook of the embedding application, if it has one.
    pub resolve_user: Option<ResolveUser>,
    /// Tells the job that somebody has asked for a mail.
    pub mail_requested: Arc<Notify>,
}

impl Services {
    /// The provider with this id, if people may use it.
    pub(super) fn provider(&self, id: &ProviderId) -> Result<&Configured, Error> {
        self.provider_of(USER, id)
    }

    /// The provider with this id, if accounts of this type may use it.
    ///
    /// # Errors
    /// [`Error::UnknownActorType`], [`Error::UnknownProvider`].
    pub fn provider_of(&self, actor_type: &str, id: &ProviderId) -> Result<&Configured, Error> {
        let actor = self.rules.actors.get(actor_type).ok_or(Error::UnknownActorType)?;
        if !actor.providers.iter().any(|allowed| allowed == id.as_str()) {
            return Err(Error::UnknownProvider);
        }
        self.providers.get(id).ok_or(Error::UnknownProvider)
    }

    /// Whether people are sent elsewhere by a provider; an unknown one sends nobody.
    pub(super) fn is_redirect(&self, id: &ProviderId) -> bool {
        self.providers.get(id).is_some_and(|provider| provider.flow == Flow::Redirect)
    }

    /// Whether an account may have several ways in by a provider, which are linked and unlinked one by one; none of an
    /// unknown provider is.
    pub(super) fn is_linked(&self, id: &ProviderId) -> bool {
        self.is_redirect(id) || self.providers.get(id).is_some_and(|provider| provider.identifier == PASSKEY)
    }

    /// Whether people prove by mail to a provider who they are; an unknown one mails nobody.
    pub(super) fn is_by_mail(&self, id: &ProviderId) -> bool {
        self.providers.get(id).is_some_and(|provider| provider.flow == Flow::Mail)
    }

    /// The identities of a provider, as this request may see them.
    pub(super) fn identities(&self, provider: &Configured, scope: &Scope) -> AuthIdentityProviderService {
        AuthIdentityProviderService::new(&self.platform, provider.id.clone(), scope.now)
    }

    /// Counts a try of somebody at something; too many are refused before any work is done.
    pub(super) async fn take(&self, scope: &Scope, tries: &[Bucket<'_>]) -> Result<(), Error> {
        Ok(self.platform.limits.take(scope.now, tries).await?)
    }
}

/// Under which name a client's tries are counted; requests without an address share one.
pub(super) fn client_subject(scope: &Scope) -> String {
    scope.client.ip.map_or_else(|| "unknown".to_owned(), ip_subject)
}

//! An issuer: what it says of itself (OpenID Connect Discovery 1.0) and the keys that it signs with, asked for when they
//! are needed first and kept for an hour. A document that names another issuer, or addresses without TLS, is refused.
//! One question at a time is on its way for each; whoever comes meanwhile waits for its answer.

use std::{sync::Arc, time::Duration};

use openidconnect::{
    AdditionalProviderMetadata, EndpointMaybeSet, EndpointNotSet, EndpointSet, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
        CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
        CoreResponseType, CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{ISSUER, key_set};
use crate::{
    auth::{
        InvalidOption,
        redirect::{Asker, Trouble, check_web_url},
    },
    platform::Timestamp,
};

/// How long what an issuer says is believed: a key that it withdraws is good for so long, at most.
const KEPT_FOR: Duration = Duration::from_hours(1);
/// How often keys are asked for before their time because of one that is not known: whoever sends forged tokens must not
/// make this server ask without end.
const ASKED_AGAIN_AFTER: Duration = Duration::from_mins(1);
/// Where an issuer says what it is.
const DOCUMENT: &str = "/.well-known/openid-configuration";

/// What an issuer says of itself.
pub type Metadata = ProviderMetadata<
    Extensions,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// This server as a client of the issuer.
pub type ClientThere =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What the standard has learnt since.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Extensions {
    /// Whether it says in each callback who it is (RFC 9207 §3).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extensions {}

/// An issuer, and what is known of it.
pub struct Issuer {
    url: String,
    asker: Asker,
    metadata: Mutex<Option<(Arc<Metadata>, Timestamp)>>,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    known: Option<(Arc<CoreJsonWebKeySet>, Timestamp)>,
    /// When an unknown key has made us ask before their time.
    asked_again: Option<Timestamp>,
}

/// Checks the URL of an issuer.
pub(super) fn check(url: &str) -> Result<(), InvalidOption> {
    if url.contains('?') {
        return Err(InvalidOption::new(ISSUER, "must hold no query"));
    }
    check_web_url(ISSUER, url).map(drop)
}

impl Issuer {
    /// The issuer of this URL; it is not asked for anything yet.
    pub fn new(url: &str) -> Result<Self, InvalidOption> {
        check(url)?;
        let asker = Asker::new(&[check_web_url(ISSUER, url)?]);
        let asker = asker.map_err(|error| InvalidOption::new(ISSUER, error.to_string()))?;
        Ok(Self { url: url.to_owned(), asker, metadata: Mutex::default(), keys: Mutex::default() })
    }

    /// By what it is asked.
    pub fn asker(&self) -> &Asker {
        &self.asker
    }

    /// What it says of itself.
    pub async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, Trouble> {
        let mut kept = self.metadata.lock().await;
        if let Some((metadata, _)) = kept.as_ref().filter(|(_, asked_at)| now.since(*asked_at) < KEPT_FOR) {
            return Ok(metadata.clone());
        }
        let document = self.asker.get(&format!("{}{DOCUMENT}", self.url.trim_end_matches('/')), None).await?;
        let metadata = Arc::new(self.read(document)?);
        *kept = Some((metadata.clone(), now));
        Ok(metadata)
    }

    fn read(&self, document: Value) -> Result<Metadata, Trouble> {
        let metadata: Metadata = serde_path_to_error::deserialize(document).map_err(|error| {
            Trouble::untrusted(format!("the issuer's document can't be read at `{}`", error.path()))
        })?;
        if metadata.issuer().as_str() != self.url {
            return Err(Trouble::untrusted("the issuer's document names another issuer"));
        }
        let Some(token_endpoint) = metadata.token_endpoint() else {
            return Err(Trouble::untrusted("the issuer's document names no token endpoint"));
        };
        let userinfo = metadata.userinfo_endpoint().map(|url| url.as_str());
        let asked = [metadata.authorization_endpoint().as_str(), token_endpoint.as_str(), metadata.jwks_uri().as_str()];
        for url in asked.into_iter().chain(userinfo) {
            self.asker.address(url)?;
        }
        Ok(metadata)
    }

    /// The keys that it signs with.
    pub async fn keys(&self, metadata: &Metadata, now: Timestamp) -> Result<Arc<CoreJsonWebKeySet>, Trouble> {
        let mut keys = self.keys.lock().await;
        if let Some((known, _)) = keys.known.as_ref().filter(|(_, asked_at)| now.since(*asked_at) < KEPT_FOR) {
            return Ok(known.clone());
        }
        let known = self.ask_for_keys(metadata).await?;
        keys.known = Some((known.clone(), now));
        Ok(known)
    }

    /// Its keys after these; none where they were asked for just now.
    pub async fn newer_keys(
        &self,
        metadata: &Metadata,
        (than, now): (&Arc<CoreJsonWebKeySet>, Timestamp),
    ) -> Result<Option<Arc<CoreJsonWebKeySet>>, Trouble> {
        let mut keys = self.keys.lock().await;
        if let Some((known, _)) = keys.known.as_ref().filter(|(known, _)| !Arc::ptr_eq(known, than)) {
            return Ok(Some(known.clone()));
        }
        if keys.asked_again.is_some_and(|asked_at| now.since(asked_at) < ASKED_AGAIN_AFTER) {
            return Ok(None);
        }
        // Before the answer: one that never comes counts, too.
        keys.asked_again = Some(now);
        let known = self.ask_for_keys(metadata).await?;
        keys.known = Some((known.clone(), now));
        Ok(Some(known))
    }

    async fn ask_for_keys(&self, metadata: &Metadata) -> Result<Arc<CoreJsonWebKeySet>, Trouble> {
        Ok(Arc::new(key_set::read(&self.asker.get(metadata.jwks_uri(), None).await?)?))
    }

    /// Compares who the callback says that it is from (RFC 9207 §2.4): an answer of one issuer must not be taken to another.
    pub fn check_sender(&self, metadata: &Metadata, sender: Option<&str>) -> Result<(), Trouble> {
        let is_promised = metadata.additional_metadata().authorization_response_iss_parameter_supported;
        match sender {
            Some(sender) if sender == self.url => Ok(()),
            Some(_) => Err(Trouble::untrusted("the callback is from another issuer")),
            None if is_promised => Err(Trouble::untrusted("the callback does not say which issuer it is from")),
            None => Ok(()),
        }
    }
}

/// Whether it takes the client's secret as RFC 6749 §2.3.1 wants it first; what says nothing does.
pub fn takes_secret_in_header(metadata: &Metadata) -> bool {
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes = |method: &CoreClientAuthMethod| methods.is_some_and(|methods| methods.contains(method));
    takes(&CoreClientAuthMethod::ClientSecretBasic) || !takes(&CoreClientAuthMethod::ClientSecretPost)
}

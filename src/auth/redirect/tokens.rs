//! What the other side has given to act for a person, and what becomes of who came back: an identity, or somebody of whom
//! nothing is kept. Tokens are kept only where the operator asks for it, and sealed.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Client, Profile, Trouble};
use crate::auth::{AuthIdentityProviderService, AuthResponse, ProviderError};

/// Under which key the provider metadata holds the sealed tokens.
const TOKENS: &str = "tokens";

/// What the other side has given.
#[derive(Clone, Default, Serialize)]
pub struct Tokens {
    /// Opens its API.
    pub access_token: String,
    /// Gets a new one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Says who the person is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// For how many seconds the first one is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_secs: Option<u64>,
}

impl Tokens {
    /// Lets in whom the other side has named.
    ///
    /// # Errors
    /// [`Trouble::Own`] if the identities can't be read.
    pub async fn admit(
        &self,
        client: &Client,
        profile: &Profile,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, Trouble> {
        if !client.is_persisted {
            // Of which nothing is stored, and by which the flow judges whether a guest may come in.
            let proved = identities.create(&profile.subject, Map::new(), profile.to_metadata())?;
            return Ok(AuthResponse::visiting(profile.to_external_user(), proved));
        }
        let subject = profile.subject.as_str();
        let known = identities.retrieve(subject).await?;
        let kept = if client.keeps_tokens { self.sealed(identities)? } else { Map::new() };
        if known.is_none() {
            return Ok(AuthResponse::authenticated(identities.create(subject, kept, profile.to_metadata())?));
        }
        if client.keeps_tokens {
            identities.update(subject, kept).await?;
        }
        // What is told now counts: an address that somebody had there may be somebody else's by now.
        Ok(AuthResponse::authenticated(identities.describe(subject, profile.to_metadata()).await?))
    }

    fn sealed(&self, identities: &AuthIdentityProviderService) -> Result<Map<String, Value>, Trouble> {
        let text = serde_json::to_string(self).map_err(ProviderError::internal)?;
        Ok(Map::from_iter([(TOKENS.to_owned(), json!(identities.seal(&text)))]))
    }
}

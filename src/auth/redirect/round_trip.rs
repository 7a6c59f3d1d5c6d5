//! A browser's way to another server and back. What it leaves with is kept for it alone, for 20 minutes, and is gone with
//! the first try to come back: a code that is played again finds nothing. Each way has a state, a nonce and a verifier of
//! its own, of 256 random bits each.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth2::{CsrfToken, PkceCodeVerifier, RedirectUrl};
use serde::{Deserialize, Serialize};

use super::{DENIED, FAILED, Trouble, client::redirect_url};
use crate::{
    auth::{AuthIdentityProviderService, AuthInput, ProviderError},
    platform::Entropy,
};

/// What is said where there is no code.
const NO_CODE: &str = "No code provided";
/// What is said where the state is missing, unknown, used, expired, or of another browser.
const NO_STATE: &str = "No state provided, or session expired";
/// The error by which the other side says that the person said no (RFC 6749 §4.1.2.1).
const ACCESS_DENIED: &str = "access_denied";
/// The random bytes of each secret.
const SECRET_BYTES: usize = 32;

/// What a browser leaves with.
#[derive(Serialize, Deserialize)]
pub struct RoundTrip {
    nonce: String,
    verifier: String,
    callback_url: String,
}

/// A browser that has come back.
pub struct Arrival {
    /// What it comes back with.
    pub code: String,
    /// Who the other side says that it is (RFC 9207).
    pub issuer: Option<String>,
    /// What it has left with.
    pub trip: RoundTrip,
}

impl RoundTrip {
    /// Lets a browser go, to come back to this URL; answers with the state that it takes along.
    ///
    /// # Errors
    /// [`Trouble::Own`] if nothing can be kept for it.
    pub async fn begin(
        entropy: &Entropy,
        callback_url: &str,
        identities: &AuthIdentityProviderService,
    ) -> Result<(Self, CsrfToken), Trouble> {
        let secret = || URL_SAFE_NO_PAD.encode(entropy.bytes::<SECRET_BYTES>());
        let trip = Self { nonce: secret(), verifier: secret(), callback_url: callback_url.to_owned() };
        let state = secret();
        let kept = serde_json::to_string(&trip).map_err(ProviderError::internal)?;
        identities.set_state(&state, &kept).await?;
        Ok((trip, CsrfToken::new(state)))
    }

    /// What the ID token must repeat.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// What proves that whoever brings the code is who has left (RFC 7636).
    pub fn verifier(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.verifier.clone())
    }

    /// Where the browser comes back to.
    ///
    /// # Errors
    /// [`Trouble::Own`] if it is no URL.
    pub fn callback_url(&self) -> Result<RedirectUrl, Trouble> {
        redirect_url(&self.callback_url)
    }
}

impl Arrival {
    /// Reads what a browser comes back with. Its state is used up, whatever else it brings.
    ///
    /// # Errors
    /// [`Trouble::Told`] where the other side says no, and where there is no code or no state.
    pub async fn read(input: &AuthInput, identities: &AuthIdentityProviderService) -> Result<Self, Trouble> {
        let value = |name: &str| input.query.get(name).or_else(|| input.body.get(name)).filter(|text| !text.is_empty());
        let kept = match value("state") {
            Some(state) => identities.get_state(state).await?,
            None => None,
        };
        if let Some(error) = value("error") {
            return Err(Trouble::Told(if error == ACCESS_DENIED { DENIED } else { FAILED }));
        }
        let code = value("code").ok_or(Trouble::Told(NO_CODE))?.clone();
        let kept = kept.ok_or(Trouble::Told(NO_STATE))?;
        let trip = serde_json::from_str(&kept).map_err(ProviderError::internal)?;
        Ok(Self { code, issuer: value("iss").cloned(), trip })
    }
}

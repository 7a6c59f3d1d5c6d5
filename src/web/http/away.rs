//! A browser that is away at a provider: the secret by which its state is its own and nobody else's, in a sealed cookie of
//! its own beside the session. Tabs share it, so that two may be away at once. Also the way in that was used last here.

use http::{HeaderMap, HeaderValue};

use super::sealed_cookie::SealedCookie;
use crate::{
    auth::BrowserKey,
    platform::{Entropy, Seal, SecretToken},
    shared::ProviderId,
};

/// The page from which a browser is sent to a provider by a form: one that posts may not be redirected to another site
/// (`form-action` of the content security policy), but a page may lead there.
pub const PAGE: &str = "/login/away";
/// Under which name that page is told where to.
pub const TOLD_AS: &str = "away";

/// As long as the state at the provider lasts.
const AWAY_SECS: u32 = 20 * 60;
/// Half a year.
const LAST_WAY_SECS: u32 = 180 * 24 * 3_600;

/// The cookies of a browser that goes to providers.
#[derive(Clone, Debug)]
pub struct AwayCookies {
    away: SealedCookie,
    last_way: SealedCookie,
}

impl AwayCookies {
    /// The cookies beside a session cookie of this name.
    pub fn beside(session_cookie: &str, is_secure: bool, seal: &Seal) -> Self {
        let cookie = |about| SealedCookie::beside((session_cookie, is_secure), about, seal.clone());
        Self { away: cookie(("away", AWAY_SECS)), last_way: cookie(("way", LAST_WAY_SECS)) }
    }

    /// The secret that a browser has already, if it has one.
    pub fn known(&self, headers: &HeaderMap) -> Option<String> {
        self.away.read(headers)
    }

    /// The key of a browser that is sent away, and the `Set-Cookie` by which it keeps it.
    pub fn set_out(&self, known: Option<String>, entropy: &Entropy) -> (BrowserKey, Option<HeaderValue>) {
        let secret = known.unwrap_or_else(|| SecretToken::generate(entropy).expose().to_owned());
        (BrowserKey::new(&secret), self.away.leave(&secret))
    }

    /// The key of a browser that comes back; one that has none has set no state.
    pub fn arrive(&self, headers: &HeaderMap) -> Option<BrowserKey> {
        self.known(headers).map(|secret| BrowserKey::new(&secret))
    }

    /// The `Set-Cookie` by which a browser keeps how it came in.
    pub fn came_in_by(&self, provider: &ProviderId) -> Option<HeaderValue> {
        self.last_way.leave(&provider.as_str())
    }

    /// How somebody came in by this browser last.
    pub fn last_way(&self, headers: &HeaderMap) -> Option<String> {
        self.last_way.read(headers)
    }
}

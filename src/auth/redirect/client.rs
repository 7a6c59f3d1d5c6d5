//! What this server is to the other one: a client with an id, a secret and a few callback URLs. A callback URL that is not
//! on the list is refused, character by character: the other side compares just as exactly (RFC 9700 §2.1).

use std::fmt;

use oauth2::{ClientId, ClientSecret, RedirectUrl};

use super::{OptionReader, Trouble, check_web_url};
use crate::auth::{AuthInput, Dependencies, InvalidOption, ProviderError};

/// The options that each provider knows to which people are sent.
pub const COMMON_OPTIONS: &[&str] = &[
    "callback_url",
    "callback_urls",
    "client_id",
    "client_secret",
    "display_name",
    "keep_tokens",
    "persist",
    "scopes",
];

/// The registration of this server at another one.
#[derive(Clone)]
pub struct Client {
    /// Its id there.
    pub id: ClientId,
    /// Its password there.
    pub secret: ClientSecret,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Whether people get accounts here.
    pub is_persisted: bool,
    /// Whether the other side's tokens are kept, sealed.
    pub keeps_tokens: bool,
    callback_url: String,
    callback_urls: Vec<String>,
}

impl Client {
    /// Checks the options without any connection.
    ///
    /// # Errors
    /// [`InvalidOption`] names the first one that is wrong.
    pub fn check(options: &OptionReader<'_>) -> Result<(), InvalidOption> {
        options.required("client_id")?;
        options.required("client_secret")?;
        options.text("display_name")?;
        let persists = options.flag("persist", true)?;
        if options.flag("keep_tokens", false)? && !persists {
            return Err(InvalidOption::new("keep_tokens", "nothing is kept where `persist` is false"));
        }
        if let Some(scope) = options.list("scopes")?.iter().find(|scope| !is_scope(scope)) {
            return Err(InvalidOption::new("scopes", format!("`{scope}` is no scope")));
        }
        options.text("callback_url")?.map(|url| check_web_url("callback_url", url)).transpose()?;
        options.list("callback_urls")?.iter().try_for_each(|url| check_web_url("callback_urls", url).map(drop))
    }

    /// Reads the options.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn new(
        dependencies: &Dependencies,
        options: &OptionReader<'_>,
        scopes: &[&str],
    ) -> Result<Self, InvalidOption> {
        Self::check(options)?;
        let own = format!("{}/auth/callback/{}", dependencies.public_url.trim_end_matches('/'), dependencies.id);
        let mut callback_urls: Vec<String> = options.list("callback_urls")?.into_iter().map(str::to_owned).collect();
        let callback_url = options.text("callback_url")?.map_or_else(|| own.clone(), str::to_owned);
        callback_urls.extend([own, callback_url.clone()]);
        let wanted = options.list("scopes")?;
        let wanted = if wanted.is_empty() { scopes } else { &wanted };
        Ok(Self {
            id: ClientId::new(options.required("client_id")?.to_owned()),
            secret: ClientSecret::new(options.required("client_secret")?.to_owned()),
            scopes: wanted.iter().map(|scope| (*scope).to_owned()).collect(),
            is_persisted: options.flag("persist", true)?,
            keeps_tokens: options.flag("keep_tokens", false)?,
            callback_url,
            callback_urls,
        })
    }

    /// Where the browser comes back to: the configured URL, or the one that the request names.
    ///
    /// # Errors
    /// [`ProviderError::InvalidData`] for one that is not on the list.
    pub fn callback_url(&self, input: &AuthInput) -> Result<&str, ProviderError> {
        let Some(wanted) = input.body.get("callback_url") else { return Ok(&self.callback_url) };
        let known = self.callback_urls.iter().find(|known| *known == wanted);
        known
            .map(String::as_str)
            .ok_or_else(|| ProviderError::InvalidData("The callback URL is not allowed.".to_owned()))
    }
}

/// The URL as it is sent, character by character.
pub(super) fn redirect_url(text: &str) -> Result<RedirectUrl, Trouble> {
    RedirectUrl::new(text.to_owned()).map_err(|error| ProviderError::internal(error).into())
}

/// A scope token of RFC 6749 §3.3.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

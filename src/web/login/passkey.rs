//! Logging in by a passkey: what the browser is to be asked, and what it has answered. The button that does both is an
//! island on `/login`, which a refused log-in goes back to.

use leptos::prelude::*;
use serde_json::Value;

use super::{FORM, let_in, refuse_unconfirmed};
use crate::{
    auth::AuthInput,
    flows::{self, LogIn},
    shared::{FormError, ProviderId},
    web::http::{
        form::{Call, Origin, current_call},
        next::OwnPath,
    },
};

/// Says what a browser is to be asked, so that somebody logs in by a passkey.
///
/// # Errors
/// A [`FormError`].
#[server(endpoint = "passkey-options")]
pub async fn passkey_options(
    /// The id of the provider.
    #[server(default)]
    provider: String,
) -> Result<Value, FormError> {
    let call = current_call()?;
    let asked = (&ProviderId::new(provider), call.browser_key());
    match flows::ask_for_passkey(call.services(), call.scope(), asked).await {
        Ok(options) => Ok(options),
        Err(error) => call.refuse_for(Origin::new(FORM, "/login"), error).map(|()| Value::Null),
    }
}

/// Logs a person in by a passkey.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/login`.
#[server(endpoint = "login-with-passkey")]
pub async fn login_with_passkey(
    /// The id of the provider.
    #[server(default)]
    provider: String,
    /// What the browser has answered.
    #[server(default)]
    credential: String,
    /// Whether to stay logged in when the browser is closed.
    #[server(default)]
    remember: Option<String>,
    /// Where to go on: a path of this site.
    #[server(default)]
    next: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let input = AuthInput { body: [("credential".to_owned(), credential)].into(), ..AuthInput::default() };
    let provider = ProviderId::new(provider);
    let wanted =
        LogIn { provider, input, is_remembered: remember.is_some(), next: None, browser: Some(call.browser_key()) };
    log_in(&call, &wanted, OwnPath::parse(&next)).await
}

async fn log_in(call: &Call, wanted: &LogIn, next: Option<OwnPath>) -> Result<(), FormError> {
    let page = next.as_ref().map_or_else(|| "/login".to_owned(), |next| format!("/login?next={}", next.in_query()));
    let origin = Origin::new(FORM, page);
    match flows::log_in(call.services(), call.scope(), wanted).await {
        Ok(outcome) => {
            if let_in(call, &wanted.provider, (outcome, next)).await? {
                return Ok(());
            }
            call.refuse(origin, FormError::PasskeyRefused)
        }
        Err(flows::Error::EmailNotVerified { user, email }) => refuse_unconfirmed(call, user, email),
        // Used at the same moment in another place.
        Err(flows::Error::NotProved(_) | flows::Error::Conflict | flows::Error::UnknownProvider) => {
            call.refuse(origin, FormError::PasskeyRefused)
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

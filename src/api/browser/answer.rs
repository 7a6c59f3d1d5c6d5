//! What the browser flow reads of a request, and which code says what went wrong.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName};

use crate::{
    api::forward,
    flows,
    shared::{FormError, SignInError},
    web::{http::next::OwnPath, state::Site},
};

const RETURN_REDIRECT: HeaderName = HeaderName::from_static("x-auth-return-redirect");

/// Whether a script asks for the address in place of a redirect.
pub(super) fn wants_url(headers: &HeaderMap, fields: &BTreeMap<String, String>) -> bool {
    headers.contains_key(RETURN_REDIRECT) || fields.get("json").is_some_and(|json| json == "true")
}

/// Whether another site has put this address into a page of its own, as a picture or a frame: nobody goes anywhere by that,
/// and it would spend the tries of whoever looks at that page (Fetch Metadata).
pub(super) fn is_embedded(headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_foreign = said("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    is_foreign && said("sec-fetch-dest") != Some("document")
}

/// Where a browser wants to go on: a path of this site, or an application behind the door.
pub(super) fn next_of(site: &Site, fields: &BTreeMap<String, String>) -> Option<OwnPath> {
    let asked = fields.get("callbackUrl").or_else(|| fields.get("callback_url")).or_else(|| fields.get("next"))?;
    OwnPath::parse(asked).or_else(|| forward::way_back(site, asked))
}

/// The code of a refusal, and what the page says of it.
pub(super) fn refusal_of(error: flows::Error) -> (SignInError, FormError) {
    use flows::Error as Fact;
    match error {
        Fact::NotLinked => (SignInError::OAuthAccountNotLinked, FormError::NotLinked),
        Fact::LinkedElsewhere => (SignInError::OAuthAccountNotLinked, FormError::LinkedElsewhere),
        Fact::NoAddress => (SignInError::OAuthCallbackError, FormError::NoAddress),
        Fact::Refused => (SignInError::AccessDenied, FormError::Refused),
        Fact::Disabled => (SignInError::AccessDenied, FormError::Disabled),
        Fact::RegistrationClosed => (SignInError::AccessDenied, FormError::RegistrationClosed),
        Fact::DomainNotAllowed => (SignInError::AccessDenied, FormError::DomainNotAllowed),
        Fact::Unauthorized => (SignInError::AccessDenied, FormError::Unauthorized),
        Fact::Forbidden => (SignInError::AccessDenied, FormError::Forbidden),
        Fact::WrongAccount => (SignInError::AccessDenied, FormError::WrongAccount),
        Fact::HasAccount => (SignInError::AccessDenied, FormError::HasAccount),
        Fact::InviteEnded => (SignInError::AccessDenied, FormError::InviteEnded),
        Fact::EmailNotVerified { .. } => (SignInError::Verification, FormError::EmailNotVerified),
        Fact::UnknownProvider | Fact::UnknownActorType => (SignInError::Configuration, FormError::ProviderFailed),
        Fact::TooManyTries { retry_after_secs } => {
            (SignInError::OAuthCallbackError, FormError::RateLimited { retry_after_secs })
        }
        Fact::Internal(source) => {
            tracing::error!(error = %source, "a log-in by a provider failed");
            (SignInError::OAuthCallbackError, FormError::ProviderFailed)
        }
        _ => (SignInError::OAuthCallbackError, FormError::ProviderFailed),
    }
}

//! Proof by mail: a provider says that whoever reads the mail of an address is who they claim to be, and how the mail
//! proves it; the flows write the mail, and tell the provider once somebody has come back by it. Shared by the providers of
//! mailed links and mailed codes.

use std::{ops::RangeInclusive, time::Duration};

use serde_json::{Map, Value};

use super::{AuthIdentityProviderService, AuthInput, AuthResponse, InvalidOption, Options, ProviderError};
use crate::{platform::duration_text, shared::EmailAddress};

/// How long link and code live where nobody says otherwise.
const LIFETIME: Duration = Duration::from_mins(15);
/// The shortest and the longest life: mail takes its time, and whoever opens it a day later has asked again by then.
const BOUNDS: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24);

/// What is to be mailed to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailedProof {
    /// The address.
    pub email: EmailAddress,
    /// Whether the mail has a link beside the code.
    pub has_link: bool,
    /// How long both live.
    pub lifetime: Duration,
}

impl MailedProof {
    /// A mail with a link, and a code for another device.
    pub fn link(email: EmailAddress) -> Self {
        Self { email, has_link: true, lifetime: LIFETIME }
    }

    /// A mail with a code alone.
    pub fn code(email: EmailAddress) -> Self {
        Self { has_link: false, ..Self::link(email) }
    }

    /// The same, for so long.
    #[must_use]
    pub fn lasting(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }
}

/// Reads `lifetime` from the options of a provider that knows no other, but what it is called.
pub(super) fn lifetime_in(options: &Options) -> Result<Duration, InvalidOption> {
    for (name, value) in options {
        match (name.as_str(), value) {
            ("lifetime" | "display_name", Value::String(_)) => {}
            ("lifetime" | "display_name", _) => return Err(InvalidOption::new(name, "must be text")),
            _ => return Err(InvalidOption::new(name, "unknown, known are: lifetime, display_name")),
        }
    }
    let Some(text) = options.get("lifetime").and_then(Value::as_str) else { return Ok(LIFETIME) };
    let lifetime = duration_text::parse(text).map_err(|reason| InvalidOption::new("lifetime", reason))?;
    if BOUNDS.contains(&lifetime) { Ok(lifetime) } else { Err(InvalidOption::new("lifetime", "must be 1m to 24h")) }
}

/// Asks for a mail to the address that somebody has typed.
pub(super) fn ask(
    input: &AuthInput,
    mail: impl FnOnce(EmailAddress) -> MailedProof,
) -> Result<AuthResponse, ProviderError> {
    let Some(typed) = input.body.get("email") else { return Ok(AuthResponse::refused("Email should be a string")) };
    let invalid = |_| ProviderError::InvalidData("The e-mail address is not valid.".to_owned());
    Ok(AuthResponse::by_mail(mail(EmailAddress::parse(typed).map_err(invalid)?)))
}

/// Whoever reads the mail of an address: known by it, or new.
pub(super) async fn identity_behind(identities: &AuthIdentityProviderService) -> Result<AuthResponse, ProviderError> {
    let Some(email) = identities.proved_address() else { return Ok(AuthResponse::refused("Invalid token")) };
    if let Some(known) = identities.retrieve(email.as_str()).await? {
        return Ok(AuthResponse::authenticated(known));
    }
    // The address itself is what the identity is known by, and follows the account when that gets another.
    let told = Map::from_iter([("email_verified".to_owned(), Value::Bool(true))]);
    Ok(AuthResponse::authenticated(identities.create(email.as_str(), Map::new(), told)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(options: &Value) -> Result<Duration, InvalidOption> {
        lifetime_in(options.as_object().unwrap())
    }

    #[test]
    fn an_option_that_is_none_is_refused_by_name() {
        for (options, option) in [
            (json!({ "subject": "Hello" }), "subject"),
            (json!({ "lifetime": 15 }), "lifetime"),
            (json!({ "lifetime": "soon" }), "lifetime"),
            (json!({ "lifetime": "59s" }), "lifetime"),
            (json!({ "lifetime": "25h" }), "lifetime"),
            (json!({ "display_name": true }), "display_name"),
        ] {
            assert_eq!(read(&options).unwrap_err().option, option, "{options}");
        }
    }

    #[test]
    fn a_lifetime_is_taken_from_the_options() {
        assert_eq!(read(&json!({})), Ok(LIFETIME));
        assert_eq!(read(&json!({ "lifetime": "5m", "display_name": "a letter" })), Ok(Duration::from_mins(5)));
    }
}

//! `email-link`: a link that is mailed, which is followed in place of typing a password. It looks at nobody before
//! the mail has come back, so that asking tells nothing.

use std::time::Duration;

use crate::auth::{
    AuthIdentityProviderService, AuthInput, AuthProvider, AuthResponse, Dependencies, Flow, InputField, InvalidOption,
    MailedProof, Options, ProviderError,
    by_mail::{ask, identity_behind, lifetime_in},
};

/// A mailed link.
pub struct EmailLink {
    lifetime: Duration,
}

impl AuthProvider for EmailLink {
    const IDENTIFIER: &'static str = "email-link";
    const DISPLAY_NAME: &'static str = "a mailed link";
    const FLOW: Flow = Flow::Mail;
    const FIELDS: &'static [InputField] = &[InputField::email("email", "E-mail")];

    fn validate_options(options: &Options) -> Result<(), InvalidOption> {
        lifetime_in(options).map(drop)
    }

    fn new(_dependencies: Dependencies, options: &Options) -> Result<Self, InvalidOption> {
        Ok(Self { lifetime: lifetime_in(options)? })
    }

    async fn authenticate(
        &self,
        input: &AuthInput,
        _identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        ask(input, |email| MailedProof::link(email).lasting(self.lifetime))
    }

    async fn validate_callback(
        &self,
        _input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        identity_behind(identities).await
    }
}

//! `google`: people of Google, an OpenID Connect provider whose issuer is known. `hosted_domain` keeps it to those of one
//! organisation: what Google signs says so, an address at that domain does not.

use super::oidc::{Oidc, Rules};
use crate::auth::{
    AuthIdentityProviderService, AuthInput, AuthProvider, AuthResponse, Dependencies, Flow, InputField, InvalidOption,
    Options, ProviderError,
    redirect::{COMMON_OPTIONS, Client, OptionReader, check_web_url},
};

/// Who Google says that it is.
const GOOGLE: &str = "https://accounts.google.com";
const ISSUER: &str = "issuer";
const HOSTED_DOMAIN: &str = "hosted_domain";
/// The claim that names the organisation.
const ORGANISATION: &str = "hd";

/// People of Google.
#[derive(Debug)]
pub struct Google(Oidc);

fn read(options: &Options) -> Result<OptionReader<'_>, InvalidOption> {
    OptionReader::of(options, &[COMMON_OPTIONS, &[HOSTED_DOMAIN, ISSUER]])
}

impl AuthProvider for Google {
    const IDENTIFIER: &'static str = "google";
    const DISPLAY_NAME: &'static str = "Google";
    const FLOW: Flow = Flow::Redirect;
    const FIELDS: &'static [InputField] = &[];

    fn validate_options(options: &Options) -> Result<(), InvalidOption> {
        let options = read(options)?;
        check_web_url(ISSUER, options.url(ISSUER, GOOGLE)?)?;
        match options.text(HOSTED_DOMAIN)? {
            Some(domain) if domain.contains(['@', '*', '/', ' ']) || !domain.contains('.') => {
                Err(InvalidOption::new(HOSTED_DOMAIN, "must be a domain such as `example.org`"))
            }
            _ => Client::check(&options),
        }
    }

    fn new(dependencies: Dependencies, options: &Options) -> Result<Self, InvalidOption> {
        let options = read(options)?;
        let domain = options.text(HOSTED_DOMAIN)?.map(str::to_ascii_lowercase);
        let organisation: Vec<_> = domain.into_iter().map(|domain| (ORGANISATION, domain)).collect();
        let rules = Rules { extra: organisation.clone(), claims: organisation };
        Oidc::of(dependencies, (&options, options.url(ISSUER, GOOGLE)?), rules).map(Self)
    }

    fn keeps_accounts(&self) -> bool {
        self.0.keeps_accounts()
    }

    async fn authenticate(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        self.0.authenticate(input, identities).await
    }

    async fn validate_callback(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        self.0.validate_callback(input, identities).await
    }
}

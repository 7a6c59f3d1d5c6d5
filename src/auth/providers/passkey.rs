//! `passkey`: keys that people's devices keep, which they use by finger, face or the code of the device. Who logs in types
//! nothing, and an unknown passkey is refused. None is made of somebody who is not logged in.

use serde_json::{Map, json};

use crate::{
    auth::{
        AuthIdentityProviderService, AuthInput, AuthProvider, AuthResponse, Dependencies, Holder, InputField,
        InvalidOption, Options, ProviderError,
        passkey::{Begun, Ceremonies, NAME, Refusal, Sent, Stored},
        redirect::OptionReader,
    },
    platform::Clock,
    shared::ProviderId,
};

const OPTIONS: &[&str] = &["display_name", "rp_id", "rp_name"];
/// Who asks, as the browser shows it, unless the operator says otherwise.
const RP_NAME: &str = "Latchkey";
/// What is said of every passkey that is not taken; why, is for the log.
const FAILED: &str = "Authentication failed";
/// What is said where the challenge is unknown, used, expired, or of another browser.
const NO_CHALLENGE: &str = "No state provided, or session expired";
/// What is said to whoever wants to register by one.
const NOT_FIRST: &str = "A passkey is added by who is logged in";
/// Under which field what the browser answered is sent.
const CREDENTIAL: &str = "credential";

/// Keys that people's devices keep.
pub struct Passkey {
    id: ProviderId,
    clock: Clock,
    location: String,
    ceremonies: Ceremonies,
}

impl AuthProvider for Passkey {
    const IDENTIFIER: &'static str = "passkey";
    const DISPLAY_NAME: &'static str = "Passkey";
    const FIELDS: &'static [InputField] = &[];

    fn validate_options(options: &Options) -> Result<(), InvalidOption> {
        let options = OptionReader::of(options, &[OPTIONS])?;
        OPTIONS.iter().try_for_each(|name| options.text(name).map(drop))
    }

    fn new(dependencies: Dependencies, options: &Options) -> Result<Self, InvalidOption> {
        let options = OptionReader::of(options, &[OPTIONS])?;
        let Dependencies { id, clock, public_url, .. } = dependencies;
        let rp_name = options.text("rp_name")?.unwrap_or(RP_NAME);
        let ceremonies = Ceremonies::new(&public_url, options.text("rp_id")?, rp_name)?;
        Ok(Self { location: format!("{public_url}/login?with={id}"), id, clock, ceremonies })
    }

    async fn authenticate(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        if input.body.contains_key(CREDENTIAL) {
            return self.validate_callback(input, identities).await;
        }
        let Begun { options, challenge, state } = self.ceremonies.begin_proving()?;
        identities.set_state(&key_of_proof(&challenge), &state).await?;
        Ok(AuthResponse::ask(self.location.as_str(), options))
    }

    async fn register(
        &self,
        _input: &AuthInput,
        _identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        Ok(AuthResponse::refused(NOT_FIRST))
    }

    async fn link(
        &self,
        holder: &Holder,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let Some(credential) = input.body.get(CREDENTIAL) else {
            let Begun { options, challenge, state } = self.ceremonies.begin_making(holder)?;
            identities.set_state(&key_of_making(&challenge), &state).await?;
            return Ok(AuthResponse { options: Some(options), ..AuthResponse::default() });
        };
        let Some(sent) = Sent::read(credential) else { return Ok(AuthResponse::refused(FAILED)) };
        let Some(state) = identities.get_state(&key_of_making(&sent.challenge)).await? else {
            return Ok(AuthResponse::refused(NO_CHALLENGE));
        };
        let stored = match self.ceremonies.end_making(holder, &sent, &state) {
            Ok(stored) => stored,
            Err(refusal) => return Ok(self.refuse(&refusal)),
        };
        let name = input.body.get(NAME).map_or("", String::as_str);
        let told = Map::from_iter([(NAME.to_owned(), json!(name))]);
        Ok(AuthResponse::authenticated(identities.create(&sent.id, stored.to_metadata()?, told)?))
    }

    async fn validate_callback(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let Some(sent) = input.body.get(CREDENTIAL).and_then(|credential| Sent::read(credential)) else {
            return Ok(AuthResponse::refused(FAILED));
        };
        // Whatever comes of it, the challenge is used.
        let Some(state) = identities.get_state(&key_of_proof(&sent.challenge)).await? else {
            return Ok(AuthResponse::refused(NO_CHALLENGE));
        };
        let Some(known) = identities.retrieve(&sent.id).await? else { return Ok(AuthResponse::refused(FAILED)) };
        let stored = Stored::read(known.provider_identity.provider_metadata)?;
        match self.ceremonies.end_proving(&sent, &state, (stored, self.clock.now())) {
            Ok(stored) => {
                let identity = identities.update(&sent.id, stored.to_metadata()?).await?;
                Ok(AuthResponse::authenticated(identity))
            }
            Err(refusal) => Ok(self.refuse(&refusal)),
        }
    }
}

impl Passkey {
    /// As values and not as texts: written out, no line break of the other side stays one.
    fn refuse(&self, refusal: &Refusal) -> AuthResponse {
        match refusal {
            Refusal::Copied => {
                tracing::warn!(provider = %self.id, "the counter of a passkey went back: there may be a copy of it");
            }
            Refusal::Unfit(reason) => tracing::info!(provider = %self.id, reason, "a passkey is not taken"),
        }
        AuthResponse::refused(FAILED)
    }
}

/// What proves somebody can't make a passkey, nor the other way round.
fn key_of_proof(challenge: &str) -> String {
    format!("prove {challenge}")
}

fn key_of_making(challenge: &str) -> String {
    format!("make {challenge}")
}

//! `oidc`: any OpenID Connect provider, by its issuer (OpenID Connect Core 1.0 and Discovery 1.0, code flow with PKCE and
//! nonce). Refuses an ID token that is not signed by a key of the issuer, for this client, for this browser's way and
//! now. A person is who the issuer's `sub` names; the address proves nothing but what `email_verified` says.

mod id_token;
mod issuer;
mod key_set;

use std::fmt;

use oauth2::{AccessToken, AuthType, AuthorizationCode, PkceCodeChallenge, Scope};
use openidconnect::{
    Nonce, OAuth2TokenResponse, TokenResponse,
    core::{CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreTokenResponse},
};
use serde_json::{Map, Value};

use crate::{
    auth::{
        AuthIdentityProviderService, AuthInput, AuthProvider, AuthResponse, Dependencies, Flow, InputField,
        InvalidOption, Options, ProviderError,
        redirect::{Arrival, Asker, COMMON_OPTIONS, Client, OptionReader, Profile, RoundTrip, Tokens, Trouble},
    },
    platform::{Clock, Entropy},
    shared::ProviderId,
};
use id_token::{Expected, Rejected};
use issuer::{Issuer, Metadata};

/// What is asked for unless the operator says otherwise.
const SCOPES: &[&str] = &["email", "profile"];
/// Is asked for always, by the crate.
const OPENID: &str = "openid";
const ISSUER: &str = "issuer";

/// People of any OpenID Connect provider.
pub struct Oidc {
    id: ProviderId,
    clock: Clock,
    entropy: Entropy,
    client: Client,
    issuer: Issuer,
    rules: Rules,
}

/// What a kind of provider wants beyond the standard.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// What is sent along to where people log in.
    pub extra: Vec<(&'static str, String)>,
    /// Claims that must have this value.
    pub claims: Vec<(&'static str, String)>,
}

impl AuthProvider for Oidc {
    const IDENTIFIER: &'static str = "oidc";
    const DISPLAY_NAME: &'static str = "OpenID";
    const FLOW: Flow = Flow::Redirect;
    const FIELDS: &'static [InputField] = &[];

    fn validate_options(options: &Options) -> Result<(), InvalidOption> {
        let options = OptionReader::of(options, &[COMMON_OPTIONS, &[ISSUER]])?;
        issuer::check(options.required(ISSUER)?)?;
        Client::check(&options)
    }

    fn new(dependencies: Dependencies, options: &Options) -> Result<Self, InvalidOption> {
        let options = OptionReader::of(options, &[COMMON_OPTIONS, &[ISSUER]])?;
        Self::of(dependencies, (&options, options.required(ISSUER)?), Rules::default())
    }

    fn keeps_accounts(&self) -> bool {
        self.client.is_persisted
    }

    async fn authenticate(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let left = Asker::within_limit(self.send_away(input, identities)).await;
        left.or_else(|trouble| trouble.answer(&self.id))
    }

    async fn validate_callback(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let arrived = Asker::within_limit(self.take_back(input, identities)).await;
        arrived.or_else(|trouble| trouble.answer(&self.id))
    }
}

impl Oidc {
    /// One whose options were read by the kind of provider that it is.
    pub(super) fn of(
        dependencies: Dependencies,
        (options, issuer): (&OptionReader<'_>, &str),
        rules: Rules,
    ) -> Result<Self, InvalidOption> {
        let client = Client::new(&dependencies, options, SCOPES)?;
        let issuer = Issuer::new(issuer)?;
        let Dependencies { id, clock, entropy, .. } = dependencies;
        Ok(Self { id, clock, entropy, client, issuer, rules })
    }

    async fn send_away(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, Trouble> {
        let callback_url = self.client.callback_url(input)?;
        let metadata = self.issuer.metadata(self.clock.now()).await?;
        let (trip, state) = RoundTrip::begin(&self.entropy, callback_url, identities).await?;
        let client = self.client_of(&metadata).set_redirect_uri(trip.callback_url()?);
        let nonce = Nonce::new(trip.nonce().to_owned());
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&trip.verifier()));
        for scope in self.client.scopes.iter().filter(|scope| *scope != OPENID) {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        for (name, value) in &self.rules.extra {
            request = request.add_extra_param(*name, value.clone());
        }
        let (url, ..) = request.url();
        Ok(AuthResponse::redirect(url))
    }

    async fn take_back(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, Trouble> {
        let arrival = Arrival::read(input, identities).await?;
        let metadata = self.issuer.metadata(self.clock.now()).await?;
        self.issuer.check_sender(&metadata, arrival.issuer.as_deref())?;
        let answer = self.exchange(&metadata, &arrival).await?;
        let id_token = answer.id_token().ok_or_else(|| Trouble::untrusted("there is no ID token"))?;
        let claims = self.verify(&metadata, id_token, (&arrival.trip, answer.access_token())).await?;
        let mut profile = Profile::of_claims(&claims)?;
        if !profile.has_email() {
            profile = self.complete(profile, &metadata, answer.access_token()).await?;
        }
        tokens_of(&answer).admit(&self.client, &profile, identities).await
    }

    async fn exchange(&self, metadata: &Metadata, arrival: &Arrival) -> Result<CoreTokenResponse, Trouble> {
        let auth_type =
            if issuer::takes_secret_in_header(metadata) { AuthType::BasicAuth } else { AuthType::RequestBody };
        let callback_url = arrival.trip.callback_url()?;
        let client = self.client_of(metadata).set_redirect_uri(callback_url).set_auth_type(auth_type);
        let request = client
            .exchange_code(AuthorizationCode::new(arrival.code.clone()))
            .map_err(Trouble::untrusted)?
            .set_pkce_verifier(arrival.trip.verifier());
        Ok(request.request_async(self.issuer.asker()).await?)
    }

    /// A key that is not known may be a new one: the keys are asked for once more, now and then.
    async fn verify(
        &self,
        metadata: &Metadata,
        id_token: &CoreIdToken,
        (trip, access_token): (&RoundTrip, &AccessToken),
    ) -> Result<Map<String, Value>, Trouble> {
        let now = self.clock.now();
        let expected = Expected { client_id: &self.client.id, metadata, nonce: trip.nonce(), access_token, now };
        let keys = self.issuer.keys(metadata, now).await?;
        let verified = match id_token::verify(id_token, &keys, &expected) {
            Err(Rejected::UnknownKey) => match self.issuer.newer_keys(metadata, (&keys, now)).await? {
                Some(keys) => id_token::verify(id_token, &keys, &expected),
                None => Err(Rejected::UnknownKey),
            },
            verified => verified,
        };
        let claims = verified.map_err(Trouble::untrusted)?;
        let wrong =
            self.rules.claims.iter().find(|(name, value)| claims.get(*name).and_then(Value::as_str) != Some(value));
        match wrong {
            Some((name, _)) => Err(Trouble::untrusted(format!("the claim `{name}` is not what it must be"))),
            None => Ok(claims),
        }
    }

    /// What the ID token does not say, the issuer is asked for (OpenID Connect Core §5.3). Whoever it names must be the same.
    async fn complete(&self, known: Profile, metadata: &Metadata, token: &AccessToken) -> Result<Profile, Trouble> {
        let Some(url) = metadata.userinfo_endpoint() else { return Ok(known) };
        let answer = self.issuer.asker().get(url, Some(token)).await?;
        let claims = answer.as_object().ok_or_else(|| Trouble::untrusted("the userinfo is no object"))?;
        let more = Profile::of_claims(claims)?;
        if more.subject != known.subject {
            return Err(Trouble::untrusted("the userinfo is somebody else's"));
        }
        Ok(known.completed_by(more))
    }

    fn client_of(&self, metadata: &Metadata) -> issuer::ClientThere {
        CoreClient::from_provider_metadata(metadata.clone(), self.client.id.clone(), Some(self.client.secret.clone()))
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc").field("id", &self.id).field("client", &self.client).finish_non_exhaustive()
    }
}

fn tokens_of(answer: &CoreTokenResponse) -> Tokens {
    Tokens {
        access_token: answer.access_token().secret().clone(),
        refresh_token: answer.refresh_token().map(|token| token.secret().clone()),
        id_token: answer.id_token().map(ToString::to_string),
        expires_in_secs: answer.expires_in().map(|time| time.as_secs()),
    }
}

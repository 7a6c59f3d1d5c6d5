//! `github`: people of GitHub, which speaks OAuth 2.0 and tells by its API who they are. They are known by their number,
//! which is theirs for ever, and not by a name that somebody else may take later. The address is the primary one, if
//! GitHub has verified it; an address of the public profile proves nothing and is not looked at.

use std::fmt;

use oauth2::{
    AccessToken, AuthUrl, AuthorizationCode, EndpointNotSet, EndpointSet, PkceCodeChallenge, Scope, TokenResponse,
    TokenUrl,
    basic::{BasicClient, BasicTokenResponse},
};
use serde_json::{Map, Value, json};

use crate::{
    auth::{
        AuthIdentityProviderService, AuthInput, AuthProvider, AuthResponse, Dependencies, Flow, InputField,
        InvalidOption, Options, ProviderError,
        redirect::{
            Arrival, Asker, COMMON_OPTIONS, Client, OptionReader, Profile, RoundTrip, Tokens, Trouble, check_web_url,
        },
    },
    platform::Entropy,
    shared::ProviderId,
};

/// What is asked for unless the operator says otherwise: who they are, and their addresses.
const SCOPES: &[&str] = &["read:user", "user:email"];
const AUTHORIZATION_URL: (&str, &str) = ("authorization_url", "https://github.com/login/oauth/authorize");
const TOKEN_URL: (&str, &str) = ("token_url", "https://github.com/login/oauth/access_token");
const API_URL: (&str, &str) = ("api_url", "https://api.github.com");

/// This server as a client of GitHub.
type ClientThere = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// People of GitHub.
pub struct GitHub {
    id: ProviderId,
    entropy: Entropy,
    client: Client,
    there: ClientThere,
    asker: Asker,
    api_url: String,
}

fn read(options: &Options) -> Result<OptionReader<'_>, InvalidOption> {
    OptionReader::of(options, &[COMMON_OPTIONS, &[AUTHORIZATION_URL.0, TOKEN_URL.0, API_URL.0]])
}

impl AuthProvider for GitHub {
    const IDENTIFIER: &'static str = "github";
    const DISPLAY_NAME: &'static str = "GitHub";
    const FLOW: Flow = Flow::Redirect;
    const FIELDS: &'static [InputField] = &[];

    fn validate_options(options: &Options) -> Result<(), InvalidOption> {
        let options = read(options)?;
        for (name, default) in [AUTHORIZATION_URL, TOKEN_URL, API_URL] {
            options.url(name, default)?;
        }
        Client::check(&options)
    }

    fn new(dependencies: Dependencies, options: &Options) -> Result<Self, InvalidOption> {
        let options = read(options)?;
        let client = Client::new(&dependencies, &options, SCOPES)?;
        let wrong = |name: &str, error: &dyn fmt::Display| InvalidOption::new(name, error.to_string());
        let authorization_url = AuthUrl::new(options.url(AUTHORIZATION_URL.0, AUTHORIZATION_URL.1)?.to_owned());
        let authorization_url = authorization_url.map_err(|error| wrong(AUTHORIZATION_URL.0, &error))?;
        let token_url = TokenUrl::new(options.url(TOKEN_URL.0, TOKEN_URL.1)?.to_owned());
        let token_url = token_url.map_err(|error| wrong(TOKEN_URL.0, &error))?;
        let api_url = options.url(API_URL.0, API_URL.1)?;
        let addresses = [check_web_url(API_URL.0, api_url)?, check_web_url(TOKEN_URL.0, token_url.as_str())?];
        let asker = Asker::new(&addresses).map_err(|error| wrong(API_URL.0, &error))?;
        let there = BasicClient::new(client.id.clone())
            .set_client_secret(client.secret.clone())
            .set_auth_uri(authorization_url)
            .set_token_uri(token_url);
        let api_url = api_url.trim_end_matches('/').to_owned();
        Ok(Self { id: dependencies.id, entropy: dependencies.entropy, client, there, asker, api_url })
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

impl GitHub {
    async fn send_away(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, Trouble> {
        let callback_url = self.client.callback_url(input)?;
        let (trip, state) = RoundTrip::begin(&self.entropy, callback_url, identities).await?;
        let there = self.there.clone().set_redirect_uri(trip.callback_url()?);
        let scopes = self.client.scopes.iter().cloned().map(Scope::new);
        let request = there.authorize_url(|| state).add_scopes(scopes);
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&trip.verifier());
        let (url, _) = request.set_pkce_challenge(challenge).url();
        Ok(AuthResponse::redirect(url))
    }

    async fn take_back(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, Trouble> {
        let Arrival { code, trip, .. } = Arrival::read(input, identities).await?;
        let there = self.there.clone().set_redirect_uri(trip.callback_url()?);
        let request = there.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(trip.verifier());
        let answer = request.request_async(&self.asker).await?;
        let profile = self.profile(answer.access_token()).await?;
        tokens_of(&answer).admit(&self.client, &profile, identities).await
    }

    async fn profile(&self, token: &AccessToken) -> Result<Profile, Trouble> {
        let user = self.asker.get(&format!("{}/user", self.api_url), Some(token)).await?;
        let emails = self.asker.get(&format!("{}/user/emails", self.api_url), Some(token)).await?;
        Profile::of_claims(&claims_of(&user, &emails)?)
    }
}

/// What GitHub says, by the names of OpenID Connect.
fn claims_of(user: &Value, emails: &Value) -> Result<Map<String, Value>, Trouble> {
    let number = user.get("id").and_then(Value::as_u64).filter(|number| *number > 0);
    let number = number.ok_or_else(|| Trouble::untrusted("the user has no number"))?;
    let text = |name: &str| user.get(name).and_then(Value::as_str);
    let mut claims = Map::from_iter([("sub".to_owned(), json!(number.to_string()))]);
    claims.insert("name".to_owned(), json!(text("name").filter(|name| !name.trim().is_empty()).or(text("login"))));
    claims.insert("picture".to_owned(), json!(text("avatar_url")));
    if let Some(email) = verified_primary(emails) {
        claims.insert("email".to_owned(), json!(email));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    Ok(claims)
}

/// The primary address, if it is verified: `true`, and nothing that only looks like it.
fn verified_primary(emails: &Value) -> Option<&str> {
    let says = |email: &Value, name: &str| email.get(name) == Some(&Value::Bool(true));
    let primary = emails.as_array()?.iter().find(|email| says(email, "primary") && says(email, "verified"))?;
    primary.get("email")?.as_str()
}

fn tokens_of(answer: &BasicTokenResponse) -> Tokens {
    Tokens {
        access_token: answer.access_token().secret().clone(),
        refresh_token: answer.refresh_token().map(|token| token.secret().clone()),
        id_token: None,
        expires_in_secs: answer.expires_in().map(|time| time.as_secs()),
    }
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHub").field("id", &self.id).field("client", &self.client).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_verified_primary_one_or_none() {
        for (emails, email) in [
            (json!([{ "email": "a@b.org", "primary": true, "verified": true }]), Some("a@b.org")),
            (
                json!([
                    { "email": "old@b.org", "primary": false, "verified": true },
                    { "email": "a@b.org", "primary": true, "verified": true },
                ]),
                Some("a@b.org"),
            ),
            (json!([{ "email": "a@b.org", "primary": true, "verified": false }]), None),
            (json!([{ "email": "a@b.org", "primary": true, "verified": "true" }]), None),
            (json!([{ "email": "a@b.org", "primary": "true", "verified": true }]), None),
            (json!([{ "email": "a@b.org", "primary": false, "verified": true }]), None),
            (json!([{ "email": "a@b.org", "primary": true }]), None),
            (json!([{ "primary": true, "verified": true }]), None),
            (json!([]), None),
            (json!({ "message": "no" }), None),
        ] {
            let user = json!({ "id": 7, "login": "ada", "email": "public@b.org" });
            let claims = claims_of(&user, &emails).unwrap();
            assert_eq!(claims.get("email").and_then(Value::as_str), email, "{emails}");
            assert_eq!(claims.get("email_verified"), email.map(|_| &Value::Bool(true)), "{emails}");
        }
    }

    #[test]
    fn somebody_is_a_number_and_not_a_name() {
        for user in
            [json!({ "login": "ada" }), json!({ "id": "7" }), json!({ "id": 0 }), json!({ "id": -7 }), json!([])]
        {
            assert!(claims_of(&user, &json!([])).is_err(), "{user}");
        }
        let claims = claims_of(&json!({ "id": 7, "login": "ada", "name": " " }), &json!([])).unwrap();
        assert_eq!((&claims["sub"], &claims["name"]), (&json!("7"), &json!("ada")));
    }
}

//! Providers of another crate: the one of the examples with its directory, and one whose users live elsewhere.

#[path = "../../../examples/custom_provider.rs"]
#[expect(dead_code, reason = "an example has a `main` of its own")]
mod custom_provider;
#[path = "../../../examples/directory.rs"]
#[expect(dead_code, reason = "an example has a `main` of its own")]
mod example_directory;

pub use custom_provider::MyAuth;
use latchkey::{
    auth::prelude::*,
    flows::{HookError, ProvedLogin, Resolution},
};
use serde_json::{Map, json};

/// Serves the directory of the examples; answers where it is asked.
pub async fn directory() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, example_directory::routes()).await.unwrap() });
    format!("http://{address}/check")
}

/// Believes every id, and takes it as it is.
pub struct Outside;

impl AuthProvider for Outside {
    const IDENTIFIER: &'static str = "outside";
    const DISPLAY_NAME: &'static str = "the application";
    const FIELDS: &'static [InputField] = &[InputField::text("id", "Id"), InputField::text("name", "Name")];

    fn validate_options(_options: &Options) -> Result<(), InvalidOption> {
        Ok(())
    }

    fn new(_dependencies: Dependencies, _options: &Options) -> Result<Self, InvalidOption> {
        Ok(Self)
    }

    async fn authenticate(
        &self,
        input: &AuthInput,
        _identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let Some(id) = input.body.get("id") else { return Ok(AuthResponse::refused("Id is required")) };
        let email = Some(format!("{}@elsewhere.example", id.trim()));
        let name = input.body.get("name").cloned();
        Ok(AuthResponse::authorized(ExternalUser { email, name, ..ExternalUser::new(id) }))
    }
}

/// Sends people elsewhere, and believes the code that they come back with.
pub struct Elsewhere;

impl AuthProvider for Elsewhere {
    const IDENTIFIER: &'static str = "elsewhere";
    const DISPLAY_NAME: &'static str = "Elsewhere";
    const FLOW: Flow = Flow::Redirect;

    fn validate_options(_options: &Options) -> Result<(), InvalidOption> {
        Ok(())
    }

    fn new(_dependencies: Dependencies, _options: &Options) -> Result<Self, InvalidOption> {
        Ok(Self)
    }

    async fn authenticate(
        &self,
        _input: &AuthInput,
        _identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        Ok(AuthResponse::redirect("https://elsewhere.example/"))
    }

    async fn validate_callback(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let Some(code) = input.body.get("code") else { return Ok(AuthResponse::refused("No code provided")) };
        if let Some(known) = identities.retrieve(code).await? {
            return Ok(AuthResponse::authenticated(known));
        }
        let email = json!(format!("{code}@elsewhere.example"));
        let profile = Map::from_iter([("email".to_owned(), email), ("name".to_owned(), json!("Somebody"))]);
        Ok(AuthResponse::authenticated(identities.create(code, Map::new(), profile)?))
    }
}

/// Refuses one, names another, and lets all others be.
pub async fn resolve_user(login: ProvedLogin) -> Result<Resolution, HookError> {
    assert_eq!(login.is_new_user, login.user.is_none());
    match login.entity_id.as_str() {
        "refused" => Ok(Resolution::Refused),
        "broken" => Err("the application has a bad day".into()),
        "named" => {
            let name = login.profile["name"].as_str().map(str::to_owned);
            let times = if login.is_new_user { "first" } else { "again" };
            Ok(Resolution::As(ExternalUser { name, ..ExternalUser::new(format!("app-{times}")) }))
        }
        _ => Ok(Resolution::AsProved),
    }
}

//! A provider of one's own: `my-auth` asks a directory over HTTP whether a user name and a password belong together.
//! `cargo run --example custom_provider` serves Latchkey with it, `cargo run --example directory` a directory to ask.

use std::{process::ExitCode, time::Duration};

use latchkey::{Latchkey, auth::prelude::*};
use reqwest::{Client, StatusCode, Url};
use serde_json::{Map, Value, json};

const SETTINGS: &str = r#"providers = [
    { id = "emailpass", kind = "emailpass" },
    { id = "my-auth", kind = "my-auth", options = { endpoint = "http://127.0.0.1:4000/check" } },
]"#;

/// The directory's address, and what asks there.
pub struct MyAuth(Url, Client);
type Identities = AuthIdentityProviderService;

#[derive(serde::Deserialize)]
struct Person {
    id: String,
    #[serde(flatten)]
    user_metadata: Map<String, Value>, // `email`, `email_verified`, `given_name`, `family_name` make the account
}

impl AuthProvider for MyAuth {
    const IDENTIFIER: &'static str = "my-auth";
    const DISPLAY_NAME: &'static str = "the directory";

    fn validate_options(options: &Options) -> Result<(), InvalidOption> {
        let endpoint = options.get("endpoint").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
        let is_http = endpoint.is_some_and(|url| matches!(url.scheme(), "http" | "https"));
        if is_http { Ok(()) } else { Err(InvalidOption::new("endpoint", "must be the URL of a directory")) }
    }

    fn new(_: Dependencies, options: &Options) -> Result<Self, InvalidOption> {
        let endpoint = options["endpoint"].as_str().unwrap_or_default();
        let endpoint = endpoint.parse().map_err(|_| InvalidOption::new("endpoint", "must be a URL"))?;
        let client = Client::builder().timeout(Duration::from_secs(5)).build();
        Ok(Self(endpoint, client.map_err(|error| InvalidOption::new("endpoint", error.to_string()))?))
    }

    async fn authenticate(&self, input: &AuthInput, known: &Identities) -> Result<AuthResponse, ProviderError> {
        let question = json!({ "username": input.body.get("username"), "password": input.body.get("password") });
        let answer = self.1.post(self.0.clone()).json(&question).send().await.map_err(ProviderError::unavailable)?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Ok(AuthResponse::refused("The directory does not know this user name and password"));
        }
        let answer = answer.error_for_status().map_err(ProviderError::internal)?;
        let person: Person = answer.json().await.map_err(ProviderError::internal)?;
        Ok(AuthResponse::authenticated(match known.retrieve(&person.id).await? {
            Some(identity) => identity,
            None => known.create(&person.id, Map::new(), person.user_metadata)?,
        }))
    }
}

fn main() -> ExitCode {
    latchkey::cli::run(Latchkey::builder().provider::<MyAuth>().defaults(SETTINGS), std::env::args_os())
}

//! `GET /auth/providers`: the ways to log in, for a script that makes its own buttons.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::error::ApiError,
    auth::{Configured, Flow},
    flows::{self, USER},
    web::{
        http::next::query_value,
        state::{Site, WebState},
    },
};

/// How a way to log in is used.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProviderType {
    /// Something is typed, and posted to the callback.
    Credentials,
    /// An address is typed, and what is mailed to it logs in.
    Email,
    /// The browser is sent elsewhere.
    OAuth,
}

/// A way to log in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrowserProvider {
    /// Its id.
    #[schema(example = "google")]
    id: String,
    /// What people call it.
    #[schema(example = "Google")]
    name: String,
    /// How it is used.
    #[serde(rename = "type")]
    kind: ProviderType,
    /// Where a browser begins.
    #[schema(example = "https://example.org/auth/signin/google")]
    signin_url: String,
    /// Where it comes back to, or credentials are posted to.
    #[schema(example = "https://example.org/auth/callback/google")]
    callback_url: String,
}

impl BrowserProvider {
    fn new(site: &Site, configured: &Configured) -> Self {
        let id = configured.id.to_string();
        let at = |what: &str| format!("{}/auth/{what}/{}", site.public_url, query_value(&id));
        let kind = match configured.flow {
            Flow::Credentials => ProviderType::Credentials,
            Flow::Mail => ProviderType::Email,
            Flow::Redirect => ProviderType::OAuth,
        };
        let (signin_url, callback_url) = (at("signin"), at("callback"));
        Self { name: configured.display_name.clone(), kind, signin_url, callback_url, id }
    }
}

/// Lists the ways to log in, by their ids.
///
/// # Errors
/// None but those of the layers around it.
#[utoipa::path(get, path = "/auth/providers", operation_id = "list_browser_providers",
    responses((status = 200, description = "The ways to log in, by their ids", body = BTreeMap<String, BrowserProvider>)))]
pub async fn providers(State(state): State<WebState>) -> Result<Json<BTreeMap<String, BrowserProvider>>, ApiError> {
    let all = flows::providers_of(&state.services, USER)?.into_iter();
    Ok(Json(all.map(|provider| (provider.id.to_string(), BrowserProvider::new(&state.site, provider))).collect()))
}

//! `POST /auth/token/refresh`: a new bearer token for a live one, or for a browser that is logged in; and the keys by
//! which others verify what a token says (RFC 7517).

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::{auth::TokenAnswer, caller::Caller, error::ApiError};
use crate::{flows, web::state::WebState};

/// How long others may keep the keys; a rotated one is published at once and signs at once, and whoever meets an id that
/// it does not know asks again.
const KEYS_ARE_FRESH: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The keys that sign tokens (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// The keys; a token names its own by `kid`.
    pub keys: Vec<PublicKey>,
}

/// The public half of a key (RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicKey {
    /// `OKP`.
    #[schema(example = "OKP")]
    pub kty: &'static str,
    /// `Ed25519`.
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    /// `EdDSA`.
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    /// `sig`: it verifies signatures.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub usage: &'static str,
    /// The id of the key.
    #[schema(example = "0199c3a4-7d2e-7b11-9c55-8f1f5f3f2a10")]
    pub kid: String,
    /// The key itself, in base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: String,
}

/// Refreshes a token.
///
/// Answers a new one for a live one, or for a browser that is logged in. What a token says: `actor_id`
/// (the id of the user, empty until there is one), `actor_type`, `auth_identity_id`, `auth_provider`, `app_metadata`,
/// `user_metadata`, `iat`, `exp` and `jti`. `actor_id` is read anew.
///
/// # Errors
/// 401 without a live token or session.
#[utoipa::path(post, path = "/auth/token/refresh", operation_id = "refresh_token",
    responses((status = 200, body = TokenAnswer)))]
pub async fn refresh(State(state): State<WebState>, caller: Caller) -> Result<Json<TokenAnswer>, ApiError> {
    let holder = caller.holder.ok_or_else(ApiError::not_logged_in)?;
    let token = flows::refresh_token(&state.services, &caller.scope, &holder).await?;
    Ok(Json(TokenAnswer { token }))
}

/// Lists the keys that sign tokens.
///
/// Every key whose tokens may still live. Others verify by them what a token says; that it has ended meanwhile only
/// Latchkey knows.
///
/// # Errors
/// 500 if the keys can't be read.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "list_keys",
    responses((status = 200, body = KeySet)))]
pub async fn keys(State(state): State<WebState>) -> Result<impl IntoResponse, ApiError> {
    let platform = &state.services.platform;
    let published = platform.signing_keys.published(platform.clock.now()).await.map_err(flows::Error::from)?;
    let public = |(kid, x)| PublicKey { kty: "OKP", crv: "Ed25519", alg: "EdDSA", usage: "sig", kid, x };
    let keys = published.into_iter().map(|key| public((key.id, key.x))).collect();
    Ok(([(header::CACHE_CONTROL, KEYS_ARE_FRESH)], Json(KeySet { keys })))
}

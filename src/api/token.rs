//! `POST /auth/token/refresh`: a new bearer token for a live one, or for a browser that is logged in; and the keys by
//! which others verify what a token says (RFC 7517).

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderValue, header};
use serde_json::{Value, json};

use super::{caller::Caller, error::ApiError};
use crate::{flows, web::state::WebState};

/// How long others may keep the keys; a rotated one is published at once and signs at once, and whoever meets an id that
/// it does not know asks again.
const KEYS_ARE_FRESH: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// `POST /auth/token/refresh`.
///
/// # Errors
/// 401 without a live token or session.
pub async fn refresh(State(state): State<WebState>, caller: Caller) -> Result<Json<Value>, ApiError> {
    let holder = caller.holder.ok_or_else(ApiError::not_logged_in)?;
    let token = flows::refresh_token(&state.services, &caller.scope, &holder).await?;
    Ok(Json(json!({ "token": token })))
}

/// `GET /.well-known/jwks.json`: every key whose tokens may still live.
///
/// # Errors
/// 500 if the keys can't be read.
pub async fn keys(State(state): State<WebState>) -> Result<impl IntoResponse, ApiError> {
    let platform = &state.services.platform;
    let published = platform.signing_keys.published(platform.clock.now()).await.map_err(flows::Error::from)?;
    let keys: Vec<Value> = published
        .iter()
        .map(|key| json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id, "x": key.x }))
        .collect();
    Ok(([(header::CACHE_CONTROL, KEYS_ARE_FRESH)], Json(json!({ "keys": keys }))))
}

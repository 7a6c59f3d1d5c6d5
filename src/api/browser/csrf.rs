//! `GET /auth/csrf`: a word that is in a cookie too. Who sends both has read an answer of this site.

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    platform::{Seal, SecretToken},
    web::{http::sealed_cookie::SealedCookie, state::WebState},
};

/// What the seal is bound to, and the end of the cookie's name.
const PURPOSE: &str = "csrf";
/// A day: as long as a page of an application stays open.
const LIFETIME_SECS: u32 = 24 * 3_600;

/// The cookie of the word, beside a session cookie of this name.
pub fn csrf_cookie_beside(session_cookie: &str, is_secure: bool, seal: Seal) -> SealedCookie {
    SealedCookie::beside((session_cookie, is_secure), (PURPOSE, LIFETIME_SECS), seal)
}

/// The word to send along.
#[derive(Serialize, ToSchema)]
pub struct CsrfAnswer {
    /// What forms and scripts send as `csrfToken`.
    #[serde(rename = "csrfToken")]
    #[schema(example = "hcPNnXAn4ynEgKbWbVjuIkhOvNlnxQAJIgNTzPtvhHE")]
    csrf_token: String,
}

/// Tells the word against forged requests.
///
/// It is in a cookie too; `POST /auth/signin/{provider}`, `/auth/callback/{provider}` and `/auth/signout` want both.
#[utoipa::path(get, path = "/auth/csrf", operation_id = "csrf",
    responses((status = 200, body = CsrfAnswer,
        headers(("Set-Cookie" = String, description = "Keeps the word in the browser, where it has none yet")))))]
pub async fn csrf(State(state): State<WebState>, headers: HeaderMap) -> impl IntoResponse {
    let known: Option<String> = state.csrf.read(&headers);
    let word = known.unwrap_or_else(|| SecretToken::generate(&state.services.platform.entropy).expose().to_owned());
    let cookie = state.csrf.leave(&word).map(|cookie| [(header::SET_COOKIE, cookie)]);
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (cookie, no_store, Json(CsrfAnswer { csrf_token: word }))
}

/// Whether a request brings the word of its own cookie along.
pub(super) fn is_own(state: &WebState, headers: &HeaderMap, sent: Option<&String>) -> bool {
    let known: Option<String> = state.csrf.read(headers);
    known.is_some_and(|known| sent == Some(&known))
}

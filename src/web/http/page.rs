//! A page as an answer: rendered, never kept by a cache, with a content security policy of its own, and with the flash
//! that it has shown taken away.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use leptos::prelude::*;

use super::{
    render::{Nonce, render},
    scope::Asked,
};
use crate::web::state::WebState;

/// The content security policy of a page (CSP level 3): own files only, and scripts by nonce alone.
pub fn content_security_policy(nonce: Option<&Nonce>) -> HeaderValue {
    let scripts = nonce.map_or_else(
        || "script-src 'none'".to_owned(),
        |nonce| format!("script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'"),
    );
    let policy = format!(
        "default-src 'none'; {scripts}; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// Renders a page for the one who asks.
pub fn page<V: IntoView + 'static>(state: &WebState, asked: &Asked, view: impl FnOnce() -> V) -> Response {
    let mut response = render(&asked.nonce, view).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, content_security_policy(Some(&asked.nonce)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if asked.has_flash
        && let Some(cookie) = state.flash.take_away()
    {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

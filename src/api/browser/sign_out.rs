//! `POST /auth/signout`: the script or form of an application logs a browser out.

use axum::{
    extract::{Request, State},
    response::Response,
};

use super::{
    answer::{next_of, wants_url},
    csrf,
};
use crate::{
    api::{auth::read_fields, error::ApiError},
    flows,
    shared::SignInError,
    web::{
        http::{
            landing::{Landing, UrlAnswer},
            scope::Asked,
            session_cookie,
        },
        state::WebState,
    },
};

/// What is sent to log out.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read field by field")]
pub struct SignOut {
    /// The word of `/auth/csrf`; without it the answer leads to `/login?error=MissingCSRF`.
    #[schema(rename = "csrfToken", required = false, example = "hcPNnXAn4ynEgKbWbVjuIkhOvNlnxQAJIgNTzPtvhHE")]
    csrf_token: String,
    /// Where to go on afterwards.
    #[schema(rename = "callbackUrl", example = "/login")]
    callback_url: Option<String>,
    /// `true` for the address in JSON in place of a redirect.
    #[schema(example = "true")]
    json: Option<String>,
}

/// Logs a browser out.
///
/// Where nobody is logged in there is nothing to end, and that is as good. It wants the word of `/auth/csrf`.
///
/// # Errors
/// 400 for a body that can't be read, 503 if the database has no time.
#[utoipa::path(post, path = "/auth/signout", operation_id = "sign_out",
    request_body(content = SignOut, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = UrlAnswer, description = "With `json=true` or `X-Auth-Return-Redirect`"),
        (status = 302, description = "To `callbackUrl`, else to `/login`",
            headers(("Set-Cookie" = String, description = "Takes the cookie away"))),
        (status = 400)))]
pub async fn sign_out(State(state): State<WebState>, asked: Asked, request: Request) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let fields = read_fields(request).await?;
    let (wants_url, next) = (wants_url(&headers, &fields), next_of(&state.site, &fields));
    if !csrf::is_own(&state, &headers, fields.get("csrfToken")) {
        let landing = Landing::refused(SignInError::MissingCSRF, (None, next.as_ref()));
        return Ok(landing.answer(&state.site, wants_url));
    }
    if let Some(holder) = asked.holder() {
        flows::log_out_holder(&state.services, &asked.scope, &holder).await?;
    }
    let to = next.map_or_else(|| "/login".to_owned(), |next| next.as_str().to_owned());
    Ok(Landing::at(to).with(session_cookie::removal(&state.site)).answer(&state.site, wants_url))
}

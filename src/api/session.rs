//! `/auth/session`: who is logged in with this browser, for pages of the application behind the door (`{}` where nobody
//! is); a cookie for who has a bearer token; and the end of both.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::Serialize;
use serde_json::json;

use super::{caller::Caller, error::ApiError, users::UserAnswer};
use crate::{
    flows,
    web::{
        http::{scope::Asked, session_cookie},
        state::WebState,
    },
};

/// The answer: a user and when the session ends at the latest, or nothing.
#[derive(Serialize)]
struct SessionAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<SessionUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

#[derive(Serialize)]
struct SessionUser {
    id: String,
    name: Option<String>,
    email: String,
    image: Option<String>,
}

/// Answers who is logged in.
pub async fn show(asked: Asked) -> impl IntoResponse {
    let answer = match asked.resumed {
        Some(resumed) => SessionAnswer {
            expires: Some(resumed.session.expires_at.to_rfc3339()),
            user: Some(SessionUser {
                id: resumed.user.id.to_string(),
                name: resumed.user.full_name(),
                email: resumed.user.email.to_string(),
                image: resumed.user.avatar_url.clone(),
            }),
        },
        None => SessionAnswer { user: None, expires: None },
    };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer))
}

/// `POST /auth/session`: a cookie of the session that a bearer token belongs to.
///
/// # Errors
/// 401 without a live token of a user.
pub async fn open(
    State(state): State<WebState>,
    cookie: tower_sessions::Session,
    caller: Caller,
) -> Result<Json<serde_json::Value>, ApiError> {
    let holder = caller.holder.ok_or_else(ApiError::not_logged_in)?;
    let user = holder.user.as_ref().ok_or_else(ApiError::not_logged_in)?;
    if caller.is_by_token {
        let opened = flows::give_cookie(&state.services, &caller.scope, &holder).await?;
        session_cookie::set(&cookie, &opened).await.map_err(|error| flows::Error::Internal(Box::new(error)))?;
    }
    Ok(Json(json!({ "user": UserAnswer::from(user) })))
}

/// `DELETE /auth/session`: ends the session, and with it every bearer token of it. Ending one twice is as good as once.
///
/// # Errors
/// 503 if the database has no time.
pub async fn end(State(state): State<WebState>, caller: Caller) -> Result<Response, ApiError> {
    if let Some(holder) = &caller.holder {
        flows::log_out_holder(&state.services, &caller.scope, holder).await?;
    }
    let removal = session_cookie::removal(&state.site).map(|removal| [(header::SET_COOKIE, removal)]);
    Ok((removal, Json(json!({ "success": true }))).into_response())
}

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
    flows::{self, Resumed},
    shared::ExternalUser,
    users::User,
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
    email: Option<String>,
    image: Option<String>,
}

impl SessionUser {
    /// Whom the session is for: the user, unless the embedding application has named somebody.
    fn of(resumed: &Resumed) -> Self {
        resumed.session.external_user.clone().map_or_else(|| Self::from(&resumed.user), Self::from)
    }
}

impl From<&User> for SessionUser {
    fn from(user: &User) -> Self {
        let (id, email) = (user.id.to_string(), Some(user.email.to_string()));
        Self { id, name: user.full_name(), email, image: user.avatar_url.clone() }
    }
}

impl From<ExternalUser> for SessionUser {
    fn from(ExternalUser { id, email, name, image }: ExternalUser) -> Self {
        Self { id, name, email, image }
    }
}

/// Answers who is logged in.
pub async fn show(asked: Asked) -> impl IntoResponse {
    let user = match (&asked.resumed, &asked.guest) {
        (Some(resumed), _) => Some((SessionUser::of(resumed), resumed.session.expires_at)),
        (None, Some(guest)) => Some((guest.user.clone().into(), guest.session.expires_at)),
        (None, None) => None,
    };
    let (user, expires) = user.map(|(user, expires_at)| (user, expires_at.to_rfc3339())).unzip();
    let answer = SessionAnswer { user, expires };
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
    let user = match (&holder.user, &holder.session.external_user) {
        (_, Some(user)) => json!(SessionUser::from(user.clone())),
        (Some(user), None) => json!(UserAnswer::from(user)),
        (None, None) => return Err(ApiError::not_logged_in()),
    };
    if caller.is_by_token {
        let opened = flows::give_cookie(&state.services, &caller.scope, &holder).await?;
        session_cookie::set(&cookie, &opened).await.map_err(|error| flows::Error::Internal(Box::new(error)))?;
    }
    Ok(Json(json!({ "user": user })))
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

//! `/auth/session`: who is logged in with this browser, for pages of the application behind the door (`{}` where nobody
//! is); a cookie for who has a bearer token; and the end of both.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::{auth::Done, caller::Caller, error::ApiError, users::UserAnswer};
use crate::{
    flows::{self, Resumed, USER},
    platform::Timestamp,
    shared::{ExternalUser, UserId},
    users::User,
    web::{
        http::{scope::Asked, session_cookie},
        state::WebState,
    },
};

/// Who is logged in with a browser, if anybody is.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum CurrentSession {
    /// Somebody is.
    Somebody(BrowserSession),
    /// Nobody is.
    Nobody(NoSession),
}

/// Somebody is logged in.
#[derive(Serialize, ToSchema)]
pub struct BrowserSession {
    /// Who it is.
    user: SessionUser,
    /// When the session ends at the latest.
    expires: Timestamp,
}

/// Nobody is logged in.
#[derive(Serialize, ToSchema)]
#[schema(max_properties = 0)]
pub struct NoSession {}

/// Who is logged in: a user, or somebody whom the embedding application has named.
#[derive(Serialize, ToSchema)]
pub struct SessionUser {
    /// The id.
    #[schema(value_type = UserId)]
    id: String,
    /// First and last name.
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    /// The e-mail address.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// Where a picture is.
    #[schema(example = "https://example.org/ada.png")]
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

/// Whose session a browser was given.
#[derive(Serialize, ToSchema)]
pub struct OpenedSession {
    /// Who it is.
    user: Holder,
}

/// A user, or somebody whom the embedding application has named.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SessionHolder)]
pub enum Holder {
    /// A user.
    User(UserAnswer),
    /// Somebody whom the embedding application has named.
    Named(SessionUser),
}

/// Shows who is logged in with a browser.
///
/// A user, or `{}`, for pages of the application behind the door. A bearer token is not looked at.
#[utoipa::path(get, path = "/auth/session", operation_id = "show_session", security((), ("session" = [])),
    responses((status = 200, body = CurrentSession)))]
pub async fn show(asked: Asked) -> impl IntoResponse {
    let user = match (&asked.resumed, &asked.guest) {
        (Some(resumed), _) => Some((SessionUser::of(resumed), resumed.session.expires_at)),
        (None, Some(guest)) => Some((guest.user.clone().into(), guest.session.expires_at)),
        (None, None) => None,
    };
    let answer = match user {
        Some((user, expires)) => CurrentSession::Somebody(BrowserSession { user, expires }),
        None => CurrentSession::Nobody(NoSession {}),
    };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer))
}

/// Gives a browser the cookie of a token's session.
///
/// With a cookie in place of a token it answers who is logged in, and changes nothing.
///
/// # Errors
/// 401 without a live token of a user.
#[utoipa::path(post, path = "/auth/session", operation_id = "open_session",
    responses((status = 200, body = OpenedSession,
        headers(("Set-Cookie" = String, description = "The cookie of the session, where a bearer token was sent")))))]
pub async fn open(
    State(state): State<WebState>,
    cookie: tower_sessions::Session,
    caller: Caller,
) -> Result<Json<OpenedSession>, ApiError> {
    // A cookie is for people; what other kinds of accounts have is their application's.
    let holder = caller.holder.filter(|holder| holder.actor_type == USER).ok_or_else(ApiError::not_logged_in)?;
    let user = match (&holder.user, &holder.session.external_user) {
        (_, Some(user)) => Holder::Named(SessionUser::from(user.clone())),
        (Some(user), None) => Holder::User(UserAnswer::from(user)),
        (None, None) => return Err(ApiError::not_logged_in()),
    };
    if caller.is_by_token {
        let opened = flows::give_cookie(&state.services, &caller.scope, &holder).await?;
        session_cookie::set(&cookie, &opened).await.map_err(|error| flows::Error::Internal(Box::new(error)))?;
    }
    Ok(Json(OpenedSession { user }))
}

/// Logs out.
///
/// Ends the session, and with it every bearer token of it. Where nobody is logged in there is nothing to end, and that
/// is as good.
///
/// # Errors
/// 503 if the database has no time; 401 for a bearer token that is no good.
#[utoipa::path(delete, path = "/auth/session", operation_id = "end_session",
    security((), ("token" = []), ("session" = [])),
    responses((status = 200, body = Done,
            headers(("Set-Cookie" = String, description = "Takes the cookie away"))),
        (status = 401)))]
pub async fn end(State(state): State<WebState>, caller: Caller) -> Result<Response, ApiError> {
    if let Some(holder) = &caller.holder {
        flows::log_out_holder(&state.services, &caller.scope, holder).await?;
    }
    let removal = session_cookie::removal(&state.site).map(|removal| [(header::SET_COOKIE, removal)]);
    Ok((removal, Json(Done { success: true })).into_response())
}

//! `GET /auth/session`: who is logged in with this browser, for pages of the application behind the door. `{}` where
//! nobody is.

use axum::{Json, response::IntoResponse};
use http::{HeaderValue, header};
use serde::Serialize;

use crate::web::http::scope::Asked;

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

//! Addresses for programs: JSON over HTTP. They ask the same flows as the pages and pass the same layers, health excepted.

pub mod auth;
pub mod body;
pub mod caller;
pub mod error;
pub mod fields;
pub mod forward;
pub mod health;
pub mod invites;
pub mod params;
pub mod path_id;
pub mod session;
pub mod token;
pub mod users;
pub mod values;

use axum::{
    Router,
    response::IntoResponse,
    routing::{get, post},
};

use crate::web::{site::Programs, state::WebState};
use error::ApiError;

/// Every address for programs that passes the layers of the site, and how they are refused there.
pub fn programs() -> Programs {
    Programs { routes: routes(), own: is_ours, refusal: |status| ApiError::for_status(status).into_response() }
}

/// Whether a path is for programs. Scripts of other origins may be let in here, so that no page may be.
fn is_ours(path: &str) -> bool {
    let first = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
    matches!(first, Some("auth" | "admin" | ".well-known"))
}

/// Every address for programs that passes the layers of the site.
fn routes() -> Router<WebState> {
    Router::new()
        .route("/auth/session", get(session::show).post(session::open).delete(session::end))
        .route("/auth/forward", get(forward::check))
        .route("/auth/return", get(forward::go_back))
        .route("/auth/token/refresh", post(token::refresh))
        .route("/auth/{actor_type}/providers", get(auth::providers))
        .route("/auth/{actor_type}/{provider}", get(auth::authenticate).post(auth::authenticate))
        .route("/auth/{actor_type}/{provider}/register", post(auth::register))
        .route("/auth/{actor_type}/{provider}/callback", get(auth::call_back).post(auth::call_back))
        .route("/auth/{actor_type}/{provider}/reset-password", post(auth::reset_password))
        .route("/auth/{actor_type}/{provider}/update", post(auth::update))
        .merge(administration())
        .route("/.well-known/jwks.json", get(token::keys))
}

/// What admins do.
fn administration() -> Router<WebState> {
    Router::new()
        .route("/admin/users", get(users::list).post(users::create))
        .route("/admin/users/me", get(users::me))
        .route("/admin/users/{id}", get(users::show).post(users::update).delete(users::delete))
        .route("/admin/users/{id}/disable", post(users::disable))
        .route("/admin/users/{id}/enable", post(users::enable))
        .route("/admin/users/{id}/sessions", get(users::sessions).delete(users::end_sessions))
        .route("/admin/invites", get(invites::list).post(invites::create))
        .route("/admin/invites/accept", post(invites::accept))
        .route("/admin/invites/{id}", get(invites::show).delete(invites::delete))
        .route("/admin/invites/{id}/resend", post(invites::resend))
}

//! Addresses for programs: JSON over HTTP. They ask the same flows as the pages and pass the same layers, health excepted.

pub mod auth;
pub mod body;
pub mod caller;
pub mod error;
pub mod forward;
pub mod health;
pub mod session;
pub mod token;
pub mod users;

use axum::{
    Router,
    routing::{get, post},
};

use crate::web::state::WebState;

/// Every address for programs that passes the layers of the site.
pub fn routes() -> Router<WebState> {
    Router::new()
        .route("/auth/session", get(session::show).post(session::open).delete(session::end))
        .route("/auth/forward", get(forward::check))
        .route("/auth/return", get(forward::go_back))
        .route("/auth/token/refresh", post(token::refresh))
        .route("/auth/{actor_type}/providers", get(auth::providers))
        .route("/auth/{actor_type}/{provider}", get(auth::authenticate).post(auth::authenticate))
        .route("/auth/{actor_type}/{provider}/register", post(auth::register))
        .route("/admin/users/me", get(users::me))
        .route("/.well-known/jwks.json", get(token::keys))
}

//! Addresses for programs: JSON over HTTP. They ask the same scope as the pages and pass the same layers, health excepted.

pub mod health;
pub mod session;

use axum::{Router, routing::get};

use crate::web::state::WebState;

/// Every address for programs that passes the layers of the site.
pub fn routes() -> Router<WebState> {
    Router::new().route("/auth/session", get(session::show))
}

//! `/health/live` says that the process lives; `/health/ready` says that the database answers and its migrations are
//! those of this binary. Both stand outside of every limit and need no session.

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::platform::Db;

/// The two routes.
pub fn routes(db: Db) -> Router {
    Router::new().route("/health/live", get(live)).route("/health/ready", get(ready)).with_state(db)
}

async fn live() -> impl IntoResponse {
    answer(StatusCode::OK, "live")
}

async fn ready(State(db): State<Db>) -> impl IntoResponse {
    if let Err(error) = db.ping().await {
        tracing::warn!(%error, "not ready: the database does not answer");
        return answer(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer");
    }
    match db.pending_migrations().await {
        Ok(0) => answer(StatusCode::OK, "ready"),
        Ok(_) => answer(StatusCode::SERVICE_UNAVAILABLE, "migrations are pending"),
        Err(error) => {
            tracing::warn!(%error, "not ready: the migrations can't be read");
            answer(StatusCode::SERVICE_UNAVAILABLE, "the migrations can't be read")
        }
    }
}

fn answer(status: StatusCode, text: &'static str) -> impl IntoResponse {
    (status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(json!({ "status": text })))
}

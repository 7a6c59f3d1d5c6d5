//! `/health/live` says that the process lives; `/health/ready` says that the database answers and its migrations are
//! those of this binary. Both stand outside of every limit and need no session.

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::platform::Db;

/// The two routes.
pub fn routes() -> OpenApiRouter<Db> {
    OpenApiRouter::default().routes(routes!(live)).routes(routes!(ready))
}

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// How it is, in words.
    #[schema(example = "ready")]
    status: &'static str,
}

/// Says that the process lives.
#[utoipa::path(get, path = "/health/live", operation_id = "live", responses((status = 200, body = Health)))]
async fn live() -> impl IntoResponse {
    answer(StatusCode::OK, "live")
}

/// Says whether the server is ready.
///
/// The database answers, and its migrations are those of this binary.
#[utoipa::path(get, path = "/health/ready", operation_id = "ready",
    responses((status = 200, body = Health), (status = 503, description = "It is not ready", body = Health)))]
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
    (status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(Health { status: text }))
}

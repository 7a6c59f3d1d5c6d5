//! A directory for the example `custom_provider` to ask: it knows two people, and is no more than their names.

use axum::{Json, Router, http::StatusCode, routing::post};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Question {
    username: Option<String>,
    password: Option<String>,
}

/// 200 with who it is, or 401.
async fn check(Json(Question { username, password }): Json<Question>) -> Result<Json<Value>, StatusCode> {
    match (username.as_deref(), password.as_deref()) {
        (Some("ada"), Some("analytical engine")) => {
            Ok(Json(json!({ "id": "uid=ada", "email": "ada@example.org", "given_name": "Ada" })))
        }
        (Some("grace"), Some("nanoseconds")) => {
            Ok(Json(json!({ "id": "uid=grace", "email": "grace@example.org", "given_name": "Grace" })))
        }
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}

/// The addresses of the directory.
pub fn routes() -> Router {
    Router::new().route("/check", post(check))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:4000").await?;
    println!("The directory is at http://{}/check", listener.local_addr()?);
    axum::serve(listener, routes()).await
}

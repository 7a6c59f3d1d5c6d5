//! `/admin/users`: what admins do with users, for programs.

use axum::Json;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::caller::LoggedIn;
use crate::users::User;

/// A user as programs see one.
#[derive(Clone, Debug, Serialize)]
pub struct UserAnswer {
    id: String,
    email: String,
    email_verified_at: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    avatar_url: Option<String>,
    role: &'static str,
    status: &'static str,
    metadata: Map<String, Value>,
    disabled_at: Option<String>,
    last_login_at: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<&User> for UserAnswer {
    fn from(user: &User) -> Self {
        let time = |at: Option<crate::platform::Timestamp>| at.map(crate::platform::Timestamp::to_rfc3339);
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            email_verified_at: time(user.email_verified_at),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            avatar_url: user.avatar_url.clone(),
            role: user.role.as_str(),
            status: if user.disabled_at.is_some() { "disabled" } else { "active" },
            metadata: user.metadata.clone(),
            disabled_at: time(user.disabled_at),
            last_login_at: time(user.last_login_at),
            created_at: user.created_at.to_rfc3339(),
            updated_at: user.updated_at.to_rfc3339(),
        }
    }
}

/// `GET /admin/users/me`: who asks.
pub async fn me(LoggedIn { user, .. }: LoggedIn) -> Json<Value> {
    Json(json!({ "user": UserAnswer::from(&user) }))
}

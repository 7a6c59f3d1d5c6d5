//! The id in an address. What can't be read at all is refused; whether there is such a thing is another question.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

use super::error::ApiError;
use crate::web::state::WebState;

/// The text where an address has an id.
pub struct PathId(pub String);

impl FromRequestParts<WebState> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, ApiError> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        read.map(|Path(id)| Self(id)).map_err(|_| ApiError::invalid_data("Invalid request: The id can't be read"))
    }
}

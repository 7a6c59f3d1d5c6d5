//! Who calls: by a bearer token or, without one, by the cookie of a browser. A token that is no good is refused even where
//! a cookie would do, since whoever sends one means it. What needs the right to manage users asks for [`Manager`]; the
//! functions below ask again.

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};

use super::error::ApiError;
use crate::{
    events::{Actor, Scope},
    flows::{self, Holder},
    users::User,
    web::{http::scope::Asked, state::WebState},
};

/// Whoever asks, logged in or not.
pub struct Caller {
    /// Who, from where, when.
    pub scope: Scope,
    /// Who is behind the session that the request came with.
    pub holder: Option<Holder>,
    /// Whether it came with a bearer token, and not with a cookie.
    pub is_by_token: bool,
}

impl FromRequestParts<WebState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, ApiError> {
        let asked = parts.extensions.get::<Asked>().cloned().ok_or_else(ApiError::not_logged_in)?;
        let Some(token) = bearer_token(&parts.headers) else {
            let holder = asked.holder();
            return Ok(Self { scope: asked.scope, holder, is_by_token: false });
        };
        let found = flows::resume_bearer(&state.services, token, asked.scope.now).await?;
        let holder = found.ok_or_else(ApiError::not_logged_in)?;
        let actor = holder.user.as_ref().map_or(Actor::Visitor, |user| Actor::User {
            id: user.id.clone(),
            role: user.role,
            session: holder.session.id.clone(),
        });
        Ok(Self { scope: asked.scope.acting_as(actor), holder: Some(holder), is_by_token: true })
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1), whatever it is worth.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Somebody who has an account.
pub struct LoggedIn {
    /// Who, from where, when.
    pub scope: Scope,
    /// The account.
    pub user: User,
}

impl FromRequestParts<WebState> for LoggedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, ApiError> {
        let Caller { scope, holder, .. } = Caller::from_request_parts(parts, state).await?;
        let user = holder.and_then(|holder| holder.user).ok_or_else(ApiError::not_logged_in)?;
        Ok(Self { scope, user })
    }
}

/// Somebody who may manage users.
pub struct Manager(pub Scope);

impl FromRequestParts<WebState> for Manager {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, ApiError> {
        let LoggedIn { scope, .. } = LoggedIn::from_request_parts(parts, state).await?;
        if scope.may_manage_users() { Ok(Self(scope)) } else { Err(ApiError::forbidden()) }
    }
}

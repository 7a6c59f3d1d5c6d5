//! `/auth/{actor_type}/{provider}`: how programs prove who somebody is. What a body holds is the provider's business, so
//! no field is refused here. A token that comes out is a bearer token.

use std::collections::BTreeMap;

use axum::{
    Form, Json,
    extract::{FromRequest, OriginalUri, Path, Query, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

use super::{body::read_object, caller::Caller, error::ApiError};
use crate::{
    auth::AuthInput,
    flows::{self, Access, Ask},
    shared::ProviderId,
    web::state::WebState,
};

/// `POST` or `GET /auth/{actor_type}/{provider}`: log in.
///
/// # Errors
/// 401 with the provider's text, 400 where the actor type may not use the provider, 404 for an unknown actor type.
pub async fn authenticate(
    State(state): State<WebState>,
    Path(of): Path<(String, String)>,
    caller: Caller,
    request: Request,
) -> Result<Response, ApiError> {
    let ask = read_ask(&state, of, request).await?;
    answer(&ask, flows::authenticate(&state.services, &caller.scope, &ask).await)
}

/// `POST /auth/{actor_type}/{provider}/register`: make an identity.
///
/// # Errors
/// As [`authenticate`]; 400 with the rule that a password breaks.
pub async fn register(
    State(state): State<WebState>,
    Path(of): Path<(String, String)>,
    caller: Caller,
    request: Request,
) -> Result<Response, ApiError> {
    let ask = read_ask(&state, of, request).await?;
    answer(&ask, flows::register_identity(&state.services, &caller.scope, &ask).await)
}

/// `GET /auth/{actor_type}/providers`: what accounts of this type may use.
///
/// # Errors
/// 404 for an unknown actor type.
pub async fn providers(State(state): State<WebState>, Path(actor_type): Path<String>) -> Result<Json<Value>, ApiError> {
    let all: Vec<Value> = flows::providers_of(&state.services, &actor_type)?
        .into_iter()
        .map(|provider| {
            json!({
                "id": provider.id.as_str(),
                "identifier": provider.identifier,
                "display_name": provider.display_name,
                "flow": provider.flow.as_str(),
            })
        })
        .collect();
    Ok(Json(json!({ "providers": all })))
}

/// What a program gets that was let in, or why it was not.
fn answer(ask: &Ask, outcome: Result<Access, flows::Error>) -> Result<Response, ApiError> {
    match outcome {
        Ok(Access::Token(token)) => Ok(Json(json!({ "token": token })).into_response()),
        Ok(Access::Elsewhere(location)) => Ok(Json(json!({ "location": location })).into_response()),
        Err(error) => Err(refusal(ask, error)),
    }
}

fn refusal(Ask { actor_type, provider, .. }: &Ask, error: flows::Error) -> ApiError {
    match error {
        flows::Error::UnknownProvider => ApiError::not_allowed(format!(
            "The actor type {actor_type} is not allowed to use the auth provider {provider}"
        )),
        // The provider's words where it has any: what is taken here is an identity.
        flows::Error::Taken(text) => ApiError::unauthorized(text),
        other => other.into(),
    }
}

/// What came in with a request, as providers see it.
async fn read_ask(
    state: &WebState,
    (actor_type, provider): (String, String),
    request: Request,
) -> Result<Ask, ApiError> {
    let url = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri().clone(), |uri| uri.0.clone());
    let query = Query::<BTreeMap<String, String>>::try_from_uri(&url).map(|query| query.0).unwrap_or_default();
    let headers = texts_of(request.headers());
    let body = if *request.method() == Method::GET { query.clone() } else { read_fields(request).await? };
    let protocol = if state.site.is_https { "https" } else { "http" }.to_owned();
    let url = format!("{}{url}", state.site.public_url);
    let input = AuthInput { url, headers, query, body, protocol };
    Ok(Ask { actor_type, provider: ProviderId::new(provider), input })
}

/// The headers, without the cookies: they are nobody's business but Latchkey's.
fn texts_of(headers: &HeaderMap) -> BTreeMap<String, String> {
    let texts = headers.iter().filter(|(name, _)| **name != header::COOKIE);
    texts.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
}

/// The fields of a body that are text, from JSON or a form.
async fn read_fields(request: Request) -> Result<BTreeMap<String, String>, ApiError> {
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded"));
    if is_form {
        let form = Form::<BTreeMap<String, String>>::from_request(request, &()).await;
        return form.map(|form| form.0).map_err(|refused| ApiError::for_status(refused.status()));
    }
    let fields = read_object(request).await?;
    Ok(fields.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect())
}

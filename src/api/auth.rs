//! `/auth/{actor_type}/{provider}`: how programs prove who somebody is. What a body holds is the provider's business, so
//! no field is refused here. A token that comes out is a bearer token. One that comes in is not looked at where somebody
//! logs in: clients go on sending theirs when it has ended.

use std::collections::BTreeMap;

use axum::{
    Form, Json,
    extract::{FromRequest, OriginalUri, Path, Query, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    body::{Body, read_object},
    caller::bearer_token,
    error::ApiError,
};
use crate::{
    auth::AuthInput,
    flows::{self, Access, Ask, LostPassword},
    shared::ProviderId,
    web::{http::scope::Asked, state::WebState},
};

/// `POST` or `GET /auth/{actor_type}/{provider}`: log in.
///
/// # Errors
/// 401 with the provider's text, 400 where the actor type may not use the provider, 404 for an unknown actor type.
pub async fn authenticate(
    State(state): State<WebState>,
    Path(of): Path<(String, String)>,
    Asked { scope, .. }: Asked,
    request: Request,
) -> Result<Response, ApiError> {
    let ask = read_ask(&state, of, request).await?;
    answer(&ask, flows::authenticate(&state.services, &scope, &ask).await)
}

/// `POST /auth/{actor_type}/{provider}/register`: make an identity.
///
/// # Errors
/// As [`authenticate`]; 400 with the rule that a password breaks.
pub async fn register(
    State(state): State<WebState>,
    Path(of): Path<(String, String)>,
    Asked { scope, .. }: Asked,
    request: Request,
) -> Result<Response, ApiError> {
    let ask = read_ask(&state, of, request).await?;
    answer(&ask, flows::register_identity(&state.services, &scope, &ask).await)
}

/// `POST` or `GET /auth/{actor_type}/{provider}/callback`: the second half of a log-in that led elsewhere.
///
/// # Errors
/// As [`authenticate`].
pub async fn call_back(
    State(state): State<WebState>,
    Path(of): Path<(String, String)>,
    Asked { scope, .. }: Asked,
    request: Request,
) -> Result<Response, ApiError> {
    let ask = read_ask(&state, of, request).await?;
    answer(&ask, flows::call_back(&state.services, &scope, &ask).await)
}

/// Who has lost a password.
#[derive(Debug, Deserialize)]
pub struct LostPasswordBody {
    /// What the provider knows the person by: the e-mail address.
    identifier: String,
    /// Anything that the application wants to remember; Latchkey does not look at it.
    #[serde(default)]
    #[expect(dead_code, reason = "taken from clients that send it, and not looked at")]
    metadata: Option<Map<String, Value>>,
}

/// `POST /auth/{actor_type}/{provider}/reset-password`: asks for a mail by which a password is set anew. The same answer
/// for everybody, in the same time.
///
/// # Errors
/// 400 where the actor type may not use the provider, 404 for an unknown actor type.
pub async fn reset_password(
    State(state): State<WebState>,
    Path((actor_type, provider)): Path<(String, String)>,
    Asked { scope, .. }: Asked,
    Body(LostPasswordBody { identifier, metadata: _ }): Body<LostPasswordBody>,
) -> Result<(StatusCode, &'static str), ApiError> {
    let lost = LostPassword { actor_type, provider: ProviderId::new(provider), identifier };
    match flows::request_reset(&state.services, &scope, &lost).await {
        Ok(()) => Ok((StatusCode::CREATED, "Created")),
        Err(error) => Err(refusal((&lost.actor_type, &lost.provider), error)),
    }
}

/// `POST /auth/{actor_type}/{provider}/update`: sets a password by the secret in the path of a mailed link.
///
/// # Errors
/// 401 for a token that is no good here, 400 with the rule that the password breaks: the token stays good then.
pub async fn update(
    State(state): State<WebState>,
    Path(of): Path<(String, String)>,
    Asked { scope, .. }: Asked,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let token = bearer_token(request.headers()).unwrap_or_default().to_owned();
    let ask = read_ask(&state, of, request).await?;
    match flows::update_by_token(&state.services, &scope, (&ask, &token)).await {
        Ok(()) => Ok(Json(json!({ "success": true }))),
        Err(flows::Error::NotFound) => Err(ApiError::unauthorized("Invalid token")),
        Err(error) => Err(refusal((&ask.actor_type, &ask.provider), error)),
    }
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
        Err(error) => Err(refusal((&ask.actor_type, &ask.provider), error)),
    }
}

fn refusal((actor_type, provider): (&str, &ProviderId), error: flows::Error) -> ApiError {
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
    // An address is no place for a password, and what another site can make a browser open logs nobody in.
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let body = if is_read { BTreeMap::new() } else { read_fields(request).await? };
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

//! The description of the API (OpenAPI 3.1.0), made from the list of its routes, the words above the functions that answer
//! them, and the types that these read and write. Nothing is described twice: what holds for many addresses, such as who
//! may ask and how one is refused, is written down here once. `web/docs/api` shows it to people.

mod audience;
mod complete;
mod examples;
mod refusals;
mod values;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use utoipa::openapi::{
    Info, OpenApi, RefOr, Server,
    path::Operation,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

pub use audience::{Audience, Part};

use crate::web::state::{Description, PRODUCT, Site, WebState};

/// For how long programs may keep the description without asking again.
const CACHING: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Describes the API.
///
/// This document (OpenAPI 3.1); people read it at `/docs/api`.
#[utoipa::path(get, path = "/openapi.json", operation_id = "describe",
    responses((status = 200, description = "The document", body = Object),
        (status = 304, description = "It is the one that `If-None-Match` names")))]
pub async fn show(State(state): State<WebState>, asked: HeaderMap) -> Response {
    answer(&state.description, &asked)
}

fn answer(description: &Description, asked: &HeaderMap) -> Response {
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let is_known = known.flat_map(|tags| tags.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == description.etag
    });
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], description.json.clone()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, CACHING);
    if let Ok(etag) = HeaderValue::from_str(&description.etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// The kinds of accounts and the providers that are configured.
#[derive(Clone, Debug, Default)]
pub struct Configured {
    /// The actor types.
    pub actor_types: Vec<String>,
    /// The ids of the providers.
    pub providers: Vec<String>,
}

/// The whole document for a site, as JSON.
pub fn document(site: &Site, configured: &Configured, parts: &[Part]) -> String {
    let mut api = super::described();
    api.info = info();
    api.servers = Some(vec![Server::new(&site.public_url)]);
    api.tags = Some(
        parts.iter().map(|part| TagBuilder::new().name(part.name).description(Some(part.about)).build()).collect(),
    );
    let mut components = api.components.take().unwrap_or_default();
    components.schemas.extend(values::in_bodies());
    components.schemas.extend(refusals::schemas());
    components.responses = refusals::common();
    components.security_schemes =
        security_schemes(site).into_iter().map(|(name, scheme)| (name.into(), RefOr::T(scheme))).collect();
    complete::answer_whole_things(&api, &mut components);
    for (method, path, operation) in operations(&mut api) {
        complete::tidy_words(operation);
        complete::complete_parameters((path, configured), operation);
        refusals::complete(method, operation);
        complete::require_bodies(&components, operation);
        complete::name_answers(&components, operation);
        examples::add(&components, operation);
    }
    api.components = Some(components);
    api.to_json().unwrap_or_default()
}

/// Every operation with its method and its path.
fn operations(api: &mut OpenApi) -> impl Iterator<Item = (&'static str, &String, &mut Operation)> {
    api.paths.paths.iter_mut().flat_map(|(path, item)| {
        let methods = [("get", &mut item.get), ("post", &mut item.post), ("delete", &mut item.delete)];
        methods.into_iter().filter_map(move |(method, operation)| Some((method, path, operation.as_mut()?)))
    })
}

fn info() -> Info {
    let mut info = Info::new(PRODUCT, env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "What people do on the pages, for programs: they log in, and admins manage users and invites.\n\n\
         Bodies and answers are JSON in UTF-8; a body has at most 64 KiB, and an empty one is `{}`. What is not known is \
         refused, in a body as in an address. A refusal has a `type` for programs and a `message` for developers, but for \
         the one of who is not logged in, which is `{\"message\":\"Unauthorized\"}`. Each answer has an `X-Request-Id`, \
         by which the log knows it. Tries are limited: `Retry-After` of 429 and 503 is in seconds."
            .to_owned(),
    );
    info
}

fn security_schemes(site: &Site) -> [(&'static str, SecurityScheme); 3] {
    let bearer = |about: &str| HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about));
    let token = bearer("The token that logging in answers.").bearer_format("JWT").build();
    let reset = bearer("The secret in the path of a link that was mailed to set a password.").build();
    let cookie = "The cookie of a browser that is logged in. What changes something must come from this site, or from an \
                  origin in `server.allowed_origins`.";
    let cookie = ApiKeyValue::with_description(site.session_cookie.as_str(), cookie);
    [
        ("token", SecurityScheme::Http(token)),
        ("reset_token", SecurityScheme::Http(reset)),
        ("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie))),
    ]
}

/// The name at the end of a reference.
fn name_in(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

#[cfg(test)]
mod tests {
    use axum::body::{Bytes, to_bytes};

    use super::*;

    async fn read(description: &Description) -> Bytes {
        let answer = answer(description, &HeaderMap::new());
        to_bytes(answer.into_body(), usize::MAX).await.unwrap()
    }

    #[tokio::test]
    async fn however_many_read_it_there_is_one_copy() {
        let description = Description::new("{}".repeat(1_000));
        let (one, other) = (read(&description).await, read(&description).await);
        assert_eq!((one.as_ptr(), other.as_ptr()), (description.json.as_ptr(), description.json.as_ptr()));
        assert_eq!(one.len(), 2_000);
    }
}

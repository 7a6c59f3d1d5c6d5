//! What every request passes on its way in and every answer on its way out: a request id and a line in the log, panics
//! caught, headers that keep browsers careful, limits of size and time, and no change from another site.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use tower_http::{
    cors::{AllowHeaders, CorsLayer},
    csrf::{ConfigError, CsrfLayer, ProtectionError},
};

use super::{error::PageError, form, scope::RequestId};
use crate::platform::Entropy;

/// Whether a path is for programs.
pub type IsTheirs = fn(&str) -> bool;
/// How a program is refused with a status.
pub type Refusal = fn(StatusCode) -> Response;

/// The largest body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// What the log calls an address that is none of this site.
const NO_ROUTE: &str = "(none)";
/// How long a browser remembers what the scripts of another origin may do; no browser believes more than two hours.
const PREFLIGHT_LASTS: Duration = Duration::from_hours(1);

/// How much of a body that is too large is taken in before it is refused, in bytes.
const HEARD_BYTES: usize = 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives a request its id, writes a line when it is answered, and sets the headers of every answer.
pub async fn trace(State(entropy): State<Entropy>, mut request: Request, next: Next) -> Response {
    let id = URL_SAFE_NO_PAD.encode(entropy.bytes::<12>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = route_of(&request);
    let started = now();
    let mut response = next.run(request).await;
    log(&Answered { id: &id, method: &method, route: &route, status: response.status(), took: started.elapsed() });
    set_headers(&mut response, &id);
    response
}

#[expect(clippy::disallowed_methods, reason = "how long an answer took is measured here and nowhere else")]
fn now() -> Instant {
    Instant::now()
}

/// Where a request leads, as the log may know it: never the path as it was typed, which holds the secret of a mailed link,
/// also where it leads nowhere because of a sign too many.
fn route_of(request: &Request) -> String {
    let function = form::function_at(request.uri().path());
    let matched = || request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    function.or_else(matched).unwrap_or(NO_ROUTE).to_owned()
}

struct Answered<'a> {
    id: &'a str,
    method: &'a Method,
    route: &'a str,
    status: StatusCode,
    took: Duration,
}

/// Reading is routine and only told on demand; what changes something, is refused or fails is always told.
fn log(answered: &Answered<'_>) {
    let Answered { id: request_id, method, route, status, took } = answered;
    let (status, took_ms) = (status.as_u16(), took.as_secs_f64() * 1_000.0);
    if status >= 500 {
        tracing::error!(%method, route, status, took_ms, request_id, "answered");
    } else if status >= 400 || *method != Method::GET {
        tracing::info!(%method, route, status, took_ms, request_id, "answered");
    } else {
        tracing::debug!(%method, route, status, took_ms, request_id, "answered");
    }
}

fn set_headers(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    // Grows once, and not in steps.
    headers.reserve(12);
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    );
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        );
    }
}

/// Tells browsers to come by https alone from now on (RFC 6797); only where people come by https.
pub async fn strict_transport(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = HeaderValue::from_static("max-age=63072000");
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, policy);
    response
}

/// Refuses what another site makes a browser send (Fetch Metadata, or `Origin` against `Host` and the public URL), but
/// for the paths of programs, whose routes have [`known_sites_only`] around them.
///
/// # Errors
/// If the public URL is no origin.
pub fn own_site_only(
    public_origin: &str,
    programs_own: IsTheirs,
) -> Result<CsrfLayer<impl Fn(ProtectionError) -> Response + Clone + Send + Sync + 'static>, ConfigError> {
    let known = known_sites_only(public_origin, &[])?;
    Ok(known.with_insecure_bypass(move |_, uri| programs_own(uri.path())))
}

/// Refuses what a site makes a browser send that is neither this one nor one of the allowed origins.
///
/// # Errors
/// If the public URL or one of the others is no origin.
pub fn known_sites_only(
    public_origin: &str,
    others: &[String],
) -> Result<CsrfLayer<impl Fn(ProtectionError) -> Response + Clone + Send + Sync + 'static>, ConfigError> {
    let refuse = |_refused: ProtectionError| PageError::CrossSite.into_response();
    let mut layer = CsrfLayer::new().add_trusted_origin(public_origin)?;
    for origin in others {
        layer = layer.add_trusted_origin(origin)?;
    }
    Ok(layer.with_rejection_response(refuse))
}

/// Lets the scripts of these origins use the addresses for programs, as who is logged in with their browser or by a token
/// (Fetch, CORS). Which headers a script sends is no secret and opens nothing, so that every client may send its own.
pub fn other_origins(origins: &[String]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect::<Vec<_>>())
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::RETRY_AFTER, REQUEST_ID])
        .max_age(PREFLIGHT_LASTS)
}

/// Takes in a body that says itself that it is too large, up to a limit, before it is refused: a connection that is closed
/// while the other side still sends is torn down, and the answer with it.
pub async fn hear_out(request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_none_or(|length: usize| length <= MAX_BODY_BYTES) {
        return next.run(request).await;
    }
    let mut body = request.into_body();
    let mut heard = 0;
    while let Some(Ok(frame)) = body.frame().await {
        heard += frame.data_ref().map_or(0, bytes_of);
        if heard > HEARD_BYTES {
            break;
        }
    }
    StatusCode::PAYLOAD_TOO_LARGE.into_response()
}

fn bytes_of(data: &impl AsRef<[u8]>) -> usize {
    data.as_ref().len()
}

/// What is answered instead of a panic: the panic is logged, people see a page.
#[expect(clippy::needless_pass_by_value, reason = "the shape that the layer calls")]
pub fn after_panic(panic: Box<dyn std::any::Any + Send + 'static>) -> Response<Body> {
    let reason = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("of an unknown kind");
    tracing::error!(reason, "a request panicked");
    PageError::Internal.into_response()
}

/// Whether the one who asks reads pages.
fn wants_page(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Gives programs their own kind of refusal where something around their addresses has refused in another way.
pub async fn speak_to_programs((own, refusal): (IsTheirs, Refusal), request: Request, next: Next) -> Response {
    let is_program = own(request.uri().path()) && !wants_page(&request);
    let response = next.run(request).await;
    let status = response.status();
    let is_refused = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !is_program || !is_refused || kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        return response;
    }
    let mut spoken = refusal(status);
    let of_the_page = [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::CONTENT_SECURITY_POLICY,
        header::TRANSFER_ENCODING,
    ];
    for (name, value) in response.headers() {
        if !of_the_page.contains(name) {
            spoken.headers_mut().insert(name, value.clone());
        }
    }
    spoken
}

/// Gives people a page where a layer has answered a bare status.
pub async fn bare_statuses(request: Request, next: Next) -> Response {
    let is_person = wants_page(&request);
    let response = next.run(request).await;
    let status = response.status();
    let has_type = response.headers().contains_key(header::CONTENT_TYPE);
    let is_bare = matches!(
        status,
        StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::BAD_REQUEST
    ) && (!has_type
        || response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain")));
    if !(is_person && is_bare) {
        return response;
    }
    let mut page = PageError::for_status(status).into_response();
    *page.status_mut() = status;
    page
}

//! `GET /auth/forward`: a proxy asks whether a request may pass to the application behind it, as Traefik's `forwardAuth`,
//! Caddy's `forward_auth` and nginx's `auth_request` do. 200 names who asks; everybody else is sent to log in and comes
//! back to where they were, on this site and the configured origins only. The proxy must take the names from the answer
//! and from nobody else.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{caller::Caller, error::ApiError, params::Params};
use crate::{
    flows::{Holder, USER},
    shared::Role,
    web::{
        http::next::{OwnPath, query_value},
        state::{Site, WebState},
    },
};

/// What the proxy asks for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wish {
    /// The role that the application is for; a mightier one will do.
    #[param(value_type = Option<Role>)]
    role: Option<String>,
    /// Answers 401 in place of 302, with the same `Location`: nginx passes no other refusal on.
    unauthorized: Option<InPlaceOfRedirect>,
}

/// What a proxy is answered that passes no redirect on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub enum InPlaceOfRedirect {
    /// 401.
    #[serde(rename = "401")]
    Unauthorized,
}

/// Says whether a request may pass.
///
/// To the application behind the door: a proxy asks with the cookies of the request, and with the address that was asked
/// for in `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Uri`, or in `X-Original-URL`. 200 names who asks;
/// everybody else is sent to log in and comes back to where they were.
///
/// # Errors
/// 401 for a bearer token that is no good, 403 for who has not the role, 400 for a role that there is not.
#[utoipa::path(get, path = "/auth/forward", operation_id = "may_pass", params(Wish),
    security((), ("token" = []), ("session" = [])),
    responses((status = 200, description = "The request may pass", headers(
            ("Remote-User" = String, description = "The id of the user"),
            ("Remote-Email" = String, description = "The e-mail address"),
            ("Remote-Name" = String, description = "The name, else the e-mail address, in UTF-8"),
            ("Remote-Role" = String, description = "The role"))),
        (status = 302, description = "Nobody is logged in",
            headers(("Location" = String, description = "Where to log in"))),
        (status = 401),
        (status = 403, description = "`You are not allowed to do this.`")))]
pub async fn check(
    State(state): State<WebState>,
    Params(wish): Params<Wish>,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, ApiError> {
    let wanted = wish.role.as_deref().map(str::parse::<Role>).transpose();
    let wanted = wanted.map_err(|_| ApiError::invalid_data("There is no such role."))?;
    let Some(named) = caller.holder.as_ref().and_then(Named::from_holder) else {
        return Ok(send_to_log_in(&state.site, &headers, &wish));
    };
    let has_role = |wanted: Role| named.role.is_some_and(|role| !wanted.is_mightier_than(role));
    if wanted.is_some_and(|wanted| !has_role(wanted)) {
        return Err(ApiError::forbidden());
    }
    Ok(tell(&named))
}

/// Who is named to an application behind the door.
struct Named {
    id: String,
    email: String,
    name: String,
    /// None for somebody whom another application looks after.
    role: Option<Role>,
}

impl Named {
    fn from_holder(holder: &Holder) -> Option<Self> {
        if let Some(user) = holder.session.external_user.as_ref().filter(|_| holder.actor_type == USER) {
            let (id, name) = (user.id.clone(), user.display_name().to_owned());
            return Some(Self { id, email: user.email.clone().unwrap_or_default(), name, role: None });
        }
        let user = holder.user.as_ref()?;
        let (id, email) = (user.id.to_string(), user.email.to_string());
        Some(Self { id, email, name: user.display_name(), role: Some(user.role) })
    }
}

/// Names are told in UTF-8; a name holds no control characters, so none can end its header. What there is not is told
/// as an empty text, so that a proxy puts it in the place of what the client has sent.
fn tell(named: &Named) -> Response {
    let named = [
        ("remote-user", named.id.as_str()),
        ("remote-email", named.email.as_str()),
        ("remote-name", named.name.as_str()),
        ("remote-role", named.role.map_or("", Role::as_str)),
    ];
    let mut response = StatusCode::OK.into_response();
    for (header, value) in named {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().insert(HeaderName::from_static(header), value);
        }
    }
    response
}

fn send_to_log_in(site: &Site, headers: &HeaderMap, wish: &Wish) -> Response {
    let next = asked_for(headers).and_then(|asked| way_back(site, &asked));
    let next = next.map(|next| format!("?next={}", next.in_query())).unwrap_or_default();
    let location = format!("{}/login{next}", site.public_url);
    let status = match wish.unauthorized {
        Some(InPlaceOfRedirect::Unauthorized) => StatusCode::UNAUTHORIZED,
        None => StatusCode::FOUND,
    };
    (status, [(header::LOCATION, location)]).into_response()
}

/// The address that was asked for, in the words of Traefik and Caddy, or of nginx.
fn asked_for(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    match (text("x-forwarded-proto"), text("x-forwarded-host"), text("x-forwarded-uri")) {
        (Some(scheme), Some(host), Some(path)) => Some(format!("{scheme}://{host}{path}")),
        _ => text("x-original-url").map(str::to_owned),
    }
}

/// How a browser that has logged in gets back there; `None` for a site that is none of ours.
pub(super) fn way_back(site: &Site, asked: &str) -> Option<OwnPath> {
    let Asked { origin, path } = Asked::read(asked)?;
    if origin == site.public_url {
        return OwnPath::parse(&path);
    }
    site.forward_origins
        .contains(&origin)
        .then(|| format!("/auth/return?to={}", query_value(&format!("{origin}{path}"))))
        .and_then(|path| OwnPath::parse(&path))
}

/// An address, taken apart so that nothing in it can be read in two ways.
struct Asked {
    origin: String,
    path: String,
}

impl Asked {
    fn read(text: &str) -> Option<Self> {
        let is_plain = text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
        let uri: Uri = text.parse().ok().filter(|_| is_plain)?;
        let (scheme, authority) = (uri.scheme_str()?.to_ascii_lowercase(), uri.authority()?);
        let own_port = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().to_ascii_lowercase();
        let port = authority.port_u16().filter(|port| *port != own_port).map(|port| format!(":{port}"));
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Some(Self { origin: format!("{scheme}://{host}{}", port.unwrap_or_default()), path })
    }
}

/// Where a browser goes that has logged in for an application behind the door.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Return {
    /// The address, of an origin in `server.forward_origins`.
    #[param(example = "https://app.example.org/", max_length = 2048, pattern = "^[!-~]*$")]
    to: String,
}

/// Leads a browser back to an application behind the door.
///
/// # Errors
/// 404 for an address that is not of a configured origin.
#[utoipa::path(get, path = "/auth/return", operation_id = "go_back", params(Return),
    responses((status = 302, description = "Back", headers(("Location" = String, description = "The address"))),
        (status = 404, description = "`This address is not of an application behind this door.`")))]
pub async fn go_back(
    State(state): State<WebState>,
    Params(Return { to }): Params<Return>,
) -> Result<impl IntoResponse, ApiError> {
    let asked = Asked::read(&to).filter(|asked| state.site.forward_origins.contains(&asked.origin));
    let Some(Asked { origin, path }) = asked else {
        return Err(ApiError::not_found("This address is not of an application behind this door."));
    };
    Ok((StatusCode::FOUND, [(header::LOCATION, format!("{origin}{path}"))]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Option<String> {
        Asked::read(text).map(|asked| asked.origin)
    }

    #[test]
    fn an_address_is_read_as_a_browser_reads_it() {
        for (text, expected) in [
            ("https://app.example.org/a?b", Some("https://app.example.org")),
            ("HTTPS://APP.example.org:443/", Some("https://app.example.org")),
            ("http://app.example.org:8080", Some("http://app.example.org:8080")),
            ("https://app.example.org@evil.test/", None),
            ("https://app.example.org\\@evil.test/", None),
            ("https:/\\evil.test", None),
            ("javascript:alert(1)", None),
            ("//evil.test", None),
            ("/path", None),
            ("https://app.example.org/\t", None),
        ] {
            assert_eq!(origin(text).as_deref(), expected, "{text}");
        }
    }
}

//! `GET /auth/forward`: a proxy asks whether a request may pass to the application behind it, as Traefik's `forwardAuth`,
//! Caddy's `forward_auth` and nginx's `auth_request` do. 200 names who asks; everybody else is sent to log in and comes
//! back to where they were, on this site and the configured origins only. The proxy must take the names from the answer
//! and from nobody else.

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use serde::Deserialize;

use super::{caller::Caller, error::ApiError, params::Params};
use crate::{
    flows::Holder,
    shared::Role,
    web::{
        http::next::{OwnPath, query_value},
        state::{Site, WebState},
    },
};

/// What the proxy asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Wish {
    /// The role that the application is for; a mightier one will do.
    role: Option<String>,
    /// `401` answers that in place of 302, with the same `Location`: nginx passes no other refusal on.
    unauthorized: Option<String>,
}

/// `GET /auth/forward`.
///
/// # Errors
/// 401 for a bearer token that is no good, 403 for who has not the role, 400 for a role that there is not.
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
        if let Some(user) = &holder.session.external_user {
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
    let is_401 = wish.unauthorized.as_deref() == Some("401");
    let status = if is_401 { StatusCode::UNAUTHORIZED } else { StatusCode::FOUND };
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
fn way_back(site: &Site, asked: &str) -> Option<OwnPath> {
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
#[derive(Debug, Deserialize)]
pub struct Return {
    to: String,
}

/// `GET /auth/return`: back to an application behind the door.
///
/// # Errors
/// 404 for an address that is not of a configured origin.
pub async fn go_back(
    State(state): State<WebState>,
    Query(Return { to }): Query<Return>,
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

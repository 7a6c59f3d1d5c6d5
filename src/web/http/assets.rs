//! Stylesheet, scripts and pictures, from the binary itself.
//!
//! They are built before it and embedded by `build.rs`, under names that hold a hash of the content: a browser keeps them
//! for a year and a new release has new names, so one file to deploy is all there is and none can be missing or stale.
//! Each is stored compressed, so that serving one costs a copy. A debug build reads stylesheet and pictures from the
//! source tree instead, so that editing them needs no build. No query and no session is ever looked at here.

use axum::{
    Router,
    body::Body,
    response::Response,
    routing::{MethodRouter, get},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// The name changes with the content: a browser never needs to ask again (RFC 8246).
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// For names that stay: a browser asks again after an hour.
const FOR_AN_HOUR: &str = "public, max-age=3600";
/// Where names with a hash are.
const HASHED: &str = "/assets/";

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file of the interface, as `build.rs` embeds it.
struct Asset {
    url: &'static str,
    media_type: &'static str,
    hash: &'static str,
    /// Where a debug build reads it from, relative to the crate; several are put together.
    sources: &'static [&'static str],
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// How a body is packed on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Brotli,
    Gzip,
    Plain,
}

impl Coding {
    /// The name of RFC 9110 §8.4.1.
    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Plain => "identity",
        }
    }
}

/// Where the stylesheet is.
pub fn stylesheet_url() -> &'static str {
    STYLESHEET_URL
}

/// Where the loader of the islands is, if they were built before this binary.
pub fn islands_url() -> Option<&'static str> {
    ISLANDS_URL
}

/// The routes of all assets.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, asset| router.route(asset.url, route(asset)))
}

fn route<S: Clone + Send + Sync + 'static>(asset: &'static Asset) -> MethodRouter<S> {
    get(move |headers: HeaderMap| async move { asset.answer(&headers) })
}

impl Asset {
    fn answer(&self, request: &HeaderMap) -> Response {
        if let Some(content) = self.in_source() {
            let mut response = Self::response(Body::from(content), "no-cache");
            self.describe(&mut response, Coding::Plain);
            return response;
        }
        let (coding, content) = self.smallest(request);
        let etag = self.etag(coding);
        let caching = if self.url.starts_with(HASHED) { FOR_EVER } else { FOR_AN_HOUR };
        let is_known = request.get_all(header::IF_NONE_MATCH).iter().any(|known| names_etag(known, &etag));
        let mut response = Self::response(if is_known { Body::empty() } else { Body::from(content) }, caching);
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            self.describe(&mut response, coding);
        }
        response
    }

    fn response(body: Body, caching: &'static str) -> Response {
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    fn describe(&self, response: &mut Response, coding: Coding) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        if coding != Coding::Plain {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        }
    }

    /// The smallest form that the client takes.
    fn smallest(&self, request: &HeaderMap) -> (Coding, &'static [u8]) {
        let packed = [(Coding::Brotli, self.brotli), (Coding::Gzip, self.gzip)];
        let mut taken = packed.into_iter().filter(|(coding, _)| is_accepted(request, *coding));
        taken.find_map(|(coding, content)| Some((coding, content?))).unwrap_or((Coding::Plain, self.plain))
    }

    /// Strong, so one for each coding (RFC 9110 §8.8.3.3).
    fn etag(&self, coding: Coding) -> String {
        format!("\"{}-{}\"", self.hash, coding.name())
    }

    /// The content as it stands in the source tree, in a debug build on the machine that built it.
    fn in_source(&self) -> Option<Vec<u8>> {
        if !cfg!(debug_assertions) || self.sources.is_empty() {
            return None;
        }
        let mut content = Vec::new();
        for source in self.sources {
            content.extend(std::fs::read(in_crate(source)).ok()?);
        }
        Some(content)
    }
}

fn in_crate(source: &str) -> String {
    format!("{}/{source}", env!("CARGO_MANIFEST_DIR"))
}

/// Whether `Accept-Encoding` names the coding and does not refuse it with `q=0`.
fn is_accepted(request: &HeaderMap, coding: Coding) -> bool {
    let lists = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        name.trim().eq_ignore_ascii_case(coding.name()) && !is_zero(weight)
    })
}

fn is_zero(weight: &str) -> bool {
    weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32))
}

/// Whether an `If-None-Match` names the tag; compared weakly (RFC 9110 §13.1.2).
fn names_etag(known: &HeaderValue, etag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    known.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use http::{Method, Request};
    use tower::ServiceExt;

    use super::*;

    static PACKED: Asset = Asset {
        url: "/assets/x-0123.js",
        media_type: "text/javascript; charset=utf-8",
        hash: "0123",
        sources: &[],
        plain: b"plain content",
        brotli: Some(b"brotli"),
        gzip: Some(b"gzip"),
    };

    fn ask(headers: &[(header::HeaderName, &'static str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        PACKED.answer(&headers)
    }

    fn text<'a>(response: &'a Response, name: &header::HeaderName) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn the_client_gets_the_smallest_form_that_it_takes() {
        let cases = [
            ("gzip, deflate, br, zstd", "br"),
            ("BR", "br"),
            ("gzip", "gzip"),
            ("br;q=0, gzip;q=0.5", "gzip"),
            ("br; q=0.000", ""),
            ("identity", ""),
            ("", ""),
        ];
        for (accepted, coding) in cases {
            let response = ask(&[(header::ACCEPT_ENCODING, accepted)]);
            assert_eq!(text(&response, &header::CONTENT_ENCODING), coding, "{accepted:?}");
            assert_eq!(text(&response, &header::VARY), "accept-encoding");
        }
    }

    #[test]
    fn a_name_with_a_hash_is_kept_for_ever() {
        assert_eq!(text(&ask(&[]), &header::CACHE_CONTROL), FOR_EVER);
        let named = Asset { url: "/robots.txt", ..PACKED };
        assert_eq!(text(&named.answer(&HeaderMap::new()), &header::CACHE_CONTROL), FOR_AN_HOUR);
    }

    #[tokio::test]
    async fn a_known_form_is_not_sent_again_and_another_form_is() {
        let known = [(header::ACCEPT_ENCODING, "br"), (header::IF_NONE_MATCH, r#""old", W/"0123-br""#)];
        let response = ask(&known);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(text(&response, &header::ETAG), r#""0123-br""#);
        assert_eq!(text(&response, &header::CACHE_CONTROL), FOR_EVER);
        assert!(axum::body::to_bytes(response.into_body(), 100).await.unwrap().is_empty());
        let other = ask(&[(header::IF_NONE_MATCH, r#""0123-br""#)]);
        assert_eq!(other.status(), StatusCode::OK);
        assert_eq!(axum::body::to_bytes(other.into_body(), 100).await.unwrap(), PACKED.plain);
    }

    #[tokio::test]
    async fn every_asset_answers_head_like_get_without_a_body() {
        for asset in ASSETS {
            let ask = |method| Request::builder().method(method).uri(asset.url).body(Body::empty()).unwrap();
            let get = routes::<()>().oneshot(ask(Method::GET)).await.unwrap();
            let head = routes::<()>().oneshot(ask(Method::HEAD)).await.unwrap();
            assert_eq!(get.status(), StatusCode::OK, "{}", asset.url);
            assert_eq!(get.headers(), head.headers(), "{}", asset.url);
            assert!(axum::body::to_bytes(head.into_body(), 100).await.unwrap().is_empty());
        }
    }

    #[test]
    fn the_pages_link_to_assets_that_exist() {
        let urls: Vec<_> = ASSETS.iter().map(|asset| asset.url).collect();
        assert!(urls.contains(&stylesheet_url()));
        assert!(urls.contains(&"/favicon.svg"));
        assert!(islands_url().is_none_or(|url| urls.contains(&url)));
    }
}

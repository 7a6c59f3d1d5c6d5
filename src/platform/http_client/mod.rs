//! A client for the few servers that Latchkey itself calls: small requests, bounded answers. It follows no redirect, uses
//! no proxy of the environment, keeps no cookie, and gives up at its time limit. Where it may reach public addresses
//! alone, an address is judged when it is connected to, so that no name and no spelling leads past it. Called by
//! whatever calls out; it knows none of them.

mod public_address;
mod url;

use std::{error::Error as _, fmt, net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderMap, Method};
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use tokio::time::{Instant, timeout_at};

use public_address::is_public;
pub use url::{HttpUrl, InvalidHttpUrl};

/// How long one of the addresses of a server may take to be connected to, so that there is time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next request, and how many of them for each server.
const KEPT: (Duration, usize) = (Duration::from_secs(30), 4);

/// Which servers a client may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By https alone, at addresses of the public internet.
    Public,
    /// All of them, also those of this machine and its networks.
    Anywhere,
}

/// What a client may do and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Which servers it may reach.
    pub reach: Reach,
    /// How long a request may take, the look-up of the name and the answer included.
    pub time_limit: Duration,
    /// How many bytes of an answer are read.
    pub max_body_bytes: usize,
}

/// What is asked of a server.
#[derive(Clone, Debug)]
pub struct HttpRequest<'a> {
    /// How.
    pub method: Method,
    /// Where.
    pub url: &'a HttpUrl,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// What a server has answered.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// The status, that of a redirect included.
    pub status: http::StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it came in time and was not too long.
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// Why there is no answer. No text holds the URL, which may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Only https is allowed.
    #[error("it is reached by http, and only https is allowed")]
    NotEncrypted,
    /// The server is not on the public internet.
    #[error("{0}")]
    Private(NoPublicAddress),
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It can't be reached, or does not speak HTTP.
    #[error("{0}")]
    Failed(String),
}

/// A host has no address that may be connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} leads to private addresses, which is not allowed")]
pub struct NoPublicAddress(String);

/// The client can't be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client can't be made: {0}")]
pub struct HttpClientError(#[from] reqwest::Error);

/// Calls other servers; clones share their connections.
#[derive(Clone)]
pub struct HttpClient {
    client: Client,
    settings: HttpSettings,
}

impl HttpClient {
    /// A client of these settings, which calls itself `user_agent`.
    ///
    /// # Errors
    /// [`HttpClientError`] if TLS can't be set up.
    pub fn new(settings: HttpSettings, user_agent: &str) -> Result<Self, HttpClientError> {
        let mut builder = Client::builder()
            .user_agent(user_agent)
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(KEPT.0)
            .pool_max_idle_per_host(KEPT.1);
        if settings.reach == Reach::Public {
            builder = builder.https_only(true).dns_resolver(Arc::new(PublicNames));
        }
        Ok(Self { client: builder.build()?, settings })
    }

    /// Sends a request and reads what is answered.
    ///
    /// # Errors
    /// [`HttpError`] where nothing is answered; whatever is answered is no error.
    pub async fn send(&self, request: HttpRequest<'_>) -> Result<HttpAnswer, HttpError> {
        let HttpRequest { method, url, headers, body } = request;
        self.check(url)?;
        let end = Instant::now() + self.settings.time_limit;
        let sending = self.client.request(method, url.as_url().clone()).headers(headers).body(body).send();
        let response = match timeout_at(end, sending).await {
            Ok(response) => response.map_err(|error| failure(error, self.settings.time_limit))?,
            Err(_) => return Err(HttpError::TimedOut(self.settings.time_limit)),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        // What was answered stands, also where the rest of it never comes.
        let reading = read(response, &mut body, self.settings.max_body_bytes);
        let is_whole = timeout_at(end, reading).await.unwrap_or(false);
        Ok(HttpAnswer { status, headers, body, is_whole })
    }

    /// An address in the place of a name is never looked up, so it is judged here.
    fn check(&self, url: &HttpUrl) -> Result<(), HttpError> {
        if self.settings.reach == Reach::Anywhere {
            return Ok(());
        }
        if !url.is_https() {
            return Err(HttpError::NotEncrypted);
        }
        if url.is_private_address() {
            return Err(HttpError::Private(NoPublicAddress(url.host().to_owned())));
        }
        Ok(())
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Reads a body up to a length; whether that was all.
async fn read(mut response: Response, body: &mut Vec<u8>, most: usize) -> bool {
    loop {
        match response.chunk().await {
            Ok(None) => return true,
            Ok(Some(chunk)) if body.len() + chunk.len() <= most => body.extend_from_slice(&chunk),
            Ok(Some(chunk)) => {
                body.extend_from_slice(chunk.get(..most - body.len()).unwrap_or_default());
                return false;
            }
            Err(_) => return false,
        }
    }
}

/// Says the innermost reason, which is the one that names the thing.
fn failure(error: reqwest::Error, time_limit: Duration) -> HttpError {
    if error.is_timeout() {
        return HttpError::TimedOut(time_limit);
    }
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(private) = inner.downcast_ref::<NoPublicAddress>() {
            return HttpError::Private(private.clone());
        }
        reason = inner.to_string();
        source = inner.source();
    }
    HttpError::Failed(reason)
}

/// Looks names up as the system does, and answers with public addresses alone: what is connected to is what was judged.
struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses = public_among(name.as_str(), found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The public ones of the addresses of a name.
fn public_among(name: &str, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, NoPublicAddress> {
    let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
    if public.is_empty() { Err(NoPublicAddress(name.to_owned())) } else { Ok(public) }
}

#[cfg(test)]
mod tests;

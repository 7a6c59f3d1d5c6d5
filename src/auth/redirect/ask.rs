//! Asks the other server: over TLS, or in the open where it is this machine, within a few seconds, and reads no more than
//! any honest answer holds. It follows no redirect. Whatever the other side names as its addresses is asked under the same
//! rules as what the operator has configured.

use std::{future::Future, pin::Pin, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use oauth2::{AccessToken, AsyncHttpClient, HttpRequest as OAuthRequest, HttpResponse as OAuthResponse};
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::time::timeout;

use super::Trouble;
use crate::platform::{HttpClient, HttpClientError, HttpRequest, HttpSettings, HttpUrl, Reach};

/// How long all questions of one step may take together: a page is there within five seconds, whatever the other side does.
const TIME_LIMIT: Duration = Duration::from_secs(4);
/// How much of an answer is read.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// What the server calls itself; some refuse whoever has no name.
const USER_AGENT: &str = concat!("Latchkey/", env!("CARGO_PKG_VERSION"));

/// Asks other servers about people.
#[derive(Clone, Debug)]
pub struct Asker {
    http: HttpClient,
    /// Whether the operator has named a server of this machine, which needs no TLS.
    may_ask_in_the_open: bool,
}

/// Why a question has no answer that could be read.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The other side does not answer, or says that it can't.
    #[error("{0}")]
    Down(String),
    /// It answers what no honest server would.
    #[error("{0}")]
    Odd(String),
}

impl Asker {
    /// One for the addresses that the operator has configured.
    ///
    /// # Errors
    /// [`HttpClientError`] if TLS can't be set up.
    pub fn new(configured: &[HttpUrl]) -> Result<Self, HttpClientError> {
        let settings = HttpSettings { reach: Reach::Anywhere, time_limit: TIME_LIMIT, max_body_bytes: MAX_BODY_BYTES };
        let http = HttpClient::new(settings, USER_AGENT)?;
        let may_ask_in_the_open = configured.iter().any(|url| !url.is_https() && url.is_this_machine());
        Ok(Self { http, may_ask_in_the_open })
    }

    /// Ends a step that takes too long.
    ///
    /// # Errors
    /// [`Trouble::Down`] if it does, and what the step says.
    pub async fn within_limit<T>(work: impl Future<Output = Result<T, Trouble>> + Send) -> Result<T, Trouble> {
        let ended = timeout(TIME_LIMIT, work).await;
        ended.unwrap_or_else(|_| Err(Trouble::Down(format!("no answer within {} s", TIME_LIMIT.as_secs()))))
    }

    /// Reads an address that the other side has named.
    ///
    /// # Errors
    /// [`AskError::Odd`] if it is none that may be asked, or that a browser may be sent to.
    pub fn address(&self, text: &str) -> Result<HttpUrl, AskError> {
        let url: HttpUrl = text.parse().map_err(|_| AskError::Odd("an address is no URL".to_owned()))?;
        if url.is_https() || (self.may_ask_in_the_open && url.is_this_machine()) {
            return Ok(url);
        }
        Err(AskError::Odd(format!("{} is reached without TLS", url.origin())))
    }

    /// Asks for JSON, as the holder of a token if there is one.
    ///
    /// # Errors
    /// [`AskError`] if there is none.
    pub async fn get(&self, url: &str, token: Option<&AccessToken>) -> Result<Value, AskError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            let bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret()));
            headers
                .insert(header::AUTHORIZATION, bearer.map_err(|_| AskError::Odd("the token is no text".to_owned()))?);
        }
        let (status, _, body) = self.send((Method::GET, url), headers, Vec::new()).await?;
        let origin = self.address(url)?.origin();
        if status != StatusCode::OK {
            return Err(AskError::Odd(format!("{origin} answers {status}")));
        }
        serde_json::from_slice(&body).map_err(|_| AskError::Odd(format!("{origin} answers no JSON")))
    }

    async fn send(
        &self,
        (method, url): (Method, &str),
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), AskError> {
        let url = self.address(url)?;
        let origin = url.origin();
        let sent = self.http.send(HttpRequest { method, url: &url, headers, body }).await;
        let answer = sent.map_err(|error| AskError::Down(format!("{origin}: {error}")))?;
        let status = answer.status;
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(AskError::Down(format!("{origin} answers {status}")));
        }
        if status.is_redirection() {
            return Err(AskError::Odd(format!("{origin} sends elsewhere, which is not followed")));
        }
        match (answer.is_whole, answer.body.len() < MAX_BODY_BYTES) {
            (true, _) => Ok((status, answer.headers, answer.body)),
            (false, true) => Err(AskError::Down(format!("{origin}: the rest of the answer did not come"))),
            (false, false) => Err(AskError::Odd(format!("{origin} answers more than {MAX_BODY_BYTES} bytes"))),
        }
    }
}

/// As the OAuth crates ask for tokens.
impl<'c> AsyncHttpClient<'c> for Asker {
    type Error = AskError;
    type Future = Pin<Box<dyn Future<Output = Result<OAuthResponse, AskError>> + Send + 'c>>;

    fn call(&'c self, request: OAuthRequest) -> Self::Future {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let url = head.uri.to_string();
            let (status, headers, body) = self.send((head.method, &url), head.headers, body).await?;
            if status != StatusCode::OK && serde_json::from_slice::<IgnoredAny>(&body).is_err() {
                return Err(AskError::Odd(format!("{} answers {status}", self.address(&url)?.origin())));
            }
            let mut response = OAuthResponse::new(body);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok(response)
        })
    }
}

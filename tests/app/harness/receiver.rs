//! An endpoint of webhooks that behaves as a test tells it to, and checks signatures by a hand of its own.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, Uri},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::body::Frame;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle, time::timeout};

/// The secret of every endpoint, unless a test is about secrets.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// How long a test waits for webhooks before it fails.
const PATIENCE: Duration = Duration::from_mins(1);
/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;

/// How the endpoint answers from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// With this, as JSON.
    Json(Value),
    /// By sending elsewhere.
    Redirect(String),
    /// Not at all.
    Silence,
    /// With more and more, for ever.
    Endless,
}

/// A webhook as it came in.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Webhook {
    /// A header that must be there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("{name} is missing")).to_str().unwrap()
    }

    /// The id that it keeps at every try.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// What it tells of.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Whether one of its signatures is by this secret.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let signed = format!("{}.{}.{}", self.id(), self.header("webhook-timestamp"), self.body);
        let signature = format!("v1,{}", STANDARD.encode(hmac_sha256(&key, signed.as_bytes())));
        self.header("webhook-signature").split(' ').any(|one| one == signature)
    }
}

/// HMAC as RFC 2104 has it, for keys that are no longer than a block.
fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; BLOCK];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], text].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner[..]].concat()).to_vec()
}

/// An endpoint of one test; gone when dropped.
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    answer: Mutex<Answer>,
    received: Mutex<Vec<Webhook>>,
    something: Notify,
}

impl Receiver {
    /// An endpoint on a free port.
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (received, something) = (Mutex::default(), Notify::new());
        let shared = Arc::new(Shared { answer: Mutex::new(answer), received, something });
        let routes = Router::new().fallback(receive).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, shared, serving }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/hooks?token=t0ken", self.address)
    }

    /// Settings of an endpoint with this name here, which wants everything.
    pub fn settings(&self, id: &str) -> String {
        let url = self.url();
        format!("[[webhooks]]\nid = {id:?}\nurl = {url:?}\nsecret = {SECRET:?}\nallow_private = true\n")
    }

    /// Answers otherwise from now on.
    pub fn behave(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// What has come in so far.
    pub fn received(&self) -> Vec<Webhook> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until so many have come in, and answers with them.
    pub async fn take(&self, count: usize) -> Vec<Webhook> {
        let waiting = async {
            loop {
                let next = self.shared.something.notified();
                if self.shared.received.lock().unwrap().len() >= count {
                    return;
                }
                next.await;
            }
        };
        let seen = || self.received().iter().map(Webhook::kind).collect::<Vec<_>>();
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("only {:?} came in", seen()));
        self.received()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let webhook = Webhook { path: uri.to_string(), headers, body: String::from_utf8(body.to_vec()).unwrap() };
    shared.received.lock().unwrap_or_else(PoisonError::into_inner).push(webhook);
    shared.something.notify_waiters();
    let answer = shared.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let response = Response::builder();
    match answer {
        Answer::Status(status) => response.status(StatusCode::from_u16(status).unwrap()).body(Body::from("noted")),
        Answer::Json(value) => response.body(Body::from(value.to_string())),
        Answer::Redirect(location) => response.status(307).header("location", location).body(Body::empty()),
        Answer::Silence => std::future::pending().await,
        Answer::Endless => response.body(Body::new(Endless)),
    }
    .unwrap()
}

/// A body that never ends.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1_024])))))
    }
}

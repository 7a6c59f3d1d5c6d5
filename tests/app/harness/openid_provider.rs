//! An OpenID provider over real HTTP that lies as a test tells it to. Left alone it is an honest one, and strict: it wants
//! PKCE, a nonce and the client's secret, gives each code once, and signs what it says. It has as many issuers as a test
//! asks for, each with a script of its own.

mod keys;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Form, Path, Query, State},
    http::{HeaderMap, Response, StatusCode, header},
    routing::{get, post},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hyper::body::Frame;
use latchkey::platform::Clock;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha512};
use tokio::{net::TcpListener, task::JoinHandle};

pub use keys::{Keys, Signing};

/// What every client of it is registered with.
pub const CLIENT_ID: &str = "latchkey at the provider";
/// The secret; with what has to be encoded.
pub const CLIENT_SECRET: &str = "s3cret:/+ü of the client";
/// What opens the userinfo.
const ACCESS_TOKEN: &str = "the access token";

/// What ten megabytes are made of.
static BLANKS: [u8; 64 * 1_024] = [b' '; 64 * 1_024];

type Fields = BTreeMap<String, String>;

/// How an endpoint answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Reply {
    /// As it should.
    #[default]
    Honest,
    /// The same with other values; `null` takes one away.
    With(Value),
    /// This JSON.
    Json(Value),
    /// With a status and a page.
    Status(u16),
    /// This text, as if all were well.
    Text(&'static str),
    /// By sending elsewhere, to where all would be well.
    Redirect,
    /// With ten megabytes.
    Huge,
    /// Not at all.
    Silence,
}

/// What one issuer does.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub discovery: Reply,
    pub jwks: Reply,
    pub token: Reply,
    pub userinfo: Reply,
    /// What stands in the head of an ID token.
    pub header: Value,
    /// What it claims.
    pub claims: Value,
    /// By what it is signed.
    pub signing: Signing,
    /// What the browser brings back.
    pub callback: Value,
}

/// What a browser was sent with.
#[derive(Clone, Debug, Default)]
struct Asked {
    redirect_uri: String,
    nonce: String,
    challenge: String,
}

#[derive(Default)]
struct Issuer {
    script: Script,
    codes: BTreeMap<String, Asked>,
    /// How many codes it has given out, those that were used included.
    given: usize,
    calls: BTreeMap<&'static str, usize>,
}

struct Shared {
    url: String,
    clock: Clock,
    keys: Keys,
    issuers: Mutex<BTreeMap<String, Issuer>>,
}

/// A provider of one test; gone when dropped.
pub struct OpenIdProvider {
    pub url: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl OpenIdProvider {
    /// A provider on a free port.
    pub async fn start(clock: &Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared =
            Arc::new(Shared { url: url.clone(), clock: clock.clone(), keys: Keys::new(), issuers: Mutex::default() });
        let routes = Router::new()
            .route("/{issuer}/.well-known/openid-configuration", get(discovery))
            .route("/{issuer}/jwks", get(jwks))
            .route("/{issuer}/authorize", get(authorize))
            .route("/{issuer}/token", post(token))
            .route("/{issuer}/userinfo", get(userinfo))
            .route("/honest/{text}", get(honest))
            .with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, shared, serving }
    }

    /// Settings of a provider of this id, whose issuer here has the same name.
    pub fn settings(&self, id: &str, more: &str) -> String {
        let issuer = format!("{}/{id}", self.url);
        format!(
            "[[providers]]\nid = {id:?}\nkind = \"oidc\"\n[providers.options]\nissuer = {issuer:?}\n\
             client_id = {CLIENT_ID:?}\nclient_secret = {CLIENT_SECRET:?}\n{more}\n"
        )
    }

    /// Behaves otherwise from now on.
    pub fn script(&self, issuer: &str, change: impl FnOnce(&mut Script)) {
        change(&mut self.shared.issuers().entry(issuer.to_owned()).or_default().script);
    }

    /// Signs with another key from now on, and has forgotten the old one.
    pub fn rotate(&self) {
        self.shared.keys.rotate();
    }

    /// How often an endpoint of an issuer was called.
    pub fn calls(&self, issuer: &str, endpoint: &str) -> usize {
        self.shared.issuers().get(issuer).and_then(|issuer| issuer.calls.get(endpoint).copied()).unwrap_or(0)
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn issuers(&self) -> MutexGuard<'_, BTreeMap<String, Issuer>> {
        self.issuers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call, and says how to answer it.
    fn called(&self, issuer: &str, endpoint: &'static str) -> Script {
        let mut issuers = self.issuers();
        let issuer = issuers.entry(issuer.to_owned()).or_default();
        *issuer.calls.entry(endpoint).or_default() += 1;
        issuer.script.clone()
    }

    fn issuer(&self, name: &str) -> String {
        format!("{}/{name}", self.url)
    }

    fn now_secs(&self) -> i64 {
        self.clock.now().as_micros() / 1_000_000
    }

    fn document(&self, name: &str) -> Value {
        let issuer = self.issuer(name);
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "HS256", "none"],
        })
    }

    /// The ID token for whoever was sent with this.
    fn id_token(&self, name: &str, asked: &Asked, script: &Script) -> String {
        let honest = json!({
            "iss": self.issuer(name),
            "aud": CLIENT_ID,
            "sub": format!("subject of {name}"),
            "nonce": asked.nonce,
            "iat": self.now_secs(),
            "exp": self.now_secs() + 300,
            "at_hash": hash_of(ACCESS_TOKEN, script.signing),
            "email": format!("{name}@example.org"),
            "email_verified": true,
            "given_name": "Ada",
            "family_name": "Lovelace",
        });
        self.keys.sign(script.signing, &script.header, &patched(honest, &script.claims))
    }
}

/// The left half of the hash that the signature is made of (OpenID Connect Core §3.1.3.6).
fn hash_of(token: &str, signing: Signing) -> String {
    match signing {
        Signing::EdDsa => URL_SAFE_NO_PAD.encode(&Sha512::digest(token.as_bytes())[..32]),
        _ => URL_SAFE_NO_PAD.encode(&Sha256::digest(token.as_bytes())[..16]),
    }
}

fn patched(mut value: Value, patch: &Value) -> Value {
    let patch = patch.as_object().cloned().unwrap_or_default();
    let object: &mut Map<String, Value> = value.as_object_mut().unwrap();
    for (name, new) in patch {
        if new.is_null() { drop(object.remove(&name)) } else { drop(object.insert(name, new)) }
    }
    value
}

async fn answer(shared: &Shared, reply: &Reply, honest: Value) -> Response<Body> {
    let response = Response::builder();
    let as_json = |value: &Value| {
        Response::builder().header(header::CONTENT_TYPE, "application/json").body(Body::from(value.to_string()))
    };
    match reply {
        Reply::Honest => as_json(&honest),
        Reply::With(patch) => as_json(&patched(honest, patch)),
        Reply::Json(value) => as_json(value),
        Reply::Status(status) => {
            let page = Body::from("<h1>An error <script>alert(1)</script></h1>");
            response.status(*status).header(header::CONTENT_TYPE, "text/html").body(page)
        }
        Reply::Text(text) => response.header(header::CONTENT_TYPE, "application/json").body(Body::from(*text)),
        Reply::Redirect => {
            // Where the honest answer is, so that whoever follows is let in.
            let elsewhere = format!("{}/honest/{}", shared.url, URL_SAFE_NO_PAD.encode(honest.to_string()));
            response.status(302).header(header::LOCATION, elsewhere).body(Body::empty())
        }
        Reply::Huge => response.header(header::CONTENT_TYPE, "application/json").body(Body::new(Huge(honest, 0))),
        Reply::Silence => std::future::pending().await,
    }
    .unwrap()
}

/// The honest answer behind ten megabytes of blanks.
struct Huge(Value, usize);

impl hyper::body::Body for Huge {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let sent = self.1;
        self.1 += 1;
        let chunk = match sent * BLANKS.len() {
            at if at < 10 * 1_024 * 1_024 => Some(Bytes::from_static(&BLANKS)),
            at if at == 10 * 1_024 * 1_024 => Some(Bytes::from(self.0.to_string())),
            _ => None,
        };
        std::task::Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

async fn honest(Path(text): Path<String>) -> Response<Body> {
    let body = Body::from(URL_SAFE_NO_PAD.decode(text).unwrap());
    Response::builder().header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}

async fn discovery(State(shared): State<Arc<Shared>>, Path(issuer): Path<String>) -> Response<Body> {
    let script = shared.called(&issuer, "discovery");
    answer(&shared, &script.discovery, shared.document(&issuer)).await
}

async fn jwks(State(shared): State<Arc<Shared>>, Path(issuer): Path<String>) -> Response<Body> {
    let script = shared.called(&issuer, "jwks");
    answer(&shared, &script.jwks, shared.keys.published(script.signing)).await
}

/// The person says yes at once.
async fn authorize(
    State(shared): State<Arc<Shared>>,
    Path(issuer): Path<String>,
    Query(query): Query<Fields>,
) -> Response<Body> {
    let script = shared.called(&issuer, "authorize");
    let asked = |name: &str| query.get(name).cloned().unwrap_or_default();
    let (method, kind, client) = (asked("code_challenge_method"), asked("response_type"), asked("client_id"));
    let is_fine = method == "S256" && kind == "code" && client == CLIENT_ID && !asked("nonce").is_empty();
    if !is_fine || !asked("scope").split(' ').any(|scope| scope == "openid") {
        return Response::builder().status(StatusCode::BAD_REQUEST).body(Body::from(format!("{query:?}"))).unwrap();
    }
    let mut issuers = shared.issuers();
    let there = issuers.entry(issuer.clone()).or_default();
    there.given += 1;
    let code = format!("code {} of {issuer}", there.given);
    let sent = Asked { redirect_uri: asked("redirect_uri"), nonce: asked("nonce"), challenge: asked("code_challenge") };
    there.codes.insert(code.clone(), sent);
    let honest = json!({ "code": code, "state": asked("state"), "iss": shared.issuer(&issuer) });
    let back = patched(honest, &script.callback);
    let pairs = back.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    let location = reqwest::Url::parse_with_params(&asked("redirect_uri"), pairs).unwrap();
    Response::builder().status(302).header(header::LOCATION, location.as_str()).body(Body::empty()).unwrap()
}

async fn token(
    State(shared): State<Arc<Shared>>,
    Path(issuer): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response<Body> {
    let script = shared.called(&issuer, "token");
    let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let code = shared.issuers().entry(issuer.clone()).or_default().codes.remove(given("code"));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(given("code_verifier").as_bytes()));
    let is_fine = |asked: &Asked| asked.challenge == challenge && asked.redirect_uri == given("redirect_uri");
    let Some(asked) = code.filter(is_fine).filter(|_| is_the_client(&headers, &form)) else {
        let refusal = json!({ "error": "invalid_grant", "error_description": "<script>alert(1)</script>" });
        let body = Body::from(refusal.to_string());
        return Response::builder().status(400).header(header::CONTENT_TYPE, "application/json").body(body).unwrap();
    };
    let honest = json!({
        "access_token": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "refresh_token": "the refresh token",
        "id_token": shared.id_token(&issuer, &asked, &script),
    });
    answer(&shared, &script.token, honest).await
}

/// By the header as RFC 6749 §2.3.1 has it, or by the form.
fn is_the_client(headers: &HeaderMap, form: &Fields) -> bool {
    let encoded = |text: &str| {
        let url = reqwest::Url::parse_with_params("http://x/", [("v", text)]).unwrap();
        url.query().unwrap().trim_start_matches("v=").to_owned()
    };
    let basic = STANDARD.encode(format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET)));
    let in_header = headers.get(header::AUTHORIZATION).is_some_and(|value| value == format!("Basic {basic}").as_str());
    let in_form = form.get("client_secret").is_some_and(|secret| secret == CLIENT_SECRET);
    in_header != in_form
}

async fn userinfo(State(shared): State<Arc<Shared>>, Path(issuer): Path<String>, headers: HeaderMap) -> Response<Body> {
    let script = shared.called(&issuer, "userinfo");
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != format!("Bearer {ACCESS_TOKEN}").as_str()) {
        return Response::builder().status(StatusCode::UNAUTHORIZED).body(Body::empty()).unwrap();
    }
    let honest = json!({
        "sub": format!("subject of {issuer}"),
        "email": format!("{issuer}@userinfo.example"),
        "email_verified": true,
        "name": "Ada of the userinfo",
    });
    answer(&shared, &script.userinfo, honest).await
}

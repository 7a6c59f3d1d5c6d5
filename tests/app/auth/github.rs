//! `github` against an API of the tests: people are their numbers, and their address is the verified primary one.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Form, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tokio::net::TcpListener;

use super::oidc::{arrive, counts, expect_counts, leave, log_in, program_of, visit};
use crate::harness::{TestApp, on_both_databases};

on_both_databases! {
    people_of_github_come_in_by_their_number,
    an_address_that_is_not_verified_is_none,
    what_github_refuses_is_refused,
    a_state_and_a_verifier_are_always_asked_for,
}

type Fields = BTreeMap<String, String>;

#[derive(Clone, Default)]
struct GitHub {
    said: Arc<Mutex<Said>>,
}

#[derive(Clone, Default)]
struct Said {
    user: Value,
    emails: Value,
    token: Option<Value>,
    challenge: String,
}

impl GitHub {
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let github = Self::default();
        github.say(
            json!({ "id": 583_231, "login": "octocat", "name": "Ada Lovelace", "email": "public@example.org" }),
            json!([
                { "email": "old@example.org", "primary": false, "verified": true },
                { "email": "Ada@example.org", "primary": true, "verified": true },
            ]),
        );
        let routes = Router::new()
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/api/user", get(user))
            .route("/api/user/emails", get(emails))
            .with_state(github.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        (github, url)
    }

    fn say(&self, user: Value, emails: Value) {
        let mut said = self.said.lock().unwrap();
        (said.user, said.emails) = (user, emails);
    }

    fn now(&self) -> Said {
        self.said.lock().unwrap().clone()
    }
}

async fn authorize(State(github): State<GitHub>, Query(query): Query<Fields>) -> Response {
    if query["code_challenge_method"] != "S256" || query["scope"] != "read:user user:email" {
        return StatusCode::BAD_REQUEST.into_response();
    }
    github.said.lock().unwrap().challenge.clone_from(&query["code_challenge"]);
    Redirect::to(&format!("{}?code=c0de&state={}", query["redirect_uri"], query["state"])).into_response()
}

async fn token(State(github): State<GitHub>, Form(form): Form<Fields>) -> Json<Value> {
    let Said { token, challenge, .. } = github.now();
    let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    let is_fine = form["code"] == "c0de" && verifier == challenge;
    // With the status of something that went well.
    let refusal = json!({ "error": "bad_verification_code", "error_description": "<b>no</b>" });
    let honest = json!({ "access_token": "gho_secret", "token_type": "bearer", "scope": "read:user,user:email" });
    Json(token.unwrap_or(if is_fine { honest } else { refusal }))
}

fn is_ours(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|value| value == "Bearer gho_secret") && headers.contains_key("user-agent")
}

async fn user(State(github): State<GitHub>, headers: HeaderMap) -> Response {
    if is_ours(&headers) { Json(github.now().user).into_response() } else { StatusCode::UNAUTHORIZED.into_response() }
}

async fn emails(State(github): State<GitHub>, headers: HeaderMap) -> Response {
    if is_ours(&headers) { Json(github.now().emails).into_response() } else { StatusCode::UNAUTHORIZED.into_response() }
}

async fn with_github(app: &TestApp) -> (TestApp, GitHub) {
    let (github, url) = GitHub::start().await;
    let settings = format!(
        "[[providers]]\nid = \"github\"\nkind = \"github\"\n[providers.options]\nclient_id = \"a\"\nclient_secret = \"b\"\n\
         authorization_url = \"{url}/authorize\"\ntoken_url = \"{url}/token\"\napi_url = \"{url}/api/\"\n"
    );
    (app.another_process_with(&settings).await, github)
}

async fn people_of_github_come_in_by_their_number(app: TestApp) {
    let (app, github) = with_github(&app).await;
    let me = program_of(&app, "github").await.get("/admin/users/me").await.json();
    assert_eq!((&me["user"]["email"], &me["user"]["first_name"]), (&json!("ada@example.org"), &json!("Ada Lovelace")));
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL").await, 1);
    let by = "SELECT entity_id FROM provider_identities WHERE provider = $1";
    assert_eq!(app.text_for(by, "github").await.as_deref(), Some("583231"));
    // Another name and another address are the same person; the same name with another number is not.
    github.say(
        json!({ "id": 583_231, "login": "renamed" }),
        json!([{ "email": "new@example.org", "primary": true, "verified": true }]),
    );
    let again = program_of(&app, "github").await.get("/admin/users/me").await.json();
    assert_eq!(again["user"]["id"], me["user"]["id"]);
    github.say(
        json!({ "id": 7, "login": "octocat" }),
        json!([{ "email": "other@example.org", "primary": true, "verified": true }]),
    );
    let other = program_of(&app, "github").await.get("/admin/users/me").await.json();
    assert_ne!(other["user"]["id"], me["user"]["id"]);
    expect_counts(counts(&app).await, [2, 2, 2, 3], "two people");
}

async fn an_address_that_is_not_verified_is_none(app: TestApp) {
    let (app, github) = with_github(&app).await;
    for emails in [
        json!([{ "email": "ada@example.org", "primary": true, "verified": false }]),
        json!([{ "email": "ada@example.org", "primary": true, "verified": "true" }]),
        json!([{ "email": "ada@example.org", "primary": false, "verified": true }]),
        json!([]),
    ] {
        github.say(json!({ "id": 583_231, "login": "octocat", "email": "ada@example.org" }), emails.clone());
        let answer = log_in(&app, "github").await;
        assert_eq!(answer.status, 401, "{emails}");
        expect_counts(counts(&app).await, [0; 4], "nobody without an address has an account");
    }
}

async fn what_github_refuses_is_refused(app: TestApp) {
    let (app, github) = with_github(&app).await;
    let program = app.program();
    let mut back = visit(leave(&program, "github", &json!({})).await).await;
    back.insert("code".to_owned(), json!("another code"));
    let answer = arrive(&program, "github", back).await;
    assert_eq!((answer.status, &answer.json()["message"]), (401, &json!("Authentication failed")));
    for token in [json!({ "access_token": "stolen", "token_type": "bearer" }), json!({}), json!([]), json!(null)] {
        github.said.lock().unwrap().token = Some(token.clone());
        let answer = log_in(&app, "github").await;
        assert_eq!((answer.status, &answer.json()["message"]), (401, &json!("Authentication failed")), "{token}");
    }
    github.said.lock().unwrap().token = None;
    for user in [json!({ "login": "octocat" }), json!({ "id": "583231" }), json!([])] {
        github.say(user.clone(), json!([]));
        assert_eq!(log_in(&app, "github").await.status, 401, "{user}");
    }
    expect_counts(counts(&app).await, [0; 4], "nobody");
}

async fn a_state_and_a_verifier_are_always_asked_for(app: TestApp) {
    let (app, github) = with_github(&app).await;
    let program = app.program();
    let back = visit(leave(&program, "github", &json!({})).await).await;
    let mut without = back.clone();
    without.remove("state");
    let answer = arrive(&program, "github", without).await;
    assert_eq!(answer.expect_status(401).json()["message"], "No state provided, or session expired");
    github.said.lock().unwrap().challenge = "of another browser".to_owned();
    arrive(&program, "github", back.clone()).await.expect_status(401);
    let answer = arrive(&program, "github", back).await;
    assert_eq!(answer.expect_status(401).json()["message"], "No state provided, or session expired");
    expect_counts(counts(&app).await, [0; 4], "nobody");
}

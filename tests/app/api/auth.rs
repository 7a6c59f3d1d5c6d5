//! `/auth/{actor_type}/{provider}`: how programs come in, and what their tokens are good for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Client, Page, TestApp, on_both_databases};

on_both_databases! {
    a_program_registers_logs_in_and_is_known_by_its_token,
    a_token_ends_with_its_session,
    a_token_that_is_not_ours_is_refused_whatever_it_says,
    what_a_provider_refuses_is_answered_with_its_words,
    an_actor_type_uses_its_own_providers with CUSTOMERS,
    an_identity_without_a_user_can_do_nothing with INVITE_ONLY,
    blanks_and_capitals_stretch_no_limit with FEW_TRIES,
    nobody_is_known_by_what_holds_a_nul,
    a_browser_gets_a_cookie_for_a_token_and_both_end_at_once,
    a_token_can_be_verified_by_the_published_keys,
}

pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const INVITE_ONLY: &str = "registration.mode = \"invite_only\"";
pub(super) const CUSTOMERS: &str = "[actors.customer]\nproviders = [\"emailpass\"]\n[actors.robot]\nproviders = []";

const FEW_TRIES: &str = "limits.log_in_per_account = \"3/5m\"";

pub(super) async fn post(program: &Client, path: &str, body: &Value) -> Page {
    let request = program.request(&Method::POST, path).header("content-type", "application/json");
    program.send(request.body(body.to_string())).await
}

pub(super) async fn with_token(program: &Client, (method, path): (Method, &str), token: &str) -> Page {
    program.send(program.request(&method, path).bearer_auth(token)).await
}

pub(super) fn credentials(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD })
}

pub(super) async fn token_of(program: &Client, path: &str, email: &str) -> String {
    let answer = post(program, path, &credentials(email)).await;
    answer.expect_status(200).json()["token"].as_str().expect("a token").to_owned()
}

pub(super) fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

async fn a_program_registers_logs_in_and_is_known_by_its_token(app: TestApp) {
    let program = app.script();
    let registered = token_of(&program, "/auth/user/emailpass/register", "bob@example.org").await;
    assert_eq!(claims(&registered)["actor_id"], "");
    with_token(&program, (Method::GET, "/admin/users/me"), &registered).await.expect_status(401);

    let token = token_of(&program, "/auth/user/emailpass", "bob@example.org").await;
    let me = with_token(&program, (Method::GET, "/admin/users/me"), &token).await.expect_status(200).json();
    assert_eq!(me["user"]["email"], "bob@example.org");
    let said = claims(&token);
    assert_eq!(said["actor_id"], me["user"]["id"]);
    assert_eq!(said["app_metadata"]["user_id"], me["user"]["id"]);
    assert_eq!((&said["actor_type"], &said["auth_provider"]), (&json!("user"), &json!("emailpass")));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 24 * 60 * 60);

    // The identity has a user by now.
    let refreshed = with_token(&program, (Method::POST, "/auth/token/refresh"), &registered).await;
    let refreshed = refreshed.expect_status(200).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(claims(&refreshed)["actor_id"], me["user"]["id"]);
    with_token(&program, (Method::GET, "/admin/users/me"), &refreshed).await.expect_status(200);
}

async fn a_token_ends_with_its_session(app: TestApp) {
    let (admin, program) = (app.admin().await, app.script());
    post(&program, "/auth/user/emailpass/register", &credentials("bob@example.org")).await.expect_status(200);
    let first = token_of(&program, "/auth/user/emailpass", "bob@example.org").await;
    let second = token_of(&program, "/auth/user/emailpass", "bob@example.org").await;
    with_token(&program, (Method::DELETE, "/auth/session"), &first).await.expect_status(200);
    let me = (Method::GET, "/admin/users/me");
    let answer = with_token(&program, me.clone(), &first).await;
    assert_eq!(answer.expect_status(401).body, r#"{"message":"Unauthorized"}"#);
    with_token(&program, me.clone(), &second).await.expect_status(200);

    let id = app.user_id("bob@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await;
    with_token(&program, me.clone(), &second).await.expect_status(401);
    with_token(&program, (Method::POST, "/auth/token/refresh"), &second).await.expect_status(401);
    let refused = post(&program, "/auth/user/emailpass", &credentials("bob@example.org")).await;
    assert_eq!(refused.expect_status(401).json()["message"], "Authentication failed");
}

async fn a_token_that_is_not_ours_is_refused_whatever_it_says(app: TestApp) {
    let program = app.script();
    post(&program, "/auth/user/emailpass/register", &credentials("bob@example.org")).await.expect_status(200);
    let token = token_of(&program, "/auth/user/emailpass", "bob@example.org").await;
    let mut parts: Vec<&str> = token.split('.').collect();
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    parts[0] = &unsigned;
    let cut = &token[..token.len() - 1];
    let padded = format!("{token}=");
    for forged in [parts.join("."), cut.to_owned(), padded, String::new(), "x".to_owned()] {
        with_token(&program, (Method::GET, "/admin/users/me"), &forged).await.expect_status(401);
    }
}

async fn what_a_provider_refuses_is_answered_with_its_words(app: TestApp) {
    let program = app.script();
    let register = "/auth/user/emailpass/register";
    post(&program, register, &credentials("bob@example.org")).await.expect_status(200);
    for (path, body, status, kind, message) in [
        (register, credentials("bob@example.org"), 401, "unauthorized", "Identity with email already exists"),
        (register, json!({ "password": PASSWORD }), 401, "unauthorized", "Email should be a string"),
        (register, json!({ "email": 5 }), 401, "unauthorized", "Email should be a string"),
        (register, json!({ "email": "eve@example.org" }), 401, "unauthorized", "Password should be a string"),
        ("/auth/user/emailpass", json!({}), 401, "unauthorized", "Email should be a string"),
        (
            "/auth/user/emailpass",
            json!({ "email": "bob@example.org", "password": "wrong horse" }),
            401,
            "unauthorized",
            "Invalid email or password",
        ),
        ("/auth/user/emailpass", credentials("eve@example.org"), 401, "unauthorized", "Invalid email or password"),
    ] {
        let answer = post(&program, path, &body).await;
        let said = answer.expect_status(status).json();
        assert_eq!((said["type"].as_str(), said["message"].as_str()), (Some(kind), Some(message)), "{path} {body}");
    }
    let address = format!("/auth/user/emailpass?email=bob@example.org&password={}", PASSWORD.replace(' ', "+"));
    let by_address = program.get(&address).await.expect_status(401).json();
    assert_eq!(by_address["message"], "Email should be a string");
    let weak = post(&program, register, &json!({ "email": "eve@example.org", "password": "short" })).await;
    assert_eq!(weak.expect_status(400).json()["type"], "invalid_data");
}

async fn an_actor_type_uses_its_own_providers(app: TestApp) {
    let program = app.script();
    let token = token_of(&program, "/auth/customer/emailpass/register", "cleo@example.org").await;
    assert_eq!((&claims(&token)["actor_type"], &claims(&token)["actor_id"]), (&json!("customer"), &json!("")));
    // No user is made for a customer, however often they log in.
    let token = token_of(&program, "/auth/customer/emailpass", "cleo@example.org").await;
    with_token(&program, (Method::GET, "/admin/users/me"), &token).await.expect_status(401);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);

    let refused = post(&program, "/auth/robot/emailpass", &credentials("cleo@example.org")).await;
    let said = refused.expect_status(400).json();
    assert_eq!(said["type"], "not_allowed");
    assert_eq!(said["message"], "The actor type robot is not allowed to use the auth provider emailpass");
    let unknown = post(&program, "/auth/nobody/emailpass", &credentials("cleo@example.org")).await;
    assert_eq!(unknown.expect_status(404).json()["type"], "not_found");
    let providers = program.get("/auth/customer/providers").await.expect_status(200).json();
    assert_eq!(
        providers["providers"],
        json!([{ "id": "emailpass", "identifier": "emailpass", "display_name": "E-mail and password", "flow": "credentials" }])
    );
    assert_eq!(program.get("/auth/robot/providers").await.json()["providers"], json!([]));
    program.get("/auth/nobody/providers").await.expect_status(404);
}

async fn an_identity_without_a_user_can_do_nothing(app: TestApp) {
    let program = app.script();
    post(&program, "/auth/user/emailpass/register", &credentials("bob@example.org")).await.expect_status(200);
    let token = token_of(&program, "/auth/user/emailpass", "bob@example.org").await;
    assert_eq!(claims(&token)["actor_id"], "");
    for (method, path) in [(Method::GET, "/admin/users/me"), (Method::POST, "/auth/session")] {
        with_token(&program, (method, path), &token).await.expect_status(401);
    }
    with_token(&program, (Method::POST, "/auth/token/refresh"), &token).await.expect_status(200);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
}

async fn a_browser_gets_a_cookie_for_a_token_and_both_end_at_once(app: TestApp) {
    let browser = app.script();
    post(&browser, "/auth/user/emailpass/register", &credentials("bob@example.org")).await.expect_status(200);
    let token = token_of(&browser, "/auth/user/emailpass", "bob@example.org").await;
    let opened = with_token(&browser, (Method::POST, "/auth/session"), &token).await.expect_status(200).json();
    assert_eq!(opened["user"]["email"], "bob@example.org");
    assert!(browser.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM sessions WHERE user_id <> ''").await, 1);
    let ended = browser.send(browser.request(&Method::DELETE, "/auth/session")).await;
    assert_eq!(ended.expect_status(200).json(), json!({ "success": true }));
    assert!(browser.cookie("latchkey").is_none() && !browser.is_logged_in().await);
    with_token(&browser, (Method::GET, "/admin/users/me"), &token).await.expect_status(401);
}

async fn a_token_can_be_verified_by_the_published_keys(app: TestApp) {
    let program = app.script();
    let token = token_of(&program, "/auth/user/emailpass/register", "bob@example.org").await;
    let keys = program.get("/.well-known/jwks.json").await.expect_status(200).json();
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).expect("the key");
    assert_eq!((&key["kty"], &key["crv"], &header["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    let public = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let public = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public);
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    assert!(key.get("d").is_none(), "the secret half stays here");
}

async fn blanks_and_capitals_stretch_no_limit(app: TestApp) {
    app.member("bob@example.org").await;
    let program = app.script();
    for email in ["bob@example.org ", " bob@example.org", "\tBOB@Example.ORG\n"] {
        let wrong = json!({ "email": email, "password": "the wrong password" });
        post(&program, "/auth/user/emailpass", &wrong).await.expect_status(401);
    }
    for email in ["bob@example.org", " bob@example.org ", "Bob@example.org"] {
        let refused = post(&program, "/auth/user/emailpass", &credentials(email)).await;
        assert!(refused.expect_status(429).retry_after_secs().is_some(), "{email:?}");
        app.script().log_in(email, PASSWORD).await.expect_status(429);
    }
}

/// PostgreSQL can't hold one; whoever asks learns as little as from any other address.
async fn nobody_is_known_by_what_holds_a_nul(app: TestApp) {
    app.member("bob@example.org").await;
    let program = app.script();
    for email in ["a\u{0}b@x.y", "bob@example.org\u{0}", "\u{0}"] {
        let refused = post(&program, "/auth/user/emailpass", &credentials(email)).await.expect_status(401).json();
        assert_eq!(refused["message"], "Invalid email or password", "{email:?}");
        post(&program, "/auth/user/emailpass/register", &credentials(email)).await.expect_status(400);
        app.script().log_in(email, PASSWORD).await.expect_status(401);
    }
}

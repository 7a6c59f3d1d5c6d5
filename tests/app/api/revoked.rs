//! What ends a bearer token: it is dead at the next request, and nothing brings it back.

use reqwest::Method;
use serde_json::json;

use super::auth::{INVITE_ONLY, post, token_of, with_token};
use crate::harness::{Client, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    whoever_loses_rights_loses_tokens,
    a_new_password_ends_tokens,
    what_is_ended_on_the_page_is_dead,
    a_user_who_is_deleted_has_no_tokens,
    a_token_of_before_the_account_ends_with_the_rest,
    a_token_that_becomes_a_users_is_listed,
    who_logs_in_may_hold_a_dead_token,
    a_token_of_nobody_is_logged_out with INVITE_ONLY,
    too_many_refreshes_are_refused with FEW,
}

const FEW: &str = "limits.log_in_per_ip = \"3/1m\"";
const EVE: &str = "eve@example.org";
const NEW: &str = "a brand new password";
const ME: (Method, &str) = (Method::GET, "/admin/users/me");
const REFRESH: (Method, &str) = (Method::POST, "/auth/token/refresh");

async fn token(program: &Client, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = post(program, "/auth/user/emailpass", &body).await;
    answer.expect_status(200).json()["token"].as_str().unwrap().to_owned()
}

async fn expect_dead(program: &Client, token: &str) {
    for asked in [ME, REFRESH, (Method::POST, "/auth/session")] {
        let answer = with_token(program, asked, token).await;
        assert_eq!(answer.expect_status(401).body, r#"{"message":"Unauthorized"}"#);
    }
}

async fn whoever_loses_rights_loses_tokens(app: TestApp) {
    let (admin, program) = (app.admin().await, app.script());
    app.member(EVE).await;
    let id = app.user_id(EVE).await;
    admin.post("/api/change-role", &[("id", &id), ("role", "admin")]).await.expect_status(302);
    let held = token(&program, EVE).await;
    with_token(&program, ME, &held).await.expect_status(200);
    admin.post("/api/change-role", &[("id", &id), ("role", "member")]).await.expect_status(302);
    expect_dead(&program, &held).await;
}

async fn a_new_password_ends_tokens(app: TestApp) {
    let program = app.script();
    let eve = app.member(EVE).await;
    let held = token(&program, EVE).await;
    eve.post("/api/change-password", &[("password", PASSWORD), ("new_password", NEW)]).await.expect_status(302);
    expect_dead(&program, &held).await;
    assert!(eve.is_logged_in().await);
}

async fn what_is_ended_on_the_page_is_dead(app: TestApp) {
    let program = app.script();
    let eve = app.member(EVE).await;
    let (first, second) = (token(&program, EVE).await, token(&program, EVE).await);
    let session = "SELECT s.id FROM sessions s JOIN bearer_tokens t ON t.session_id = s.id WHERE s.provider = $1
         ORDER BY s.id LIMIT 1";
    let id = app.text_for(session, "emailpass").await.unwrap();
    eve.post("/api/revoke-session", &[("id", &id)]).await.expect_status(302);
    expect_dead(&program, &first).await;
    with_token(&program, ME, &second).await.expect_status(200);
    eve.post("/api/revoke-other-sessions", &[]).await.expect_status(302);
    expect_dead(&program, &second).await;
    assert!(eve.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM bearer_tokens").await, 0);
}

async fn a_user_who_is_deleted_has_no_tokens(app: TestApp) {
    let (admin, program) = (app.admin().await, app.script());
    let before = token_of(&program, "/auth/user/emailpass/register", EVE).await;
    let held = token_of(&program, "/auth/user/emailpass", EVE).await;
    let id = app.user_id(EVE).await;
    let fields = [("id", id.as_str()), ("confirm", EVE)];
    admin.post("/api/delete-user", &fields).await.expect_status(302);
    expect_dead(&program, &held).await;
    expect_dead(&program, &before).await;
    // Who registers the address then is a new person.
    token_of(&program, "/auth/user/emailpass/register", EVE).await;
    expect_dead(&program, &before).await;
}

async fn a_token_of_before_the_account_ends_with_the_rest(app: TestApp) {
    let (admin, program) = (app.admin().await, app.script());
    let before = token_of(&program, "/auth/user/emailpass/register", EVE).await;
    token_of(&program, "/auth/user/emailpass", EVE).await;
    let id = app.user_id(EVE).await;
    admin.post("/api/end-user-sessions", &[("id", &id)]).await.expect_status(302);
    expect_dead(&program, &before).await;
}

async fn a_token_that_becomes_a_users_is_listed(app: TestApp) {
    let program = app.script();
    let before = token_of(&program, "/auth/user/emailpass/register", EVE).await;
    let held = token_of(&program, "/auth/user/emailpass", EVE).await;
    assert_eq!(app.number("SELECT count(*) FROM sessions WHERE user_id <> ''").await, 1);
    let refreshed = with_token(&program, REFRESH, &before).await.expect_status(200).json();
    assert_eq!(app.number("SELECT count(*) FROM sessions WHERE user_id <> ''").await, 2);
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 2, "no session is left that nobody sees");
    let refreshed = refreshed["token"].as_str().unwrap();
    with_token(&program, ME, refreshed).await.expect_status(200);
    with_token(&program, (Method::DELETE, "/auth/session"), refreshed).await.expect_status(200);
    expect_dead(&program, &before).await;
    with_token(&program, ME, &held).await.expect_status(200);
}

async fn who_logs_in_may_hold_a_dead_token(app: TestApp) {
    let program = app.script();
    app.member(EVE).await;
    let held = token(&program, EVE).await;
    with_token(&program, (Method::DELETE, "/auth/session"), &held).await.expect_status(200);
    let request = program.request(&Method::POST, "/auth/user/emailpass").bearer_auth(&held);
    let body = json!({ "email": EVE, "password": PASSWORD }).to_string();
    program.send(request.header("content-type", "application/json").body(body)).await.expect_status(200);
}

async fn a_token_of_nobody_is_logged_out(app: TestApp) {
    let program = app.script();
    let held = token_of(&program, "/auth/user/emailpass/register", EVE).await;
    with_token(&program, REFRESH, &held).await.expect_status(200);
    with_token(&program, (Method::DELETE, "/auth/session"), &held).await.expect_status(200);
    expect_dead(&program, &held).await;
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 0);
}

async fn too_many_refreshes_are_refused(app: TestApp) {
    let program = app.script();
    app.member(EVE).await;
    let held = token(&program, EVE).await;
    for _ in 0..3 {
        with_token(&program, REFRESH, &held).await.expect_status(200);
    }
    let refused = with_token(&program, REFRESH, &held).await;
    assert_eq!(refused.expect_status(429).json()["type"], "rate_limited");
    assert!(refused.retry_after_secs().is_some_and(|secs| secs > 0));
    with_token(&program, ME, &held).await.expect_status(200);
}

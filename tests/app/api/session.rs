//! `GET /auth/session`: who is logged in, told to pages of the application behind the door.

use reqwest::Method;

use crate::harness::{TestApp, on_both_databases};

on_both_databases! {
    a_visitor_is_nobody,
    who_is_logged_in_is_named,
    a_session_that_has_ended_is_nobody,
    other_origins_read_it_only_if_they_may with ONE_ORIGIN,
    a_session_ends_when_it_is_idle_or_old with SHORT,
}

const ONE_ORIGIN: &str = r#"server.allowed_origins = ["https://app.example.org"]"#;
const SHORT: &str = "session.idle = \"1h\"\nsession.absolute = \"3h\"";

async fn a_visitor_is_nobody(app: TestApp) {
    let answer = app.script().get("/auth/session").await;
    answer.expect_status(200);
    assert_eq!(answer.body, "{}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let other = app.script();
    other.set_cookie("latchkey", "AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(other.get("/auth/session").await.body, "{}");
}

async fn who_is_logged_in_is_named(app: TestApp) {
    let admin = app.admin().await;
    let answer = admin.get("/auth/session").await.json();
    assert_eq!(answer["user"]["email"], "ada@example.org");
    assert_eq!(answer["user"]["name"], "Ada Lovelace");
    assert!(answer["user"]["image"].is_null() && answer["user"]["id"].is_string());
    assert_eq!(answer["expires"], "2026-12-21T14:00:00.000Z");
}

async fn a_session_that_has_ended_is_nobody(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    let secret = bob.cookie("latchkey").unwrap();
    bob.log_out().await.expect_status(302);
    bob.set_cookie("latchkey", &secret);
    assert_eq!(bob.get("/auth/session").await.body, "{}");
}

async fn other_origins_read_it_only_if_they_may(app: TestApp) {
    let script = app.script();
    for (origin, allowed) in [("https://app.example.org", true), ("https://evil.example", false)] {
        let answer = script.send(script.request(&Method::GET, "/auth/session").header("origin", origin)).await;
        let told = answer.header("access-control-allow-origin");
        assert_eq!(told, allowed.then_some(origin));
    }
}

async fn a_session_ends_when_it_is_idle_or_old(app: TestApp) {
    let minutes = |minutes: u64| std::time::Duration::from_secs(minutes * 60);
    let (idle, busy) = (app.member("idle@example.org").await, app.member("busy@example.org").await);
    for _ in 0..4 {
        app.advance(minutes(40));
        assert!(busy.is_logged_in().await);
    }
    assert!(!idle.is_logged_in().await, "unused for longer than an hour");
    app.advance(minutes(40));
    assert!(!busy.is_logged_in().await, "older than three hours");
}

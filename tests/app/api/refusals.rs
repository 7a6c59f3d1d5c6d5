//! What programs are told by what lies around their addresses, and whose scripts may use them.

use reqwest::Method;
use serde_json::json;

use super::auth::{credentials, token_of};
use crate::harness::{Client, Page, TestApp, on_both_databases};

on_both_databases! {
    a_program_is_refused_in_json,
    a_person_is_refused_by_a_page,
    another_site_changes_nothing,
    an_allowed_origin_uses_the_api_and_nothing_else with ONE_ORIGIN,
    a_preflight_is_answered with ONE_ORIGIN,
}

const ONE_ORIGIN: &str = r#"server.allowed_origins = ["https://app.example.org"]"#;
const FRIEND: &str = "https://app.example.org";
const STRANGER: &str = "https://evil.example";
const BOB: &str = "bob@example.org";

/// What a browser sends for a script of another origin.
async fn from_origin(client: &Client, (method, path): (&Method, &str), origin: &str, token: Option<&str>) -> Page {
    let mut request = client.request(method, path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let mut request = request.body(credentials(BOB).to_string()).build().unwrap();
    for (name, value) in [("origin", origin), ("sec-fetch-site", "cross-site"), ("referer", origin)] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    client.execute(request).await
}

async fn a_program_is_refused_in_json(app: TestApp) {
    let program = app.script();
    let large = "x".repeat(70 * 1024);
    let no_json = program.request(&Method::POST, "/auth/user/emailpass").body("{").header("content-type", "text/json");
    for (answer, status, kind) in [
        (program.get("/auth/a/b/c/d").await, 404, "not_found"),
        (program.get("/admin/nothing-here").await, 404, "not_found"),
        (program.send(program.request(&Method::PUT, "/auth/session")).await, 405, "not_allowed"),
        (program.get("/auth/user/emailpass/update").await, 405, "not_allowed"),
        (program.get("/auth/%ff/emailpass").await, 400, "invalid_data"),
        (program.send(program.request(&Method::POST, "/auth/user/emailpass").body(large)).await, 413, "invalid_data"),
        (program.send(no_json).await, 400, "invalid_data"),
        (from_origin(&program, (&Method::POST, "/auth/user/emailpass"), STRANGER, None).await, 403, "forbidden"),
        (from_origin(&program, (&Method::DELETE, "/auth/session"), "null", None).await, 403, "forbidden"),
    ] {
        let said = answer.expect_status(status).json();
        assert_eq!(said["type"], kind, "{said}");
        assert!(said["message"].is_string(), "{said}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(
            answer.header("content-security-policy").map(|policy| policy.contains("default-src 'none'")),
            Some(true)
        );
        assert!(answer.header("x-request-id").is_some());
    }
    let wrong_method = program.send(program.request(&Method::PUT, "/auth/session")).await;
    assert!(wrong_method.header("allow").is_some_and(|allow| allow.contains("DELETE")), "{:?}", wrong_method.headers);
}

async fn a_person_is_refused_by_a_page(app: TestApp) {
    let person = app.form();
    person.get("/auth/a/b/c/d").await.expect_status(404).expect_text("Nothing here");
    person.get("/admin/nothing-here").await.expect_status(404).expect_text("Nothing here");
    // Pages refuse whoever asks by pages.
    let script = app.script();
    assert!(script.get("/nothing-here").await.expect_status(404).body.contains("<html"));
}

async fn another_site_changes_nothing(app: TestApp) {
    let program = app.script();
    let token = token_of(&program, "/auth/user/emailpass/register", BOB).await;
    let before = app.number("SELECT count(*) FROM events").await;
    for path in [
        "/auth/user/emailpass",
        "/auth/user/emailpass/register",
        "/auth/user/emailpass/callback",
        "/auth/user/emailpass/reset-password",
        "/auth/user/emailpass/update",
        "/auth/session",
        "/auth/token/refresh",
    ] {
        for token in [None, Some(token.as_str())] {
            let answer = from_origin(&program, (&Method::POST, path), STRANGER, token).await;
            answer.expect_status(403);
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    from_origin(&program, (&Method::DELETE, "/auth/session"), STRANGER, Some(&token)).await.expect_status(403);
    assert_eq!(app.number("SELECT count(*) FROM events").await, before);
}

async fn an_allowed_origin_uses_the_api_and_nothing_else(app: TestApp) {
    let (script, browser) = (app.script(), app.member("eve@example.org").await);
    token_of(&script, "/auth/user/emailpass/register", BOB).await;
    let answer = from_origin(&script, (&Method::POST, "/auth/user/emailpass"), FRIEND, None).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    let token = answer.expect_status(200).json()["token"].as_str().unwrap().to_owned();
    let refused = from_origin(&script, (&Method::POST, "/auth/token/refresh"), FRIEND, Some("x")).await;
    assert_eq!(refused.expect_status(401).header("access-control-allow-origin"), Some(FRIEND));
    let ended = from_origin(&script, (&Method::DELETE, "/auth/session"), FRIEND, Some(&token)).await;
    assert_eq!(ended.expect_status(200).json(), json!({ "success": true }));
    for lookalike in ["http://app.example.org", "https://app.example.org.evil.example", "https://sub.app.example.org"] {
        let answer = from_origin(&script, (&Method::POST, "/auth/user/emailpass"), lookalike, None).await;
        assert_eq!(answer.expect_status(403).header("access-control-allow-origin"), None);
    }
    // Pages and server functions stay closed to it.
    for path in ["/api/login", "/api/logout", "/api/profile", "/api/delete-user", "/link/x", "/dashboard/invites/new"] {
        let answer = from_origin(&browser, (&Method::POST, path), FRIEND, None).await;
        assert_eq!(answer.expect_status(403).header("access-control-allow-origin"), None, "{path}");
    }
    assert!(browser.is_logged_in().await);
}

async fn a_preflight_is_answered(app: TestApp) {
    let script = app.script();
    let preflight = async |path: &str, origin: &'static str| {
        let request = script.request(&Method::OPTIONS, path).header("access-control-request-method", "POST");
        let headers = "authorization,content-type,x-medusa-locale";
        let mut request = request.header("access-control-request-headers", headers).build().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        script.execute(request).await
    };
    for path in ["/auth/user/emailpass", "/auth/session", "/auth/token/refresh", "/admin/users/me"] {
        let answer = preflight(path, FRIEND).await;
        answer.expect_status(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND), "{path}");
        let header = |name| answer.header(name).unwrap_or_default().to_ascii_lowercase();
        assert!(header("access-control-allow-methods").contains("delete"));
        assert!(header("access-control-allow-headers").contains("x-medusa-locale"));
        assert_eq!(preflight(path, STRANGER).await.header("access-control-allow-origin"), None);
    }
    assert_eq!(preflight("/api/login", FRIEND).await.header("access-control-allow-origin"), None);
}

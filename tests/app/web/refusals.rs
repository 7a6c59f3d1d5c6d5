//! What the front door refuses whoever comes: other sites, too much, what can't be read; and the headers of every answer.

use reqwest::{Method, header};

use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    a_body_that_is_too_large_is_refused,
    what_cannot_be_read_is_refused_in_the_language_of_the_asker,
    an_unknown_address_is_a_page,
    get_changes_nothing,
    every_answer_carries_its_guards,
    a_flash_is_not_taken_from_a_stranger,
    the_server_says_that_it_lives_and_is_ready,
}

/// Every server function; a form or script of another site can call none of them.
const FUNCTIONS: [&str; 13] = [
    "login",
    "logout",
    "register",
    "setup",
    "profile",
    "change-password",
    "revoke-session",
    "revoke-other-sessions",
    "disable-user",
    "enable-user",
    "change-role",
    "delete-user",
    "end-user-sessions",
];

async fn a_body_that_is_too_large_is_refused(app: TestApp) {
    let large = "x".repeat(70 * 1024);
    for client in [app.form(), app.script()] {
        client.log_in("bob@example.org", &large).await.expect_status(413);
    }
    app.form().get("/login").await.expect_status(200);
}

async fn what_cannot_be_read_is_refused_in_the_language_of_the_asker(app: TestApp) {
    for body in ["email=%ff&password=%00", "%%%", "email[a][b]=c", "\u{0}"] {
        for client in [app.form(), app.script()] {
            let request = client.request(&Method::POST, "/api/login").body(body);
            let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = client.send(request).await;
            assert!(answer.status < 500, "{body}: {}", answer.status);
            assert!(answer.location().is_none_or(|to| !to.contains("__err")), "{:?}", answer.location());
        }
    }
    for client in [app.form(), app.script()] {
        let request =
            client.request(&Method::POST, "/api/login").body("{}").header(header::CONTENT_TYPE, "application/json");
        assert!(client.send(request).await.status < 500);
        client.get("/login").await.expect_status(200);
    }
}

async fn an_unknown_address_is_a_page(app: TestApp) {
    for path in ["/nothing-here", "/login/x", "/assets/none-0123456789abcdef.css", "/dashboard/x"] {
        app.form().get(path).await.expect_status(404);
    }
    assert!([404, 405].contains(&app.form().post("/api/nothing-here", &[]).await.status));
    app.form().get("/login/").await.expect_redirect("/login");
}

async fn get_changes_nothing(app: TestApp) {
    let client = app.member("bob@example.org").await;
    for name in FUNCTIONS {
        let answer = client.get(&format!("/api/{name}?email=eve@example.org&password={PASSWORD}")).await;
        assert!([404, 405].contains(&answer.status), "{name}: {}", answer.status);
    }
    assert!(client.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn every_answer_carries_its_guards(app: TestApp) {
    let client = app.member("bob@example.org").await;
    for path in ["/login", "/account", "/nothing-here", "/dashboard/users"] {
        let page = client.get(path).await;
        let policy = page.header("content-security-policy").unwrap_or_default();
        for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(rule), "{rule} in the policy of {path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(page.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
    }
    let nonces: Vec<_> = [client.get("/login").await, client.get("/login").await]
        .iter()
        .map(|page| page.header("content-security-policy").unwrap_or_default().to_owned())
        .collect();
    assert_ne!(nonces[0], nonces[1]);
}

async fn a_flash_is_not_taken_from_a_stranger(app: TestApp) {
    let client = app.form();
    client.log_in("bob@example.org", "not the password").await;
    let sealed = client.cookie("latchkey_flash").unwrap();
    for forged in ["x", "e30", &sealed[1..], &format!("{sealed}A"), "{\"done\":\"profile_saved\"}"] {
        client.set_cookie("latchkey_flash", forged);
        client.get("/login").await.expect_status(200).expect_no_text("don't match");
    }
    client.set_cookie("latchkey_flash", &sealed);
    app.advance(std::time::Duration::from_secs(301));
    client.get("/login").await.expect_status(200).expect_no_text("don't match");
}

async fn the_server_says_that_it_lives_and_is_ready(app: TestApp) {
    for path in ["/health/live", "/health/ready"] {
        app.script().get(path).await.expect_status(200);
    }
}

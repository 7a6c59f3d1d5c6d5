//! Users whom the embedding application looks after (`AuthResponse::authorized`): they are taken as they are, nothing of
//! them is kept but the session, and what needs an account stays closed to them.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp, on_both_databases};

on_both_databases! {
    nothing_is_kept_but_the_session with OUTSIDE,
    an_application_behind_the_door_is_told_who_they_are with OUTSIDE,
    pages_and_answers_that_need_an_account_stay_closed with OUTSIDE,
    a_program_gets_a_token_for_them with OUTSIDE,
    nobody_is_taken_for_an_account_that_is_kept_here with OUTSIDE,
    what_no_header_carries_is_refused with OUTSIDE,
    an_external_customer_is_no_user with CUSTOMERS,
    one_user_spends_no_refresh_of_another with FEW_REFRESHES,
}

const OUTSIDE: &str = r#"providers = [{ id = "emailpass", kind = "emailpass" }, { id = "outside", kind = "outside" }]"#;

const CUSTOMERS: &str = r#"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "outside", kind = "outside" }]
    actors.user.providers = ["emailpass"]
    actors.customer.providers = ["outside"]
"#;

const FEW_REFRESHES: &str = r#"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "outside", kind = "outside" }]
    limits.log_in_per_account_anywhere = "2/1h"
"#;

async fn one_user_spends_no_refresh_of_another(app: TestApp) {
    let mut programs = Vec::new();
    for id in ["app-1", "app-2"] {
        let answer = app.program().post("/auth/user/outside", &json!({ "id": id })).await;
        programs.push(app.program().known_by(answer.expect_status(200).json()["token"].as_str().unwrap()));
    }
    for status in [200, 200, 429] {
        programs[0].post("/auth/token/refresh", &json!({})).await.expect_status(status);
    }
    programs[1].post("/auth/token/refresh", &json!({})).await.expect_status(200);
}

async fn an_external_customer_is_no_user(app: TestApp) {
    let answer = app.program().post("/auth/customer/outside", &json!({ "id": "cust-7" })).await;
    let token = answer.expect_status(200).json()["token"].as_str().unwrap().to_owned();
    let program = app.program().known_by(&token);
    program.get("/auth/forward").await.expect_status(302);
    program.post("/auth/session", &json!({})).await.expect_status(401);
    let customer = program.refreshed().await;
    customer.get("/auth/forward").await.expect_status(302);
    app.program().post("/auth/user/outside", &json!({ "id": "cust-7" })).await.expect_status(400);
}

async fn log_in(app: &TestApp, id: &str, name: &str) -> Client {
    let client = app.form();
    let fields = [("provider", "outside"), ("fields[id]", id), ("fields[name]", name)];
    client.post("/api/login-with", &fields).await.expect_status(302).expect_redirect("/login");
    client
}

async fn session_of(client: &Client) -> Value {
    client.get("/auth/session").await.expect_status(200).json()
}

async fn nothing_is_kept_but_the_session(app: TestApp) {
    let client = log_in(&app, "app-7", "Eve").await;
    let expected = json!({ "id": "app-7", "name": "Eve", "email": "app-7@elsewhere.example", "image": null });
    assert_eq!(session_of(&client).await["user"], expected);
    for (table, count) in
        [("users", 0), ("auth_identities", 0), ("provider_identities", 0), ("mails", 0), ("sessions", 1), ("events", 1)]
    {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, count, "{table}");
    }
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'session.created'").await, 1);
    client.get("/login").await.expect_text("You're logged in as Eve.").expect_no_text("Continue");
    client.submit("/api/logout", &[]).await.expect_text("You are logged out.");
    assert_eq!(session_of(&client).await, json!({}));
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'session.revoked'").await, 1);
}

async fn an_application_behind_the_door_is_told_who_they_are(app: TestApp) {
    let client = log_in(&app, "app-7", "Eve").await;
    let told = client.get("/auth/forward").await;
    told.expect_status(200);
    let headers = ["remote-user", "remote-email", "remote-name", "remote-role"].map(|name| told.header(name));
    assert_eq!(headers, [Some("app-7"), Some("app-7@elsewhere.example"), Some("Eve"), Some("")]);
    for role in ["member", "admin"] {
        client.get(&format!("/auth/forward?role={role}")).await.expect_status(403);
    }
}

async fn pages_and_answers_that_need_an_account_stay_closed(app: TestApp) {
    let client = log_in(&app, "app-7", "Eve").await;
    for path in ["/account", "/account/security", "/account/sessions", "/dashboard/users", "/dashboard/audit"] {
        client.get(path).await.expect_status(403);
    }
    for path in ["/admin/users/me", "/admin/users", "/admin/invites"] {
        client.get(path).await.expect_status(401);
    }
    client.get("/").await.expect_redirect("/login");
    let fields = [("first_name", "Mallory")];
    client.post("/api/profile", &fields).await.expect_status(302);
    let own = [("current_password", "x"), ("new_password", "a new password of mine")];
    client.post("/api/change-password", &own).await.expect_status(302);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
}

async fn a_program_gets_a_token_for_them(app: TestApp) {
    let answer = app.program().post("/auth/user/outside", &json!({ "id": "app-7", "name": "Eve" })).await;
    let token = answer.expect_status(200).json()["token"].as_str().unwrap().to_owned();
    let program = app.program().known_by(&token);
    let told = program.get("/auth/forward").await;
    assert_eq!(told.expect_status(200).header("remote-user"), Some("app-7"));
    program.get("/admin/users/me").await.expect_status(401);
    let invited = program.post("/admin/invites/accept?token=none", &json!({})).await;
    invited.expect_status(401);
    let opened = program.post("/auth/session", &json!({})).await;
    assert_eq!(opened.expect_status(200).json()["user"]["id"], "app-7");
    let newer = program.refreshed().await;
    assert_ne!(newer.token(), token);
    newer.get("/auth/forward").await.expect_status(200);
    newer.ask(&Method::DELETE, "/auth/session", None).await.expect_status(200);
    newer.get("/auth/forward").await.expect_status(401);
    app.program().known_by(&token).get("/auth/forward").await.expect_status(401);
}

async fn nobody_is_taken_for_an_account_that_is_kept_here(app: TestApp) {
    app.member("bob@example.org").await;
    let bob = app.text_for("SELECT id FROM users WHERE email = $1", "bob@example.org").await.unwrap();
    let client = app.form();
    let sessions = app.number("SELECT count(*) FROM sessions").await;
    let fields = [("provider", "outside"), ("fields[id]", bob.as_str())];
    client.submit("/api/login-with", &fields).await.expect_text("We don't recognise that.");
    app.program().post("/auth/user/outside", &json!({ "id": bob })).await.expect_status(401);
    assert!(!client.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, sessions);
}

async fn what_no_header_carries_is_refused(app: TestApp) {
    for id in ["", "  ", " app-7", "app-7 ", "app-7\u{a0}", "a\r\nRemote-Role: admin", &"x".repeat(501)] {
        let client = app.form();
        let fields = [("provider", "outside"), ("fields[id]", id)];
        let status = client.post("/api/login-with", &fields).await.status;
        assert!(status == 500 || status == 400, "{id:?}: {status}");
        assert!(!client.is_logged_in().await);
    }
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 0);
}

//! The hook of the embedding application: asked before anything is written, it refuses somebody or names the user that
//! the session is for, while the account is kept here.

use http::Method;
use serde_json::json;

use crate::harness::{Program, TestApp, on_both_databases};
use crate::web::providers::{come_back, set_out};

on_both_databases! {
    whom_the_hook_refuses_leaves_no_row with ELSEWHERE,
    whom_the_hook_names_is_told_in_place_of_the_account with ELSEWHERE,
    whom_the_hook_lets_be_is_the_account with ELSEWHERE,
    a_session_that_was_named_ends_with_the_account with ELSEWHERE,
    a_session_that_was_named_is_nobodys_once_its_user_is_gone with ELSEWHERE,
    a_provider_that_sends_elsewhere_has_no_form with ELSEWHERE,
    nobody_is_named_where_nobody_may_register with INVITE_ONLY,
}

const ELSEWHERE: &str =
    r#"providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]"#;

const INVITE_ONLY: &str = r#"
    registration.mode = "invite_only"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]
"#;

async fn nobody_is_named_where_nobody_may_register(app: TestApp) {
    assert_ne!(back_as(&app, "named").await.0, 200);
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 0);
}

async fn back_as(app: &TestApp, code: &str) -> (u16, Program) {
    let program = app.program();
    let answer = program.back_from_elsewhere(code).await;
    if answer.status != 200 {
        return (answer.status, program);
    }
    (200, program.known_by(answer.json()["token"].as_str().unwrap()))
}

async fn whom_the_hook_refuses_leaves_no_row(app: TestApp) {
    for (code, status) in [("refused", 401), ("broken", 500)] {
        assert_eq!(back_as(&app, code).await.0, status, "{code}");
    }
    for table in ["users", "auth_identities", "provider_identities", "sessions"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

async fn whom_the_hook_names_is_told_in_place_of_the_account(app: TestApp) {
    for (id, users) in [("app-first", 1), ("app-again", 1)] {
        let (_, program) = back_as(&app, "named").await;
        let told = program.get("/auth/forward").await;
        assert_eq!(told.expect_status(200).header("remote-user"), Some(id));
        assert_eq!((told.header("remote-name"), told.header("remote-role")), (Some("Somebody"), Some("")));
        let me = program.get("/admin/users/me").await.expect_status(200).json();
        assert_eq!(me["user"]["email"], "named@elsewhere.example");
        assert_eq!(app.number("SELECT count(*) FROM users").await, users);
        let program = program.refreshed().await;
        assert_eq!(program.get("/auth/forward").await.header("remote-user"), Some(id));
        program.ask(&Method::DELETE, "/auth/session", None).await.expect_status(200);
        program.get("/auth/forward").await.expect_status(401);
    }
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'user.created'").await, 1);
}

async fn whom_the_hook_lets_be_is_the_account(app: TestApp) {
    let (_, program) = back_as(&app, "somebody").await;
    let me = program.get("/admin/users/me").await.expect_status(200).json();
    assert_eq!(me["user"]["first_name"], "Somebody");
    assert_eq!(program.get("/auth/forward").await.header("remote-user"), me["user"]["id"].as_str());
}

async fn a_session_that_was_named_ends_with_the_account(app: TestApp) {
    let admin = app.admin_program().await;
    let (_, program) = back_as(&app, "named").await;
    program.get("/auth/forward").await.expect_status(200);
    let id = program.get("/admin/users/me").await.json()["user"]["id"].as_str().unwrap().to_owned();
    admin.post(&format!("/admin/users/{id}/disable"), &json!({})).await.expect_status(200);
    program.get("/auth/forward").await.expect_status(401);
    assert_eq!(back_as(&app, "named").await.0, 401);
}

async fn a_session_that_was_named_is_nobodys_once_its_user_is_gone(app: TestApp) {
    let client = app.form();
    let state = set_out(&client, "").await;
    come_back(&client, ("named", &state)).await.expect_redirect("/account");
    let (_, program) = back_as(&app, "named").await;
    assert_eq!(client.get("/auth/session").await.json()["user"]["id"], "app-first");
    app.change("DELETE FROM users").await;
    assert_eq!(client.get("/auth/session").await.json(), json!({}));
    client.get("/auth/forward").await.expect_status(302);
    program.get("/auth/forward").await.expect_status(401);
}

async fn a_provider_that_sends_elsewhere_has_no_form(app: TestApp) {
    let page = app.form().get("/login?with=elsewhere").await;
    page.expect_status(200).expect_text("E-mail").expect_text("Log in with Elsewhere");
    assert_eq!(page.title().split(" · ").next(), Some("Log in"));
    let refused = app.form().submit("/api/login-with", &[("provider", "elsewhere")]).await;
    refused.expect_text("don't match");
}

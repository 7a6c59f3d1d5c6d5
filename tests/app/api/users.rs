//! `/admin/users`: what programs of admins do with users, and that nobody else's do.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, MAILS, PASSWORD, Page, Program, TestApp, on_both_databases};

on_both_databases! {
    every_address_is_for_managers,
    a_right_that_was_lost_is_lost_at_once,
    a_user_is_created_changed_and_deleted,
    who_is_created_gets_a_link with MAILS,
    a_link_is_kept_where_no_mail_leaves,
    what_makes_no_sense_is_refused_by_its_field,
    a_change_is_done_as_a_whole_or_not_at_all,
    nobody_demotes_disables_or_deletes_oneself,
    odd_ids_are_nobodys,
    sessions_are_shown_and_ended,
    what_was_registered_before_opens_nothing_later,
}

const BOB: &str = "bob@example.org";

/// Every address that admins have, with a body that would do something.
fn addresses(id: &str) -> Vec<(Method, String, Value)> {
    let of = |rest: &str| format!("/admin/users/{id}{rest}");
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    vec![
        (get.clone(), "/admin/users".to_owned(), json!({})),
        (post.clone(), "/admin/users".to_owned(), json!({ "email": "new@example.org", "role": "admin" })),
        (get.clone(), of(""), json!({})),
        (post.clone(), of(""), json!({ "role": "admin" })),
        (post.clone(), of("/disable"), json!({})),
        (post.clone(), of("/enable"), json!({})),
        (get.clone(), of("/sessions"), json!({})),
        (delete.clone(), of("/sessions"), json!({})),
        (delete.clone(), of(""), json!({})),
        (get.clone(), "/admin/invites".to_owned(), json!({})),
        (post.clone(), "/admin/invites".to_owned(), json!({ "email": "new@example.org" })),
        (get, "/admin/invites/x".to_owned(), json!({})),
        (post, "/admin/invites/x/resend".to_owned(), json!({})),
        (delete, "/admin/invites/x".to_owned(), json!({})),
    ]
}

async fn expect_refused(app: &TestApp, program: &Program, status: u16) {
    let id = app.user_id(ADMIN).await;
    for (method, path, body) in addresses(&id) {
        let body = (method == Method::POST).then(|| body.to_string());
        let answer = program.ask(&method, &path, body.as_deref()).await;
        answer.expect_status(status);
        if status == 401 {
            assert_eq!(answer.body, r#"{"message":"Unauthorized"}"#, "{method} {path}");
        } else {
            assert_eq!(answer.json()["type"], "forbidden", "{method} {path}");
        }
    }
}

async fn every_address_is_for_managers(app: TestApp) {
    app.admin().await;
    let member = app.member_program(BOB).await;
    let nobody = app.registered("emailpass", "eve@example.org").await;
    let forged = app.program().known_by("x");
    let before = app.number("SELECT count(*) FROM events").await;
    expect_refused(&app, &app.program(), 401).await;
    expect_refused(&app, &nobody, 401).await;
    expect_refused(&app, &forged, 401).await;
    expect_refused(&app, &member, 403).await;
    assert_eq!(app.number("SELECT count(*) FROM events").await, before, "nothing has happened");
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
}

async fn a_right_that_was_lost_is_lost_at_once(app: TestApp) {
    let ada = app.admin_program().await;
    let eve = app.member_program("eve@example.org").await;
    let id = app.user_id("eve@example.org").await;
    let path = format!("/admin/users/{id}");
    ada.post(&path, &json!({ "role": "admin" })).await.expect_status(200);
    // No token grows with a role either.
    eve.get("/admin/users").await.expect_status(401);
    let eve = app.program_of("eve@example.org").await;
    eve.get("/admin/users").await.expect_status(200);
    ada.post(&path, &json!({ "role": "member" })).await.expect_status(200);
    expect_refused(&app, &eve, 401).await;
    let eve = app.program_of("eve@example.org").await;
    expect_refused(&app, &eve, 403).await;
    ada.post(&format!("{path}/disable"), &json!({})).await.expect_status(200);
    expect_refused(&app, &eve, 401).await;
}

async fn a_user_is_created_changed_and_deleted(app: TestApp) {
    let ada = app.admin_program().await;
    let new = json!({
        "email": " Bob@Example.org ", "first_name": " Bob ", "last_name": null, "role": "admin",
        "metadata": { "team": { "id": 7 } },
    });
    let bob = ada.post("/admin/users", &new).await.expect_status(200).json()["user"].clone();
    assert_eq!((&bob["email"], &bob["first_name"], &bob["last_name"]), (&json!(BOB), &json!("Bob"), &Value::Null));
    assert_eq!((&bob["role"], &bob["status"]), (&json!("admin"), &json!("active")));
    assert_eq!(bob["metadata"], json!({ "team": { "id": 7 } }));
    assert!(bob["email_verified_at"].is_string());
    let path = format!("/admin/users/{}", bob["id"].as_str().unwrap());
    assert_eq!(ada.get(&path).await.expect_status(200).json()["user"], bob);
    assert_eq!(ada.get("/admin/users?email=BOB@example.org").await.json()["users"], json!([bob]));

    app.advance(std::time::Duration::from_secs(1));
    let body = json!({
        "first_name": null, "last_name": "Noyce", "role": "member", "metadata": { "a": 1 },
        "avatar_url": "https://example.org/bob.png",
    });
    let changed = ada.post(&path, &body).await.expect_status(200).json()["user"].clone();
    assert_eq!((&changed["first_name"], &changed["last_name"]), (&Value::Null, &json!("Noyce")));
    assert_eq!((&changed["role"], &changed["metadata"]), (&json!("member"), &json!({ "a": 1 })));
    assert_eq!(changed["avatar_url"], "https://example.org/bob.png");
    assert!(changed["updated_at"].as_str() > bob["updated_at"].as_str());
    let taken_away = json!({ "avatar_url": null, "metadata": null, "last_name": "" });
    let changed = ada.post(&path, &taken_away).await.expect_status(200).json()["user"].clone();
    assert_eq!((&changed["avatar_url"], &changed["metadata"]), (&Value::Null, &json!({})));
    assert_eq!(changed["last_name"], Value::Null);
    // The list finds a name as soon as somebody has it.
    ada.post(&path, &json!({ "first_name": "Robert" })).await.expect_status(200);
    assert_eq!(ada.get("/admin/users?q=robert").await.json()["count"], 1);
    let only = ada.get(&format!("{path}?fields=email")).await.json();
    assert_eq!(only, json!({ "user": { "id": bob["id"], "email": BOB } }));

    let deleted = ada.delete(&path).await;
    assert_eq!(deleted.expect_status(200).json(), json!({ "id": bob["id"], "object": "user", "deleted": true }));
    for answer in [ada.get(&path).await, ada.delete(&path).await, ada.post(&path, &json!({})).await] {
        let said = answer.expect_status(404).json();
        assert_eq!(said["type"], "not_found");
        assert_eq!(said["message"], format!("User with id: {} was not found", bob["id"].as_str().unwrap()));
    }
    let kinds = "SELECT count(*) FROM events WHERE kind IN ('user.created', 'user.updated', 'user.role_changed', 'user.deleted')
        AND target_id <> (SELECT id FROM users)";
    assert_eq!(app.number(kinds).await, 6);
}

async fn who_is_created_gets_a_link(app: TestApp) {
    let ada = app.admin_program().await;
    ada.post("/admin/users", &json!({ "email": BOB })).await.expect_status(200);
    choose_a_password(&app).await;
}

async fn a_link_is_kept_where_no_mail_leaves(app: TestApp) {
    let ada = app.admin_program().await;
    ada.post("/admin/users", &json!({ "email": BOB })).await.expect_status(200);
    choose_a_password(&app).await;
}

async fn choose_a_password(app: &TestApp) {
    let browser = app.form();
    let link = app.mail(BOB, "set_password").await.link();
    browser.get(&link).await.expect_status(200);
    browser.post(&link, &[]).await.expect_redirect("/reset-password");
    let set = browser.post("/api/reset-password", &[("new_password", PASSWORD), ("password", PASSWORD)]).await;
    set.expect_status(302);
    app.logged_in(BOB).await;
}

#[track_caller]
fn expect_invalid(answer: &Page, text: &str) {
    let said = answer.expect_status(400).json();
    assert_eq!(said["type"], "invalid_data", "{said}");
    let message = said["message"].as_str().unwrap();
    assert!(message.starts_with("Invalid request: ") && message.contains(text), "{text}: {message}");
}

async fn what_makes_no_sense_is_refused_by_its_field(app: TestApp) {
    let ada = app.admin_program().await;
    let long = "x".repeat(101);
    let heavy = json!({ "a": "x".repeat(17_000) });
    for (body, text) in [
        (json!({}), "Field 'email' is required"),
        (json!({ "email": BOB, "foo": 1, "password": "x" }), "Unrecognized fields: 'foo, password'"),
        (json!({ "email": 5 }), "Field 'email'"),
        (json!({ "email": null }), "Field 'email'"),
        (json!({ "email": "bob" }), "Field 'email'"),
        (json!({ "email": "bob\u{0}@example.org" }), "Field 'email'"),
        (json!({ "email": BOB, "role": "king" }), "Field 'role'"),
        (json!({ "email": BOB, "first_name": "a\u{0}b" }), "Field 'first_name'"),
        (json!({ "email": BOB, "first_name": ["a"] }), "Field 'first_name'"),
        (json!({ "email": BOB, "last_name": long }), "Field 'last_name'"),
        (json!({ "email": BOB, "last_name": "a\u{202e}b" }), "Field 'last_name'"),
        (json!({ "email": BOB, "metadata": [] }), "Field 'metadata'"),
        (json!({ "email": BOB, "metadata": "{}" }), "Field 'metadata'"),
        (json!({ "email": BOB, "metadata": heavy }), "Field 'metadata'"),
        (json!({ "email": BOB, "metadata": { "a": ["\u{0}"] } }), "Field 'metadata'"),
    ] {
        expect_invalid(&ada.post("/admin/users", &body).await, text);
    }
    for body in ["", "[]", "null", "{", "\"x\"", "{\"email\":\"bob@example.org\",\"metadata\":{\"a\":1e999}}"] {
        expect_invalid(&ada.ask(&Method::POST, "/admin/users", Some(body)).await, "");
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
    let taken = ada.post("/admin/users", &json!({ "email": "ADA@example.org" })).await;
    assert_eq!(taken.expect_status(422).json()["type"], "duplicate_error");
    let path = format!("/admin/users/{}", app.user_id(ADMIN).await);
    for (body, text) in [
        (json!({ "email": BOB }), "Unrecognized fields: 'email'"),
        (json!({ "status": "disabled" }), "Unrecognized fields: 'status'"),
        (json!({ "avatar_url": "javascript:alert(1)" }), "Field 'avatar_url'"),
        (json!({ "avatar_url": "https://example.org/\u{0}" }), "Field 'avatar_url'"),
        (json!({ "avatar_url": "" }), "Field 'avatar_url'"),
        (json!({ "first_name": "\u{7}" }), "Field 'first_name'"),
        (json!({ "metadata": 1 }), "Field 'metadata'"),
    ] {
        expect_invalid(&ada.post(&path, &body).await, text);
    }
    expect_invalid(&ada.get(&format!("{path}?foo=1")).await, "Unrecognized fields: 'foo'");
    expect_invalid(&ada.get("/admin/users/me?fields=password").await, "Field 'fields'");
    expect_invalid(&ada.post(&format!("{path}/disable"), &json!({ "x": 1 })).await, "Unrecognized fields: 'x'");
}

async fn a_change_is_done_as_a_whole_or_not_at_all(app: TestApp) {
    let ada = app.admin_program().await;
    let path = format!("/admin/users/{}", app.user_id(ADMIN).await);
    let before = app.number("SELECT count(*) FROM events").await;
    let refused = ada.post(&path, &json!({ "first_name": "Eve", "role": "member" })).await;
    assert_eq!(refused.expect_status(400).json()["type"], "not_allowed");
    let same = ada.post(&path, &json!({ "first_name": "Ada", "role": "admin" })).await.expect_status(200).json();
    assert_eq!((&same["user"]["first_name"], &same["user"]["role"]), (&json!("Ada"), &json!("admin")));
    assert_eq!(app.number("SELECT count(*) FROM events").await, before, "nothing is another than before");
}

async fn nobody_demotes_disables_or_deletes_oneself(app: TestApp) {
    let ada = app.admin_program().await;
    let path = format!("/admin/users/{}", app.user_id(ADMIN).await);
    ada.post("/admin/users", &json!({ "email": "eve@example.org", "role": "admin" })).await.expect_status(200);
    let said = ada.delete(&path).await.expect_status(400).json();
    assert_eq!(said, json!({ "type": "not_allowed", "message": "A user cannot delete itself" }));
    let disabled = ada.post(&format!("{path}/disable"), &json!({})).await;
    assert_eq!(disabled.expect_status(400).json()["type"], "not_allowed");
    let demoted = ada.post(&path, &json!({ "role": "member" })).await;
    assert_eq!(demoted.expect_status(400).json()["type"], "not_allowed");
    ada.get("/admin/users/me").await.expect_status(200);
}

async fn odd_ids_are_nobodys(app: TestApp) {
    let ada = app.admin_program().await;
    let long = "x".repeat(3_000);
    for odd in ["x", "%00", "%0A", "a%2Fb", "'%20OR%20'1'='1", "%3Cscript%3E", "..%2F..", "null", "0", &long] {
        for (method, path, body) in addresses(odd).into_iter().filter(|(_, path, _)| path.contains("users/")) {
            let body = (method == Method::POST).then(|| body.to_string());
            let answer = ada.ask(&method, &path, body.as_deref()).await;
            let said = answer.expect_status(404).json();
            assert!(said["message"].as_str().unwrap().starts_with("User with id: "), "{said}");
        }
        let invite = ada.get(&format!("/admin/invites/{odd}")).await.expect_status(404).json();
        assert!(invite["message"].as_str().unwrap().starts_with("Invite with id: "), "{invite}");
        ada.delete(&format!("/admin/invites/{odd}")).await.expect_status(404);
        ada.post(&format!("/admin/invites/{odd}/resend"), &json!({})).await.expect_status(404);
    }
    assert_eq!(ada.get("/admin/users/%FF").await.expect_status(400).json()["type"], "invalid_data");
}

async fn sessions_are_shown_and_ended(app: TestApp) {
    let ada = app.admin_program().await;
    let bob = app.member_program(BOB).await;
    let path = format!("/admin/users/{}", app.user_id(BOB).await);
    let sessions = ada.get(&format!("{path}/sessions")).await.expect_status(200).json()["sessions"].clone();
    assert_eq!(sessions.as_array().unwrap().len(), 2, "the browser's and the program's");
    assert_eq!((&sessions[0]["provider"], &sessions[0]["is_current"]), (&json!("emailpass"), &json!(false)));
    assert!(sessions[0].get("key_hash").is_none());
    assert_eq!(ada.delete(&format!("{path}/sessions")).await.expect_status(200).json(), json!({ "count": 2 }));
    bob.get("/admin/users/me").await.expect_status(401);
    let own = format!("/admin/users/{}/sessions", app.user_id(ADMIN).await);
    assert_eq!(ada.delete(&own).await.expect_status(200).json(), json!({ "count": 1 }));
    ada.get("/admin/users/me").await.expect_status(200);

    let bob = app.program_of(BOB).await;
    let disabled = ada.post(&format!("{path}/disable"), &json!({})).await.expect_status(200).json();
    assert_eq!(disabled["user"]["status"], "disabled");
    bob.get("/admin/users/me").await.expect_status(401);
    let enabled = ada.ask(&Method::POST, &format!("{path}/enable"), None).await.expect_status(200).json();
    assert_eq!((&enabled["user"]["status"], &enabled["user"]["disabled_at"]), (&json!("active"), &Value::Null));
    bob.get("/admin/users/me").await.expect_status(401);
}

/// Whoever registers an identity in advance has a session of it; it must not become one of the user who comes later.
async fn what_was_registered_before_opens_nothing_later(app: TestApp) {
    let ada = app.admin_program().await;
    let stranger = app.registered("emailpass", BOB).await;
    ada.post("/admin/users", &json!({ "email": BOB })).await.expect_status(200);
    choose_a_password(&app).await;
    stranger.post("/auth/token/refresh", &json!({})).await.expect_status(401);

    let early = app.registered("emailpass", "eve@example.org").await;
    let eve = app.form();
    eve.log_in("eve@example.org", PASSWORD).await.expect_status(302);
    let fields = [("password", PASSWORD), ("new_password", "another horse, another battery")];
    eve.post("/api/change-password", &fields).await.expect_status(302);
    early.post("/auth/token/refresh", &json!({})).await.expect_status(401);
}

//! `POST /admin/invites/accept`: how a program gets the account that was promised, and who does not.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::invites::{accept_path, invite};
use crate::harness::{Client, PASSWORD, Program, TestApp, on_both_databases};

on_both_databases! {
    from_an_invite_to_a_user_by_programs_alone with INVITE_ONLY,
    whatever_fails_is_unauthorized,
    who_has_a_user_cannot_accept,
    a_body_that_cannot_be_read_is_told,
    another_address_is_accepted_where_the_operator_lifts_the_rule with ANY,
    an_account_has_the_address_that_its_identity_is_known_by with ANY,
    who_is_known_by_no_address_gets_the_invited_one with ANY_ELSEWHERE,
    another_address_may_not_come_from_everywhere with ANY_HERE,
    an_account_that_nobody_proved_is_the_invited_persons with TWO,
    fifty_at_once_make_one_user with UNLIMITED,
    fifty_identities_at_once_make_one_user with ANY_UNLIMITED,
    what_a_stranger_registered_before_ends_when_the_page_accepts,
}

const BOB: &str = "bob@example.org";
const INVITE_ONLY: &str = "registration.mode = \"invite_only\"";
const ANY: &str = "invites.email_match = \"any\"";
const ANY_ELSEWHERE: &str = r#"
    invites.email_match = "any"
    registration.mode = "invite_only"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]
"#;
const ANY_HERE: &str = "invites.email_match = \"any\"\nregistration.allowed_domains = [\"example.org\"]";
const TWO: &str =
    "[[providers]]\nid = \"emailpass\"\nkind = \"emailpass\"\n[[providers]]\nid = \"second\"\nkind = \"emailpass\"";
const UNLIMITED: &str = "limits.accept_invite_per_ip = \"off\"";
const ANY_UNLIMITED: &str =
    "invites.email_match = \"any\"\nlimits.accept_invite_per_ip = \"off\"\nlimits.register_per_ip = \"off\"";
const AT_ONCE: usize = 50;

async fn invite_bob(ada: &Program) -> String {
    invite(ada, &json!({ "email": BOB })).await["token"].as_str().unwrap().to_owned()
}

async fn from_an_invite_to_a_user_by_programs_alone(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite(&ada, &json!({ "email": BOB, "role": "admin" })).await["token"].as_str().unwrap().to_owned();
    let bob = app.registered("emailpass", BOB).await;
    bob.get("/admin/users/me").await.expect_status(401);
    let answer = bob.post(&accept_path(&token), &json!({ "first_name": "Bob", "last_name": "Noyce" })).await;
    let user = answer.expect_status(200).json()["user"].clone();
    assert_eq!((&user["email"], &user["role"]), (&json!(BOB), &json!("admin")));
    assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Bob"), &json!("Noyce")));
    assert!(user["email_verified_at"].is_string());

    // The session goes on, and a refresh names the user.
    let bob = bob.refreshed().await;
    assert_eq!(bob.get("/admin/users/me").await.expect_status(200).json()["user"]["id"], user["id"]);
    let again = app.program_of(BOB).await;
    again.get("/admin/users").await.expect_status(200);
    let browser = app.logged_in(BOB).await;
    browser.get("/dashboard/users").await.expect_status(200).expect_text("Bob Noyce");
    let events =
        "SELECT count(*) FROM events WHERE kind IN ('invite.accepted', 'user.created') AND actor_type = 'visitor'";
    assert_eq!(app.number(events).await, 2);
    let listed = ada.get("/admin/invites").await.json()["invites"][0].clone();
    assert_eq!((&listed["state"], &listed["accepted_by"]), (&json!("accepted"), &user["id"]));
    let path = format!("/admin/invites/{}/resend", listed["id"].as_str().unwrap());
    assert_eq!(ada.post(&path, &json!({})).await.expect_status(400).json()["type"], "not_allowed");
}

async fn expect_unauthorized(app: &TestApp, program: &Program, (token, body): (&str, Value)) {
    let before = app.number("SELECT count(*) FROM users").await;
    let answer = program.post(&accept_path(token), &body).await;
    assert_eq!(answer.expect_status(401).body, r#"{"message":"Unauthorized"}"#);
    assert_eq!(app.number("SELECT count(*) FROM users").await, before);
    assert_eq!(app.number("SELECT count(*) FROM invites WHERE accepted_at IS NOT NULL").await, 0);
}

async fn whatever_fails_is_unauthorized(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite_bob(&ada).await;
    let bob = app.registered("emailpass", BOB).await;
    let nothing = json!({});
    expect_unauthorized(&app, &app.program(), (&token, nothing.clone())).await;
    for wrong in ["", "x", "%00", "%FF", "a%2Fb", &"y".repeat(3_000), &format!("{token}A")] {
        expect_unauthorized(&app, &bob, (wrong, nothing.clone())).await;
    }
    assert_eq!(
        bob.post("/admin/invites/accept", &nothing).await.expect_status(401).body,
        r#"{"message":"Unauthorized"}"#
    );
    let eve = app.registered("emailpass", "eve@example.org").await;
    expect_unauthorized(&app, &eve, (&token, nothing.clone())).await;
    expect_unauthorized(&app, &eve, (&token, json!({ "email": BOB }))).await;
    expect_unauthorized(&app, &bob, (&token, json!({ "email": "eve@example.org" }))).await;
    // A user with the address who has proved it logs in.
    let id = app.user_id("ada@example.org").await;
    app.change("UPDATE users SET email = 'bob@example.org' WHERE email = 'ada@example.org'").await;
    expect_unauthorized(&app, &bob, (&token, nothing.clone())).await;
    app.change("UPDATE users SET email = 'ada@example.org' WHERE email = 'bob@example.org'").await;
    // Whoever invited is turned off.
    app.change("UPDATE users SET disabled_at = 1 WHERE email = 'ada@example.org'").await;
    expect_unauthorized(&app, &bob, (&token, nothing.clone())).await;
    app.change("UPDATE users SET disabled_at = NULL WHERE email = 'ada@example.org'").await;
    let closed = app.another_process_with("registration.mode = \"closed\"").await;
    let there = closed.program().known_by(bob.token());
    expect_unauthorized(&app, &there, (&token, nothing.clone())).await;
    let browser = app.logged_in("ada@example.org").await;
    let invite = app.text_for("SELECT id FROM invites WHERE email = $1", BOB).await.unwrap();
    browser.post("/api/revoke-invite", &[("id", &invite)]).await.expect_status(302);
    expect_unauthorized(&app, &bob, (&token, nothing.clone())).await;
    let token = invite_bob(&ada).await;
    app.advance(Duration::from_hours(6 * 24));
    let ended = app.number("SELECT count(*) FROM sessions").await;
    app.advance(Duration::from_hours(2 * 24));
    // Idle for too long, or the invite has expired: it is all the same to who asks.
    expect_unauthorized(&app, &bob, (&token, nothing.clone())).await;
    let carl = app.registered("emailpass", "carl@example.org").await;
    expect_unauthorized(&app, &carl, (&token, nothing)).await;
    assert!(ended > 0 && !id.is_empty());
}

async fn who_has_a_user_cannot_accept(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite_bob(&ada).await;
    let text = "The user is already authenticated and cannot accept an invite.";
    let member = app.member_program("eve@example.org").await;
    for program in [&ada, &member] {
        let said = program.post(&accept_path(&token), &json!({})).await.expect_status(400).json();
        assert_eq!(said, json!({ "type": "invalid_data", "message": text }));
    }
    let bob = app.registered("emailpass", BOB).await;
    bob.post(&accept_path(&token), &json!({})).await.expect_status(200);
    ada.delete(&format!("/admin/users/{}", app.user_id("eve@example.org").await)).await.expect_status(200);
    let other = invite(&ada, &json!({ "email": "eve@example.org" })).await["token"].as_str().unwrap().to_owned();
    let said = bob.post(&accept_path(&other), &json!({})).await.expect_status(400).json();
    assert_eq!(said["message"], text, "also where the token is from before");
    let browser = app.logged_in(BOB).await;
    let answer = browser.send(browser.request(&Method::POST, &accept_path(&other))).await;
    assert_eq!(answer.expect_status(400).json()["message"], text);
}

async fn a_body_that_cannot_be_read_is_told(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite_bob(&ada).await;
    let bob = app.registered("emailpass", BOB).await;
    for body in [
        json!({ "role": "admin" }),
        json!({ "first_name": 5 }),
        json!({ "first_name": "a\u{0}" }),
        json!({ "last_name": "x".repeat(101) }),
        json!({ "email": "bob" }),
        json!([]),
    ] {
        let said = bob.post(&accept_path(&token), &body).await.expect_status(400).json();
        assert_eq!(said["type"], "invalid_data");
        assert!(said["message"].as_str().unwrap().starts_with("Invalid request: "), "{said}");
    }
    bob.ask(&Method::POST, &accept_path(&token), None).await.expect_status(200);
}

async fn another_address_is_accepted_where_the_operator_lifts_the_rule(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite_bob(&ada).await;
    let robert = app.registered("emailpass", "robert@example.org").await;
    // Not that of somebody who has an account.
    let refused = robert.post(&accept_path(&token), &json!({ "email": "ada@example.org" })).await;
    refused.expect_status(401);
    let user = robert.post(&accept_path(&token), &json!({})).await.expect_status(200).json()["user"].clone();
    assert_eq!(user["email"], "robert@example.org");
    assert!(user["email_verified_at"].is_null(), "nobody has proved this address");
    assert_eq!(robert.refreshed().await.get("/admin/users/me").await.json()["user"]["id"], user["id"]);

    let token = invite(&ada, &json!({ "email": "carl@example.org" })).await["token"].as_str().unwrap().to_owned();
    let carl = app.registered("emailpass", "carl@example.org").await;
    let body = json!({ "email": "Carl@example.org" });
    let user = carl.post(&accept_path(&token), &body).await.expect_status(200).json()["user"].clone();
    assert_eq!(user["email"], "carl@example.org");
    assert!(user["email_verified_at"].is_string());
    // The page has no such freedom: the account has the invited address.
    let token = invite(&ada, &json!({ "email": "dan@example.org" })).await["token"].as_str().unwrap().to_owned();
    let fields = [
        ("token", token.as_str()),
        ("first_name", ""),
        ("last_name", ""),
        ("password", PASSWORD),
        ("email", "x@example.org"),
    ];
    app.form().post("/api/accept-invite", &fields).await.expect_redirect("/account");
    app.user_id("dan@example.org").await;
}

/// What an account can be logged in to by, and is mailed at, is one address: nobody keeps that of somebody else.
async fn an_account_has_the_address_that_its_identity_is_known_by(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite_bob(&ada).await;
    let squatter = app.registered("emailpass", "victim@example.org").await;
    for address in [BOB, "third@example.org"] {
        expect_unauthorized(&app, &squatter, (&token, json!({ "email": address }))).await;
    }
    let bob = app.registered("emailpass", BOB).await;
    bob.post(&accept_path(&token), &json!({ "email": BOB })).await.expect_status(200);
    assert_eq!(app.number("SELECT count(*) FROM auth_identity_actors").await, 2);
}

async fn who_is_known_by_no_address_gets_the_invited_one(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite_bob(&ada).await;
    let program = app.program();
    let answer = program.back_from_elsewhere("nobody").await;
    let program = program.known_by(answer.expect_status(200).json()["token"].as_str().unwrap());
    let user = program.post(&accept_path(&token), &json!({})).await.expect_status(200).json()["user"].clone();
    assert_eq!(user["email"], BOB);
    assert!(user["email_verified_at"].is_string());
}

async fn another_address_may_not_come_from_everywhere(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite(&ada, &json!({ "email": "bob@elsewhere.example" })).await["token"].as_str().unwrap().to_owned();
    let eve = app.registered("emailpass", "eve@evil.example").await;
    eve.post(&accept_path(&token), &json!({})).await.expect_status(401);
    eve.post(&accept_path(&token), &json!({ "email": "x@evil.example" })).await.expect_status(401);
    // The invited address may, wherever it is.
    let bob = app.registered("emailpass", "bob@elsewhere.example").await;
    let user = bob.post(&accept_path(&token), &json!({})).await.expect_status(200).json();
    assert_eq!(user["user"]["email"], "bob@elsewhere.example");
}

async fn an_account_that_nobody_proved_is_the_invited_persons(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite(&ada, &json!({ "email": BOB, "role": "admin" })).await["token"].as_str().unwrap().to_owned();
    let stranger = app.form();
    stranger.register(BOB, "the password of before").await.expect_redirect("/account");
    let id = app.user_id(BOB).await;
    let squatting = app.program();
    let credentials = json!({ "email": BOB, "password": "the password of before" });
    let answer = squatting.post("/auth/user/emailpass", &credentials).await.expect_status(200).json();
    let squatting = squatting.known_by(answer["token"].as_str().unwrap());

    let bob = app.registered("second", BOB).await;
    let user =
        bob.post(&accept_path(&token), &json!({ "first_name": "Bob" })).await.expect_status(200).json()["user"].clone();
    assert_eq!((&user["id"], &user["role"], &user["first_name"]), (&json!(id), &json!("admin"), &json!("Bob")));
    assert!(user["email_verified_at"].is_string());
    assert!(!stranger.is_logged_in().await);
    squatting.get("/admin/users/me").await.expect_status(401);
    squatting.post("/auth/token/refresh", &json!({})).await.expect_status(401);
    squatting.post("/auth/user/emailpass", &credentials).await.expect_status(401);
    bob.refreshed().await.get("/admin/users").await.expect_status(200);
}

async fn fifty_at_once_make_one_user(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite_bob(&ada).await;
    let bob = app.registered("emailpass", BOB).await;
    let mut all = JoinSet::new();
    for _ in 0..AT_ONCE {
        let program = app.program().known_by(bob.token());
        let path = accept_path(&token);
        all.spawn(async move { program.post(&path, &json!({})).await.status });
    }
    let statuses = all.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 400, 401].contains(status)), "{statuses:?}");
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email = 'bob@example.org'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'invite.accepted'").await, 1);
    bob.refreshed().await.get("/admin/users/me").await.expect_status(200);
}

async fn fifty_identities_at_once_make_one_user(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite_bob(&ada).await;
    let mut all = JoinSet::new();
    for nth in 0..AT_ONCE {
        let program = app.registered("emailpass", &format!("person{nth}@example.org")).await;
        let path = accept_path(&token);
        all.spawn(async move { program.post(&path, &json!({})).await.status });
    }
    let statuses = all.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
}

async fn what_a_stranger_registered_before_ends_when_the_page_accepts(app: TestApp) {
    let ada = app.admin_program().await;
    let token = invite_bob(&ada).await;
    let stranger = app.registered("emailpass", BOB).await;
    let fields =
        [("token", token.as_str()), ("first_name", "Bob"), ("last_name", ""), ("password", "a password of Bob's own")];
    let bob: Client = app.form();
    bob.post("/api/accept-invite", &fields).await.expect_redirect("/account");
    stranger.post("/auth/token/refresh", &json!({})).await.expect_status(401);
    stranger.post(&accept_path(&token), &json!({})).await.expect_status(401);
    assert!(bob.is_logged_in().await);
}

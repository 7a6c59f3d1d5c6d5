//! An invite for an address that somebody has registered before: the one who reads its mail gets the account.

use latchkey::platform::Timestamp;

use super::{BOB, accept, expect_refused, expect_role};
use crate::harness::{Client, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    an_identity_without_a_user_gets_the_new_password,
    who_has_an_account_logs_in_and_gets_the_role,
    a_role_is_never_lowered,
    an_account_whose_address_nobody_proved_is_the_invited_persons,
    whoever_registers_an_address_does_not_keep_its_owner_from_being_invited,
    logging_in_by_the_old_password_meanwhile_leaves_no_session with UNLIMITED,
    an_account_that_is_turned_off_stays_so,
    whoever_is_logged_in_as_somebody_else_switches,
    a_deleted_user_takes_links_mails_and_invite_along,
}

const UNLIMITED: &str = r#"
    limits.log_in_per_account = "off"
    limits.log_in_per_ip = "off"
"#;
const AT_ONCE: usize = 16;
const OLD: &str = "the password of before";

async fn register(app: &TestApp, password: &str) -> Client {
    let client = app.form();
    client.register(BOB, password).await.expect_redirect("/account");
    client
}

async fn run(app: &TestApp, statement: &'static str) {
    let mut tx = app.platform.db.begin().await.unwrap();
    sqlx::query(statement).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn verify(app: &TestApp) {
    run(app, "UPDATE users SET email_verified_at = 1 WHERE email = 'bob@example.org'").await;
}

async fn an_identity_without_a_user_gets_the_new_password(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "admin").await;
    register(&app, OLD).await;
    // What registering over an API leaves: an identity that is nobody's.
    for statement in [
        "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE email = 'bob@example.org')",
        "DELETE FROM auth_identity_actors WHERE actor_id IN (SELECT id FROM users WHERE email = 'bob@example.org')",
        "DELETE FROM users WHERE email = 'bob@example.org'",
    ] {
        run(&app, statement).await;
    }
    let bob = app.form();
    accept(&bob, &token).await.expect_redirect("/account");
    bob.get("/dashboard/users").await.expect_status(200);
    app.script().log_in(BOB, OLD).await.expect_status(401);
    app.logged_in(BOB).await;
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE entity_id = 'bob@example.org'").await, 1);
}

async fn who_has_an_account_logs_in_and_gets_the_role(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "admin").await;
    register(&app, PASSWORD).await;
    let id = app.user_id(BOB).await;
    verify(&app).await;
    let bob = app.form();
    let path = format!("/invite/{token}");
    let page = bob.get(&path).await;
    page.expect_status(200).expect_text("There is an account with bob@example.org already. Log in to accept.");
    assert_eq!(page.link("Log in"), Some(format!("/login?next={path}")));
    // The link alone is no proof where the address was proved by a password: nothing is set by it.
    expect_refused(&app, &token, (409, "has_account")).await;
    app.script().log_in(BOB, PASSWORD).await.expect_status(200);
    let fields = [("email", BOB), ("password", PASSWORD), ("next", path.as_str())];
    bob.submit("/api/login", &fields).await.expect_status(200).expect_text("Accept invite");
    let elsewhere = app.logged_in(BOB).await;
    bob.post("/api/accept-invite", &[("token", &token)]).await.expect_redirect("/account");
    bob.get("/account").await.expect_status(200).expect_text("You're in.");
    bob.get("/dashboard/users").await.expect_status(200);
    assert!(!elsewhere.is_logged_in().await, "a session does not grow with the role");
    assert_eq!(app.user_id(BOB).await, id);
    bob.get(&path).await.expect_status(410);
    app.logged_in(BOB).await;
}

async fn a_role_is_never_lowered(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    register(&app, PASSWORD).await;
    run(&app, "UPDATE users SET role = 'admin', email_verified_at = 1 WHERE email = 'bob@example.org'").await;
    let bob = app.logged_in(BOB).await;
    bob.post("/api/accept-invite", &[("token", &token)]).await.expect_redirect("/account");
    expect_role(&app, BOB, "admin").await;
    assert!(bob.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM invites WHERE accepted_at IS NOT NULL").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'user.role_changed'").await, 0);
}

async fn an_account_whose_address_nobody_proved_is_the_invited_persons(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "admin").await;
    let stranger = register(&app, OLD).await;
    let id = app.user_id(BOB).await;
    // Nor does the one who registered get the role by being logged in.
    let refused = stranger.submit("/api/accept-invite", &[("token", &token)]).await;
    refused.expect_status(200).expect_text("Accept invite");
    expect_role(&app, BOB, "member").await;
    let bob = app.form();
    accept(&bob, &token).await.expect_redirect("/account");
    assert_eq!(app.user_id(BOB).await, id);
    expect_role(&app, BOB, "admin").await;
    bob.get("/dashboard/users").await.expect_status(200);
    assert!(!stranger.is_logged_in().await, "the sessions of before end");
    app.script().log_in(BOB, OLD).await.expect_status(401);
    app.logged_in(BOB).await;
    let page = bob.get("/account").await;
    assert_eq!(page.value_of("first_name").as_deref(), Some("Bob"));
    let verified = "SELECT id FROM users WHERE email = $1 AND email_verified_at IS NOT NULL";
    assert_eq!(app.text_for(verified, BOB).await, Some(id));
}

async fn whoever_registers_an_address_does_not_keep_its_owner_from_being_invited(app: TestApp) {
    let admin = app.admin().await;
    let squatter = register(&app, OLD).await;
    let id = app.user_id(BOB).await;
    let preview = [("emails", BOB), ("role", "admin")];
    admin.post("/dashboard/invites/new", &preview).await.expect_text("1 ready");
    let token = app.invite(&admin, BOB, "admin").await;
    let bob = app.form();
    accept(&bob, &token).await.expect_redirect("/account");
    assert_eq!(app.user_id(BOB).await, id);
    assert!(!squatter.is_logged_in().await);
    // Who has proved the address has an account, and so has who is turned off.
    admin.post("/dashboard/invites/new", &preview).await.expect_text("1 already a user");
    app.member("eve@example.org").await;
    let id = app.user_id("eve@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    let preview = [("emails", "eve@example.org"), ("role", "member")];
    admin.post("/dashboard/invites/new", &preview).await.expect_text("1 already a user");
}

async fn logging_in_by_the_old_password_meanwhile_leaves_no_session(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "admin").await;
    register(&app, OLD).await;
    let mut others = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let client = app.script();
        others.spawn(async move { client.log_in(BOB, OLD).await.status });
    }
    let bob = app.form();
    accept(&bob, &token).await.expect_redirect("/account");
    for status in others.join_all().await {
        assert!([200, 401].contains(&status), "{status}");
    }
    assert!(bob.is_logged_in().await);
    let id = app.user_id(BOB).await;
    assert_eq!(app.number(&format!("SELECT count(*) FROM sessions WHERE user_id = '{id}'")).await, 1);
    app.script().log_in(BOB, OLD).await.expect_status(401);
}

async fn an_account_that_is_turned_off_stays_so(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "admin").await;
    register(&app, PASSWORD).await;
    let id = app.user_id(BOB).await;
    for verified in [false, true] {
        if verified {
            verify(&app).await;
        }
        admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
        expect_refused(&app, &token, (403, "disabled")).await;
        app.form().get(&format!("/invite/{token}")).await.expect_status(403).expect_text("turned off");
    }
    expect_role(&app, BOB, "member").await;
}

async fn whoever_is_logged_in_as_somebody_else_switches(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    let eve = app.member("eve@example.org").await;
    let path = format!("/invite/{token}");
    let page = eve.get(&path).await;
    page.expect_status(200).expect_text("This invite is for bob@example.org, and you're logged in as eve@example.org");
    assert_eq!(page.link("Use another account"), Some(format!("/login?use=another&next={path}")));
    assert!(page.value_of("password").is_none());
    for fields in [vec![("token", token.as_str())], vec![("token", token.as_str()), ("password", PASSWORD)]] {
        eve.submit("/api/accept-invite", &fields).await.expect_text("You're logged in as somebody else.");
    }
    assert_eq!(app.number("SELECT count(*) FROM invites WHERE accepted_at IS NOT NULL").await, 0);
    let page = eve.submit("/api/logout", &[("next", &path)]).await;
    page.expect_status(200).expect_text("Accept invite");
    eve.post("/api/logout", &[("next", "//evil.example")]).await.expect_redirect("/login");
    accept(&eve, &token).await.expect_redirect("/account");
    eve.get("/account").await.expect_text(BOB);
}

async fn a_deleted_user_takes_links_mails_and_invite_along(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "admin").await;
    register(&app, PASSWORD).await;
    let id = app.user_id(BOB).await;
    let mut tx = app.platform.db.begin().await.unwrap();
    let insert = "INSERT INTO one_time_tokens (id, token_hash, code_tries, purpose, subject, email, data, created_at, expires_at)
        VALUES ('t', 'h', 0, 'reset_password', $1, 'bob@example.org', '{}', 0, $2)";
    let far = Timestamp::from_micros(i64::MAX / 2).as_micros();
    sqlx::query(insert).bind(id.as_str()).bind(far).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    admin.post("/api/delete-user", &[("id", &id), ("confirm", BOB)]).await.expect_status(302);
    assert_eq!(app.number("SELECT count(*) FROM one_time_tokens WHERE purpose = 'reset_password'").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM mails WHERE recipient = 'bob@example.org'").await, 0);
    expect_refused(&app, &token, (410, "invite_ended")).await;
    let again = app.invite(&admin, BOB, "member").await;
    accept(&app.form(), &again).await.expect_redirect("/account");
    assert_ne!(app.user_id(BOB).await, id);
}

//! The command line invites, and makes users who choose their password by a link.

use serde_json::Value;

use super::commands::tell;
use crate::harness::{PASSWORD, TestApp, on_both_databases, token_in};

on_both_databases! {
    what_cannot_be_invited_is_said_in_one_line,
    nobody_is_invited_where_registration_is_closed with CLOSED,
    an_invite_is_created_listed_resent_and_revoked,
    an_invited_admin_comes_in_by_the_printed_link,
    a_user_without_a_password_gets_a_link_to_set_one,
}

const CLOSED: &str = r#"registration.mode = "closed""#;

async fn json(app: &TestApp, arguments: &[&str]) -> Value {
    let said = tell(app, &[arguments, &["--json"]].concat(), "").await;
    assert!(said.is_success, "{}", said.error);
    serde_json::from_str(&said.output).unwrap()
}

async fn expect_failure(app: &TestApp, arguments: &[&str], reason: &str) {
    let said = tell(app, arguments, "").await;
    assert!(!said.is_success, "{arguments:?}");
    assert_eq!(said.error.lines().count(), 1, "{}", said.error);
    assert!(said.error.contains(reason), "{}", said.error);
}

async fn what_cannot_be_invited_is_said_in_one_line(app: TestApp) {
    app.member("eve@example.org").await;
    app.change("UPDATE users SET email_verified_at = 1").await;
    json(&app, &["invite", "create", "--email", "bob@example.org"]).await;
    let long = "x".repeat(501);
    let cases: [(&[&str], &str); 8] = [
        (&["create", "--email", "nonsense"], "'nonsense' is not an e-mail address"),
        (&["create", "--email", "c@example.org", "--role", "king"], "'king' is no role"),
        (&["create", "--email", "c@example.org", "--expires-in", "59m"], "from 1h to 30d"),
        (&["create", "--email", "c@example.org", "--expires-in", "soon"], "`soon` is not a duration"),
        (&["create", "--email", "c@example.org", "--note", &long], "at most 500 characters"),
        (&["create", "--email", "bob@example.org"], "invited already"),
        (&["create", "--email", "eve@example.org"], "a user with this e-mail address exists"),
        (&["revoke", "nobody@example.org"], "there is no invite 'nobody@example.org'"),
    ];
    for (arguments, reason) in cases {
        expect_failure(&app, &[&["invite"], arguments].concat(), reason).await;
    }
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 1);
}

async fn nobody_is_invited_where_registration_is_closed(app: TestApp) {
    expect_failure(&app, &["invite", "create", "--email", "bob@example.org"], "registration is not open").await;
    assert_eq!(app.number("SELECT count(*) FROM mails").await, 0);
}

async fn an_invite_is_created_listed_resent_and_revoked(app: TestApp) {
    let arguments =
        ["invite", "create", "--email", "Bob@example.org", "--role", "admin", "--note", "Hi", "--expires-in", "2d"];
    let made = json(&app, &arguments).await;
    let said = |key: &str| made[key].as_str().map(str::to_owned);
    assert_eq!((said("email"), said("role")), (Some("bob@example.org".into()), Some("admin".into())));
    assert_eq!(
        (said("state"), said("note"), said("mail")),
        (Some("pending".into()), Some("Hi".into()), Some("queued".into()))
    );
    assert!(said("link").unwrap().starts_with("http://localhost:3000/link/"));
    let id = said("id").unwrap();
    let listed = json(&app, &["invite", "list"]).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert!(listed[0].get("link").is_none());
    let again = json(&app, &["invite", "resend", "bob@example.org"]).await;
    assert_eq!(again["id"].as_str(), Some(id.as_str()));
    assert_ne!(again["link"], made["link"]);
    let said = tell(&app, &["invite", "revoke", &id], "").await;
    assert_eq!(said.output, "Revoked the invite for bob@example.org.", "{}", said.error);
    expect_failure(&app, &["invite", "resend", &id], "can't be accepted any more").await;
    assert_eq!(json(&app, &["invite", "list"]).await[0]["state"].as_str(), Some("revoked"));
    let listed = tell(&app, &["invite", "list"], "").await.output;
    assert!(listed.contains("bob@example.org  admin  revoked"), "{listed}");
}

async fn an_invited_admin_comes_in_by_the_printed_link(app: TestApp) {
    // Commands read the clock of the machine, the server that of the test.
    let said = tell(&app, &["invite", "create", "--email", "bob@example.org", "--role", "admin"], "").await;
    assert!(said.is_success && said.output.contains("No mail was sent."), "{}{}", said.output, said.error);
    let token = token_in(&said.output);
    let mut tx = app.platform.db.begin().await.unwrap();
    for table in ["invites", "one_time_tokens"] {
        let sql = format!("UPDATE {table} SET expires_at = {}", i64::MAX / 2);
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let bob = app.form();
    bob.get(&format!("/invite/{token}")).await.expect_text("You're invited to Latchkey as Admin.");
    let fields = [("token", token.as_str()), ("password", PASSWORD)];
    bob.post("/api/accept-invite", &fields).await.expect_redirect("/account");
    bob.get("/dashboard/users").await.expect_status(200).expect_text("bob@example.org");
}

async fn a_user_without_a_password_gets_a_link_to_set_one(app: TestApp) {
    let bob = json(&app, &["user", "create", "--email", "bob@example.org", "--admin"]).await;
    assert!(bob["link"].as_str().unwrap().starts_with("http://localhost:3000/link/"));
    let said = tell(&app, &["user", "create", "--email", "carl@example.org"], "").await;
    assert!(said.output.contains("They set a password here, once:"), "{}{}", said.output, said.error);
    assert_eq!(token_in(&said.output).len(), 43);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 0);
    let links = "SELECT count(*) FROM one_time_tokens t JOIN users u ON u.id = t.subject
        WHERE t.purpose = 'set_password' AND t.email = u.email AND t.data LIKE '%actor_type%user%'";
    assert_eq!(app.number(links).await, 2);
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL").await, 2);
    assert_eq!(app.number("SELECT count(*) FROM mails").await, 0);
}

//! `/register`: one address is one person, also for fifty at once; what can't be stored is refused and said at its field.

use std::time::Duration;

use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    what_breaks_a_rule_is_said_at_its_field,
    names_that_no_database_holds_are_refused,
    names_are_shown_as_text,
    a_taken_address_is_not_registered_again,
    fifty_at_once_make_one_person,
    nobody_registers_where_registration_is_closed with CLOSED,
    only_addresses_of_allowed_domains_register with ONE_DOMAIN,
    a_person_registers_and_is_logged_in,
}

const CLOSED: &str = r#"registration.mode = "closed""#;
const ONE_DOMAIN: &str = r#"registration.allowed_domains = ["example.org"]"#;

async fn what_breaks_a_rule_is_said_at_its_field(app: TestApp) {
    let cases = [
        ("not an address", PASSWORD, "This is not an e-mail address."),
        ("", PASSWORD, "Enter an e-mail address."),
        ("bob@example.org", "7 chars", "Use at least 8 characters."),
        ("bob@example.org", "bob@example.org", "Don't use your e-mail address."),
        ("bob@example.org", "password1", "This password is among the first that others would guess."),
        ("bob@example.org\r\nBcc: eve@example.org", PASSWORD, "This is not an e-mail address."),
    ];
    for (email, password, words) in cases {
        let client = app.form();
        client.register(email, password).await.expect_status(302).expect_redirect("/register");
        let page = client.get("/register").await;
        page.expect_text(words);
        assert!(!page.body.contains(password) || password == email);
        let refused = app.script().register(email, password).await;
        refused.expect_status(400);
        assert_eq!(refused.error(), "invalid");
        app.advance(Duration::from_mins(10));
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
}

async fn names_that_no_database_holds_are_refused(app: TestApp) {
    for name in ["a\0b", "a\u{202e}b", &"x".repeat(101)] {
        let fields = [("first_name", name), ("email", "bob@example.org"), ("password", PASSWORD)];
        app.form().submit("/api/register", &fields).await.expect_status(200).expect_text("At most 100 characters");
        app.script().post("/api/register", &fields).await.expect_status(400);
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
}

async fn names_are_shown_as_text(app: TestApp) {
    let client = app.form();
    let name = "</title><script>alert(1)</script>";
    let fields = [("first_name", name), ("last_name", "\"><i>"), ("email", "bob@example.org"), ("password", PASSWORD)];
    client.post("/api/register", &fields).await.expect_redirect("/account");
    let admin = app.admin().await;
    let user = format!("/dashboard/users/{}", app.user_id("bob@example.org").await);
    for page in [client.get("/account").await, admin.get("/dashboard/users").await, admin.get(&user).await] {
        page.expect_status(200);
        assert!(!page.body.contains("<script>alert") && !page.body.contains("\"><i>"), "{}", page.body);
    }
    assert_eq!(client.get("/account").await.value_of("first_name").as_deref(), Some(name));
}

async fn a_taken_address_is_not_registered_again(app: TestApp) {
    app.member("bob@example.org").await;
    let client = app.form();
    client.register("Bob@Example.org", "another good password").await.expect_status(302).expect_redirect("/register");
    client.get("/register").await.expect_text("No account was created.");
    let refused = app.script().register("bob@example.org", "another good password").await;
    refused.expect_status(422);
    assert_eq!(refused.error(), "not_registered");
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
    app.form().log_in("bob@example.org", "another good password").await.expect_redirect("/login");
    app.logged_in("bob@example.org").await;
}

async fn fifty_at_once_make_one_person(app: TestApp) {
    let tries: Vec<_> = (0..50)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.script().register("bob@example.org", PASSWORD).await.status })
        })
        .collect();
    let mut made = 0;
    for answer in tries {
        match answer.await.unwrap() {
            200 => made += 1,
            status => assert!([422, 429, 503].contains(&status), "{status}"),
        }
    }
    assert_eq!((made, app.number("SELECT count(*) FROM users").await), (1, 1));
}

async fn nobody_registers_where_registration_is_closed(app: TestApp) {
    app.form().get("/register").await.expect_status(200).expect_text("Registration is not open");
    let refused = app.script().register("bob@example.org", PASSWORD).await;
    refused.expect_status(403);
    assert_eq!(refused.error(), "registration_closed");
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
}

async fn only_addresses_of_allowed_domains_register(app: TestApp) {
    let refused = app.script().register("bob@sub.example.org", PASSWORD).await;
    refused.expect_status(403);
    assert_eq!(refused.error(), "domain_not_allowed");
    app.member("bob@example.org").await;
}

async fn a_person_registers_and_is_logged_in(app: TestApp) {
    for client in [app.form(), app.script()] {
        let email = if client.is_form() { "bob@example.org" } else { "eve@example.org" };
        client.register(email, PASSWORD).await.expect_redirect("/account");
        client.get("/account").await.expect_status(200).expect_text(email);
    }
    assert_eq!(app.number("SELECT count(*) FROM users WHERE role = 'member'").await, 2);
}

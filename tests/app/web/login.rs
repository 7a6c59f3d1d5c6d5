//! `/login`: one answer for a wrong password and an unknown address, what was typed kept, a new session each time.

use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    a_wrong_password_and_an_unknown_address_are_refused_alike,
    what_was_typed_survives_a_refusal_but_the_password,
    a_script_is_told_the_code,
    a_next_of_another_site_is_not_followed,
    a_person_logs_in_and_comes_back_to_where_they_were,
    logging_in_makes_a_new_session,
    who_is_logged_in_is_asked_whether_to_go_on,
    logging_out_ends_the_session_at_once,
    too_many_tries_are_told_when_to_come_back,
    tries_are_counted_over_all_processes with FEW_TRIES,
}

const FEW_TRIES: &str = r#"limits.log_in_per_account = "3/5m""#;
const REFUSED: &str = "That e-mail and password don't match.";

async fn a_wrong_password_and_an_unknown_address_are_refused_alike(app: TestApp) {
    app.member("bob@example.org").await;
    let mut answers = Vec::new();
    for email in ["bob@example.org", "nobody@example.org"] {
        let client = app.form();
        let refused = client.log_in(email, "not the password").await;
        refused.expect_status(302).expect_redirect("/login");
        assert_eq!(refused.cookies().len(), 1, "a flash and nothing else: {:?}", refused.set_cookies());
        let page = client.get("/login").await;
        page.expect_status(200).expect_text(REFUSED);
        answers.push(page.text());
        assert!(!client.is_logged_in().await);
    }
    assert_eq!(answers[0], answers[1]);
}

async fn what_was_typed_survives_a_refusal_but_the_password(app: TestApp) {
    let client = app.form();
    let typed = [("email", "\"><b>Bob@example.org"), ("password", "not the password"), ("remember", "true")];
    let page = client.submit("/api/login", &typed).await;
    page.expect_text(REFUSED);
    assert_eq!(page.value_of("email").as_deref(), Some("\"><b>Bob@example.org"));
    assert_eq!(page.value_of("password").as_deref(), Some(""));
    assert!(!page.body.contains("not the password"));
    client.get("/login").await.expect_no_text(REFUSED);
}

async fn a_script_is_told_the_code(app: TestApp) {
    app.member("bob@example.org").await;
    let script = app.script();
    let refused = script.log_in("bob@example.org", "not the password").await;
    refused.expect_status(401);
    assert_eq!(refused.error(), "credentials");
    script.log_in("bob@example.org", PASSWORD).await.expect_status(200).expect_redirect("/account");
    assert!(script.is_logged_in().await);
}

async fn a_next_of_another_site_is_not_followed(app: TestApp) {
    app.member("bob@example.org").await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\t//evil.example",
        "javascript:alert(1)",
        "account",
    ] {
        let fields = [("email", "bob@example.org"), ("password", PASSWORD), ("next", next)];
        app.form().post("/api/login", &fields).await.expect_status(302).expect_redirect("/account");
    }
}

async fn a_person_logs_in_and_comes_back_to_where_they_were(app: TestApp) {
    app.member("bob@example.org").await;
    let client = app.form();
    client.get("/account/sessions").await.expect_status(302).expect_redirect("/login?next=/account/sessions");
    let page = client.get("/login?next=/account/sessions").await;
    let next = page.value_of("next").unwrap();
    let fields = [("email", " BOB@example.org "), ("password", PASSWORD), ("next", &next)];
    client.post("/api/login", &fields).await.expect_redirect("/account/sessions");
    client.get("/account/sessions").await.expect_status(200);
}

async fn logging_in_makes_a_new_session(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let before = client.cookie("latchkey").unwrap();
    client.log_in("bob@example.org", PASSWORD).await.expect_status(302);
    let after = client.cookie("latchkey").unwrap();
    assert_ne!(before, after);
    let line = client.log_in("bob@example.org", PASSWORD).await.set_cookies().join("\n");
    for attribute in ["latchkey=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(line.contains(attribute), "{attribute} in {line}");
    }
    assert!(!line.contains("Max-Age") && !line.contains("Secure"), "{line}");
    let fields = [("email", "bob@example.org"), ("password", PASSWORD), ("remember", "true")];
    let line = client.post("/api/login", &fields).await.set_cookies().join("\n");
    assert!(line.contains("Max-Age") || line.contains("Expires"), "{line}");
}

async fn who_is_logged_in_is_asked_whether_to_go_on(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let page = client.get("/login").await;
    page.expect_status(200).expect_text("You're logged in as bob@example.org.");
    assert_eq!(page.link("Continue").as_deref(), Some("/account"));
}

async fn logging_out_ends_the_session_at_once(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let secret = client.cookie("latchkey").unwrap();
    client.log_out().await.expect_status(302).expect_redirect("/login");
    assert_eq!(client.cookie("latchkey"), None);
    client.get("/login").await.expect_text("You are logged out.");
    client.set_cookie("latchkey", &secret);
    assert!(!client.is_logged_in().await);
    client.log_out().await.expect_status(302);
}

async fn too_many_tries_are_told_when_to_come_back(app: TestApp) {
    app.member("bob@example.org").await;
    let (form, script) = (app.form(), app.script());
    for _ in 0..10 {
        form.log_in("bob@example.org", "not the password").await.expect_status(302);
    }
    let refused = form.log_in("bob@example.org", PASSWORD).await;
    refused.expect_status(429).expect_text("Too many tries");
    let wait = refused.retry_after_secs().unwrap();
    let refused = script.log_in("BOB@example.org", PASSWORD).await;
    refused.expect_status(429);
    assert_eq!((refused.error(), refused.retry_after_secs()), ("rate_limited".to_owned(), Some(wait)));
    app.advance(std::time::Duration::from_secs(wait.into()));
    form.log_in("bob@example.org", PASSWORD).await.expect_redirect("/account");
}

async fn tries_are_counted_over_all_processes(app: TestApp) {
    let other = app.another_process().await;
    for server in [&app, &other, &app] {
        server.form().log_in("bob@example.org", "not the password").await.expect_status(302);
    }
    for server in [&app, &other] {
        server.form().log_in("bob@example.org", "not the password").await.expect_status(429);
    }
}

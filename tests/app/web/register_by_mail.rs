//! `/register` where mails are sent: everybody is told to look for one, and only who reads it has an account.

use std::time::Duration;

use crate::harness::{MAILS, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    a_taken_address_looks_like_a_free_one with MAILS,
    nobody_logs_in_with_an_address_that_is_not_confirmed with MAILS,
    confirming_where_one_registered_logs_in with MAILS,
    confirming_elsewhere_asks_for_the_password_again with MAILS,
    another_mail_is_sent_after_a_while with MAILS,
    without_a_need_to_confirm_one_logs_in_at_once with OPTIONAL,
    what_waits_is_sealed_and_the_same_for_every_address with MAILS,
    who_presses_twice_has_one_account_and_the_last_password with MAILS,
    who_has_used_the_account_registers_no_other_password with MAILS,
    a_user_who_was_deleted_does_not_come_back_by_another_press with MAILS,
    fifty_registrations_at_once_make_one_user with UNLIMITED,
}

const UNLIMITED: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    limits.register_per_ip = "off"
    limits.register_per_account = "off"
"#;
const NEW: &str = "a brand new password";
const OPTIONAL: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    registration.require_verified_email = false
"#;

async fn a_taken_address_looks_like_a_free_one(app: TestApp) {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let client = app.form();
        let answer = client.register("bob@example.org", PASSWORD).await;
        answer.expect_status(302).expect_redirect("/link");
        let cookies = client.cookie_header();
        let page = client.get("/link").await;
        page.expect_status(200).expect_text("Check your e-mail").expect_text("bob@example.org");
        let names: Vec<String> =
            cookies.split("; ").map(|cookie| cookie.split('=').next().unwrap().to_owned()).collect();
        answers.push((names, cookies.len(), page.text()));
        let script = app.script().register("bob@example.org", PASSWORD).await;
        script.expect_status(200);
    }
    assert_eq!(answers[0], answers[1]);
    let kinds: Vec<String> = app.mails_to("bob@example.org").await.into_iter().map(|mail| mail.kind).collect();
    assert_eq!(kinds, ["confirm_email", "already_registered", "already_registered", "already_registered"]);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn nobody_logs_in_with_an_address_that_is_not_confirmed(app: TestApp) {
    app.form().register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    app.mail_requests_are_answered().await;
    let client = app.form();
    client.log_in("bob@example.org", "wrong password").await.expect_redirect("/login");
    let page = client.submit("/api/login", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
    page.expect_text("Confirm your e-mail first");
    assert!(!client.is_logged_in().await);
    assert_eq!((app.number("SELECT count(*) FROM sessions").await, app.events_of("session.created").await), (0, 0));
    let mails = app.mails_to("bob@example.org").await;
    assert_eq!(mails.iter().map(|mail| mail.kind.as_str()).collect::<Vec<_>>(), ["confirm_email", "confirm_email"]);
    // The link of the second mail ends the one of the first.
    app.form().get(&mails[0].link()).await.expect_text("This link was replaced");
    // Its right password was known here, so confirming here logs in.
    client.post(&mails[1].link(), &[]).await.expect_redirect("/account");
    assert!(client.is_logged_in().await);
}

async fn confirming_where_one_registered_logs_in(app: TestApp) {
    let client = app.form();
    client.register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    let mail = app.mail("bob@example.org", "confirm_email").await;
    client.get(&mail.link()).await.expect_status(200).expect_text("bob@example.org").expect_text("Confirm");
    let page = client.submit(&mail.link(), &[]).await;
    page.expect_status(200).expect_text("Your e-mail address is confirmed.");
    assert!(client.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'auth.email_verified'").await, 1);
    client.get(&mail.link()).await.expect_text("This link was used");
    client.post(&mail.link(), &[]).await.expect_status(302);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'auth.email_verified'").await, 1);
}

async fn confirming_elsewhere_asks_for_the_password_again(app: TestApp) {
    app.form().register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    let mail = app.mail("bob@example.org", "confirm_email").await;
    let elsewhere = app.form();
    let page = elsewhere.submit(&mail.link(), &[]).await;
    page.expect_text("Your e-mail address is confirmed.").expect_text("choose your password again");
    assert!(!elsewhere.is_logged_in().await);
    elsewhere.log_in("bob@example.org", PASSWORD).await.expect_redirect("/login");
    elsewhere.submit("/api/reset-password", &[("new_password", "short")]).await.expect_text("at least 8 characters");
    elsewhere.post("/api/reset-password", &[("new_password", PASSWORD)]).await.expect_redirect("/account");
    app.logged_in("bob@example.org").await;
}

async fn another_mail_is_sent_after_a_while(app: TestApp) {
    let client = app.form();
    client.register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    client.get("/link").await.expect_text("You can ask for another mail in 60 seconds.");
    client.post("/api/send-again", &[]).await.expect_status(429);
    app.advance(Duration::from_secs(61));
    client.get("/link").await.expect_text("Send again");
    client.submit("/api/send-again", &[]).await.expect_text("another mail is on its way");
    let mails = app.mails_to("bob@example.org").await;
    assert_eq!(mails.len(), 2);
    client.post(&mails[1].link(), &[]).await.expect_redirect("/account");
    app.form().post("/api/send-again", &[]).await.expect_status(404);
}

async fn without_a_need_to_confirm_one_logs_in_at_once(app: TestApp) {
    app.form().register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    app.mail_requests_are_answered().await;
    app.form().log_in("bob@example.org", PASSWORD).await.expect_redirect("/account");
}

/// The row that a registration leaves, read before the job has taken it away.
async fn kept(app: &TestApp, email: &str) -> Option<String> {
    let fields = [("first_name", "Robert"), ("last_name", "Noyce"), ("email", email), ("password", PASSWORD)];
    app.form().post("/api/register", &fields).await.expect_redirect("/link");
    let row = "SELECT kind || ' ' || sealed FROM mail_requests WHERE email = $1";
    app.text_for(row, email).await
}

async fn what_waits_is_sealed_and_the_same_for_every_address(app: TestApp) {
    app.member_by_mail("known@example.org").await;
    let mut rows = Vec::new();
    for (known, unknown) in [("known@example.org", "free1@example.org"), ("known@example.org", "free2@example.org")] {
        rows.push((kept(&app, known).await, kept(&app, unknown).await));
        app.mail_requests_are_answered().await;
    }
    // The job may have been sooner once, not twice.
    let (known, free) = rows.into_iter().find_map(|(known, free)| known.zip(free)).expect("a row is seen");
    assert_eq!(known.len(), free.len());
    for row in [known, free] {
        assert!(row.starts_with("register "), "{row}");
        for secret in ["argon2", "Robert", "Noyce", "password"] {
            assert!(!row.contains(secret), "{row}");
        }
    }
    assert_eq!(app.number("SELECT count(*) FROM users WHERE first_name = 'Robert'").await, 2);
}

async fn who_presses_twice_has_one_account_and_the_last_password(app: TestApp) {
    let client = app.form();
    for password in [PASSWORD, PASSWORD, NEW] {
        client.register("bob@example.org", password).await.expect_redirect("/link");
        app.advance(Duration::from_secs(1));
    }
    let mails = app.mails_to("bob@example.org").await;
    assert_eq!(mails.iter().map(|mail| mail.kind.as_str()).collect::<Vec<_>>(), ["confirm_email"]);
    for table in ["users", "auth_identities", "provider_identities"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 1, "{table}");
    }
    client.post(&mails[0].link(), &[]).await.expect_redirect("/account");
    app.script().log_in("bob@example.org", PASSWORD).await.expect_status(401);
    app.form().log_in("bob@example.org", NEW).await.expect_redirect("/account");
}

async fn who_has_used_the_account_registers_no_other_password(app: TestApp) {
    let client = app.form();
    client.register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    let link = app.mail("bob@example.org", "confirm_email").await.link();
    let elsewhere = app.form();
    elsewhere.post(&link, &[]).await.expect_redirect("/reset-password");
    elsewhere.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
    client.register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    app.mail("bob@example.org", "already_registered").await;
    app.script().log_in("bob@example.org", PASSWORD).await.expect_status(401);
    assert!(elsewhere.is_logged_in().await);
}

async fn a_user_who_was_deleted_does_not_come_back_by_another_press(app: TestApp) {
    let admin = app.admin().await;
    let client = app.form();
    client.register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    app.mail_requests_are_answered().await;
    let id = app.user_id("bob@example.org").await;
    let fields = [("id", id.as_str()), ("confirm", "bob@example.org")];
    admin.post("/api/delete-user", &fields).await.expect_redirect("/dashboard/users");
    client.register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    app.mail("bob@example.org", "confirm_email").await;
    assert_ne!(app.user_id("bob@example.org").await, id);
}

async fn fifty_registrations_at_once_make_one_user(app: TestApp) {
    let mut people = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let client = app.form();
        people.spawn(async move { client.register("bob@example.org", PASSWORD).await.status });
    }
    let statuses = people.join_all().await;
    assert!(statuses.iter().all(|status| [302, 503].contains(status)), "{statuses:?}");
    let answered = statuses.iter().filter(|status| **status == 302).count();
    let kinds: Vec<String> = app.mails_to("bob@example.org").await.into_iter().map(|mail| mail.kind).collect();
    assert_eq!(kinds.len(), answered);
    assert_eq!(kinds.iter().filter(|kind| *kind == "confirm_email").count(), 1);
    for table in ["users", "auth_identities", "provider_identities"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 1, "{table}");
    }
}

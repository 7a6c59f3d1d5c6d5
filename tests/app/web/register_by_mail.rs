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
}

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
    let client = app.form();
    client.log_in("bob@example.org", "wrong password").await.expect_redirect("/login");
    let page = client.submit("/api/login", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
    page.expect_text("Confirm your e-mail first");
    assert!(!client.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 0);
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
    app.form().log_in("bob@example.org", PASSWORD).await.expect_redirect("/account");
}

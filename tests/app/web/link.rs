//! `/link/{token}`: opening changes nothing, the button acts once, and every state says what to do.

use std::{sync::Arc, time::Duration};

use http::Method;
use tokio::sync::Barrier;

use crate::harness::{MAILS, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    a_scanner_spends_nothing with MAILS,
    a_link_that_never_was_says_so,
    fifty_uses_of_one_link_are_one with MAILS,
    an_expired_link_leads_to_a_new_one with MAILS,
    a_link_that_nobody_asked_for_can_be_ended with MAILS,
    somebody_else_who_is_logged_in_is_told with MAILS,
    a_code_does_what_the_link_does with MAILS,
    a_code_has_few_tries with MAILS,
    the_host_of_a_request_changes_no_link with MAILS,
    a_link_says_on_which_day_it_ends with MAILS,
}

async fn a_scanner_spends_nothing(app: TestApp) {
    app.form().register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    let link = app.mail("bob@example.org", "confirm_email").await.link();
    let scanner = app.form();
    for _ in 0..10 {
        scanner.get(&link).await.expect_status(200);
        let head = scanner.request(&Method::HEAD, &link).send().await.unwrap();
        assert_eq!(head.status(), 200);
    }
    assert_eq!(app.number("SELECT count(*) FROM one_time_tokens WHERE used_at IS NOT NULL").await, 0);
    scanner.submit(&link, &[]).await.expect_text("Your e-mail address is confirmed.");
}

async fn a_link_that_never_was_says_so(app: TestApp) {
    let client = app.form();
    for token in ["x", "%00", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "..%2F..", "%ff"] {
        let path = format!("/link/{token}");
        let page = client.get(&path).await;
        assert!([400, 404].contains(&page.status), "{token}: {}", page.status);
        let answer = client.post(&path, &[]).await;
        assert!([400, 404].contains(&answer.status), "{token}: {}", answer.status);
    }
    client.get("/link/x").await.expect_text("This link doesn't work");
}

async fn fifty_uses_of_one_link_are_one(app: TestApp) {
    app.member_by_mail("bob@example.org").await;
    app.form().post("/api/forgot-password", &[("email", "bob@example.org")]).await.expect_redirect("/link");
    let link = app.mail("bob@example.org", "reset_password").await.link();
    let mut tries = tokio::task::JoinSet::new();
    let all_are_there = Arc::new(Barrier::new(50));
    for number in 0..50 {
        let (app, link, all_are_there) = (app.clone(), link.clone(), Arc::clone(&all_are_there));
        tries.spawn(async move {
            let client = app.form();
            client.post(&link, &[]).await.expect_redirect("/reset-password");
            all_are_there.wait().await;
            let password = format!("a brand new password {number}");
            let answer = client.post("/api/reset-password", &[("new_password", &password)]).await;
            assert_eq!(answer.status, 302);
            (answer.location() == Some("/account".to_owned())).then_some(password)
        });
    }
    let won: Vec<String> = tries.join_all().await.into_iter().flatten().collect();
    assert_eq!(won.len(), 1);
    app.form().log_in("bob@example.org", &won[0]).await.expect_redirect("/account");
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'auth.password_changed'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn an_expired_link_leads_to_a_new_one(app: TestApp) {
    app.member_by_mail("bob@example.org").await;
    app.form().post("/api/forgot-password", &[("email", "bob@example.org")]).await.expect_redirect("/link");
    let old = app.mail("bob@example.org", "reset_password").await;
    app.advance(Duration::from_mins(15));
    let client = app.form();
    client.get(&old.link()).await.expect_text("This link has expired").expect_text("Send a new one");
    client.post(&old.link(), &[]).await.expect_redirect(&old.link());
    let token = old.written.link.as_ref().unwrap().token.as_str();
    client.submit("/api/renew-link", &[("token", token)]).await.expect_text("another mail is on its way");
    let new = app.mail("bob@example.org", "reset_password").await;
    assert_ne!(new.link(), old.link());
    client.post(&new.link(), &[]).await.expect_redirect("/reset-password");
}

async fn a_link_that_nobody_asked_for_can_be_ended(app: TestApp) {
    app.member_by_mail("bob@example.org").await;
    let asked = app.form();
    asked.post("/api/forgot-password", &[("email", "bob@example.org")]).await.expect_redirect("/link");
    let mail = app.mail("bob@example.org", "reset_password").await;
    asked.post(&mail.link(), &[]).await.expect_redirect("/reset-password");
    let token = mail.written.link.as_ref().unwrap().token.as_str();
    app.form().submit("/api/void-link", &[("token", token)]).await.expect_text("That link no longer works.");
    app.form().get(&mail.link()).await.expect_text("This link no longer works");
    // Also for the browser that has already followed it.
    let page = asked.submit("/api/reset-password", &[("new_password", "a brand new password")]).await;
    page.expect_text("This link has ended");
    app.logged_in("bob@example.org").await;
}

async fn somebody_else_who_is_logged_in_is_told(app: TestApp) {
    app.member_by_mail("bob@example.org").await;
    let eve = app.member_by_mail("eve@example.org").await;
    app.form().post("/api/forgot-password", &[("email", "bob@example.org")]).await.expect_redirect("/link");
    let link = app.mail("bob@example.org", "reset_password").await.link();
    let page = eve.get(&link).await;
    page.expect_text("Another account is logged in").expect_text("bob@example.org").expect_text("eve@example.org");
    eve.post(&link, &[]).await.expect_redirect(&link);
    assert_eq!(app.number("SELECT count(*) FROM one_time_tokens WHERE used_at IS NULL").await, 1);
    eve.post("/api/logout", &[("next", &link)]).await.expect_redirect(&link);
    eve.post(&link, &[]).await.expect_redirect("/reset-password");
}

async fn a_code_does_what_the_link_does(app: TestApp) {
    let client = app.form();
    client.register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    let mail = app.mail("bob@example.org", "confirm_email").await;
    let code = app.arm_code(&mail).await;
    let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
    for (email, code) in
        [("bob@example.org", "0000-0000"), ("eve@example.org", typed.as_str()), ("bob@example.org", "x")]
    {
        let page = app.form().submit("/api/use-code", &[("email", email), ("code", code)]).await;
        page.expect_status(200).expect_text("That code is not right");
    }
    client.post("/api/use-code", &[("email", "bob@example.org"), ("code", &typed)]).await.expect_redirect("/account");
    assert!(client.is_logged_in().await);
    app.form().submit("/api/use-code", &[("email", "bob@example.org"), ("code", &code)]).await.expect_text("not right");
}

async fn a_code_has_few_tries(app: TestApp) {
    let client = app.form();
    client.register("bob@example.org", PASSWORD).await.expect_redirect("/link");
    let mail = app.mail("bob@example.org", "confirm_email").await;
    let code = app.arm_code(&mail).await;
    for number in 0..5 {
        let wrong = format!("0000-000{number}");
        app.script().post("/api/use-code", &[("email", "bob@example.org"), ("code", &wrong)]).await.expect_status(400);
    }
    let answer = app.script().post("/api/use-code", &[("email", "bob@example.org"), ("code", &code)]).await;
    answer.expect_status(400);
    client.post(&mail.link(), &[]).await.expect_redirect("/account");
}

async fn the_host_of_a_request_changes_no_link(app: TestApp) {
    let client = app.form();
    let request = client.request(&Method::POST, "/api/forgot-password").form(&[("email", "bob@example.org")]);
    let request = request.header("x-forwarded-host", "evil.test").header("forwarded", "host=evil.test");
    assert_eq!(request.send().await.unwrap().status(), 302);
    app.mail_requests_are_answered().await;
    // What is written is a secret without an address; the one who sends it knows only the configured one.
    app.member_by_mail("bob@example.org").await;
    let sealed = serde_json::to_string(&app.mails_to("bob@example.org").await.pop().unwrap().written).unwrap();
    assert!(!sealed.contains("evil.test"));
}

async fn a_link_says_on_which_day_it_ends(app: TestApp) {
    let bob = app.member_by_mail("bob@example.org").await;
    app.form().post("/api/forgot-password", &[("email", "bob@example.org")]).await.expect_redirect("/link");
    let reset = app.mail("bob@example.org", "reset_password").await.link();
    app.form().get(&reset).await.expect_text("The link works until 14:15 UTC.");
    let fields = [("email", "new@example.org"), ("password", PASSWORD)];
    bob.post("/api/change-email", &fields).await.expect_redirect("/link");
    bob.post(&app.mail("new@example.org", "confirm_new_email").await.link(), &[]).await.expect_redirect("/account");
    let undo = app.mail("bob@example.org", "email_was_changed").await.link();
    app.form().get(&undo).await.expect_text("The link works until 28 Nov 2026, 14:00 UTC.");
    app.advance(Duration::from_hours(6 * 24 + 12));
    app.form().get(&undo).await.expect_text("The link works until 14:00 UTC.");
}

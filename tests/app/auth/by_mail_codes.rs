//! Ways in by mail: the code, which is typed where it was asked for, and how else a mail may come and how long it is good.

use std::time::Duration;

use super::by_mail::{BOB, BY_MAIL};
use crate::harness::{TestApp, on_both_databases};

on_both_databases! {
    a_code_is_taken_from_the_browser_that_asked with BY_MAIL,
    a_code_has_few_tries with BY_MAIL,
    without_mail_an_admin_hands_the_link_on with OUTBOX,
    a_lifetime_of_ones_own_is_kept with SHORT,
}

const OUTBOX: &str = r#"providers = [{ id = "emailpass", kind = "emailpass" }, { id = "mail", kind = "email-link" }]"#;
const SHORT: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "email-link", kind = "email-link", options = { lifetime = "5m", display_name = "a letter" } }]
"#;

async fn a_code_is_taken_from_the_browser_that_asked(app: TestApp) {
    let client = app.form();
    client.ask_for_mail("email-code", BOB).await.expect_redirect("/link");
    let page = client.get("/link").await;
    page.expect_text("Check your e-mail").expect_text("a mail with a code is on its way");
    let mail = app.mail(BOB, "log_in_by_code").await;
    let code = app.arm_code(&mail).await;
    // Whoever is talked into telling a code has told it to a browser that has asked for nothing, or for another address.
    for email in [None, Some("eve@example.org")] {
        let stranger = app.form();
        if let Some(email) = email {
            stranger.ask_for_mail("email-code", email).await.expect_redirect("/link");
        }
        for _ in 0..6 {
            stranger.submit("/api/use-code", &[("email", BOB), ("code", &code)]).await.expect_text("not right");
        }
        assert_eq!(stranger.who().await, None);
    }
    client.submit("/api/use-code", &[("email", BOB), ("code", "0000-0000")]).await.expect_text("not right");
    let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
    client.post("/api/use-code", &[("email", BOB), ("code", &typed)]).await.expect_redirect("/account");
    assert_eq!(client.who().await.as_deref(), Some(BOB));
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL").await, 1);
    client.log_out().await;
    client.ask_for_mail("email-link", BOB).await.expect_redirect("/link");
    client.submit("/api/use-code", &[("email", BOB), ("code", &code)]).await.expect_text("not right");
    let code = app.arm_code(&app.mail(BOB, "log_in_by_link").await).await;
    client.post("/api/use-code", &[("email", BOB), ("code", &code)]).await.expect_redirect("/account");
}

async fn a_code_has_few_tries(app: TestApp) {
    let client = app.script();
    client.ask_for_mail("email-code", BOB).await.expect_status(200);
    let code = app.arm_code(&app.mail(BOB, "log_in_by_code").await).await;
    for number in 0..5 {
        let wrong = format!("0000-000{number}");
        client.post("/api/use-code", &[("email", BOB), ("code", &wrong)]).await.expect_status(400);
    }
    client.post("/api/use-code", &[("email", BOB), ("code", &code)]).await.expect_status(400);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
}

async fn without_mail_an_admin_hands_the_link_on(app: TestApp) {
    let admin = app.admin().await;
    let client = app.form();
    client.get("/login?with=mail").await.expect_text("This site sends no mail itself.");
    client.ask_for_mail("mail", BOB).await.expect_redirect("/link");
    client.get("/link").await.expect_text("Ask an administrator for your link");
    let link = app.mail(BOB, "log_in_by_link").await.link();
    admin.get("/dashboard/mail").await.expect_text("Your link to log in").expect_text("Copy link");
    client.post(&link, &[]).await.expect_redirect("/account");
    assert_eq!(client.who().await.as_deref(), Some(BOB));
}

async fn a_lifetime_of_ones_own_is_kept(app: TestApp) {
    let client = app.form();
    client.get("/login").await.expect_text("Log in with a letter").expect_text("Mail me a link");
    let register = client.get("/register").await;
    register.expect_text("Continue with a letter").expect_no_text("Password");
    client.ask_for_mail("email-link", BOB).await.expect_redirect("/link");
    client.get("/link").await.expect_text("It works until 14:05 UTC.");
    let link = app.mail(BOB, "log_in_by_link").await.link();
    client.get(&link).await.expect_text("The link works until 14:05 UTC.");
    app.advance(Duration::from_mins(5));
    client.get(&link).await.expect_text("This link has expired");
}

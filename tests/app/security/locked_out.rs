//! Who comes in by mail is locked out by nobody: not by wrong codes of others.

use reqwest::Method;

use crate::auth::by_mail::BOB;
use crate::harness::{Client, Page, TestApp, on_both_databases};

on_both_databases! {
    wrong_codes_of_a_stranger_keep_nobody_out with BEHIND_A_PROXY,
}

const BEHIND_A_PROXY: &str = r#"
    server.trusted_proxies = ["127.0.0.1"]
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "email-code", kind = "email-code" }]
"#;

async fn type_from(client: &Client, ip: &str, code: &str) -> Page {
    let request = client.request(&Method::POST, "/api/use-code").header("x-forwarded-for", ip);
    client.send(request.form(&[("email", BOB), ("code", code)])).await
}

async fn wrong_codes_of_a_stranger_keep_nobody_out(app: TestApp) {
    let (stranger, bob) = (app.script(), app.script());
    bob.ask_for_mail("email-code", BOB).await.expect_status(200);
    stranger.ask_for_mail("email-code", BOB).await.expect_status(200);
    app.mail_requests_are_answered().await;
    let code = app.arm_code(&app.mail(BOB, "log_in_by_code").await).await;
    let mut last = 0;
    for _ in 0..30 {
        last = type_from(&stranger, "198.51.100.7", "0000-0000").await.status;
    }
    assert_eq!(last, 429);
    type_from(&bob, "203.0.113.9", &code).await.expect_status(200);
    assert_eq!(bob.who().await.as_deref(), Some(BOB));
}

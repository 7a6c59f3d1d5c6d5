//! Who comes in by mail is locked out by nobody: not by wrong codes of others, nor by mails that others ask for at the same
//! address, for another kind of account or by another provider.

use reqwest::Method;
use serde_json::json;

use crate::auth::by_mail::{BOB, BY_MAIL};
use crate::harness::{Client, Page, TestApp, on_both_databases};

on_both_databases! {
    wrong_codes_of_a_stranger_keep_nobody_out with BEHIND_A_PROXY,
    what_is_mailed_to_other_accounts_ends_no_link_of_a_user with BY_MAIL,
    what_is_mailed_to_other_accounts_hides_no_code_of_a_user with BY_MAIL,
    what_others_ask_for_by_another_way_keeps_no_mail_back with BY_MAIL,
}

const BEHIND_A_PROXY: &str = r#"
    server.trusted_proxies = ["127.0.0.1"]
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "email-code", kind = "email-code" }]
"#;
const CUSTOMER: &str = "/auth/customer/email-link";

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

async fn what_is_mailed_to_other_accounts_ends_no_link_of_a_user(app: TestApp) {
    app.member_by_mail(BOB).await;
    let link = app.log_in_link(BOB).await;
    app.program().post(CUSTOMER, &json!({ "email": BOB })).await.expect_status(200);
    app.mail(BOB, "log_in_by_code").await;
    let bob = app.form();
    bob.post(&link, &[]).await.expect_redirect("/account");
    assert_eq!(bob.who().await.as_deref(), Some(BOB));
}

async fn what_is_mailed_to_other_accounts_hides_no_code_of_a_user(app: TestApp) {
    app.member_by_mail(BOB).await;
    let bob = app.form();
    bob.ask_for_mail("email-code", BOB).await.expect_redirect("/link");
    app.mail_requests_are_answered().await;
    let of_user = app.mail(BOB, "log_in_by_code").await;
    app.program().post(CUSTOMER, &json!({ "email": BOB })).await.expect_status(200);
    app.mail_requests_are_answered().await;
    let of_customer = app.mail(BOB, "log_in_by_code").await;
    let (of_user, of_customer) = (app.arm_code(&of_user).await, app.arm_code(&of_customer).await);
    assert_ne!(of_user, of_customer);
    bob.post("/api/use-code", &[("email", BOB), ("code", &of_user)]).await.expect_redirect("/account");
    let body = json!({ "email": BOB, "code": of_customer });
    app.program().post(&format!("{CUSTOMER}/callback"), &body).await.expect_status(200);
    // What is mailed to other accounts is nothing that the pages take.
    app.program().post(CUSTOMER, &json!({ "email": BOB })).await.expect_status(200);
    app.mail_requests_are_answered().await;
    let code = app.arm_code(&app.mail(BOB, "log_in_by_code").await).await;
    let stranger = app.form();
    stranger.submit("/api/use-code", &[("email", BOB), ("code", &code)]).await.expect_text("not right");
}

async fn what_others_ask_for_by_another_way_keeps_no_mail_back(app: TestApp) {
    app.member_by_mail(BOB).await;
    for path in [CUSTOMER, "/auth/customer/email-code", "/auth/user/email-code"] {
        for _ in 0..6 {
            app.program().post(path, &json!({ "email": BOB })).await.expect_status(200);
        }
    }
    app.mail_requests_are_answered().await;
    assert_eq!(app.log_in_mails(BOB).await, 15);
    let link = app.log_in_link(BOB).await;
    let bob = app.form();
    bob.post(&link, &[]).await.expect_redirect("/account");
    assert_eq!(bob.who().await.as_deref(), Some(BOB));
}

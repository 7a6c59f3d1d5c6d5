//! `/auth/{actor_type}/email-link` and `…/email-code`: programs and the scripts of an application come in by mail.

use serde_json::{Value, json};

use crate::auth::by_mail::{BOB, BY_MAIL};
use crate::harness::{PASSWORD, Page, Program, TestApp, on_both_databases};

on_both_databases! {
    everybody_is_answered_alike with BY_MAIL,
    what_is_no_address_is_refused with BY_MAIL,
    a_link_is_worth_one_token with BY_MAIL,
    a_code_is_worth_one_token with BY_MAIL,
    what_is_for_another_provider_or_account_is_refused with BY_MAIL,
    fifty_callbacks_with_one_link_are_one_token with BY_MAIL,
    other_accounts_come_in_by_code with BY_MAIL,
    who_is_turned_off_is_refused with BY_MAIL,
    by_invitation_an_identity_waits_for_its_invite with INVITE_ONLY,
    where_all_is_closed_nobody_new_comes_in with CLOSED,
    the_way_in_is_one_of_credentials with BY_MAIL,
    no_password_is_set_by_such_a_provider with BY_MAIL,
    a_browser_asks_by_the_script_of_an_application with BY_MAIL,
    a_script_of_next_auth_signs_in_by_mail with BY_MAIL,
}

const INVITE_ONLY: &str = r#"
    registration.mode = "invite_only"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "email-link", kind = "email-link" }]
"#;
const CLOSED: &str = r#"
    registration.mode = "closed"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "email-link", kind = "email-link" }]
    actors.customer.providers = ["email-link"]
"#;
const LINK: &str = "/auth/user/email-link";
const CODE: &str = "/auth/user/email-code";

fn back(path: &str) -> String {
    format!("{path}/callback")
}

async fn ask(app: &TestApp, path: &str, email: &str) -> Page {
    app.program().post(path, &json!({ "email": email })).await
}

/// The secret of the link that is mailed to somebody who asks.
async fn secret(app: &TestApp, path: &str, email: &str) -> String {
    ask(app, path, email).await.expect_status(200);
    app.mails_to(email).await.pop().expect("there is a mail").written.link.unwrap().token
}

/// What the token of an answer says.
fn known(app: &TestApp, answer: &Page) -> (Program, Value) {
    let token = answer.expect_status(200).json()["token"].as_str().unwrap().to_owned();
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    (app.program().known_by(&token), serde_json::from_slice(&claims).unwrap())
}

async fn everybody_is_answered_alike(app: TestApp) {
    let admin = app.admin().await;
    app.member_by_mail("known@example.org").await;
    app.member_by_mail("disab@example.org").await;
    let id = app.user_id("disab@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    for path in [LINK, CODE] {
        let mut seen = Vec::new();
        for email in ["known@example.org", "disab@example.org", "nobod@example.org"] {
            let answer = ask(&app, path, email).await;
            let cookie_bytes: Vec<usize> = answer.set_cookies().iter().map(String::len).collect();
            seen.push((answer.status, answer.body.clone(), cookie_bytes));
        }
        assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:#?}");
        let answer: Value = serde_json::from_str(&seen[0].1).unwrap();
        assert_eq!((seen[0].0, answer), (200, json!({ "location": "http://localhost:3000/link" })));
    }
    assert_eq!((app.log_in_mails("known@example.org").await, app.log_in_mails("disab@example.org").await), (2, 0));
}

async fn what_is_no_address_is_refused(app: TestApp) {
    let nothing = app.program().post(LINK, &json!({})).await;
    assert_eq!(nothing.expect_status(401).json()["message"], "Email should be a string");
    assert_eq!(ask(&app, LINK, "bob").await.expect_status(400).json()["type"], "invalid_data");
    app.program().get(&format!("{LINK}?email={BOB}")).await.expect_status(401);
    for body in
        [json!({}), json!({ "token": "x" }), json!({ "email": BOB, "code": "0000-0000" }), json!({ "code": "x" })]
    {
        let answer = app.program().post(&back(LINK), &body).await;
        assert_eq!(answer.expect_status(401).json()["type"], "unauthorized", "{body}");
    }
    assert_eq!(app.number("SELECT count(*) FROM mail_requests").await, 0);
}

async fn a_link_is_worth_one_token(app: TestApp) {
    let token = secret(&app, LINK, BOB).await;
    let answer = app.program().get(&format!("{}?token={token}", back(LINK))).await;
    let (program, claims) = known(&app, &answer);
    assert_eq!((&claims["actor_type"], &claims["auth_provider"]), (&json!("user"), &json!("email-link")));
    let user = program.get("/admin/users/me").await.expect_status(200).json()["user"].clone();
    assert_eq!((&user["email"], &claims["actor_id"]), (&json!(BOB), &user["id"]));
    assert!(user["email_verified_at"].is_string());
    let again = app.program().post(&back(LINK), &json!({ "token": token })).await;
    assert_eq!(again.expect_status(401).json()["message"], "Invalid token");
    let token = secret(&app, LINK, BOB).await;
    let (again, _) = known(&app, &app.program().post(&back(LINK), &json!({ "token": token })).await);
    assert_eq!(again.get("/admin/users/me").await.json()["user"]["id"], user["id"]);
    assert_eq!((app.events_of("user.created").await, app.events_of("identity.linked").await), (1, 0));
}

async fn a_code_is_worth_one_token(app: TestApp) {
    ask(&app, CODE, BOB).await.expect_status(200);
    let code = app.arm_code(&app.mail(BOB, "log_in_by_code").await).await;
    let wrong = app.program().post(&back(CODE), &json!({ "email": BOB, "code": "0000-0000" })).await;
    assert_eq!(wrong.expect_status(401).json()["message"], "Invalid code");
    let of_another = app.program().post(&back(CODE), &json!({ "email": "eve@example.org", "code": code })).await;
    of_another.expect_status(401);
    // A later mail for something else is in nobody's way.
    app.form().register(BOB, PASSWORD).await.expect_redirect("/link");
    app.arm_code(&app.mail(BOB, "confirm_email").await).await;
    let (program, _) = known(&app, &app.program().post(&back(CODE), &json!({ "email": BOB, "code": code })).await);
    program.get("/admin/users/me").await.expect_status(200);
    app.program().post(&back(CODE), &json!({ "email": BOB, "code": code })).await.expect_status(401);
    app.form().log_in(BOB, PASSWORD).await.expect_redirect("/login");
}

async fn what_is_for_another_provider_or_account_is_refused(app: TestApp) {
    app.member_by_mail(BOB).await;
    let token = secret(&app, LINK, BOB).await;
    for path in [CODE, "/auth/customer/email-link", "/auth/customer/email-code"] {
        app.program().post(&back(path), &json!({ "token": token })).await.expect_status(401);
    }
    let emailpass = app.program().post(&back("/auth/user/emailpass"), &json!({ "token": token })).await;
    emailpass.expect_status(401);
    app.form().post("/api/forgot-password", &[("email", BOB)]).await.expect_redirect("/link");
    let reset = app.mail(BOB, "reset_password").await.written.link.unwrap().token;
    app.program().post(&back(LINK), &json!({ "token": reset })).await.expect_status(401);
    let body = json!({ "password": PASSWORD });
    app.program().known_by(&token).post("/auth/user/emailpass/update", &body).await.expect_status(401);
    known(&app, &app.program().post(&back(LINK), &json!({ "token": token })).await);
}

async fn fifty_callbacks_with_one_link_are_one_token(app: TestApp) {
    let token = secret(&app, LINK, BOB).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (app, body) = (app.clone(), json!({ "token": token }));
        tries.spawn(async move { app.program().post(&back(LINK), &body).await.status });
    }
    let statuses = tries.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
    assert_eq!((app.events_of("user.created").await, app.events_of("session.created").await), (1, 1));
}

async fn other_accounts_come_in_by_code(app: TestApp) {
    let path = "/auth/customer/email-link";
    ask(&app, path, BOB).await.expect_status(200);
    let mail = app.mail(BOB, "log_in_by_code").await;
    // The pages know people's own accounts alone.
    let client = app.form();
    client.post(&mail.link(), &[]).await.expect_status(404);
    assert_eq!(client.who().await, None);
    let code = app.arm_code(&mail).await;
    let (customer, claims) =
        known(&app, &app.program().post(&back(path), &json!({ "email": BOB, "code": code })).await);
    assert_eq!((&claims["actor_type"], &claims["actor_id"]), (&json!("customer"), &json!("")));
    customer.get("/admin/users/me").await.expect_status(401);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
    // The same person as a user: one identity, two accounts.
    app.in_by_link(BOB).await;
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
    assert_eq!(app.events_of("user.created").await, 1);
}

async fn who_is_turned_off_is_refused(app: TestApp) {
    app.member_by_mail(BOB).await;
    let token = secret(&app, LINK, BOB).await;
    app.change("UPDATE users SET disabled_at = 1").await;
    let before = app.number("SELECT count(*) FROM sessions").await;
    app.program().post(&back(LINK), &json!({ "token": token })).await.expect_status(401);
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, before);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
}

async fn by_invitation_an_identity_waits_for_its_invite(app: TestApp) {
    let ada = app.admin_program().await;
    app.form().ask_for_mail("email-link", BOB).await.expect_redirect("/link");
    assert_eq!(app.log_in_mails(BOB).await, 0, "the pages make no account of it");
    let token = secret(&app, LINK, BOB).await;
    let refused = app.form();
    refused.submit(&format!("/link/{token}"), &[]).await.expect_text("Registration is not open.");
    assert_eq!((refused.who().await, app.number("SELECT count(*) FROM provider_identities").await), (None, 1));
    let (bob, claims) = known(&app, &app.program().post(&back(LINK), &json!({ "token": token })).await);
    assert_eq!(claims["actor_id"], "");
    bob.get("/admin/users/me").await.expect_status(401);
    let invite = ada.post("/admin/invites", &json!({ "email": BOB })).await.expect_status(200).json();
    let path = format!("/admin/invites/accept?token={}", invite["invite"]["token"].as_str().unwrap());
    bob.post(&path, &json!({})).await.expect_status(200);
    app.in_by_link(BOB).await;
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
}

async fn where_all_is_closed_nobody_new_comes_in(app: TestApp) {
    app.admin().await;
    ask(&app, LINK, BOB).await.expect_status(200);
    ask(&app, "/auth/customer/email-link", BOB).await.expect_status(200);
    assert_eq!(app.log_in_mails(BOB).await, 0);
    let token = secret(&app, LINK, "ada@example.org").await;
    let (ada, _) = known(&app, &app.program().post(&back(LINK), &json!({ "token": token })).await);
    ada.get("/admin/users").await.expect_status(200);
}

async fn the_way_in_is_one_of_credentials(app: TestApp) {
    let providers = app.program().get("/auth/user/providers").await.expect_status(200).json()["providers"].clone();
    let of_link = json!({ "id": "email-link", "identifier": "email-link", "display_name": "a mailed link", "flow": "credentials" });
    assert_eq!(providers[1], of_link);
    let map = app.form().get("/auth/providers").await.json();
    assert_eq!((&map["email-link"]["type"], &map["email-code"]["type"]), (&json!("email"), &json!("email")));
}

async fn no_password_is_set_by_such_a_provider(app: TestApp) {
    app.in_by_link(BOB).await;
    let lost = json!({ "identifier": BOB });
    app.program().post(&format!("{LINK}/reset-password"), &lost).await.expect_status(201);
    assert!(app.mails_to(BOB).await.iter().all(|mail| mail.kind != "reset_password"));
    app.program()
        .post(&format!("{LINK}/register"), &json!({ "email": BOB, "password": PASSWORD }))
        .await
        .expect_status(401);
}

async fn a_browser_asks_by_the_script_of_an_application(app: TestApp) {
    let browser = app.form();
    let request = browser.request(&http::Method::POST, CODE).header("content-type", "application/json");
    let answer = browser.send(request.body(json!({ "email": BOB }).to_string())).await;
    assert_eq!(answer.expect_status(200).json()["location"], "http://localhost:3000/link");
    browser.get("/link").await.expect_text("Check your e-mail").expect_text(BOB);
    let code = app.arm_code(&app.mail(BOB, "log_in_by_code").await).await;
    browser.post("/api/use-code", &[("email", BOB), ("code", &code)]).await.expect_redirect("/account");
}

async fn a_script_of_next_auth_signs_in_by_mail(app: TestApp) {
    let client = app.form();
    let word = client.get("/auth/csrf").await.json()["csrfToken"].as_str().unwrap().to_owned();
    let url = async |fields: &[(&str, &str)]| {
        let answer = client.post("/auth/signin/email-link", &[fields, &[("json", "true")]].concat()).await;
        answer.expect_status(200).json()["url"].as_str().unwrap().to_owned()
    };
    let at = |path: &str| format!("http://localhost:3000{path}");
    assert_eq!(url(&[("email", BOB)]).await, at("/login?error=MissingCSRF"));
    assert_eq!(url(&[("csrfToken", &word)]).await, at("/login?with=email-link"));
    assert_eq!(url(&[("csrfToken", &word), ("email", "bob")]).await, at("/login?error=CredentialsSignin"));
    assert_eq!(app.log_in_mails(BOB).await, 0);
    let fields = [("csrfToken", word.as_str()), ("email", BOB), ("callbackUrl", "/account/sessions")];
    assert_eq!(url(&fields).await, at("/link"));
    client.get("/link").await.expect_text("Check your e-mail");
    client.post(&app.mail(BOB, "log_in_by_link").await.link(), &[]).await.expect_redirect("/account/sessions");
    client
        .get("/auth/signin/email-link?callbackUrl=/account")
        .await
        .expect_redirect("/login?with=email-link&next=/account");
}

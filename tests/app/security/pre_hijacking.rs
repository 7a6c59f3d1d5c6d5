//! Somebody makes an account with the address of another before its owner comes, in ten ways, and waits. In the end the
//! owner has the account, and nothing that was set up before opens it.

use crate::harness::{Client, PASSWORD, TestApp, on_both_databases};
use crate::web::providers::{ELSEWHERE, come_back, set_out, state_in};

on_both_databases! {
    a_password_of_before_is_dead_after_a_log_in_by_a_provider with ELSEWHERE,
    a_session_of_before_has_ended_after_a_log_in_by_a_provider with ELSEWHERE,
    a_way_in_that_was_added_before_lets_nobody_in with ELSEWHERE,
    a_change_of_address_that_waits_moves_nothing with MAILED,
    a_provider_that_proves_nothing_keeps_nobody_in with ELSEWHERE,
    a_link_by_mail_leaves_nobody_else_in with MAILED,
    a_code_by_mail_leaves_nobody_else_in with MAILED,
    who_comes_in_by_a_mailed_link_leaves_nobody_else_in with MAILED,
    who_comes_in_by_a_mailed_code_leaves_nobody_else_in with MAILED,
    a_mail_that_was_asked_for_before_lets_nobody_in_but_its_reader with MAILED,
    an_invite_leaves_nobody_else_in with ELSEWHERE,
}

const MAILED: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    registration.require_verified_email = false
    providers = [
        { id = "emailpass", kind = "emailpass" },
        { id = "elsewhere", kind = "elsewhere" },
        { id = "email-link", kind = "email-link" },
        { id = "email-code", kind = "email-code" },
    ]
"#;
const VICTIM: &str = "victim@example.org";
const THEIRS: &str = "the password of the attacker";
const NEW: &str = "a brand new password";

/// Comes in by the provider; where that leads.
async fn by_provider(client: &Client, code: &str) -> String {
    let state = set_out(client, "").await;
    come_back(client, (code, &state)).await.expect_status(302).location().unwrap()
}

/// Links an account at the provider to the one that is logged in.
async fn link(client: &Client, code: &str) {
    let page = client.submit("/api/link-provider", &[("provider", "elsewhere")]).await;
    let state = state_in(page.header("refresh").unwrap().strip_prefix("0; url=").unwrap());
    come_back(client, (code, &state)).await.expect_redirect("/account/connections");
}

/// Somebody has an account with the victim's address, and is logged in.
async fn attacker(app: &TestApp) -> Client {
    let attacker = app.form();
    attacker.register(VICTIM, THEIRS).await.expect_status(302);
    if !attacker.is_logged_in().await {
        app.mail_requests_are_answered().await;
        attacker.log_in(VICTIM, THEIRS).await.expect_redirect("/account");
    }
    assert!(attacker.is_logged_in().await);
    attacker
}

/// The victim has the account, and neither password nor session of before opens it.
async fn expect_out(app: &TestApp, attacker: &Client, victim: &Client) {
    assert_eq!(victim.get("/auth/session").await.json()["user"]["email"], VICTIM);
    assert!(!attacker.is_logged_in().await, "the session of before has ended");
    app.script().log_in(VICTIM, THEIRS).await.expect_status(401);
    let program = serde_json::json!({ "email": VICTIM, "password": THEIRS });
    app.program().post("/auth/user/emailpass", &program).await.expect_status(401);
    let of_victim = "SELECT count(*) FROM users WHERE email = 'victim@example.org' AND email_verified_at IS NOT NULL";
    assert_eq!(app.number(of_victim).await, 1);
}

async fn a_password_of_before_is_dead_after_a_log_in_by_a_provider(app: TestApp) {
    let attacker = attacker(&app).await;
    attacker.log_out().await;
    let victim = app.form();
    assert_eq!(by_provider(&victim, "victim@example.org!").await, "/account");
    expect_out(&app, &attacker, &victim).await;
}

async fn a_session_of_before_has_ended_after_a_log_in_by_a_provider(app: TestApp) {
    let attacker = attacker(&app).await;
    let program = app.program();
    let token = program.post("/auth/user/emailpass", &serde_json::json!({ "email": VICTIM, "password": THEIRS })).await;
    let program = program.known_by(token.json()["token"].as_str().unwrap());
    program.get("/admin/users/me").await.expect_status(200);
    let victim = app.form();
    assert_eq!(by_provider(&victim, "victim@example.org!").await, "/account");
    expect_out(&app, &attacker, &victim).await;
    program.get("/admin/users/me").await.expect_status(401);
}

async fn a_way_in_that_was_added_before_lets_nobody_in(app: TestApp) {
    let attacker = attacker(&app).await;
    link(&attacker, "mallory@elsewhere.example!").await;
    let victim = app.form();
    assert_eq!(by_provider(&victim, "victim@example.org!").await, "/account");
    expect_out(&app, &attacker, &victim).await;
    by_provider(&attacker, "mallory@elsewhere.example!").await;
    assert_eq!(attacker.get("/auth/session").await.json()["user"]["email"], "mallory@elsewhere.example");
}

async fn a_change_of_address_that_waits_moves_nothing(app: TestApp) {
    let attacker = attacker(&app).await;
    let fields = [("email", "mallory@example.org"), ("password", THEIRS)];
    attacker.post("/api/change-email", &fields).await.expect_redirect("/link");
    let link = app.mail("mallory@example.org", "confirm_new_email").await.link();
    let victim = app.form();
    assert_eq!(by_provider(&victim, "victim@example.org!").await, "/account");
    attacker.post(&link, &[]).await;
    expect_out(&app, &attacker, &victim).await;
    app.form().post("/api/forgot-password", &[("email", "mallory@example.org")]).await;
    assert!(app.mails_to("mallory@example.org").await.iter().all(|mail| mail.kind == "confirm_new_email"));
}

async fn a_provider_that_proves_nothing_keeps_nobody_in(app: TestApp) {
    let attacker = app.form();
    // The provider lets anybody name an address, and says that it has not verified it.
    assert_eq!(by_provider(&attacker, VICTIM).await, "/account");
    let registers = app.form();
    registers.register(VICTIM, PASSWORD).await;
    assert!(!registers.is_logged_in().await, "who comes second proves the address, or nothing");
    let admin = app.admin().await;
    let token = app.invite(&admin, VICTIM, "member").await;
    let victim = app.form();
    let fields = [("token", token.as_str()), ("password", NEW)];
    victim.post("/api/accept-invite", &fields).await.expect_redirect("/account");
    expect_out(&app, &attacker, &victim).await;
    by_provider(&attacker, VICTIM).await;
    assert!(!attacker.is_logged_in().await, "the way in of before is gone");
}

async fn a_link_by_mail_leaves_nobody_else_in(app: TestApp) {
    let attacker = attacker(&app).await;
    link(&attacker, "mallory@elsewhere.example!").await;
    let victim = app.form();
    victim.post("/api/forgot-password", &[("email", VICTIM)]).await.expect_redirect("/link");
    let link = app.mail(VICTIM, "reset_password").await.link();
    victim.post(&link, &[]).await.expect_redirect("/reset-password");
    victim.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
    expect_out(&app, &attacker, &victim).await;
    by_provider(&attacker, "mallory@elsewhere.example!").await;
    assert_ne!(attacker.get("/auth/session").await.json()["user"]["email"], VICTIM);
}

async fn a_code_by_mail_leaves_nobody_else_in(app: TestApp) {
    let attacker = attacker(&app).await;
    link(&attacker, "mallory@elsewhere.example!").await;
    let code = app.arm_code(&app.mail(VICTIM, "confirm_email").await).await;
    let victim = app.form();
    victim.post("/api/use-code", &[("email", VICTIM), ("code", &code)]).await.expect_redirect("/reset-password");
    victim.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
    expect_out(&app, &attacker, &victim).await;
    by_provider(&attacker, "mallory@elsewhere.example!").await;
    assert_ne!(attacker.get("/auth/session").await.json()["user"]["email"], VICTIM);
}

async fn who_comes_in_by_a_mailed_link_leaves_nobody_else_in(app: TestApp) {
    let attacker = attacker(&app).await;
    link(&attacker, "mallory@elsewhere.example!").await;
    let fields = [("email", "mallory@example.org"), ("password", THEIRS)];
    attacker.post("/api/change-email", &fields).await.expect_redirect("/link");
    let moves = app.mail("mallory@example.org", "confirm_new_email").await.link();
    let victim = app.in_by_link(VICTIM).await;
    attacker.post(&moves, &[]).await;
    expect_out(&app, &attacker, &victim).await;
    assert_eq!(app.events_of("identity.linked").await, 2, "of the attacker, and of the victim");
    by_provider(&attacker, "mallory@elsewhere.example!").await;
    assert_ne!(attacker.who().await.as_deref(), Some(VICTIM));
}

async fn who_comes_in_by_a_mailed_code_leaves_nobody_else_in(app: TestApp) {
    let attacker = attacker(&app).await;
    link(&attacker, "mallory@elsewhere.example!").await;
    let victim = app.form();
    victim.ask_for_mail("email-code", VICTIM).await.expect_redirect("/link");
    let code = app.arm_code(&app.mail(VICTIM, "log_in_by_code").await).await;
    victim.post("/api/use-code", &[("email", VICTIM), ("code", &code)]).await.expect_redirect("/account");
    expect_out(&app, &attacker, &victim).await;
    by_provider(&attacker, "mallory@elsewhere.example!").await;
    assert_ne!(attacker.who().await.as_deref(), Some(VICTIM));
}

async fn a_mail_that_was_asked_for_before_lets_nobody_in_but_its_reader(app: TestApp) {
    // The attacker's browser waits for the code of the victim's mail, and has no more of it than that.
    let attacker = app.form();
    attacker.ask_for_mail("email-code", VICTIM).await.expect_redirect("/link");
    let code = app.arm_code(&app.mail(VICTIM, "log_in_by_code").await).await;
    let victim = app.form();
    victim.submit("/api/use-code", &[("email", VICTIM), ("code", &code)]).await.expect_text("not right");
    let victim = app.in_by_link(VICTIM).await;
    attacker.submit("/api/use-code", &[("email", VICTIM), ("code", &code)]).await.expect_text("not right");
    assert!(!attacker.is_logged_in().await && victim.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn an_invite_leaves_nobody_else_in(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, VICTIM, "admin").await;
    let attacker = attacker(&app).await;
    link(&attacker, "mallory@elsewhere.example!").await;
    let victim = app.form();
    let fields = [("token", token.as_str()), ("provider", "elsewhere")];
    let page = victim.submit("/api/accept-invite-with", &fields).await;
    let state = state_in(page.header("refresh").unwrap().strip_prefix("0; url=").unwrap());
    come_back(&victim, ("private@elsewhere.example", &state)).await.expect_redirect("/account");
    expect_out(&app, &attacker, &victim).await;
    by_provider(&attacker, "mallory@elsewhere.example!").await;
    assert_ne!(attacker.get("/auth/session").await.json()["user"]["email"], VICTIM);
}

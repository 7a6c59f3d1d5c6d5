//! How users come to exist: each way in, by the pages and by the API. Who creates the user, which id they have, and what is
//! written of it, each once. What no row is for is refused and leaves none.

use reqwest::{Url, redirect::Policy};
use serde_json::{Value, json};

use super::{
    by_mail::BY_MAIL,
    oidc::{log_in as log_in_by_op, with_op},
};
use crate::harness::{ADMIN, Behaviour, Client, PASSKEYS, PASSWORD, Passkey, TestApp, on_both_databases};
use crate::web::providers::{ELSEWHERE, come_back, set_out};

on_both_databases! {
    register_with_password,
    authenticated_identity_without_a_user,
    invite_accepted with ELSEWHERE,
    direct_creation,
    oauth_default,
    oauth_with_a_resolve_user_hook with ELSEWHERE,
    oauth_where_nothing_persists,
    mailed_link_or_code_first_visit with BY_MAIL,
    custom_credentials_provider with OUTSIDE,
    passkey_registration with PASSKEYS,
    passkey_login with PASSKEYS,
}

const OUTSIDE: &str = r#"providers = [{ id = "emailpass", kind = "emailpass" }, { id = "outside", kind = "outside" }]"#;
/// What is counted of what comes to exist.
const KINDS: [&str; 4] = ["user.created", "identity.linked", "invite.accepted", "session.created"];

async fn events(app: &TestApp) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, kind) in counts.iter_mut().zip(KINDS) {
        *count = app.number(&format!("SELECT count(*) FROM events WHERE kind = '{kind}'")).await;
    }
    counts
}

async fn users(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM users").await
}

async fn user_in(client: &Client) -> Value {
    client.get("/auth/session").await.expect_status(200).json()["user"].clone()
}

/// The 13th digit of a UUID is its version (RFC 9562 §4.2).
fn expect_new(id: &Value) {
    let id = id.as_str().unwrap();
    assert_eq!((id.len(), id.chars().nth(14)), (36, Some('7')), "{id}");
}

/// A browser that goes to an OpenID provider and comes back; where it is led in the end.
pub async fn browse(client: &Client) -> String {
    let there: Url = client.get("/auth/signin/op").await.expect_status(302).location().unwrap().parse().unwrap();
    let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let back = browser.get(there).send().await.unwrap();
    let back: Url = back.headers()["location"].to_str().unwrap().parse().unwrap();
    let path = format!("{}?{}", back.path(), back.query().unwrap());
    client.get(&path).await.expect_status(302).location().unwrap()
}

async fn register_with_password(app: TestApp) {
    let client = app.form();
    client.register("page@example.org", PASSWORD).await.expect_redirect("/account");
    expect_new(&user_in(&client).await["id"]);
    assert_eq!(events(&app).await, [1, 0, 0, 1]);
    let program = app.registered("emailpass", "api@example.org").await;
    assert_eq!(users(&app).await, 1, "the API registers an identity, whose user comes with the first log-in");
    program.get("/admin/users/me").await.expect_status(401);
    let program = app.program_of("api@example.org").await;
    expect_new(&program.get("/admin/users/me").await.expect_status(200).json()["user"]["id"]);
    assert_eq!((users(&app).await, events(&app).await[0]), (2, 2));
}

async fn authenticated_identity_without_a_user(app: TestApp) {
    app.registered("emailpass", "page@example.org").await;
    app.registered("emailpass", "api@example.org").await;
    assert_eq!(users(&app).await, 0);
    let client = app.form();
    client.log_in("page@example.org", PASSWORD).await.expect_redirect("/account");
    expect_new(&user_in(&client).await["id"]);
    app.program_of("api@example.org").await.get("/admin/users/me").await.expect_status(200);
    assert_eq!((users(&app).await, events(&app).await[0]), (2, 2));
    let admin = app.admin_program().await;
    admin.post("/admin/users", &json!({ "email": "taken@example.org" })).await.expect_status(200);
    app.registered("emailpass", "taken@example.org").await;
    app.form().log_in("taken@example.org", PASSWORD).await.expect_redirect("/login");
    let body = json!({ "email": "taken@example.org", "password": PASSWORD });
    app.program().post("/auth/user/emailpass", &body).await.expect_status(401);
    assert_eq!((users(&app).await, events(&app).await[0]), (4, 4), "an unproved identity gets nobody's account");
}

async fn invite_accepted(app: TestApp) {
    let admin = app.admin().await;
    let [page, provider, api] = ["page", "provider", "api"].map(|name| format!("{name}@example.org"));
    let token = app.invite(&admin, &page, "member").await;
    let client = app.form();
    client.post("/api/accept-invite", &[("token", &token), ("password", PASSWORD)]).await.expect_redirect("/account");
    expect_new(&user_in(&client).await["id"]);
    assert_eq!(events(&app).await[..3], [2, 0, 1]);

    let token = app.invite(&admin, &provider, "member").await;
    let client = app.form();
    let there = client.submit("/api/accept-invite-with", &[("token", token.as_str()), ("provider", "elsewhere")]).await;
    let state = there.header("refresh").unwrap().split_once("state=").unwrap().1.to_owned();
    come_back(&client, ("somebody", &state)).await.expect_redirect("/account");
    assert_eq!(user_in(&client).await["email"], provider.as_str());
    assert_eq!(events(&app).await[..3], [3, 1, 2]);

    let token = app.invite(&admin, &api, "member").await;
    let program = app.registered("emailpass", &api).await;
    let accepted = program.post(&format!("/admin/invites/accept?token={token}"), &json!({})).await;
    expect_new(&accepted.expect_status(200).json()["user"]["id"]);
    assert_eq!((users(&app).await, &events(&app).await[..3]), (4, &[4, 1, 3][..]));
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NULL").await, 0);
}

async fn direct_creation(app: TestApp) {
    let admin = app.admin().await;
    expect_new(&user_in(&admin).await["id"]);
    assert_eq!(events(&app).await[0], 1, "at the first start");
    let program = app.program_of(ADMIN).await;
    let made = program.post("/admin/users", &json!({ "email": "api@example.org" })).await.expect_status(200).json();
    expect_new(&made["user"]["id"]);
    assert!(made["user"]["email_verified_at"].is_string(), "whoever creates it vouches for the address");
    assert_eq!((users(&app).await, events(&app).await[0]), (2, 2));
}

async fn oauth_default(app: TestApp) {
    let (app, op) = with_op(&app, "").await;
    let client = app.form();
    assert_eq!(browse(&client).await, "/account");
    let id = user_in(&client).await["id"].clone();
    expect_new(&id);
    assert_eq!(events(&app).await, [1, 1, 0, 1]);
    let again = app.form();
    assert_eq!(browse(&again).await, "/account");
    assert_eq!(user_in(&again).await["id"], id, "the account is known");
    log_in_by_op(&app, "op").await.expect_status(200);
    assert_eq!(events(&app).await, [1, 1, 0, 3]);

    op.script("op", |script| script.claims = json!({ "sub": "another", "email": "api@example.org" }));
    log_in_by_op(&app, "op").await.expect_status(200);
    assert_eq!(events(&app).await, [2, 2, 0, 4]);
    op.script("op", |script| script.claims = json!({ "sub": "a third", "email": "api@example.org" }));
    let refused = app.form();
    assert!(browse(&refused).await.starts_with("/login?error=OAuthAccountNotLinked"));
    log_in_by_op(&app, "op").await.expect_status(401);
    assert_eq!((users(&app).await, events(&app).await), (2, [2, 2, 0, 4]), "nothing is written");
}

async fn oauth_with_a_resolve_user_hook(app: TestApp) {
    let client = app.form();
    let state = set_out(&client, "").await;
    come_back(&client, ("named", &state)).await.expect_redirect("/account");
    assert_eq!(user_in(&client).await["id"], "app-first", "the user of the hook, in place of the account");
    assert_eq!((users(&app).await, events(&app).await), (1, [1, 1, 0, 1]));
    let answer = app.program().back_from_elsewhere("named").await;
    let program = app.program().known_by(answer.expect_status(200).json()["token"].as_str().unwrap());
    assert_eq!(program.get("/auth/forward").await.header("remote-user"), Some("app-again"));
    assert_eq!((users(&app).await, events(&app).await), (1, [1, 1, 0, 2]));
}

async fn oauth_where_nothing_persists(app: TestApp) {
    let (app, _op) = with_op(&app, "persist = false").await;
    let client = app.form();
    browse(&client).await;
    assert_eq!(user_in(&client).await["id"], "subject of op", "the id that the provider knows them by");
    log_in_by_op(&app, "op").await.expect_status(200);
    assert_eq!((users(&app).await, events(&app).await), (0, [0, 0, 0, 2]));
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 0);
}

async fn mailed_link_or_code_first_visit(app: TestApp) {
    let client = app.in_by_link("link@example.org").await;
    expect_new(&user_in(&client).await["id"]);
    assert_eq!(events(&app).await, [1, 0, 0, 1]);
    let client = app.form();
    client.ask_for_mail("email-code", "code@example.org").await.expect_redirect("/link");
    let code = app.arm_code(&app.mail("code@example.org", "log_in_by_code").await).await;
    let fields = [("email", "code@example.org"), ("code", code.as_str())];
    client.post("/api/use-code", &fields).await.expect_redirect("/account");
    expect_new(&user_in(&client).await["id"]);
    assert_eq!(events(&app).await, [2, 0, 0, 2]);

    let program = app.program();
    let body = json!({ "email": "api@example.org" });
    program.post("/auth/user/email-link", &body).await.expect_status(200);
    let link = app.mail("api@example.org", "log_in_by_link").await.written.link.unwrap();
    let answer = program.post("/auth/user/email-link/callback", &json!({ "token": link.token })).await;
    let program = program.known_by(answer.expect_status(200).json()["token"].as_str().unwrap());
    expect_new(&program.get("/admin/users/me").await.expect_status(200).json()["user"]["id"]);
    program.post("/auth/user/email-code", &json!({ "email": "api-code@example.org" })).await.expect_status(200);
    let code = app.arm_code(&app.mail("api-code@example.org", "log_in_by_code").await).await;
    let body = json!({ "email": "api-code@example.org", "code": code });
    app.program().post("/auth/user/email-code/callback", &body).await.expect_status(200);
    assert_eq!((users(&app).await, events(&app).await), (4, [4, 0, 0, 4]));
    let now = app.clock.now().as_micros();
    assert_eq!(app.number(&format!("SELECT count(*) FROM users WHERE email_verified_at = {now}")).await, 4);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'auth.email_verified'").await, 0);
}

async fn custom_credentials_provider(app: TestApp) {
    let client = app.form();
    client.post("/api/login-with", &[("provider", "outside"), ("fields[id]", "app-7")]).await.expect_status(302);
    assert_eq!(user_in(&client).await["id"], "app-7", "the user that was returned is used as it is");
    app.program().post("/auth/user/outside", &json!({ "id": "app-7" })).await.expect_status(200);
    assert_eq!((users(&app).await, events(&app).await), (0, [0, 0, 0, 2]));
}

async fn passkey_registration(app: TestApp) {
    let visitor = app.form();
    visitor.fetch("/api/new-passkey-options", &[("provider", "passkey")]).await.expect_status(401);
    let options = visitor.options_for_proof().await;
    let made = json!({ "challenge": options["challenge"], "user": { "id": "AAAA" } });
    let (_, answer) = Passkey::make(&made, &Behaviour::default());
    visitor.send_new(&answer).await.expect_redirect("/login?next=/account/security");
    let body = json!({ "credential": answer });
    let refused = app.program().post("/auth/user/passkey/register", &body).await;
    assert_eq!(refused.expect_status(401).json()["message"], "A passkey is added by who is logged in");
    assert_eq!((users(&app).await, app.number("SELECT count(*) FROM provider_identities").await), (0, 0));

    let client = app.member("page@example.org").await;
    let id = user_in(&client).await["id"].clone();
    client.add_passkey().await;
    assert_eq!(user_in(&client).await["id"], id, "the session's user");
    assert_eq!((users(&app).await, events(&app).await), (1, [1, 1, 0, 1]));
}

async fn passkey_login(app: TestApp) {
    let (client, passkey) = app.member_with_passkey("page@example.org").await;
    let id = user_in(&client).await["id"].clone();
    let other = app.form();
    other.log_in_by(&passkey, &Behaviour::default()).await.expect_status(302).expect_redirect("/account");
    assert_eq!(user_in(&other).await["id"], id, "the stored user");
    assert_eq!((users(&app).await, events(&app).await), (1, [1, 1, 0, 2]));
    let program = app.program();
    let answer = passkey.prove(&program.options_for_proof().await, &Behaviour::default());
    let let_in = program.post("/auth/user/passkey/callback", &json!({ "credential": answer })).await;
    let program = app.program().known_by(let_in.expect_status(200).json()["token"].as_str().unwrap());
    assert_eq!(program.get("/admin/users/me").await.expect_status(200).json()["user"]["id"], id);
    assert_eq!((users(&app).await, events(&app).await), (1, [1, 1, 0, 3]));

    let made = json!({ "challenge": "AAAA", "user": { "id": "AAAA" } });
    let (stranger, _) = Passkey::make(&made, &Behaviour::default());
    let visitor = app.form();
    visitor.log_in_by(&stranger, &Behaviour::default()).await.expect_redirect("/login");
    visitor.get("/login").await.expect_text("That passkey didn't work here.");
    assert_eq!((users(&app).await, events(&app).await), (1, [1, 1, 0, 3]), "the credential must be known");
}

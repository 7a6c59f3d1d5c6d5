//! `/auth/{actor_type}/{provider}/reset-password` and `…/update`: one answer for everybody, and a token that sets one
//! password once.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::auth::{PASSWORD, post, token_of, with_token};
use crate::harness::{Client, MAILS, Page, TestApp, on_both_databases};

on_both_databases! {
    everybody_is_told_the_same,
    what_makes_no_sense_is_refused with ACTORS,
    a_password_is_set_once_and_ends_what_was_before with MAILS,
    a_token_is_good_for_its_account_alone with ACTORS,
    a_token_ends_with_its_time_and_with_a_newer_one,
    a_weak_password_costs_no_token,
    one_of_many_at_once_sets_the_password,
    a_session_and_a_reset_are_two_things,
    who_has_no_account_gets_a_link_too with INVITE_ONLY,
    a_customer_sets_a_password_on_the_page with ACTORS,
    the_owner_of_an_address_is_rid_of_who_registered_it,
    the_owner_of_an_address_is_rid_of_other_ways_in with TWO_PROVIDERS,
    the_owner_of_an_address_takes_it_back_on_the_pages with MAILS,
    who_is_invited_is_rid_of_who_registered_the_address with INVITE_ONLY,
    a_callback_asks_the_provider with ACTORS,
    nobody_sets_the_password_of_who_is_turned_off_as_another_kind_of_account with ACTORS,
    turning_somebody_off_ends_the_links_of_all_kinds_of_accounts with ACTORS,
}

const ACTORS: &str = "[actors.customer]\nproviders = [\"emailpass\"]\n[actors.robot]\nproviders = []";
const TWO_PROVIDERS: &str = "[[providers]]\nid = \"emailpass\"\nkind = \"emailpass\"\n\
    [[providers]]\nid = \"other\"\nkind = \"emailpass\"";
const INVITE_ONLY: &str = "registration.mode = \"invite_only\"";
const NEW: &str = "a brand new password";
const BOB: &str = "bob@example.org";
const RESET: &str = "/auth/user/emailpass/reset-password";
const UPDATE: &str = "/auth/user/emailpass/update";
const LOG_IN: &str = "/auth/user/emailpass";
const REGISTER: &str = "/auth/user/emailpass/register";
const ME: (Method, &str) = (Method::GET, "/admin/users/me");

impl TestApp {
    /// Asks for a link and answers with the secret in its mail.
    async fn reset_token(&self, path: &str, email: &str) -> String {
        let asked = post(&self.script(), path, &json!({ "identifier": email })).await;
        assert_eq!(asked.expect_status(201).body, "Created");
        self.mail(email, "reset_password").await.link().replace("/link/", "")
    }
}

async fn update(program: &Client, path: &str, (token, password): (&str, &str)) -> Page {
    let request = program.request(&Method::POST, path).bearer_auth(token).header("content-type", "application/json");
    program.send(request.body(json!({ "password": password }).to_string())).await
}

async fn log_in(program: &Client, path: &str, (email, password): (&str, &str)) -> Page {
    post(program, path, &json!({ "email": email, "password": password })).await
}

#[track_caller]
fn expect_invalid(answer: &Page) {
    let said = answer.expect_status(401).json();
    assert_eq!((&said["type"], &said["message"]), (&json!("unauthorized"), &json!("Invalid token")));
}

async fn everybody_is_told_the_same(app: TestApp) {
    app.member(BOB).await;
    let program = app.script();
    let mut answers = Vec::new();
    for (path, identifier) in [
        (RESET, BOB),
        (RESET, " BOB@Example.ORG "),
        (RESET, "nobody@example.org"),
        (RESET, "no address"),
        (RESET, ""),
        (RESET, "\u{0}"),
        ("/auth/user/no-such-provider/reset-password", BOB),
        ("/auth/user/%00/reset-password", BOB),
    ] {
        let answer = post(&program, path, &json!({ "identifier": identifier, "metadata": { "a": 1 } })).await;
        answers.push((answer.status, answer.body.clone(), answer.header("content-type").map(str::to_owned)));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert_eq!((answers[0].0, answers[0].1.as_str()), (201, "Created"));
    assert_eq!(app.mails_to(BOB).await.iter().filter(|mail| mail.kind == "reset_password").count(), 1 + 1);
    assert_eq!(app.mails_to("nobody@example.org").await.len(), 0);
}

async fn what_makes_no_sense_is_refused(app: TestApp) {
    let program = app.script();
    for (path, body, status, message) in [
        (RESET, json!({}), 400, "Invalid request: Field 'identifier' is required"),
        (RESET, json!({ "identifier": BOB, "foo": 1 }), 400, "Invalid request: Unrecognized fields: 'foo'"),
        (RESET, json!({ "identifier": 5 }), 400, "Field 'identifier'"),
        ("/auth/nobody/emailpass/reset-password", json!({ "identifier": BOB }), 404, "no such actor type"),
        (
            "/auth/robot/emailpass/reset-password",
            json!({ "identifier": BOB }),
            400,
            "The actor type robot is not allowed to use the auth provider emailpass",
        ),
        (
            "/auth/robot/emailpass/update",
            json!({ "password": NEW }),
            400,
            "The actor type robot is not allowed to use the auth provider emailpass",
        ),
        ("/auth/nobody/emailpass/update", json!({ "password": NEW }), 404, "no such actor type"),
    ] {
        let answer = post(&program, path, &body).await;
        let said = answer.expect_status(status).json()["message"].as_str().unwrap().to_owned();
        assert!(said.contains(message), "{path} {body}: {said}");
    }
    expect_invalid(&post(&program, UPDATE, &json!({ "password": NEW })).await);
}

async fn a_password_is_set_once_and_ends_what_was_before(app: TestApp) {
    let browser = app.member_by_mail(BOB).await;
    let program = app.script();
    let token = token_of_old(&program).await;
    let reset = app.reset_token(RESET, BOB).await;
    browser.get(&format!("/link/{reset}")).await.expect_text("Set a new password");
    let done = update(&program, UPDATE, (&reset, NEW)).await;
    assert_eq!(done.expect_status(200).json(), json!({ "success": true }));
    assert!(done.set_cookies().is_empty() && !browser.is_logged_in().await, "nobody is logged in");
    with_token(&program, ME, &token).await.expect_status(401);
    with_token(&program, (Method::POST, "/auth/token/refresh"), &token).await.expect_status(401);
    expect_invalid(&update(&program, UPDATE, (&reset, "yet another password")).await);
    app.form().get(&format!("/link/{reset}")).await.expect_text("This link was used");
    log_in(&program, LOG_IN, (BOB, crate::harness::PASSWORD)).await.expect_status(401);
    log_in(&program, LOG_IN, (BOB, NEW)).await.expect_status(200);
    app.mail(BOB, "password_was_reset").await;
}

async fn token_of_old(program: &Client) -> String {
    let answer = log_in(program, LOG_IN, (BOB, crate::harness::PASSWORD)).await;
    answer.expect_status(200).json()["token"].as_str().unwrap().to_owned()
}

async fn a_token_is_good_for_its_account_alone(app: TestApp) {
    let program = app.script();
    token_of(&program, REGISTER, BOB).await;
    token_of(&program, LOG_IN, BOB).await;
    let of_user = app.reset_token(RESET, BOB).await;
    expect_invalid(&update(&program, "/auth/customer/emailpass/update", (&of_user, NEW)).await);
    let of_customer = app.reset_token("/auth/customer/emailpass/reset-password", BOB).await;
    expect_invalid(&update(&program, UPDATE, (&of_customer, NEW)).await);
    // It is one identity, whoever asks: its user is logged out, and the other link ends.
    let token = token_of(&program, LOG_IN, BOB).await;
    update(&program, "/auth/customer/emailpass/update", (&of_customer, NEW)).await.expect_status(200);
    with_token(&program, ME, &token).await.expect_status(401);
    expect_invalid(&update(&program, UPDATE, (&of_user, NEW)).await);
    log_in(&program, LOG_IN, (BOB, NEW)).await.expect_status(200);
}

async fn a_token_ends_with_its_time_and_with_a_newer_one(app: TestApp) {
    app.member(BOB).await;
    let program = app.script();
    let old = app.reset_token(RESET, BOB).await;
    let new = app.reset_token(RESET, BOB).await;
    expect_invalid(&update(&program, UPDATE, (&old, NEW)).await);
    app.advance(Duration::from_mins(15));
    expect_invalid(&update(&program, UPDATE, (&new, NEW)).await);
    let last = app.reset_token(RESET, BOB).await;
    app.advance(Duration::from_secs(15 * 60 - 1));
    update(&program, UPDATE, (&last, NEW)).await.expect_status(200);
}

async fn a_weak_password_costs_no_token(app: TestApp) {
    app.member(BOB).await;
    let program = app.script();
    let token = app.reset_token(RESET, BOB).await;
    for (password, rule) in [("short", "8 characters"), ("password1", "common"), (BOB, "address")] {
        let refused = update(&program, UPDATE, (&token, password)).await;
        let said = refused.expect_status(400).json();
        assert_eq!(said["type"], "invalid_data");
        assert!(said["message"].as_str().unwrap().contains(rule), "{said}");
    }
    let request = program.request(&Method::POST, UPDATE).bearer_auth(&token);
    let answer = program.send(request.header("content-type", "application/json").body("{}")).await;
    assert_eq!(answer.expect_status(401).json()["message"], "Password should be a string");
    update(&program, UPDATE, (&token, NEW)).await.expect_status(200);
}

async fn one_of_many_at_once_sets_the_password(app: TestApp) {
    app.member(BOB).await;
    let token = app.reset_token(RESET, BOB).await;
    let mut trying = JoinSet::new();
    for number in 0..50 {
        let (program, token) = (app.script(), token.clone());
        trying.spawn(async move {
            let password = format!("password number {number}");
            let answer = update(&program, UPDATE, (&token, &password)).await;
            (answer.status, password)
        });
    }
    let answers = trying.join_all().await;
    let winners: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|(status, _)| [200, 401].contains(status)), "{answers:?}");
    log_in(&app.script(), LOG_IN, (BOB, &winners[0].1)).await.expect_status(200);
}

async fn a_session_and_a_reset_are_two_things(app: TestApp) {
    let program = app.script();
    token_of(&program, REGISTER, BOB).await;
    let session = token_of(&program, LOG_IN, BOB).await;
    expect_invalid(&update(&program, UPDATE, (&session, NEW)).await);
    let reset = app.reset_token(RESET, BOB).await;
    for (method, path) in [ME, (Method::POST, "/auth/session"), (Method::POST, "/auth/token/refresh")] {
        with_token(&program, (method, path), &reset).await.expect_status(401);
    }
    for nonsense in ["", "x", &"A".repeat(43), "a.b.c"] {
        expect_invalid(&update(&program, UPDATE, (nonsense, NEW)).await);
    }
    with_token(&program, ME, &session).await.expect_status(200);
}

async fn who_has_no_account_gets_a_link_too(app: TestApp) {
    let program = app.script();
    let registered = token_of(&program, REGISTER, BOB).await;
    let token = app.reset_token(RESET, BOB).await;
    update(&program, UPDATE, (&token, NEW)).await.expect_status(200);
    with_token(&program, (Method::POST, "/auth/token/refresh"), &registered).await.expect_status(401);
    log_in(&program, LOG_IN, (BOB, PASSWORD)).await.expect_status(401);
    log_in(&program, LOG_IN, (BOB, NEW)).await.expect_status(200);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
    // By the page, too; who is asked for by it is the same.
    let browser = app.form();
    browser.post("/api/forgot-password", &[("email", BOB)]).await.expect_redirect("/link");
    let link = app.mail(BOB, "reset_password").await.link();
    browser.get(&link).await.expect_text("Set a new password").expect_text(BOB);
    browser.post(&link, &[]).await.expect_redirect("/reset-password");
    let answer = browser.post("/api/reset-password", &[("new_password", "the third password")]).await;
    answer.expect_redirect("/login");
    browser.get("/login").await.expect_text("Your new password is set.");
    log_in(&program, LOG_IN, (BOB, "the third password")).await.expect_status(200);
}

async fn a_customer_sets_a_password_on_the_page(app: TestApp) {
    let program = app.script();
    let old = token_of(&program, "/auth/customer/emailpass/register", BOB).await;
    let secret = app.reset_token("/auth/customer/emailpass/reset-password", BOB).await;
    let browser = app.form();
    browser.post(&format!("/link/{secret}"), &[]).await.expect_redirect("/reset-password");
    let page = browser.submit("/api/reset-password", &[("new_password", NEW)]).await;
    page.expect_status(200).expect_text("Your new password is set").expect_text("where you asked for the link");
    with_token(&program, (Method::POST, "/auth/token/refresh"), &old).await.expect_status(401);
    log_in(&program, "/auth/customer/emailpass", (BOB, NEW)).await.expect_status(200);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
    // One that has expired is renewed for the same kind of account.
    let secret = app.reset_token("/auth/customer/emailpass/reset-password", BOB).await;
    app.advance(Duration::from_mins(15));
    app.form().get(&format!("/link/{secret}")).await.expect_text("This link has expired");
    app.form().post("/api/renew-link", &[("token", &secret)]).await.expect_redirect("/link");
    let renewed = app.mail(BOB, "reset_password").await.link().replace("/link/", "");
    update(&program, "/auth/customer/emailpass/update", (&renewed, "the third password")).await.expect_status(200);
}

async fn the_owner_of_an_address_is_rid_of_other_ways_in(app: TestApp) {
    let (attacker, owner) = (app.script(), app.script());
    token_of(&attacker, "/auth/user/other/register", BOB).await;
    let token = token_of(&attacker, "/auth/user/other", BOB).await;
    let secret = app.reset_token(RESET, BOB).await;
    update(&owner, UPDATE, (&secret, NEW)).await.expect_status(200);
    with_token(&attacker, ME, &token).await.expect_status(401);
    log_in(&owner, LOG_IN, (BOB, NEW)).await.expect_status(200);
    log_in(&attacker, "/auth/user/other", (BOB, PASSWORD)).await.expect_status(401);
    assert_eq!(app.number("SELECT count(*) FROM auth_identity_actors").await, 1);
}

async fn the_owner_of_an_address_is_rid_of_who_registered_it(app: TestApp) {
    let (attacker, owner) = (app.script(), app.script());
    let before_user = token_of(&attacker, REGISTER, BOB).await;
    let of_user = token_of(&attacker, LOG_IN, BOB).await;
    let token = app.reset_token(RESET, BOB).await;
    update(&owner, UPDATE, (&token, NEW)).await.expect_status(200);
    for held in [before_user, of_user] {
        with_token(&attacker, ME, &held).await.expect_status(401);
        with_token(&attacker, (Method::POST, "/auth/token/refresh"), &held).await.expect_status(401);
    }
    log_in(&attacker, LOG_IN, (BOB, PASSWORD)).await.expect_status(401);
    log_in(&owner, LOG_IN, (BOB, NEW)).await.expect_status(200);
}

/// An identity that somebody else has registered, and that never became a user.
async fn the_owner_of_an_address_takes_it_back_on_the_pages(app: TestApp) {
    let attacker = app.script();
    let held = token_of(&attacker, REGISTER, BOB).await;
    // The address is taken, as its owner is told by mail, and sets a password of their own.
    let owner = app.form();
    owner.register(BOB, NEW).await.expect_redirect("/link");
    app.mail(BOB, "already_registered").await;
    owner.post("/api/forgot-password", &[("email", BOB)]).await.expect_redirect("/link");
    owner.post(&app.mail(BOB, "reset_password").await.link(), &[]).await.expect_redirect("/reset-password");
    owner.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/login");
    with_token(&attacker, (Method::POST, "/auth/token/refresh"), &held).await.expect_status(401);
    log_in(&attacker, LOG_IN, (BOB, PASSWORD)).await.expect_status(401);
    // Logging in makes the account, and its address is confirmed as everybody's is.
    owner.log_in(BOB, NEW).await.expect_redirect("/link");
    let link = app.mail(BOB, "confirm_email").await.link();
    owner.post(&link, &[]).await.expect_status(302);
    owner.log_in(BOB, NEW).await.expect_redirect("/account");
}

async fn who_is_invited_is_rid_of_who_registered_the_address(app: TestApp) {
    let (admin, attacker) = (app.admin().await, app.script());
    let held = token_of(&attacker, REGISTER, BOB).await;
    let waiting = app.reset_token(RESET, BOB).await;
    let secret = app.invite(&admin, BOB, "admin").await;
    let owner = app.form();
    owner.get(&format!("/invite/{secret}")).await.expect_status(200);
    let fields = [("token", secret.as_str()), ("first_name", "Bob"), ("last_name", ""), ("password", NEW)];
    owner.post("/api/accept-invite", &fields).await.expect_status(302);
    assert!(owner.is_logged_in().await);
    for path in [ME, (Method::POST, "/auth/token/refresh"), (Method::POST, "/auth/session")] {
        with_token(&attacker, path, &held).await.expect_status(401);
    }
    log_in(&attacker, LOG_IN, (BOB, PASSWORD)).await.expect_status(401);
    expect_invalid(&update(&attacker, UPDATE, (&waiting, PASSWORD)).await);
    assert!(owner.is_logged_in().await);
}

async fn a_callback_asks_the_provider(app: TestApp) {
    let program = app.script();
    let refused = |answer: Page| {
        let said: Value = answer.expect_status(401).json();
        (said["type"].clone(), said["message"].clone())
    };
    let path = "/auth/user/emailpass/callback";
    let words = (json!("unauthorized"), json!("not supported by this provider"));
    assert_eq!(refused(program.get(&format!("{path}?code=1&state=2")).await), words);
    assert_eq!(refused(post(&program, path, &json!({})).await), words);
    for answer in [
        program.get("/auth/robot/emailpass/callback?code=1").await,
        post(&program, "/auth/robot/emailpass/callback", &json!({})).await,
    ] {
        let said = answer.expect_status(400).json();
        assert_eq!(said["type"], "not_allowed");
        assert_eq!(said["message"], "The actor type robot is not allowed to use the auth provider emailpass");
    }
    program.get("/auth/nobody/emailpass/callback").await.expect_status(404);
    program.get("/auth/user/none/callback").await.expect_status(400);
}

async fn nobody_sets_the_password_of_who_is_turned_off_as_another_kind_of_account(app: TestApp) {
    app.member(BOB).await;
    let program = app.script();
    let token = app.reset_token("/auth/customer/emailpass/reset-password", BOB).await;
    app.change("UPDATE users SET disabled_at = 1 WHERE email = 'bob@example.org'").await;
    let refused = update(&program, "/auth/customer/emailpass/update", (&token, NEW)).await;
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    app.change("UPDATE users SET disabled_at = NULL").await;
    log_in(&program, LOG_IN, (BOB, NEW)).await.expect_status(401);
}

async fn turning_somebody_off_ends_the_links_of_all_kinds_of_accounts(app: TestApp) {
    let admin = app.admin_program().await;
    app.member(BOB).await;
    let program = app.script();
    let path = "/auth/customer/emailpass/reset-password";
    let token = app.reset_token(path, BOB).await;
    let id = app.user_id(BOB).await;
    let turn = async |to: &str| {
        admin.post(&format!("/admin/users/{id}/{to}"), &json!({})).await.expect_status(200);
    };
    turn("disable").await;
    let waiting = app.mails_to(BOB).await.len();
    // Nor is there a new one.
    post(&program, path, &json!({ "identifier": BOB })).await.expect_status(201);
    assert_eq!(app.mails_to(BOB).await.len(), waiting);
    turn("enable").await;
    expect_invalid(&update(&program, "/auth/customer/emailpass/update", (&token, NEW)).await);
    app.form().get(&format!("/link/{token}")).await.expect_no_text("Set a new password");
    let token = app.reset_token(path, BOB).await;
    update(&program, "/auth/customer/emailpass/update", (&token, NEW)).await.expect_status(200);
}

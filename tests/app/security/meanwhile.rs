//! What somebody has proved counts as it is when they come in: a way in that was taken away, given to another, or is of an
//! account that changes hands at that moment lets nobody into what it was a way into before.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    auth::oidc::{log_in as log_in_by_op, visit, with_op},
    harness::{Client, Gate, PASSWORD, Page, TestApp, on_both_databases},
    web::{
        connections::{leave, link_as},
        providers::{ELSEWHERE, come_back, set_out},
    },
};

on_both_databases! {
    a_way_in_that_was_unlinked_meanwhile_is_somebody_new with ELSEWHERE,
    a_way_in_that_was_unlinked_meanwhile_is_somebody_new_to_programs with ELSEWHERE,
    a_way_in_that_is_anothers_meanwhile_is_theirs with ELSEWHERE,
    who_has_come_in_by_another_tab_meanwhile_comes_in_by_both with ELSEWHERE,
    a_way_in_that_is_linked_while_the_account_changes_hands_goes_with_it with ELSEWHERE,
    of_two_who_have_proved_an_address_at_once_one_gets_the_account with TWO,
    what_a_provider_tells_now_counts,
    an_invite_is_no_way_around_the_hook with ELSEWHERE,
    who_the_hook_has_named_stays_named_when_an_invite_raises_them with ELSEWHERE,
    who_registers_again_while_the_owner_comes_in_gets_nothing with MAILED,
}

const TWO: &str = r#"providers = [
    { id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }, { id = "other", kind = "elsewhere" },
]"#;
const MAILED: &str = r#"
    database.max_connections = 16
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "email-link", kind = "email-link" }]
"#;
/// How many ways in a squatter links while the account changes hands.
const LINKS: usize = 8;

/// A code that no other test has.
fn code_of(app: &TestApp, name: &str) -> String {
    format!("{name}-{}@elsewhere.example", app.url.replace(|c: char| !c.is_ascii_digit(), ""))
}

/// The same with the gate before it.
fn held(app: &TestApp, name: &str) -> (String, Gate) {
    let code = code_of(app, name);
    let gate = Gate::before(&code);
    (code, gate)
}

async fn email_in(client: &Client) -> Value {
    client.get("/auth/session").await.json()["user"]["email"].clone()
}

async fn log_in_as(client: &Client, code: &str) -> Page {
    let state = set_out(client, "").await;
    come_back(client, (code, &state)).await
}

async fn who_has_come_in_by_another_tab_meanwhile_comes_in_by_both(app: TestApp) {
    let person = code_of(&app, "twice");
    let (gate, code) = (Gate::behind_proof(&person), format!("{person}!"));
    let (slow, quick) = (app.form(), app.form());
    let state = set_out(&slow, "").await;
    let meanwhile = async {
        gate.reached().await;
        log_in_as(&quick, &code).await.expect_redirect("/account");
        gate.open();
    };
    let (came, ()) = tokio::join!(come_back(&slow, (&code, &state)), meanwhile);
    came.expect_redirect("/account");
    assert_eq!((email_in(&slow).await, app.number("SELECT count(*) FROM users").await), (email_in(&quick).await, 1));
}

async fn unlink(client: &Client, entity_id: &str) {
    let fields = [("provider", "elsewhere"), ("entity_id", entity_id)];
    client.submit("/api/unlink-provider", &fields).await.expect_text("Unlinked.");
}

async fn a_way_in_that_was_unlinked_meanwhile_is_somebody_new(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    let (code, gate) = held(&app, "gone");
    link_as(&bob, &code).await.expect_redirect("/account/connections");
    let thief = app.form();
    let state = set_out(&thief, "").await;
    let meanwhile = async {
        gate.reached().await;
        unlink(&bob, &code).await;
        gate.open();
    };
    tokio::join!(come_back(&thief, (&code, &state)), meanwhile);
    assert_eq!(email_in(&thief).await, code.as_str());
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
    let owned = "SELECT count(*) FROM provider_identities p JOIN auth_identity_actors a
                     ON a.auth_identity_id = p.auth_identity_id JOIN users u ON u.id = a.actor_id AND u.email = p.entity_id";
    assert_eq!(app.number(owned).await, 2);
}

async fn a_way_in_that_was_unlinked_meanwhile_is_somebody_new_to_programs(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    let (code, gate) = held(&app, "program");
    link_as(&bob, &code).await.expect_redirect("/account/connections");
    let program = app.program();
    let meanwhile = async {
        gate.reached().await;
        unlink(&bob, &code).await;
        gate.open();
    };
    let (back, ()) = tokio::join!(program.back_from_elsewhere(&code), meanwhile);
    let token = back.expect_status(200).json()["token"].as_str().unwrap().to_owned();
    let me = app.program().known_by(&token).get("/admin/users/me").await.expect_status(200).json();
    assert_eq!(me["user"]["email"], code.as_str());
}

async fn a_way_in_that_is_anothers_meanwhile_is_theirs(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    let (code, gate) = held(&app, "back");
    link_as(&bob, &code).await.expect_redirect("/account/connections");
    let thief = app.form();
    let state = set_out(&thief, "").await;
    let meanwhile = async {
        gate.reached().await;
        unlink(&bob, &code).await;
        log_in_as(&app.form(), &code).await.expect_redirect("/account");
        gate.open();
    };
    tokio::join!(come_back(&thief, (&code, &state)), meanwhile);
    assert_eq!(email_in(&thief).await, code.as_str());
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
}

async fn a_way_in_that_is_linked_while_the_account_changes_hands_goes_with_it(app: TestApp) {
    for round in 0..3 {
        let email = format!("owner{round}@elsewhere.example");
        let squatter = Arc::new(app.form());
        squatter.register(&email, PASSWORD).await.expect_redirect("/account");
        let mut links = Vec::new();
        for nth in 0..LINKS {
            let state = leave(&squatter, ("/api/link-provider", &[("provider", "elsewhere")])).await;
            links.push((format!("squatter-{round}-{nth}"), state));
        }
        let owner = app.form();
        let state = set_out(&owner, "").await;
        let mut arrivals = JoinSet::new();
        for (code, state) in links {
            let squatter = Arc::clone(&squatter);
            arrivals.spawn(async move { come_back(&squatter, (&code, &state)).await });
        }
        let code = format!("{email}!");
        let (page, _) = tokio::join!(come_back(&owner, (&code, &state)), arrivals.join_all());
        page.expect_redirect("/account");
        assert_eq!(email_in(&owner).await, email.as_str());
        assert!(!squatter.is_logged_in().await);
        let ways = format!(
            "SELECT count(*) FROM auth_identity_actors a JOIN users u ON u.id = a.actor_id WHERE u.email = '{email}'"
        );
        assert_eq!(app.number(&ways).await, 1, "round {round}");
    }
}

async fn of_two_who_have_proved_an_address_at_once_one_gets_the_account(app: TestApp) {
    for round in 0..4 {
        let email = format!("owner{round}@elsewhere.example");
        app.form().register(&email, PASSWORD).await.expect_redirect("/account");
        let mut arrivals = JoinSet::new();
        for provider in ["elsewhere", "other"] {
            let client = app.form();
            let there = client.get(&format!("/auth/signin/{provider}")).await.location().unwrap();
            let state = there.split_once("state=").unwrap().1.to_owned();
            let back = format!("/auth/callback/{provider}?code={}%21&state={state}", email.replace('@', "%40"));
            arrivals.spawn(async move {
                client.get(&back).await;
                client.is_logged_in().await
            });
        }
        let logged_in = arrivals.join_all().await.into_iter().filter(|is_in| *is_in).count();
        let proved = format!(
            "SELECT count(*) FROM events e JOIN users u ON u.id = e.target_id
             WHERE e.kind = 'auth.email_verified' AND u.email = '{email}'"
        );
        assert_eq!((logged_in, app.number(&proved).await), (1, 1), "round {round}");
    }
}

async fn what_a_provider_tells_now_counts(app: TestApp) {
    let (app, op) = with_op(&app, "[actors.customer]\nproviders = [\"op\"]").await;
    let told = |email: &str, is_verified: bool| {
        let claims = json!({ "sub": "7", "email": email, "email_verified": is_verified });
        op.script("op", |script| script.claims = claims);
    };
    told("boss@example.org", true);
    let program = app.program();
    let there = program.post("/auth/customer/op", &json!({})).await.expect_status(200).json();
    let back = visit(there["location"].as_str().unwrap().parse().unwrap()).await;
    program.post("/auth/customer/op/callback", &Value::Object(back)).await.expect_status(200);
    // The address is somebody else's by now.
    let boss = app.form();
    boss.register("boss@example.org", PASSWORD).await.expect_redirect("/account");
    told("mine@example.org", false);
    let token = log_in_by_op(&app, "op").await.expect_status(200).json()["token"].as_str().unwrap().to_owned();
    let me = app.program().known_by(&token).get("/admin/users/me").await.expect_status(200).json();
    assert_eq!((&me["user"]["email"], &me["user"]["email_verified_at"]), (&json!("mine@example.org"), &Value::Null));
    assert!(boss.is_logged_in().await);
}

async fn an_invite_is_no_way_around_the_hook(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, "new@example.org", "admin").await;
    let guest = app.form();
    let fields = [("token", token.as_str()), ("provider", "elsewhere")];
    let state = leave(&guest, ("/api/accept-invite-with", &fields)).await;
    come_back(&guest, ("refused", &state)).await.expect_status(302);
    assert!(!guest.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
    let state = leave(&guest, ("/api/accept-invite-with", &fields)).await;
    come_back(&guest, ("named", &state)).await.expect_redirect("/account");
    assert_eq!(guest.get("/auth/session").await.json()["user"]["id"], "app-first");
}

async fn who_the_hook_has_named_stays_named_when_an_invite_raises_them(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, "named@elsewhere.example", "admin").await;
    let client = app.form();
    log_in_as(&client, "named!").await.expect_redirect("/account");
    assert_eq!(client.get("/auth/session").await.json()["user"]["id"], "app-first");
    client.post("/api/accept-invite", &[("token", &token)]).await.expect_status(302);
    client.get("/dashboard/users").await.expect_status(200);
    assert_eq!(client.get("/auth/session").await.json()["user"]["id"], "app-first");
}

async fn who_registers_again_while_the_owner_comes_in_gets_nothing(app: TestApp) {
    let (owner, squatter) = (Arc::new(app.form()), Arc::new(app.form()));
    squatter.register("bob@example.org", "the password of the squatter").await.expect_redirect("/link");
    app.mail_requests_are_answered().await;
    let link = app.log_in_link("bob@example.org").await;
    let held = app.hold_mails().await;
    let coming = tokio::spawn({
        let owner = Arc::clone(&owner);
        async move { owner.post(&link, &[]).await }
    });
    app.until_held(1, &coming).await;
    let again = tokio::spawn({
        let squatter = Arc::clone(&squatter);
        async move { squatter.register("bob@example.org", "the password of the squatter").await }
    });
    app.until_held(2, &coming).await;
    held.rollback().await.unwrap();
    coming.await.unwrap().expect_redirect("/account");
    again.await.unwrap().expect_redirect("/link");
    app.mail_requests_are_answered().await;
    squatter.log_in("bob@example.org", "the password of the squatter").await.expect_redirect("/login");
    assert_eq!((email_in(&squatter).await, email_in(&owner).await), (Value::Null, json!("bob@example.org")));
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE provider = 'email-link'").await, 1);
}

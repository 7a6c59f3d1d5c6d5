//! Guests: people of a provider that keeps nothing of them (`persist = false`). They pass what everybody passes who has no
//! account yet: registration, domains, the hook; and where an account is needed they are not sent to it.

use reqwest::{Url, redirect::Policy};
use serde_json::json;

use super::oidc::{counts, log_in, with_op};
use super::ways_in::browse;
use crate::harness::{ADMIN, Client, Page, TestApp, on_both_databases};

on_both_databases! {
    guests_come_in_only_where_anybody_may_register,
    guests_have_a_proved_address_of_a_domain_that_may_register,
    whom_the_hook_refuses_is_no_guest,
    whom_the_hook_names_is_the_guest,
    a_subject_with_outer_blanks_is_refused,
    who_types_is_let_in_by_the_application_alone with CLOSED,
    guests_are_rehearsed_by_admins_alone,
    a_rehearsal_heeds_what_guests_pass,
    no_account_is_linked_that_nobody_keeps,
    no_invite_is_accepted_with_what_nobody_keeps,
}

const CLOSED: &str = r#"
    registration.mode = "closed"
    registration.allowed_domains = ["example.org"]
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "outside", kind = "outside" }]
"#;
const GUESTS: &str = "persist = false";

/// A server whose guests come in by these rules.
fn guests(rules: &str) -> String {
    format!("{GUESTS}\n[registration]\n{rules}")
}

/// Tries both ways in; nobody comes in, and nothing is written.
async fn expect_refused(app: &TestApp, code: &str) {
    let before = counts(app).await;
    let client = app.form();
    assert_eq!(browse(&client).await, format!("/login?error={code}&provider=op"));
    assert_eq!(client.get("/auth/session").await.json(), json!({}));
    assert_ne!(log_in(app, "op").await.status, 200);
    assert_eq!(counts(app).await, before);
}

/// Tries both ways in; both let in whoever has this id.
async fn expect_let_in(app: &TestApp, id: &str) {
    let client = app.form();
    assert_eq!(browse(&client).await, "/login");
    assert_eq!(client.get("/auth/session").await.json()["user"]["id"], id);
    let token = log_in(app, "op").await.expect_status(200).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(app.program().known_by(&token).get("/auth/forward").await.header("remote-user"), Some(id));
}

async fn guests_come_in_only_where_anybody_may_register(app: TestApp) {
    for mode in ["closed", "invite_only"] {
        let (app, _op) = with_op(&app, &guests(&format!("mode = {mode:?}"))).await;
        expect_refused(&app, "AccessDenied").await;
    }
    let (app, _op) = with_op(&app, GUESTS).await;
    expect_let_in(&app, "subject of op").await;
}

async fn guests_have_a_proved_address_of_a_domain_that_may_register(app: TestApp) {
    let (app, op) = with_op(&app, &guests("allowed_domains = [\"example.org\"]")).await;
    for claims in [
        json!({ "email": "op@elsewhere.example" }),
        json!({ "email": "op@example.org.evil.example" }),
        json!({ "email_verified": false }),
        json!({ "email_verified": "true" }),
        json!({ "email_verified": null }),
        json!({ "email": null }),
    ] {
        op.script("op", |script| script.claims = claims);
        expect_refused(&app, "AccessDenied").await;
    }
    op.script("op", |script| script.claims = json!({}));
    expect_let_in(&app, "subject of op").await;
}

async fn whom_the_hook_refuses_is_no_guest(app: TestApp) {
    let (app, op) = with_op(&app, GUESTS).await;
    for (sub, code) in [("refused", "AccessDenied"), ("broken", "OAuthCallbackError")] {
        op.script("op", |script| script.claims = json!({ "sub": sub }));
        expect_refused(&app, code).await;
    }
}

async fn whom_the_hook_names_is_the_guest(app: TestApp) {
    let (app, op) = with_op(&app, GUESTS).await;
    op.script("op", |script| script.claims = json!({ "sub": "named", "name": "Ada" }));
    expect_let_in(&app, "app-first").await;
    assert_eq!(counts(&app).await, [0, 0, 0, 2], "nothing but sessions");
}

async fn a_subject_with_outer_blanks_is_refused(app: TestApp) {
    for more in [GUESTS, ""] {
        let (app, op) = with_op(&app, more).await;
        for sub in [" alice", "alice ", "alice\u{a0}", "\u{3000}alice"] {
            op.script("op", |script| script.claims = json!({ "sub": sub }));
            expect_refused(&app, "OAuthCallbackError").await;
        }
    }
}

async fn who_types_is_let_in_by_the_application_alone(app: TestApp) {
    let client = app.form();
    client.post("/api/login-with", &[("provider", "outside"), ("fields[id]", "app-7")]).await.expect_status(302);
    assert_eq!(client.get("/auth/session").await.json()["user"]["id"], "app-7");
    app.program().post("/auth/user/outside", &json!({ "id": "app-7" })).await.expect_status(200);
}

/// Sends a form that leads to the provider, and follows it there; the path that the browser is sent back to.
async fn leave(client: &Client, (form, fields): (&str, &[(&str, &str)])) -> String {
    let page = client.submit(form, fields).await;
    let there: Url = page.header("refresh").expect("it leads away").strip_prefix("0; url=").unwrap().parse().unwrap();
    let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let back = browser.get(there).send().await.unwrap();
    let back: Url = back.headers()["location"].to_str().unwrap().parse().unwrap();
    format!("{}?{}", back.path(), back.query().unwrap())
}

const REHEARSE: (&str, &[(&str, &str)]) = ("/api/rehearse-provider", &[("provider", "op")]);

async fn rehearse(admin: &Client) -> Page {
    let back = leave(admin, REHEARSE).await;
    admin.get(&back).await.expect_redirect("/dashboard/system");
    admin.get("/dashboard/system").await
}

async fn guests_are_rehearsed_by_admins_alone(app: TestApp) {
    app.admin().await;
    let (app, _op) = with_op(&app, GUESTS).await;
    let admin = app.logged_in(ADMIN).await;
    rehearse(&admin).await.expect_text("You would come in, and nothing would be stored but the session.");
    let back = leave(&admin, REHEARSE).await;
    admin.log_out().await;
    let refused = admin.get(&back).await;
    refused.expect_redirect("/login?error=AccessDenied&provider=op&next=/dashboard/system");
}

async fn a_rehearsal_heeds_what_guests_pass(app: TestApp) {
    app.admin().await;
    for (more, claims, said) in [
        (guests("mode = \"closed\""), json!({}), "registration is not open"),
        (
            guests("allowed_domains = [\"example.org\"]"),
            json!({ "email_verified": false }),
            "no confirmed address of a domain that may register",
        ),
        (GUESTS.to_owned(), json!({ "sub": "refused" }), "the application's hook says no"),
        (GUESTS.to_owned(), json!({ "sub": "named", "name": "Ada" }), "app-first"),
    ] {
        let (app, op) = with_op(&app, &more).await;
        op.script("op", |script| script.claims = claims);
        let before = counts(&app).await;
        let admin = app.logged_in(ADMIN).await;
        rehearse(&admin).await.expect_text(said).expect_text("op@example.org");
        assert_eq!(counts(&app).await[..3], before[..3]);
    }
}

async fn no_account_is_linked_that_nobody_keeps(app: TestApp) {
    let (app, _op) = with_op(&app, GUESTS).await;
    let bob = app.member("bob@example.org").await;
    bob.get("/account/connections").await.expect_status(200).expect_no_text("OpenID");
    let refused = bob.submit("/api/link-provider", &[("provider", "op")]).await;
    refused.expect_text("That way to log in didn't work.");
    assert_eq!(app.number("SELECT count(*) FROM auth_states").await, 0);
}

async fn no_invite_is_accepted_with_what_nobody_keeps(app: TestApp) {
    app.admin().await;
    let (app, _op) = with_op(&app, GUESTS).await;
    let admin = app.logged_in(ADMIN).await;
    let token = app.invite(&admin, "new@example.org", "member").await;
    let guest = app.form();
    guest.get(&format!("/invite/{token}")).await.expect_status(200).expect_no_text("OpenID");
    let fields = [("token", token.as_str()), ("provider", "op")];
    let refused = guest.submit("/api/accept-invite-with", &fields).await;
    refused.expect_status(200).expect_text("That way to log in didn't work.");
    assert_eq!(app.number("SELECT count(*) FROM auth_states").await, 0);
}

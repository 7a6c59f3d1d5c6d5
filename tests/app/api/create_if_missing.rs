//! Log-ins by which an identity is made (`create_if_missing`): where that may be, and that nobody learns from them who is
//! known where it may not.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::auth::{claims, credentials, post, token_of};
use crate::harness::{PASSWORD, Page, TestApp, on_both_databases};

on_both_databases! {
    an_unknown_address_gets_an_account_where_registration_is_open with OPEN,
    an_unknown_address_gets_an_identity_over_the_api_where_accounts_are_by_invitation with INVITE_ONLY,
    an_unknown_address_is_a_wrong_pair_where_registration_is_closed with CLOSED,
    first_log_ins_that_come_at_once_make_one_user with OPEN,
}

const OPEN: &str = r#"
    actors.customer.providers = ["emailpass"]
    providers = [{ id = "emailpass", kind = "emailpass", options = { create_if_missing = true } }]
"#;
const INVITE_ONLY: &str = r#"
    registration.mode = "invite_only"
    providers = [{ id = "emailpass", kind = "emailpass", options = { create_if_missing = true } }]
"#;
const CLOSED: &str = r#"
    registration.mode = "closed"
    actors.customer.providers = ["emailpass"]
    providers = [{ id = "emailpass", kind = "emailpass", options = { create_if_missing = true } }]
"#;
const LOG_IN: &str = "/auth/user/emailpass";
const OF_CUSTOMER: &str = "/auth/customer/emailpass";
const BOB: &str = "bob@example.org";

async fn identities(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM provider_identities").await
}

async fn an_unknown_address_gets_an_account_where_registration_is_open(app: TestApp) {
    let token = token_of(&app.script(), LOG_IN, BOB).await;
    assert_ne!(claims(&token)["actor_id"], "");
    assert_eq!(app.user_id(BOB).await, claims(&token)["actor_id"]);
    let customer = token_of(&app.script(), OF_CUSTOMER, "cleo@example.org").await;
    assert_eq!(claims(&customer)["actor_id"], "");
    app.form().log_in("dan@example.org", PASSWORD).await.expect_redirect("/account");
    assert_eq!((identities(&app).await, app.number("SELECT count(*) FROM users").await), (3, 2));
}

async fn an_unknown_address_gets_an_identity_over_the_api_where_accounts_are_by_invitation(app: TestApp) {
    let token = token_of(&app.script(), LOG_IN, BOB).await;
    assert_eq!(claims(&token)["actor_id"], "");
    assert_eq!((identities(&app).await, app.number("SELECT count(*) FROM users").await), (1, 0));
    // On the page it would be of no use, and the answer would tell who is known.
    let page = async |email: &str, password: &str| {
        let answer = app.script().log_in(email, password).await;
        (answer.status, answer.body)
    };
    let wrong = page(BOB, "the wrong password").await;
    assert_eq!(wrong.0, 401);
    for password in [PASSWORD, "short"] {
        assert_eq!(page("eve@example.org", password).await, wrong);
    }
    assert_eq!(identities(&app).await, 1);
}

async fn an_unknown_address_is_a_wrong_pair_where_registration_is_closed(app: TestApp) {
    app.admin().await;
    let told = |answer: Page| -> (u16, Value) { (answer.status, answer.json()) };
    let program = app.script();
    let ask = async |path: &str, email: &str, password: &str| {
        told(post(&program, path, &json!({ "email": email, "password": password })).await)
    };
    let wrong = ask(LOG_IN, "ada@example.org", "the wrong password").await;
    assert_eq!((wrong.0, &wrong.1["message"]), (401, &json!("Invalid email or password")));
    for (path, password) in [(LOG_IN, PASSWORD), (LOG_IN, "short"), (OF_CUSTOMER, PASSWORD), (OF_CUSTOMER, "short")] {
        assert_eq!(ask(path, "eve@example.org", password).await, wrong, "{path} {password}");
    }
    let of_page = told(app.script().log_in("ada@example.org", "the wrong password").await);
    assert_eq!(told(app.script().log_in("eve@example.org", PASSWORD).await), of_page);
    for path in ["/auth/user/emailpass/register", "/auth/customer/emailpass/register"] {
        let refused = post(&program, path, &credentials("eve@example.org")).await.expect_status(400).json();
        assert_eq!(refused["type"], "not_allowed");
    }
    assert_eq!(identities(&app).await, 1);
    assert_eq!(app.number("SELECT count(*) FROM auth_identities").await, 1);
    // Who is known comes in.
    assert_eq!(ask(LOG_IN, "ada@example.org", PASSWORD).await.0, 200);
    assert_eq!(ask(OF_CUSTOMER, "ada@example.org", PASSWORD).await.0, 200);
}

async fn first_log_ins_that_come_at_once_make_one_user(app: TestApp) {
    for round in 0..5 {
        let mut all = JoinSet::new();
        for _ in 0..4 {
            let (program, body) = (app.script(), credentials(&format!("person{round}@example.org")));
            all.spawn(async move { post(&program, LOG_IN, &body).await });
        }
        for answer in all.join_all().await {
            answer.expect_status(200);
        }
    }
    assert_eq!((identities(&app).await, app.number("SELECT count(*) FROM users").await), (5, 5));
}

//! `google`: an OpenID provider whose issuer is known, here one of the tests in its place.

use reqwest::Url;
use serde_json::json;

use super::oidc::{counts, expect_counts, leave, log_in, program_of};
use crate::harness::{CLIENT_ID, CLIENT_SECRET, OpenIdProvider, TestApp, on_both_databases};

on_both_databases! {
    people_of_google_come_in,
    people_of_another_organisation_do_not,
}

async fn with_google(app: &TestApp, more: &str) -> (TestApp, OpenIdProvider) {
    let op = OpenIdProvider::start(&app.clock).await;
    let issuer = format!("{}/google", op.url);
    let settings = format!(
        "[[providers]]\nid = \"google\"\nkind = \"google\"\n[providers.options]\nissuer = {issuer:?}\n\
         client_id = {CLIENT_ID:?}\nclient_secret = {CLIENT_SECRET:?}\n{more}\n"
    );
    (app.another_process_with(&settings).await, op)
}

async fn people_of_google_come_in(app: TestApp) {
    let (app, _op) = with_google(&app, "").await;
    let me = program_of(&app, "google").await.get("/admin/users/me").await.json();
    assert_eq!(me["user"]["email"], "google@example.org");
    let listed = json!({ "id": "google", "identifier": "google", "display_name": "Google", "flow": "redirect" });
    assert_eq!(app.program().get("/auth/user/providers").await.json()["providers"], json!([listed]));
    expect_counts(counts(&app).await, [1; 4], "one person");
}

async fn people_of_another_organisation_do_not(app: TestApp) {
    let (app, op) = with_google(&app, "hosted_domain = \"Example.org\"").await;
    let location: Url = leave(&app.program(), "google", &json!({})).await;
    assert!(location.query_pairs().any(|(name, value)| name == "hd" && value == "example.org"), "{location}");
    for organisation in [json!(null), json!("evil.example"), json!(["example.org"]), json!(true)] {
        op.script("google", |script| script.claims = json!({ "email": "a@example.org", "hd": organisation }));
        log_in(&app, "google").await.expect_status(401);
        expect_counts(counts(&app).await, [0; 4], "nobody");
    }
    op.script("google", |script| script.claims = json!({ "hd": "example.org" }));
    log_in(&app, "google").await.expect_status(200);
}

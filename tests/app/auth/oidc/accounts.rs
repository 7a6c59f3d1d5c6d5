//! Who people are after they have come by a provider.

use latchkey::{
    auth::AuthIdentityProviderService,
    shared::{ExternalUser, ProviderId},
};
use serde_json::{Value, json};

use super::{counts, expect_counts, log_in, program_of, with_op, with_providers};
use crate::harness::{OpenIdProvider, TestApp, on_both_databases};

on_both_databases! {
    the_first_log_in_makes_the_account_and_the_second_finds_it,
    two_providers_never_know_one_person_by_the_same_subject,
    a_subject_that_looks_like_an_address_is_none,
    an_address_of_the_userinfo_counts_as_the_userinfo_says,
    where_nothing_is_kept_nothing_is_written with NOTHING,
    tokens_are_kept_where_they_are_asked_for_and_sealed with NOTHING,
    nobody_registers_by_it,
}

const NOTHING: &str = "";

async fn metadata_of(app: &TestApp, column: &str, id: &str) -> Value {
    let statement = format!("SELECT {column} FROM provider_identities WHERE provider = $1");
    serde_json::from_str(&app.text_for(&statement, id).await.unwrap()).unwrap()
}

async fn the_first_log_in_makes_the_account_and_the_second_finds_it(app: TestApp) {
    let (app, op) = with_op(&app, "display_name = \"The <b>firm</b>\"").await;
    let first = program_of(&app, "op").await;
    op.script("op", |script| script.claims = json!({ "email": "new@example.org", "given_name": "Other" }));
    let again = program_of(&app, "op").await;
    let me = first.get("/admin/users/me").await.expect_status(200).json();
    let user = &me["user"];
    assert_eq!(
        [&user["email"], &user["first_name"], &user["last_name"], &user["role"]],
        ["op@example.org", "Ada", "Lovelace", "member"]
    );
    assert_eq!(again.get("/admin/users/me").await.json()["user"]["id"], user["id"]);
    expect_counts(counts(&app).await, [1, 1, 1, 2], "one person, two sessions");
    let verified = "SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL";
    assert_eq!(app.number(verified).await, 1);
    let expected = json!({
        "sub": "subject of op", "email": "new@example.org", "email_verified": true, "given_name": "Other",
        "family_name": "Lovelace",
    });
    assert_eq!(metadata_of(&app, "user_metadata", "op").await, expected, "what is told now");
    assert_eq!(metadata_of(&app, "provider_metadata", "op").await, json!({}));
    let providers = app.program().get("/auth/user/providers").await.json();
    let listed = json!({ "id": "op", "identifier": "oidc", "display_name": "The <b>firm</b>", "flow": "redirect" });
    assert_eq!(providers["providers"][1], listed);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'user.created'").await, 1);
}

async fn two_providers_never_know_one_person_by_the_same_subject(app: TestApp) {
    let op = OpenIdProvider::start(&app.clock).await;
    let app = with_providers(&app, &format!("{}{}", op.settings("a", ""), op.settings("b", ""))).await;
    for id in ["a", "b"] {
        op.script(id, |script| script.claims = json!({ "sub": "7", "email": format!("{id}@example.org") }));
    }
    let (a, b) = (program_of(&app, "a").await, program_of(&app, "b").await);
    for (program, email) in [(a, "a@example.org"), (b, "b@example.org")] {
        assert_eq!(program.get("/admin/users/me").await.json()["user"]["email"], email);
    }
    expect_counts(counts(&app).await, [2; 4], "two people");
}

/// Somebody whose provider lets them choose what they are called there is not who has that address.
async fn a_subject_that_looks_like_an_address_is_none(app: TestApp) {
    let (app, op) = with_op(&app, "").await;
    op.script("op", |script| {
        script.claims = json!({ "sub": "victim@example.org", "email": null, "email_verified": true });
        script.discovery = crate::harness::Reply::With(json!({ "userinfo_endpoint": null }));
    });
    log_in(&app, "op").await.expect_status(401);
    expect_counts(counts(&app).await, [0; 4], "nobody without an address has an account");
}

async fn an_address_of_the_userinfo_counts_as_the_userinfo_says(app: TestApp) {
    let op = OpenIdProvider::start(&app.clock).await;
    let app = with_providers(&app, &format!("{}{}", op.settings("a", ""), op.settings("b", ""))).await;
    for (id, said) in [("a", json!("true")), ("b", json!(true))] {
        op.script(id, |script| {
            // What the ID token says of an address that it does not name says nothing.
            script.claims = json!({ "email": null, "email_verified": true });
            script.userinfo = crate::harness::Reply::With(json!({ "email_verified": said }));
        });
        program_of(&app, id).await;
        let metadata = metadata_of(&app, "user_metadata", id).await;
        assert_eq!(
            (&metadata["email_verified"], &metadata["name"]),
            (&json!(id == "b"), &json!("Ada of the userinfo"))
        );
        assert_eq!(metadata["email"], format!("{id}@userinfo.example"));
    }
}

async fn where_nothing_is_kept_nothing_is_written(app: TestApp) {
    let (app, op) = with_op(&app, "persist = false").await;
    op.script("op", |script| script.claims = json!({ "name": "Ada", "picture": "https://example.org/ada.png" }));
    let program = program_of(&app, "op").await;
    expect_counts(counts(&app).await, [0, 0, 0, 1], "a session and nothing else");
    let told = program.get("/auth/forward").await;
    let headers = ["remote-user", "remote-email", "remote-name"].map(|name| told.header(name));
    assert_eq!(headers, [Some("subject of op"), Some("op@example.org"), Some("Ada")]);
    let stored = app.text_for("SELECT external_user FROM sessions WHERE user_id = $1", "").await;
    if let Some(stored) = stored {
        let user: ExternalUser = serde_json::from_str(&stored).unwrap();
        assert_eq!(user.image.as_deref(), Some("https://example.org/ada.png"));
    }
}

async fn tokens_are_kept_where_they_are_asked_for_and_sealed(app: TestApp) {
    let (app, op) = with_op(&app, "keep_tokens = true").await;
    for claims in [json!({}), json!({ "name": "Ada" })] {
        op.script("op", |script| script.claims = claims);
        program_of(&app, "op").await;
        let metadata = metadata_of(&app, "provider_metadata", "op").await;
        let sealed = metadata["tokens"].as_str().unwrap();
        assert!(!metadata.to_string().contains("the access token") && !sealed.contains("eyJ"));
        let of = |id: &str| AuthIdentityProviderService::new(&app.platform, ProviderId::new(id), app.clock.now());
        let opened: Value = serde_json::from_str(&of("op").open(sealed).unwrap()).unwrap();
        assert_eq!(
            (&opened["access_token"], &opened["refresh_token"]),
            (&json!("the access token"), &json!("the refresh token"))
        );
        assert_eq!(opened["expires_in_secs"], 300);
        assert_eq!(of("other").open(sealed), None);
        assert_eq!(of("op").open(&sealed.replace('A', "B")), None);
    }
    expect_counts(counts(&app).await, [1, 1, 1, 2], "one person");
}

async fn nobody_registers_by_it(app: TestApp) {
    let (app, _op) = with_op(&app, "").await;
    let answer = app.program().post("/auth/user/op/register", &json!({ "email": "ada@example.org" })).await;
    assert_eq!(answer.expect_status(401).json()["message"], "not supported by this provider");
    expect_counts(counts(&app).await, [0; 4], "nobody");
}

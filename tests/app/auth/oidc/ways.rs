//! The way to the provider and back, as an honest one sees it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;
use serde_json::{Value, json};

use super::{arrive, counts, expect_counts, leave, log_in, visit, with_op};
use crate::harness::{CLIENT_ID, CLIENT_SECRET, TestApp, on_both_databases};

on_both_databases! {
    each_way_has_a_state_a_nonce_and_a_verifier_of_its_own,
    what_is_asked_for_is_what_the_operator_says,
    people_come_back_to_a_url_of_the_list_alone,
    a_new_key_is_found_and_forged_ones_are_not_looked_for_without_end,
    what_the_provider_says_of_itself_is_asked_for_once_an_hour,
    what_is_kept_of_a_way_is_sealed,
}

fn query_of(location: &Url) -> BTreeMap<String, String> {
    location.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

async fn each_way_has_a_state_a_nonce_and_a_verifier_of_its_own(app: TestApp) {
    let (app, op) = with_op(&app, "").await;
    let mut secrets = BTreeSet::new();
    for _ in 0..20 {
        let location = leave(&app.program(), "op", &json!({})).await;
        assert!(location.as_str().starts_with(&format!("{}/op/authorize?", op.url)), "{location}");
        assert!(!location.as_str().contains(CLIENT_SECRET));
        let query = query_of(&location);
        let names = ["client_id", "response_type", "code_challenge_method", "redirect_uri", "scope"];
        let said = names.map(|name| query[name].as_str());
        let back = "http://localhost:3000/auth/callback/op";
        assert_eq!(said, [CLIENT_ID, "code", "S256", back, "openid email profile"]);
        for name in ["state", "nonce", "code_challenge"] {
            // 256 bits, 6 of them in each letter.
            assert_eq!(query[name].len(), 43, "{name}");
            assert!(secrets.insert(query[name].clone()), "{name} was there before");
        }
        assert_eq!(query.len(), 8, "{query:?}");
    }
}

async fn what_is_asked_for_is_what_the_operator_says(app: TestApp) {
    for (scopes, asked) in [
        ("scopes = [\"groups\", \"openid\", \"email\"]", "openid groups email"),
        ("scopes = \"email groups\"", "openid email groups"),
        ("scopes = \"openid\"", "openid"),
    ] {
        let (app, _op) = with_op(&app, scopes).await;
        assert_eq!(query_of(&leave(&app.program(), "op", &json!({})).await)["scope"], asked);
    }
}

async fn people_come_back_to_a_url_of_the_list_alone(app: TestApp) {
    let more = "callback_url = \"https://app.example.org/back\"\ncallback_urls = [\"http://localhost:8080/back?a=1\"]";
    let (app, _op) = with_op(&app, more).await;
    let own = "http://localhost:3000/auth/callback/op";
    for wanted in [None, Some(own), Some("https://app.example.org/back"), Some("http://localhost:8080/back?a=1")] {
        let body = wanted.map_or_else(|| json!({}), |wanted| json!({ "callback_url": wanted }));
        let program = app.program();
        let location = leave(&program, "op", &body).await;
        assert_eq!(query_of(&location)["redirect_uri"], wanted.unwrap_or("https://app.example.org/back"));
        // The provider gives tokens where the same URL is sent with the code.
        arrive(&program, "op", visit(location).await).await.expect_status(200);
    }
    for foreign in [
        "",
        "https://app.example.org/back/",
        "https://app.example.org/back?",
        "https://app.example.org/back#",
        "https://app.example.org/Back",
        "https://app.example.org/back/../back",
        "https://app.example.org:443/back",
        "https://app.example.org/%62ack",
        " https://app.example.org/back",
        "https://app.example.org/back\t",
        "HTTPS://app.example.org/back",
        "https://APP.example.org/back",
        "https://app.example.org./back",
        "https://app.example.org@evil.example/back",
        "https://evil.example/https://app.example.org/back",
        "//app.example.org/back",
        "/auth/callback/op",
        "http://localhost:8080/back",
        "http://localhost:8080/back?a=1&b=2",
        "http://localhost:3000/auth/callback/other",
        "javascript:alert(1)",
    ] {
        let answer = app.program().post("/auth/user/op", &json!({ "callback_url": foreign })).await;
        assert_eq!(answer.json()["type"], "invalid_data", "{foreign:?}");
        assert_eq!(answer.expect_status(400).json()["message"], "The callback URL is not allowed.", "{foreign:?}");
    }
}

async fn a_new_key_is_found_and_forged_ones_are_not_looked_for_without_end(app: TestApp) {
    let (app, op) = with_op(&app, "").await;
    log_in(&app, "op").await.expect_status(200);
    op.rotate();
    log_in(&app, "op").await.expect_status(200);
    log_in(&app, "op").await.expect_status(200);
    assert_eq!(op.calls("op", "jwks"), 2, "the second time because of the unknown key");
    op.script("op", |script| script.header = json!({ "kid": "unknown" }));
    for _ in 0..5 {
        log_in(&app, "op").await.expect_status(401);
    }
    assert_eq!(op.calls("op", "jwks"), 2, "not again within a minute");
    app.advance(std::time::Duration::from_mins(1));
    for _ in 0..5 {
        log_in(&app, "op").await.expect_status(401);
    }
    assert_eq!(op.calls("op", "jwks"), 3);
    op.script("op", |script| script.header = json!({}));
    log_in(&app, "op").await.expect_status(200);
    expect_counts(counts(&app).await, [1, 1, 1, 4], "one person, four times");
}

async fn what_the_provider_says_of_itself_is_asked_for_once_an_hour(app: TestApp) {
    let (app, op) = with_op(&app, "").await;
    assert_eq!(op.calls("op", "discovery"), 0, "not at the start");
    let ways: Vec<_> = (0..20)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { log_in(&app, "op").await.status })
        })
        .collect();
    for way in ways {
        // Who is the first of one person is left to chance; the others find the account.
        assert!([200, 401, 409].contains(&way.await.unwrap()));
    }
    assert_eq!((op.calls("op", "discovery"), op.calls("op", "jwks")), (1, 1));
    app.advance(std::time::Duration::from_hours(1));
    log_in(&app, "op").await.expect_status(200);
    assert_eq!((op.calls("op", "discovery"), op.calls("op", "jwks")), (2, 2));
    expect_counts([counts(&app).await[0], 0, 0, 0], [1, 0, 0, 0], "one person");
}

async fn what_is_kept_of_a_way_is_sealed(app: TestApp) {
    let (app, _op) = with_op(&app, "").await;
    let location = leave(&app.program(), "op", &json!({})).await;
    let query = query_of(&location);
    let kept = app.text_for("SELECT value FROM auth_states WHERE value <> $1", "").await.unwrap();
    for secret in [query["nonce"].as_str(), query["state"].as_str(), "verifier", "callback"] {
        assert!(!kept.contains(secret), "{secret} is in {kept}");
    }
    assert!(serde_json::from_str::<Value>(&kept).is_err());
}

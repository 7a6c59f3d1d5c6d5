//! Everything that a provider, or somebody in its place, may try: each is refused with the same few words, and leaves
//! nothing behind.

use serde_json::{Value, json};

use super::{arrive, counts, expect_counts, leave, log_in, visit, with_providers};
use crate::harness::{OpenIdProvider, Reply, Script, Signing, TestApp, on_both_databases};

on_both_databases! {
    what_is_forged_or_malformed_is_refused,
    what_is_signed_by_the_provider_comes_in,
    what_a_browser_brings_back_is_checked,
    a_state_is_of_one_provider_one_use_and_twenty_minutes,
    of_fifty_who_bring_the_same_code_one_comes_in,
    an_address_that_is_not_verified_takes_nothing_from_anybody,
    an_address_that_is_not_verified_is_not_verified_here,
}

/// The beginning of every test, in seconds.
const NOW: i64 = 1_795_269_600;
const REFUSED: &str = "Authentication failed";

type Case = (&'static str, fn(&mut Script));

/// Asks for nothing but the userinfo to learn the address.
fn without_email(script: &mut Script) {
    script.claims = json!({ "email": null, "email_verified": null });
}

const FORGERIES: &[Case] = &[
    // Signatures.
    ("alg_none", |op| op.signing = Signing::None),
    ("alg_none_in_capitals", |op| (op.signing, op.header) = (Signing::None, json!({ "alg": "NONE" }))),
    ("hs256_with_the_public_key", |op| op.signing = Signing::PublicKeyAsSecret),
    ("hs256_with_the_secret_of_the_client", |op| op.signing = Signing::ClientSecret),
    ("hs256_with_a_published_secret", |op| op.signing = Signing::PublishedSecret),
    ("an_algorithm_that_is_not_advertised", |op| op.signing = Signing::EdDsa),
    ("an_algorithm_that_there_is_not", |op| op.header = json!({ "alg": "XS256" })),
    ("rs256_with_a_key_of_another_kind", |op| op.header = json!({ "alg": "RS256" })),
    ("a_strangers_key_by_the_same_name", |op| op.signing = Signing::Stranger),
    ("a_strangers_key_within_the_token", |op| {
        (op.signing, op.header) = (Signing::Stranger, json!({ "jwk": true, "kid": "stranger" }));
    }),
    ("a_strangers_key_by_address", |op| {
        let address = "https://stranger.example/jwks";
        (op.signing, op.header) = (Signing::Stranger, json!({ "jku": address, "kid": "stranger" }));
    }),
    ("no_signature", |op| op.signing = Signing::Nothing),
    ("a_changed_signature", |op| op.signing = Signing::Changed),
    ("kid_unknown", |op| op.header = json!({ "kid": "unknown" })),
    ("critical_extensions", |op| op.header = json!({ "crit": ["b64"], "b64": false })),
    ("typ_of_an_access_token", |op| op.header = json!({ "typ": "at+jwt" })),
    // Claims.
    ("iss_wrong", |op| op.claims = json!({ "iss": "https://id.example.org" })),
    ("iss_with_a_slash", |op| op.claims = json!({ "iss": "http://127.0.0.1/" })),
    ("iss_missing", |op| op.claims = json!({ "iss": null })),
    ("aud_wrong", |op| op.claims = json!({ "aud": "another client" })),
    ("aud_empty", |op| op.claims = json!({ "aud": [] })),
    ("aud_missing", |op| op.claims = json!({ "aud": null })),
    ("aud_with_somebody_else", |op| {
        op.claims = json!({ "aud": ["latchkey at the provider", "another client"], "azp": "latchkey at the provider" });
    }),
    ("azp_wrong", |op| op.claims = json!({ "azp": "another client" })),
    ("nonce_wrong", |op| op.claims = json!({ "nonce": "another nonce" })),
    ("nonce_empty", |op| op.claims = json!({ "nonce": "" })),
    ("nonce_missing", |op| op.claims = json!({ "nonce": null })),
    ("exp_past", |op| op.claims = json!({ "exp": NOW - 61 })),
    ("exp_missing", |op| op.claims = json!({ "exp": null })),
    ("exp_no_time", |op| op.claims = json!({ "exp": "soon" })),
    ("iat_to_come", |op| op.claims = json!({ "iat": NOW + 61 })),
    ("iat_long_ago", |op| op.claims = json!({ "iat": NOW - 601 })),
    ("iat_missing", |op| op.claims = json!({ "iat": null })),
    ("nbf_to_come", |op| op.claims = json!({ "nbf": NOW + 61 })),
    ("at_hash_of_another_token", |op| op.claims = json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" })),
    ("sub_missing", |op| op.claims = json!({ "sub": null })),
    ("sub_empty", |op| op.claims = json!({ "sub": "" })),
    ("sub_blank", |op| op.claims = json!({ "sub": "  " })),
    ("sub_no_text", |op| op.claims = json!({ "sub": 7 })),
    ("sub_too_long", |op| op.claims = json!({ "sub": "a".repeat(256) })),
    ("sub_with_nul", |op| op.claims = json!({ "sub": "a\0" })),
    ("sub_with_a_line_break", |op| op.claims = json!({ "sub": "a\r\nRemote-Role: admin" })),
    // The token endpoint.
    ("id_token_missing", |op| op.token = Reply::With(json!({ "id_token": null }))),
    ("id_token_no_token", |op| op.token = Reply::With(json!({ "id_token": "e30.e30" }))),
    ("id_token_encrypted", |op| {
        // {"alg":"RSA-OAEP","enc":"A256GCM"}
        let encrypted = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA";
        op.token = Reply::With(json!({ "id_token": encrypted }));
    }),
    ("access_token_missing", |op| op.token = Reply::With(json!({ "access_token": null }))),
    ("access_token_that_no_header_holds", |op| {
        without_email(op);
        op.claims["at_hash"] = Value::Null;
        op.token = Reply::With(json!({ "access_token": "a\r\nX-Forged: b" }));
    }),
    ("token_endpoint_refuses", |op| op.token = Reply::Status(400)),
    ("token_endpoint_forbids", |op| op.token = Reply::Status(403)),
    ("token_endpoint_answers_no_json", |op| op.token = Reply::Text("<h1>Hello</h1>")),
    ("token_endpoint_sends_elsewhere", |op| op.token = Reply::Redirect),
    ("token_endpoint_answers_ten_megabytes", |op| op.token = Reply::Huge),
    // Userinfo.
    ("userinfo_with_another_sub", |op| {
        without_email(op);
        op.userinfo = Reply::With(json!({ "sub": "another subject" }));
    }),
    ("userinfo_without_sub", |op| {
        without_email(op);
        op.userinfo = Reply::With(json!({ "sub": null }));
    }),
    ("userinfo_no_object", |op| {
        without_email(op);
        op.userinfo = Reply::Json(json!([1]));
    }),
    ("userinfo_sends_elsewhere", |op| {
        without_email(op);
        op.userinfo = Reply::Redirect;
    }),
    ("userinfo_answers_ten_megabytes", |op| {
        without_email(op);
        op.userinfo = Reply::Huge;
    }),
    // Keys.
    ("keys_are_none", |op| op.jwks = Reply::Json(json!({ "keys": [] }))),
    ("keys_no_set", |op| op.jwks = Reply::Json(json!({ "keys": "none" }))),
    ("keys_no_json", |op| op.jwks = Reply::Text("keys")),
    ("keys_send_elsewhere", |op| op.jwks = Reply::Redirect),
    ("keys_of_ten_megabytes", |op| op.jwks = Reply::Huge),
    // Discovery.
    ("discovery_of_another_issuer", |op| op.discovery = Reply::With(json!({ "issuer": "https://id.example.org" }))),
    ("discovery_without_issuer", |op| op.discovery = Reply::With(json!({ "issuer": null }))),
    ("discovery_without_token_endpoint", |op| op.discovery = Reply::With(json!({ "token_endpoint": null }))),
    ("discovery_with_tokens_in_the_open", |op| {
        op.discovery = Reply::With(json!({ "token_endpoint": "http://id.example.org/token" }));
    }),
    ("discovery_with_keys_in_the_open", |op| {
        op.discovery = Reply::With(json!({ "jwks_uri": "http://id.example.org/jwks" }));
    }),
    ("discovery_with_people_sent_to_a_script", |op| {
        op.discovery = Reply::With(json!({ "authorization_endpoint": "javascript:alert(1)" }));
    }),
    ("discovery_no_json", |op| op.discovery = Reply::Text("<h1>Hello</h1>")),
    ("discovery_not_found", |op| op.discovery = Reply::Status(404)),
    ("discovery_sends_elsewhere", |op| op.discovery = Reply::Redirect),
    ("discovery_of_ten_megabytes", |op| op.discovery = Reply::Huge),
    // Who the callback is from (RFC 9207).
    ("iss_of_the_callback_wrong", |op| op.callback = json!({ "iss": "https://id.example.org" })),
    ("iss_of_the_callback_missing_though_promised", |op| {
        op.discovery = Reply::With(json!({ "authorization_response_iss_parameter_supported": true }));
        op.callback = json!({ "iss": null });
    }),
    ("code_that_there_is_not", |op| op.callback = json!({ "code": "another code" })),
];

const HONEST: &[Case] = &[
    ("es256", |_| {}),
    ("rs256", |op| op.signing = Signing::Rs256),
    ("ps256", |op| op.signing = Signing::Ps256),
    ("eddsa", |op| {
        op.signing = Signing::EdDsa;
        op.discovery = Reply::With(json!({ "id_token_signing_alg_values_supported": ["EdDSA"] }));
    }),
    ("typ_jwt", |op| op.header = json!({ "typ": "JWT" })),
    ("aud_list_and_azp", |op| {
        op.claims = json!({ "aud": ["latchkey at the provider"], "azp": "latchkey at the provider" });
    }),
    ("clocks_apart", |op| op.claims = json!({ "iat": NOW + 59, "nbf": NOW + 59, "exp": NOW - 59 })),
    ("texts_for_booleans_and_times", |op| {
        op.claims = json!({ "email_verified": "true", "updated_at": "2026-11-21T14:00:00Z" });
    }),
    ("iss_of_the_callback_promised", |op| {
        op.discovery = Reply::With(json!({ "authorization_response_iss_parameter_supported": true }));
    }),
    ("iss_of_the_callback_missing_and_not_promised", |op| op.callback = json!({ "iss": null })),
    ("secret_in_the_form", |op| {
        op.discovery = Reply::With(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
    }),
    ("address_by_the_userinfo", without_email),
];

/// A server with one provider for each case.
async fn with_cases(app: &TestApp, cases: &[Case]) -> (TestApp, OpenIdProvider) {
    let op = OpenIdProvider::start(&app.clock).await;
    let providers: String = cases.iter().map(|(name, _)| op.settings(name, "")).collect();
    for (name, change) in cases {
        op.script(name, change);
    }
    (with_providers(app, &providers).await, op)
}

async fn what_is_forged_or_malformed_is_refused(app: TestApp) {
    let (app, _op) = with_cases(&app, FORGERIES).await;
    assert!(FORGERIES.len() >= 70, "{}", FORGERIES.len());
    for (name, _) in FORGERIES {
        let answer = log_in(&app, name).await;
        let expected = json!({ "type": "unauthorized", "message": REFUSED });
        assert_eq!((answer.status, answer.json()), (401, expected), "{name}");
        expect_counts(counts(&app).await, [0; 4], name);
    }
}

async fn what_is_signed_by_the_provider_comes_in(app: TestApp) {
    let (app, _op) = with_cases(&app, HONEST).await;
    for (number, (name, _)) in HONEST.iter().enumerate() {
        let answer = log_in(&app, name).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        let known = i64::try_from(number).unwrap() + 1;
        expect_counts(counts(&app).await, [known; 4], name);
    }
}

async fn what_a_browser_brings_back_is_checked(app: TestApp) {
    let (app, op) = with_cases(&app, &[("op", |_| {})]).await;
    let markup = "<script>alert(1)</script>";
    for (name, patch, message) in [
        ("no code", json!({ "code": null }), "No code provided"),
        ("an empty code", json!({ "code": "" }), "No code provided"),
        ("no state", json!({ "state": null }), "No state provided, or session expired"),
        ("an empty state", json!({ "state": "" }), "No state provided, or session expired"),
        ("another state", json!({ "state": markup }), "No state provided, or session expired"),
        ("a state with NUL", json!({ "state": "a\0" }), "No state provided, or session expired"),
        ("no", json!({ "code": null, "error": "access_denied", "error_description": markup }), "Access was denied"),
        ("another error", json!({ "error": markup, "error_description": markup, "error_uri": markup }), REFUSED),
        ("an error with a code", json!({ "error": "server_error", "error_description": markup }), REFUSED),
    ] {
        let program = app.program();
        let location = leave(&program, "op", &json!({})).await;
        let mut back = visit(location).await;
        for (key, value) in patch.as_object().unwrap() {
            if value.is_null() { drop(back.remove(key)) } else { drop(back.insert(key.clone(), value.clone())) }
        }
        let answer = arrive(&program, "op", back).await;
        assert_eq!((answer.status, &answer.json()["message"]), (401, &json!(message)), "{name}");
        expect_counts(counts(&app).await, [0; 4], name);
    }
    assert_eq!(op.calls("op", "token"), 0, "no code was tried");
}

async fn a_state_is_of_one_provider_one_use_and_twenty_minutes(app: TestApp) {
    let (app, op) = with_cases(&app, &[("op", |_| {}), ("other", |_| {})]).await;
    let program = app.program();
    let gone = json!({ "type": "unauthorized", "message": "No state provided, or session expired" });
    let back = visit(leave(&program, "op", &json!({})).await).await;
    let answer = arrive(&program, "other", back.clone()).await;
    assert_eq!((answer.status, answer.json()), (401, gone.clone()), "another provider's");
    let mut refused = back.clone();
    refused.insert("error".to_owned(), json!("access_denied"));
    arrive(&program, "op", refused).await.expect_status(401);
    let answer = arrive(&program, "op", back).await;
    assert_eq!((answer.status, answer.json()), (401, gone.clone()), "used by an error");

    let back = visit(leave(&program, "op", &json!({})).await).await;
    app.advance(std::time::Duration::from_mins(20));
    let answer = arrive(&program, "op", back).await;
    assert_eq!((answer.status, answer.json()), (401, gone.clone()), "expired");
    expect_counts(counts(&app).await, [0; 4], "none of them");

    let back = visit(leave(&program, "op", &json!({})).await).await;
    arrive(&program, "op", back.clone()).await.expect_status(200);
    let answer = arrive(&program, "op", back).await;
    assert_eq!((answer.status, answer.json()), (401, gone), "used");
    expect_counts(counts(&app).await, [1; 4], "the one");
    assert_eq!(op.calls("op", "token"), 1);
}

async fn of_fifty_who_bring_the_same_code_one_comes_in(app: TestApp) {
    let (app, op) = with_cases(&app, &[("op", |_| {})]).await;
    let program = app.program();
    let back = visit(leave(&program, "op", &json!({})).await).await;
    let tries: Vec<_> = (0..50)
        .map(|_| {
            let (program, back) = (app.program(), back.clone());
            tokio::spawn(async move { arrive(&program, "op", back).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for one in tries {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[401; 49][..]));
    expect_counts(counts(&app).await, [1; 4], "the one");
    assert_eq!(op.calls("op", "token"), 1, "and one has asked for tokens");
}

const UNVERIFIED: [(&str, Option<&str>); 5] =
    [("f", Some("false")), ("tf", Some("\"false\"")), ("tt", Some("\"true\"")), ("n", Some("1")), ("none", None)];

async fn with_unverified(app: &TestApp, email: Option<&str>) -> (TestApp, OpenIdProvider) {
    let op = OpenIdProvider::start(&app.clock).await;
    let providers: String = UNVERIFIED.iter().map(|(id, _)| op.settings(id, "")).collect();
    for (id, said) in UNVERIFIED {
        let said = said.map_or(Value::Null, |said| serde_json::from_str(said).unwrap());
        let email = email.map_or_else(|| format!("{id}@example.org"), str::to_owned);
        op.script(id, |script| script.claims = json!({ "email": email, "email_verified": said }));
    }
    (with_providers(app, &providers).await, op)
}

async fn an_address_that_is_not_verified_takes_nothing_from_anybody(app: TestApp) {
    app.member("victim@example.org").await;
    let (app, _op) = with_unverified(&app, Some("victim@example.org")).await;
    for (id, said) in UNVERIFIED {
        let before = counts(&app).await;
        let answer = log_in(&app, id).await;
        assert!(matches!(answer.status, 401 | 409 | 422), "{said:?}: {}", answer.status);
        expect_counts(counts(&app).await, before, id);
    }
}

async fn an_address_that_is_not_verified_is_not_verified_here(app: TestApp) {
    let (app, _op) = with_unverified(&app, None).await;
    for (id, said) in UNVERIFIED {
        let answer = log_in(&app, id).await;
        // A number is no boolean in any spelling: the claims can't be read, and nobody comes in.
        let is_in = said != Some("1");
        assert_eq!(answer.status == 200, is_in, "{said:?}: {}", answer.body);
    }
    let verified = "SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL";
    assert_eq!((app.number("SELECT count(*) FROM users").await, app.number(verified).await), (4, 0));
}

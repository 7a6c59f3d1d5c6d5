//! The browser flow as `next-auth/react` calls it: ways in, the word against forged requests, log in and out by a script.

use serde_json::json;

use crate::harness::{Client, PASSWORD, Page, TestApp, on_both_databases};

on_both_databases! {
    the_ways_in_are_a_map with ELSEWHERE,
    what_changes_something_wants_the_word with ELSEWHERE,
    a_script_is_sent_to_a_provider with ELSEWHERE,
    a_script_logs_in_and_out_by_credentials with ELSEWHERE,
    a_foreign_address_is_never_gone_on_to with ELSEWHERE,
}

const ELSEWHERE: &str =
    r#"providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]"#;

/// Where people reach the site by default.
const PUBLIC_URL: &str = "http://localhost:3000";

async fn word(client: &Client) -> String {
    let answer = client.get("/auth/csrf").await;
    answer.expect_status(200).json()["csrfToken"].as_str().unwrap().to_owned()
}

/// Posts a form as a script does that asks for the address to go on to.
async fn call(client: &Client, path: &str, fields: &[(&str, &str)]) -> Page {
    client.post(path, &[fields, &[("json", "true")]].concat()).await
}

fn url_in(page: &Page) -> String {
    page.expect_status(200).json()["url"].as_str().unwrap().to_owned()
}

async fn the_ways_in_are_a_map(app: TestApp) {
    let client = app.form();
    let at = |path: &str| format!("{PUBLIC_URL}{path}");
    let expected = json!({
        "emailpass": {
            "id": "emailpass", "name": "E-mail and password", "type": "credentials",
            "signinUrl": at("/auth/signin/emailpass"), "callbackUrl": at("/auth/callback/emailpass"),
        },
        "elsewhere": {
            "id": "elsewhere", "name": "Elsewhere", "type": "oauth",
            "signinUrl": at("/auth/signin/elsewhere"), "callbackUrl": at("/auth/callback/elsewhere"),
        },
    });
    assert_eq!(client.get("/auth/providers").await.expect_status(200).json(), expected);
}

async fn what_changes_something_wants_the_word(app: TestApp) {
    app.member("bob@example.org").await;
    let client = app.logged_in("bob@example.org").await;
    let known = word(&client).await;
    assert_eq!(word(&client).await, known, "one word for all tabs");
    let foreign = word(&app.form()).await;
    for path in ["/auth/signout", "/auth/signin/elsewhere", "/auth/callback/emailpass"] {
        for sent in [None, Some(""), Some(foreign.as_str())] {
            let fields: Vec<_> = sent.map(|sent| ("csrfToken", sent)).into_iter().collect();
            assert_eq!(url_in(&call(&client, path, &fields).await), format!("{PUBLIC_URL}/login?error=MissingCSRF"));
            client.post(path, &fields).await.expect_status(302).expect_redirect("/login?error=MissingCSRF");
        }
    }
    assert!(client.is_logged_in().await);
}

async fn a_script_is_sent_to_a_provider(app: TestApp) {
    let client = app.form();
    let word = word(&client).await;
    let fields = [("csrfToken", word.as_str()), ("callbackUrl", "/account/sessions")];
    let url = url_in(&call(&client, "/auth/signin/elsewhere", &fields).await);
    let state = url.strip_prefix("https://elsewhere.example/?state=").unwrap();
    let back = client.get(&format!("/auth/callback/elsewhere?code=grace%21&state={state}")).await;
    back.expect_redirect("/account/sessions");
    assert!(client.is_logged_in().await);
    let form = url_in(&call(&client, "/auth/signin/emailpass", &[("csrfToken", &word)]).await);
    assert_eq!(form, format!("{PUBLIC_URL}/login?with=emailpass"));
}

async fn a_script_logs_in_and_out_by_credentials(app: TestApp) {
    app.member("bob@example.org").await;
    let client = app.form();
    let word = word(&client).await;
    let wrong = [("csrfToken", word.as_str()), ("email", "bob@example.org"), ("password", "wrong horse")];
    let url = url_in(&call(&client, "/auth/callback/emailpass", &wrong).await);
    assert_eq!(url, format!("{PUBLIC_URL}/login?error=CredentialsSignin"));
    let right = [("csrfToken", word.as_str()), ("email", "bob@example.org"), ("password", PASSWORD)];
    let to = format!("{PUBLIC_URL}/account/sessions");
    let there = [&right[..], &[("callbackUrl", to.as_str())]].concat();
    let url = url_in(&call(&client, "/auth/callback/emailpass", &there).await);
    assert_eq!(url, format!("{PUBLIC_URL}/account/sessions"));
    assert_eq!(client.get("/auth/session").await.json()["user"]["email"], "bob@example.org");
    let url = url_in(&call(&client, "/auth/signout", &[("csrfToken", &word)]).await);
    assert_eq!(url, format!("{PUBLIC_URL}/login"));
    assert_eq!(client.get("/auth/session").await.json(), json!({}));
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 1, "the one in which the account was made");
}

async fn a_foreign_address_is_never_gone_on_to(app: TestApp) {
    app.member("bob@example.org").await;
    let client = app.form();
    let word = word(&client).await;
    for foreign in
        ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\t//evil.example"]
    {
        let fields = [
            ("csrfToken", word.as_str()),
            ("email", "bob@example.org"),
            ("password", PASSWORD),
            ("callbackUrl", foreign),
        ];
        let url = url_in(&call(&client, "/auth/callback/emailpass", &fields).await);
        assert_eq!(url, format!("{PUBLIC_URL}/account"), "{foreign}");
    }
}

//! Nothing that another site makes a browser send is done, whichever form it is; GET changes nothing.

use reqwest::Method;

use super::server_functions::ENDPOINTS;
use crate::harness::{Client, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    a_post_of_another_site_is_refused_by_every_form,
    a_get_of_a_form_changes_nothing,
    logging_in_from_another_site_is_refused,
    a_post_through_a_proxy_is_known_by_the_public_url with BEHIND_A_PROXY,
}

const BEHIND_A_PROXY: &str = r#"server.public_url = "https://login.example.org""#;

/// What the browser flow is posted to.
const BROWSER_FLOW: [&str; 3] = ["/auth/signin/emailpass", "/auth/callback/emailpass", "/auth/signout"];

/// What browsers say of a request that another site has caused.
const FOREIGN: [&[(&str, &str)]; 5] = [
    &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("origin", "http://127.0.0.1:1"), ("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "cross-site")],
];

async fn post_from(client: &Client, path: &str, headers: &[(&'static str, &'static str)]) -> u16 {
    let fields = [("id", "x"), ("email", "eve@example.org"), ("password", PASSWORD), ("first_name", "Eve")];
    let mut request = client.request(&Method::POST, path).form(&fields).build().unwrap();
    for name in ["origin", "sec-fetch-site", "referer"] {
        request.headers_mut().remove(name);
    }
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    client.execute(request).await.status
}

async fn a_post_of_another_site_is_refused_by_every_form(app: TestApp) {
    let admin = app.admin().await;
    let before = app.number("SELECT count(*) FROM events").await;
    for endpoint in ENDPOINTS.into_iter().chain(BROWSER_FLOW) {
        for headers in FOREIGN {
            assert_eq!(post_from(&admin, endpoint, headers).await, 403, "{endpoint} {headers:?}");
        }
    }
    assert!(admin.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM events").await, before);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn a_get_of_a_form_changes_nothing(app: TestApp) {
    let admin = app.admin().await;
    for endpoint in ENDPOINTS {
        assert_eq!(admin.get(endpoint).await.status, 405, "{endpoint}");
    }
    assert!(admin.is_logged_in().await);
}

async fn logging_in_from_another_site_is_refused(app: TestApp) {
    app.member("eve@example.org").await;
    let victim = app.form();
    for headers in FOREIGN {
        assert_eq!(post_from(&victim, "/api/login", headers).await, 403, "{headers:?}");
    }
    assert_eq!(victim.cookie("latchkey"), None);
}

async fn a_post_through_a_proxy_is_known_by_the_public_url(app: TestApp) {
    let client = app.form();
    let own = [("origin", "https://login.example.org")];
    assert_ne!(post_from(&client, "/api/login", &own).await, 403);
    let lookalike = [("origin", "https://login.example.org.evil.example")];
    assert_eq!(post_from(&client, "/api/login", &lookalike).await, 403);
}

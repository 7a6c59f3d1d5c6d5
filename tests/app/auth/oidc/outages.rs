//! Providers that are slow, broken or gone: people are told to come back, soon, and everybody else is not held up.

use std::{net::TcpListener, time::Duration};

use http::Method;
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};

use super::{counts, expect_counts, log_in, visit, with_op, with_providers};
use crate::harness::{Client, OpenIdProvider, PASSWORD, Page, Reply, Script, TestApp, on_both_databases};

on_both_databases! {
    a_provider_that_fails_is_told_to_come_back_to,
    a_provider_that_hangs_is_given_up_and_holds_up_nobody,
    a_provider_that_is_gone_does_not_keep_the_server_from_starting,
    a_provider_that_is_back_is_asked_again,
    whoever_tries_a_provider_is_told_what_is_wrong_with_it,
}

/// How long the test waits for what must end by itself; how soon it does is measured, not tested.
const PATIENCE: Duration = Duration::from_mins(1);

type Case = (&'static str, fn(&mut Script));

/// Asks for the userinfo.
fn without_email(script: &mut Script) {
    script.claims = json!({ "email": null });
}

const FAILING: &[Case] = &[
    ("discovery_500", |op| op.discovery = Reply::Status(500)),
    ("discovery_503", |op| op.discovery = Reply::Status(503)),
    ("jwks_500", |op| op.jwks = Reply::Status(500)),
    ("token_500", |op| op.token = Reply::Status(500)),
    ("token_429", |op| op.token = Reply::Status(429)),
    ("userinfo_502", |op| {
        without_email(op);
        op.userinfo = Reply::Status(502);
    }),
];

const HANGING: &[Case] = &[
    ("discovery_hangs", |op| op.discovery = Reply::Silence),
    ("jwks_hang", |op| op.jwks = Reply::Silence),
    ("token_hangs", |op| op.token = Reply::Silence),
    ("userinfo_hangs", |op| {
        without_email(op);
        op.userinfo = Reply::Silence;
    }),
];

async fn with_cases(app: &TestApp, cases: &[Case]) -> (TestApp, OpenIdProvider) {
    let op = OpenIdProvider::start(&app.clock).await;
    let providers: String = cases.iter().map(|(name, _)| op.settings(name, "")).collect();
    for (name, change) in cases {
        op.script(name, change);
    }
    (with_providers(app, &providers).await, op)
}

async fn a_provider_that_fails_is_told_to_come_back_to(app: TestApp) {
    let (app, _op) = with_cases(&app, FAILING).await;
    for (name, _) in FAILING {
        let answer = log_in(&app, name).await;
        assert_eq!((answer.status, &answer.json()["type"]), (503, &json!("unavailable")), "{name}");
        assert!(answer.retry_after_secs().is_some(), "{name}");
        assert!(!answer.body.contains("127.0.0.1") && !answer.body.contains("alert"), "{}", answer.body);
        expect_counts(counts(&app).await, [0; 4], name);
    }
}

async fn a_provider_that_hangs_is_given_up_and_holds_up_nobody(app: TestApp) {
    let (app, op) = with_cases(&app, HANGING).await;
    app.member("ada@example.org").await;
    let before = counts(&app).await;
    let mut waiting = JoinSet::new();
    // Five at each, so that those who wait for one another's answers are among them.
    for (name, _) in HANGING.iter().cycle().take(HANGING.len() * 5) {
        let app = app.clone();
        waiting.spawn(async move { (name, timeout(PATIENCE, log_in(&app, name)).await) });
    }
    // Once a few of them hang, everybody else comes in as ever.
    crate::harness::eventually(async || op.calls("discovery_hangs", "discovery") > 0).await;
    let (program, ada) = (app.program(), json!({ "email": "ada@example.org", "password": PASSWORD }));
    tokio::select! {
        answer = program.post("/auth/user/emailpass", &ada) => drop(answer.expect_status(200)),
        given_up = waiting.join_next() => panic!("Ada was held up until {given_up:?}"),
    }
    while let Some(done) = waiting.join_next().await {
        let (name, answer) = done.unwrap();
        let answer = answer.unwrap_or_else(|_| panic!("{name} waits for ever"));
        assert_eq!(answer.status, 503, "{name}: {}", answer.body);
    }
    let mut expected = before;
    expected[3] += 1;
    expect_counts(counts(&app).await, expected, "nobody but Ada");
}

async fn a_provider_that_is_gone_does_not_keep_the_server_from_starting(app: TestApp) {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let option = |kind: &str, more: &str| {
        format!(
            "[[providers]]\nid = {kind:?}\nkind = {kind:?}\n[providers.options]\nclient_id = \"a\"\nclient_secret = \"b\"\n{more}\n"
        )
    };
    let issuer = format!("issuer = \"http://{closed}\"");
    let nowhere = format!("token_url = \"http://{closed}/token\"\napi_url = \"http://{closed}\"");
    let providers = [option("oidc", &issuer), option("google", &issuer), option("github", &nowhere)].concat();
    let app = with_providers(&app, &providers).await;
    for id in ["oidc", "google"] {
        let answer = app.program().post(&format!("/auth/user/{id}"), &json!({})).await;
        assert_eq!((answer.status, &answer.json()["type"]), (503, &json!("unavailable")), "{id}");
    }
    let there = app.program().post("/auth/user/github", &json!({})).await;
    assert!(there.expect_status(200).json()["location"].as_str().unwrap().starts_with("https://github.com/"));
    app.program().ask(&Method::GET, "/health/ready", None).await.expect_status(200);
    app.form().get("/login").await.expect_status(200);
}

async fn a_provider_that_is_back_is_asked_again(app: TestApp) {
    let (app, op) = with_op(&app, "").await;
    op.script("op", |script| script.discovery = Reply::Status(500));
    log_in(&app, "op").await.expect_status(503);
    op.script("op", |script| (script.discovery, script.jwks) = (Reply::Honest, Reply::Status(500)));
    log_in(&app, "op").await.expect_status(503);
    op.script("op", |script| script.jwks = Reply::Honest);
    log_in(&app, "op").await.expect_status(200);
}

/// What an admin is shown who tries the provider.
async fn try_it(admin: &Client) -> Page {
    let page = admin.submit("/api/rehearse-provider", &[("provider", "op")]).await;
    let Some(away) = page.header("refresh").and_then(|to| to.strip_prefix("0; url=")) else { return page };
    let back = visit(away.parse().unwrap()).await;
    let back = back.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    let back = reqwest::Url::parse_with_params("http://x/auth/callback/op", back).unwrap();
    admin.get(&format!("{}?{}", back.path(), back.query().unwrap())).await.expect_redirect("/dashboard/system");
    admin.get("/dashboard/system").await
}

async fn whoever_tries_a_provider_is_told_what_is_wrong_with_it(app: TestApp) {
    let (app, op) = with_op(&app, "").await;
    let admin = app.admin().await;
    let events = async || app.number("SELECT count(*) FROM events").await;
    let (before, rows) = (events().await, counts(&app).await);
    op.script("op", |script| script.discovery = Reply::Status(500));
    try_it(&admin).await.expect_text("Trying OpenID has led to nothing: no answer: op: http://127.0.0.1");
    op.script("op", |script| (script.discovery, script.token) = (Reply::Honest, Reply::Status(500)));
    try_it(&admin).await.expect_text("500 Internal Server Error");
    op.script("op", |script| (script.token, script.claims) = (Reply::Honest, json!({ "aud": "<i>others" })));
    try_it(&admin).await.expect_text("Trying OpenID has led to nothing: the ID token:");
    assert_eq!(events().await, before, "nothing is written, no failure either");
    expect_counts(counts(&app).await, rows, "nothing is written");
    op.script("op", |script| script.claims = json!({}));
    try_it(&admin).await.expect_text("What OpenID told");
}

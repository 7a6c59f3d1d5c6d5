//! `oidc` against providers over real HTTP, an honest one and one that lies: through the API, from the first question to
//! the session or to nothing at all.

mod accounts;
mod forgeries;
mod options;
mod outages;
mod ways;

use reqwest::{Url, redirect::Policy};
use serde_json::{Map, Value, json};

use crate::harness::{OpenIdProvider, Page, Program, TestApp};

/// What must be empty where nobody came in.
const ROWS: [&str; 4] = ["users", "auth_identities", "provider_identities", "sessions"];

/// A server with a provider of passwords and these ones, and nobody counts tries.
async fn with_providers(app: &TestApp, providers: &str) -> TestApp {
    let settings =
        format!("limits.log_in_per_ip = \"off\"\n[[providers]]\nid = \"emailpass\"\nkind = \"emailpass\"\n{providers}");
    app.another_process_with(&settings).await
}

/// A server with one honest provider, `op`.
pub async fn with_op(app: &TestApp, more: &str) -> (TestApp, OpenIdProvider) {
    let op = OpenIdProvider::start(&app.clock).await;
    (with_providers(app, &op.settings("op", more)).await, op)
}

/// Where a browser is sent.
pub(super) async fn leave(program: &Program, id: &str, body: &Value) -> Url {
    let answer = program.post(&format!("/auth/user/{id}"), body).await;
    answer.expect_status(200).json()["location"].as_str().expect("a location").parse().unwrap()
}

/// What a browser brings back from there.
pub async fn visit(location: Url) -> Map<String, Value> {
    let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let answer = browser.get(location).send().await.unwrap();
    let status = answer.status();
    let back = answer.headers().get("location").map(|back| back.to_str().unwrap().to_owned());
    let Some(back) = back else { panic!("{status}: {}", answer.text().await.unwrap()) };
    let back: Url = back.parse().unwrap();
    back.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect()
}

/// What comes of what was brought back.
pub(super) async fn arrive(program: &Program, id: &str, back: Map<String, Value>) -> Page {
    program.post(&format!("/auth/user/{id}/callback"), &Value::Object(back)).await
}

/// The whole way.
pub async fn log_in(app: &TestApp, id: &str) -> Page {
    let program = app.program();
    let answer = program.post(&format!("/auth/user/{id}"), &json!({})).await;
    let Some(location) = answer.json()["location"].as_str().map(str::to_owned) else { return answer };
    arrive(&program, id, visit(location.parse().unwrap()).await).await
}

/// Somebody who has logged in.
pub(super) async fn program_of(app: &TestApp, id: &str) -> Program {
    let answer = log_in(app, id).await;
    app.program().known_by(answer.expect_status(200).json()["token"].as_str().expect("a token"))
}

/// Fails if there is any row of a person.
#[track_caller]
pub(super) fn expect_counts(counts: [i64; 4], expected: [i64; 4], name: &str) {
    assert_eq!(counts, expected, "{name}: {ROWS:?}");
}

pub(super) async fn counts(app: &TestApp) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, table) in counts.iter_mut().zip(ROWS) {
        *count = app.number(&format!("SELECT count(*) FROM {table}")).await;
    }
    counts
}

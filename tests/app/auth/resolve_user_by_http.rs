//! The hook of an application of another language: asked over HTTP by a signed request, it refuses somebody, names whom the
//! session is for, or lets them be. What can't be understood lets nobody in.

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Receiver, SECRET, TestApp, on_both_databases};

use crate::web::providers::{come_back, set_out};

on_both_databases! {
    the_application_is_asked_and_names_whom_the_session_is_for,
    whom_the_application_refuses_or_does_not_understand_leaves_no_row,
}

/// A server whose hook is the receiver.
async fn asking(app: &TestApp, application: &Receiver) -> TestApp {
    let settings = format!(
        "providers = [{{ id = \"emailpass\", kind = \"emailpass\" }}, {{ id = \"elsewhere\", kind = \"elsewhere\" }}]
         [resolve_user]\nurl = {:?}\nsecret = {SECRET:?}\nallow_private = true",
        application.url()
    );
    app.another_process_with(&settings).await
}

async fn log_in(client: &Client) -> String {
    let state = set_out(client, "").await;
    come_back(client, ("grace@example.org!", &state)).await.expect_status(302).location().unwrap()
}

async fn the_application_is_asked_and_names_whom_the_session_is_for(app: TestApp) {
    let user = json!({ "id": "shop-7", "name": "Grace of the shop", "email": null });
    let application = Receiver::start(Answer::Json(json!({ "user": user }))).await;
    let app = asking(&app, &application).await;
    let client = app.form();
    assert_eq!(log_in(&client).await, "/account");
    assert_eq!(client.get("/auth/session").await.json()["user"]["id"], "shop-7");
    application.behave(Answer::Json(json!({})));
    let again = app.form();
    assert_eq!(log_in(&again).await, "/account");
    assert_eq!(again.get("/auth/session").await.json()["user"]["email"], "grace@example.org");

    let asked = application.received();
    assert!(asked.iter().all(|question| question.is_signed_by(SECRET)));
    let questions: Vec<Value> = asked.iter().map(crate::harness::Webhook::json).collect();
    assert_eq!(questions.len(), 2);
    let account = json!({ "provider": "elsewhere", "entity_id": "grace@example.org" });
    for (question, is_new) in questions.iter().zip([true, false]) {
        assert_eq!((&question["type"], &question["account"]), (&json!("resolve_user"), &account));
        assert_eq!((&question["is_new_user"], question["user"].is_null()), (&json!(is_new), is_new));
        assert_eq!(question["profile"]["email_verified"], true);
    }
}

async fn whom_the_application_refuses_or_does_not_understand_leaves_no_row(app: TestApp) {
    let application = Receiver::start(Answer::Status(403)).await;
    let app = asking(&app, &application).await;
    for answer in [
        Answer::Status(403),
        Answer::Status(500),
        Answer::Status(200),
        Answer::Redirect(application.url()),
        Answer::Json(json!({ "user": { "id": "" } })),
        Answer::Json(json!({ "user": { "name": "nobody" } })),
        Answer::Endless,
    ] {
        application.behave(answer.clone());
        let client = app.form();
        let code = if answer == Answer::Status(403) { "AccessDenied" } else { "OAuthCallbackError" };
        assert_eq!(log_in(&client).await, format!("/login?error={code}&provider=elsewhere"), "{answer:?}");
        assert!(!client.is_logged_in().await);
    }
    for table in ["users", "auth_identities", "provider_identities", "sessions"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

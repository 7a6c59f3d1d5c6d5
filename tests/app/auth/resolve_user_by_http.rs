//! The hook of an application of another language: asked over HTTP by a signed request, it refuses somebody, names whom the
//! session is for, or lets them be. What can't be understood lets nobody in.

use serde_json::{Value, json};

use crate::harness::{ADMIN, Answer, Client, PASSWORD, Receiver, SECRET, TestApp, on_both_databases};

use crate::web::{
    connections::leave,
    providers::{come_back, set_out},
};

on_both_databases! {
    the_application_is_asked_and_names_whom_the_session_is_for,
    whom_the_application_refuses_or_does_not_understand_leaves_no_row,
    who_is_refused_anyway_is_not_told_of,
    a_take_over_is_told_with_whose_account_it_is,
    an_invite_that_can_be_accepted_is_told_with_whose_account_it_is,
    the_application_names_nobody_by_the_id_of_an_account_but_the_own,
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
        // No word of these is known, so none of them is a yes.
        Answer::Json(json!({ "error": "denied" })),
        Answer::Json(json!({ "allow": false })),
        Answer::Json(json!({ "user": null })),
        Answer::Json(json!([])),
        Answer::Json(json!(null)),
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

async fn log_in_as(client: &Client, code: &str) -> String {
    let state = set_out(client, "").await;
    come_back(client, (code, &state)).await.expect_status(302).location().unwrap()
}

async fn who_is_refused_anyway_is_not_told_of(app: TestApp) {
    let application = Receiver::start(Answer::Json(json!({}))).await;
    let admin = app.admin_program().await;
    let asked = asking(&app, &application).await;
    assert_eq!(log_in(&asked.form()).await, "/account");
    let id = asked.user_id("grace@example.org").await;
    admin.post(&format!("/admin/users/{id}/disable"), &json!({})).await.expect_status(200);
    for code in ["nobody", ADMIN, &format!("{ADMIN}!"), "grace@example.org!"] {
        assert!(log_in_as(&asked.form(), code).await.starts_with("/login?error="), "{code}");
        asked.program().back_from_elsewhere(code).await.expect_status(401);
    }
    let hook = format!("[resolve_user]\nurl = {:?}\nsecret = {SECRET:?}\nallow_private = true", application.url());
    for rule in ["mode = \"closed\"", "allowed_domains = [\"example.com\"]"] {
        let providers = crate::web::providers::ELSEWHERE;
        let closed = app.another_process_with(&format!("{providers}\n{hook}\n[registration]\n{rule}")).await;
        assert!(log_in_as(&closed.form(), "new@example.org!").await.starts_with("/login?error=AccessDenied"));
    }
    assert_eq!(application.received().len(), 1, "of the one who came in");
}

async fn a_take_over_is_told_with_whose_account_it_is(app: TestApp) {
    let application = Receiver::start(Answer::Json(json!({}))).await;
    let app = asking(&app, &application).await;
    for (email, is_by_page) in [("page@example.org", true), ("api@example.org", false)] {
        app.form().register(email, PASSWORD).await.expect_status(302);
        let id = app.user_id(email).await;
        let code = format!("{email}!");
        if is_by_page {
            assert_eq!(log_in_as(&app.form(), &code).await, "/account");
        } else {
            app.program().back_from_elsewhere(&code).await.expect_status(200);
        }
        let question = application.received().last().unwrap().json();
        assert_eq!((&question["user"]["id"], &question["is_new_user"]), (&json!(id), &json!(false)), "{email}");
    }
}

async fn the_application_names_nobody_by_the_id_of_an_account_but_the_own(app: TestApp) {
    app.form().register("victim@example.org", PASSWORD).await.expect_status(302);
    let id = app.user_id("victim@example.org").await;
    let application = Receiver::start(Answer::Json(json!({ "user": { "id": id } }))).await;
    let app = asking(&app, &application).await;
    let refused = "/login?error=OAuthCallbackError&provider=elsewhere";
    assert_eq!(log_in_as(&app.form(), "somebody@example.org!").await, refused);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
    let client = app.form();
    assert_eq!(log_in_as(&client, "victim@example.org!").await, "/account");
    assert_eq!(client.get("/auth/session").await.json()["user"]["email"], "victim@example.org");
}

async fn an_invite_that_can_be_accepted_is_told_with_whose_account_it_is(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, "new@example.org", "member").await;
    app.form().register("new@example.org", PASSWORD).await.expect_status(302);
    let id = app.user_id("new@example.org").await;
    let application = Receiver::start(Answer::Json(json!({}))).await;
    let app = asking(&app, &application).await;
    let fields = [("token", token.as_str()), ("provider", "elsewhere")];
    for (code, is_in) in [("private", true), ("late", false)] {
        let guest = app.form();
        let state = leave(&guest, ("/api/accept-invite-with", &fields)).await;
        come_back(&guest, (code, &state)).await.expect_status(302);
        assert_eq!(guest.is_logged_in().await, is_in, "{code}");
    }
    let asked = application.received();
    assert_eq!(asked.len(), 1, "nobody accepts it twice");
    let question = asked[0].json();
    assert_eq!((&question["user"]["id"], &question["is_new_user"]), (&json!(id), &json!(false)));
}

//! `/auth/user/passkey`: programs log people in by what a browser has answered on their behalf.

use serde_json::{Value, json};

use crate::harness::{Behaviour, PASSKEYS, TestApp, on_both_databases};

on_both_databases! {
    a_program_is_told_what_to_ask_the_browser with PASSKEYS,
    a_program_logs_somebody_in_by_either_address with PASSKEYS,
    what_is_no_proof_is_401 with PASSKEYS,
    scripts_of_an_application_are_led_to_the_page with PASSKEYS,
}

async fn a_program_is_told_what_to_ask_the_browser(app: TestApp) {
    let program = app.program();
    let providers = program.get("/auth/user/providers").await.expect_status(200).json();
    let own = json!({ "id": "passkey", "identifier": "passkey", "display_name": "Passkey", "flow": "credentials" });
    assert_eq!(providers["providers"][1], own);
    let post = program.post("/auth/user/passkey", &json!({})).await.expect_status(200).json();
    let get = program.get("/auth/user/passkey").await.expect_status(200).json();
    for asked in [&post, &get] {
        assert_eq!(asked["location"], "http://localhost:3000/login?with=passkey");
        assert_eq!(asked["options"]["rpId"], "localhost");
        assert_eq!(asked["options"]["userVerification"], "required");
        assert!(asked.get("token").is_none());
    }
    assert_ne!(post["options"]["challenge"], get["options"]["challenge"]);
    app.form().get("/login?with=passkey").await.expect_status(200).expect_text("Log in with a passkey");
}

async fn a_program_logs_somebody_in_by_either_address(app: TestApp) {
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let honest = Behaviour::default();
    for (address, is_text) in [("/auth/user/passkey", false), ("/auth/user/passkey/callback", true)] {
        let program = app.program();
        let proof = passkey.prove(&program.options_for_proof().await, &honest);
        let proof = if is_text { Value::String(proof.to_string()) } else { proof };
        let answer = program.post(address, &json!({ "credential": proof })).await;
        let token = answer.expect_status(200).json()["token"].as_str().unwrap().to_owned();
        let me = app.program().known_by(&token).get("/admin/users/me").await;
        assert_eq!(me.expect_status(200).json()["user"]["email"], "bob@example.org", "{address}");
        let again = program.post(address, &json!({ "credential": proof })).await;
        assert_eq!(again.expect_status(401).json()["message"], "No state provided, or session expired");
    }
}

async fn what_is_no_proof_is_401(app: TestApp) {
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let program = app.program();
    for body in [json!({}), json!({ "credential": 7 }), json!({ "credential": "x" }), json!({ "credential": {} })] {
        let answer = program.post("/auth/user/passkey/callback", &body).await;
        assert_eq!(answer.expect_status(401).json()["message"], "Authentication failed", "{body}");
    }
    program.get("/auth/user/passkey/callback?credential=x").await.expect_status(401);
    for behaviour in [
        Behaviour { origin: "https://evil.example".to_owned(), ..Behaviour::default() },
        Behaviour { flags: 1, ..Behaviour::default() },
        Behaviour { client_data: json!({ "crossOrigin": true }), ..Behaviour::default() },
    ] {
        let proof = passkey.prove(&program.options_for_proof().await, &behaviour);
        let answer = program.post("/auth/user/passkey/callback", &json!({ "credential": proof })).await;
        assert_eq!(
            answer.expect_status(401).json(),
            json!({ "type": "unauthorized", "message": "Authentication failed" })
        );
    }
    let huge = json!({ "credential": "x".repeat(70_000) });
    program.post("/auth/user/passkey/callback", &huge).await.expect_status(413);
    let body = json!({ "identifier": passkey.id_text() });
    assert_eq!(program.post("/auth/user/passkey/reset-password", &body).await.expect_status(201).body, "Created");
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM mails").await, 0);
}

async fn scripts_of_an_application_are_led_to_the_page(app: TestApp) {
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let providers = app.program().get("/auth/providers").await.expect_status(200).json();
    assert_eq!(providers["passkey"]["type"], "credentials");
    let client = app.form();
    client.get("/auth/signin/passkey").await.expect_redirect("/login?with=passkey");
    let proof = passkey.prove(&client.options_for_proof().await, &Behaviour::default()).to_string();
    let word = client.get("/auth/csrf").await.json()["csrfToken"].as_str().unwrap().to_owned();
    let fields = [("csrfToken", word.as_str()), ("credential", &proof), ("json", "true")];
    let answer = client.post("/auth/callback/passkey", &fields).await;
    assert_eq!(answer.expect_status(200).json()["url"], "http://localhost:3000/account");
    assert!(client.is_logged_in().await);
    let again = app.form();
    let word = again.get("/auth/csrf").await.json()["csrfToken"].as_str().unwrap().to_owned();
    let fields = [("csrfToken", word.as_str()), ("credential", &proof)];
    again.post("/auth/callback/passkey", &fields).await.expect_redirect("/login?error=CredentialsSignin");
}

//! Passkeys in the hands of others: whatever an honest browser and device would not send is refused, and leaves neither a row
//! nor a session.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Behaviour, PASSKEYS, PASSWORD, PRESENT, Passkey, TestApp, VERIFIED, on_both_databases};
use crate::web::providers::{come_back, set_out};

on_both_databases! {
    what_a_dishonest_browser_sends_logs_nobody_in with PASSKEYS,
    what_a_dishonest_browser_sends_is_not_added with PASSKEYS,
    nonsense_is_refused with PASSKEYS,
    a_challenge_is_answered_once_by_the_browser_that_was_asked with PASSKEYS,
    a_challenge_ends_after_a_while with PASSKEYS,
    a_new_passkey_is_for_the_session_that_asked_for_it with PASSKEYS,
    fifty_answers_to_one_challenge_are_one_log_in with PASSKEYS,
    fifty_answers_to_one_challenge_are_one_passkey with PASSKEYS,
    a_counter_that_goes_back_is_refused_and_noted with PASSKEYS,
    a_browser_is_not_asked_without_end with FEW_QUESTIONS,
    a_passkey_that_a_stranger_added_before_lets_nobody_in with TWO_KINDS,
}

const FEW_QUESTIONS: &str = r#"
    limits.ask_passkey_per_ip = "2/1m"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "passkey", kind = "passkey" }]
"#;
const TWO_KINDS: &str = r#"providers = [
    { id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }, { id = "passkey", kind = "passkey" },
]"#;

/// What one thing of an honest answer is changed to, and how that is called.
fn dishonest() -> Vec<(&'static str, Behaviour)> {
    let honest = Behaviour::default;
    let origin = |origin: &str| Behaviour { origin: origin.to_owned(), ..honest() };
    let client_data = |more: Value| Behaviour { client_data: more, ..honest() };
    vec![
        ("another site", origin("https://evil.example")),
        ("another port", origin("http://localhost:3001")),
        ("another scheme", origin("https://localhost:3000")),
        ("a domain below", origin("http://sub.localhost:3000")),
        ("a name that begins alike", origin("http://localhost.evil.example:3000")),
        ("no origin", origin("null")),
        ("another relying party", Behaviour { rp_id: "evil.example".to_owned(), ..honest() }),
        ("a frame of another site", client_data(json!({ "crossOrigin": true }))),
        ("a frame on another site", client_data(json!({ "crossOrigin": false, "topOrigin": "https://evil.example" }))),
        ("nobody is verified", Behaviour { flags: PRESENT, ..honest() }),
        ("nobody is there", Behaviour { flags: VERIFIED, ..honest() }),
        ("nobody at all", Behaviour { flags: 0, ..honest() }),
        ("a state that can't be", Behaviour { flags: PRESENT | VERIFIED | 0x10, ..honest() }),
        ("a payment", Behaviour { kind: Some("payment.get"), ..honest() }),
        ("another challenge", Behaviour { challenge: Some("bm90IG91ciBjaGFsbGVuZ2U".to_owned()), ..honest() }),
        ("no challenge", Behaviour { challenge: Some(String::new()), ..honest() }),
    ]
}

/// How many rows there are of what a log-in or a passkey could leave.
async fn rows(app: &TestApp) -> Vec<i64> {
    let mut rows = Vec::new();
    for table in ["users", "auth_identities", "provider_identities", "auth_identity_actors", "sessions"] {
        rows.push(app.number(&format!("SELECT count(*) FROM {table}")).await);
    }
    rows
}

async fn events(app: &TestApp, kind: &str) -> i64 {
    app.number(&format!("SELECT count(*) FROM events WHERE kind = '{kind}'")).await
}

/// Options of one ceremony, as if they were of the other.
trait WithUser {
    fn with_user(self) -> Value;
}

impl WithUser for Value {
    fn with_user(mut self) -> Value {
        self["user"] = json!({ "id": "AAAA" });
        self
    }
}

async fn what_a_dishonest_browser_sends_logs_nobody_in(app: TestApp) {
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let before = rows(&app).await;
    let handle = |value: Value| Behaviour { user_handle: Some(value), ..Behaviour::default() };
    let mut all = dishonest();
    all.push(("another account", handle(json!("AAAAAAAAAAAAAAAAAAAAAA"))));
    all.push(("no account", handle(Value::Null)));
    all.push(("made and not used", Behaviour { kind: Some("webauthn.create"), ..Behaviour::default() }));
    for (what, behaviour) in all {
        let client = app.form();
        let page = client.log_in_by(&passkey, &behaviour).await;
        assert_eq!(page.location().as_deref(), Some("/login"), "{what}");
        client.get("/login").await.expect_text("That passkey didn't work here.");
        assert!(!client.is_logged_in().await, "{what}");
        assert_eq!(rows(&app).await, before, "{what}");
    }
    let foreign = Passkey::make(&json!({ "user": { "id": "AAAA" }, "challenge": "AAAA" }), &Behaviour::default()).0;
    let client = app.form();
    let options = client.options_for_proof().await;
    let mut answer = foreign.prove(&options, &Behaviour::default());
    for name in ["id", "rawId"] {
        answer[name] = json!(passkey.id_text());
    }
    answer["response"]["userHandle"] = passkey.prove(&options, &Behaviour::default())["response"]["userHandle"].clone();
    client.send_proof(&answer).await.expect_redirect("/login");
    assert_eq!(rows(&app).await, before, "signed by another key");
    assert!(events(&app, "auth.failed").await > 15);
    app.form().log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/account");
}

async fn what_a_dishonest_browser_sends_is_not_added(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let before = rows(&app).await;
    let mut all = dishonest();
    all.push(("used and not made", Behaviour { kind: Some("webauthn.get"), ..Behaviour::default() }));
    for (what, behaviour) in all {
        let (_, answer) = Passkey::make(&client.options_for_new().await, &behaviour);
        client.send_new(&answer).await.expect_redirect("/account/security");
        client.get("/account/security").await.expect_text("The passkey was not added.");
        assert_eq!(rows(&app).await, before, "{what}");
    }
    let options = client.options_for_new().await;
    let (_, mut answer) = Passkey::make(&options, &Behaviour::default());
    let (other, _) = Passkey::make(&options, &Behaviour::default());
    for name in ["id", "rawId"] {
        answer[name] = json!(other.id_text());
    }
    client.send_new(&answer).await.expect_redirect("/account/security");
    assert_eq!(rows(&app).await, before, "another id than the one that was signed");
    let (_, answer) = Passkey::make(&client.options_for_proof().await.with_user(), &Behaviour::default());
    client.send_new(&answer).await.expect_redirect("/account/security");
    assert_eq!(rows(&app).await, before, "the challenge of a log-in");
    assert_eq!(events(&app, "identity.linked").await, 0);
    client.add_passkey().await;
}

async fn nonsense_is_refused(app: TestApp) {
    let (client, passkey) = app.member_with_passkey("bob@example.org").await;
    let before = rows(&app).await;
    let options = client.options_for_proof().await;
    let honest = passkey.prove(&options, &Behaviour::default());
    let with = |name: &str, value: Value| {
        let mut answer = honest.clone();
        answer["response"][name] = value;
        answer.to_string()
    };
    let texts = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[[[[".repeat(1_000),
        "a\u{0}b".to_owned(),
        with("signature", json!("")),
        with("signature", json!("!!")),
        with("authenticatorData", json!("AAAA")),
        with("authenticatorData", json!("")),
        with("authenticatorData", json!("A".repeat(30_000))),
        with("clientDataJSON", json!("e30")),
        with("clientDataJSON", json!(7)),
    ];
    for text in &texts {
        let visitor = app.form();
        visitor.options_for_proof().await;
        let page = visitor.post("/api/login-with-passkey", &[("provider", "passkey"), ("credential", text)]).await;
        assert_eq!(page.location().as_deref(), Some("/login"), "{}", &text[..text.len().min(80)]);
        let fields = [("provider", "passkey"), ("name", "x"), ("credential", text)];
        client.post("/api/add-passkey", &fields).await.expect_redirect("/account/security");
    }
    let (deep, endless) = (vec![0x81; 20_000], [&[0x5b][..], &[0xff; 8]].concat());
    let attestations = [&[][..], &[0xa0], b"\xa1\x63fmt\x64none", &[0xbf; 9], &deep, &endless];
    for attestation in attestations.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)) {
        let (_, mut answer) = Passkey::make(&client.options_for_new().await, &Behaviour::default());
        answer["response"]["attestationObject"] = json!(attestation);
        client.send_new(&answer).await.expect_redirect("/account/security");
    }
    let huge = "x".repeat(70_000);
    let fields = [("provider", "passkey"), ("credential", huge.as_str())];
    app.form().post("/api/login-with-passkey", &fields).await.expect_status(413);
    assert_eq!(rows(&app).await, before);
    app.form().get("/health/ready").await.expect_status(200);
}

async fn a_challenge_is_answered_once_by_the_browser_that_was_asked(app: TestApp) {
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let client = app.form();
    let answer = passkey.prove(&client.options_for_proof().await, &Behaviour::default());
    let thief = app.form();
    thief.options_for_proof().await;
    thief.send_proof(&answer).await.expect_redirect("/login");
    app.form().send_proof(&answer).await.expect_redirect("/login");
    let program = app.program();
    let taken = program.post("/auth/user/passkey/callback", &json!({ "credential": answer })).await;
    assert_eq!(taken.expect_status(401).json()["message"], "No state provided, or session expired");
    client.send_proof(&answer).await.expect_redirect("/account");
    client.log_out().await;
    client.send_proof(&answer).await.expect_redirect("/login");
    let of_program = passkey.prove(&program.options_for_proof().await, &Behaviour::default());
    client.send_proof(&of_program).await.expect_redirect("/login");
    assert!(!client.is_logged_in().await && !thief.is_logged_in().await);
    let failed = passkey.prove(&client.options_for_proof().await, &Behaviour { flags: 0, ..Behaviour::default() });
    let challenge = Behaviour { challenge: Some(challenge_of(&failed)), ..Behaviour::default() };
    client.send_proof(&failed).await.expect_redirect("/login");
    let again = passkey.prove(&json!({}), &challenge);
    client.send_proof(&again).await.expect_redirect("/login");
    assert!(!client.is_logged_in().await, "a challenge that was answered wrongly is used");
}

async fn a_challenge_ends_after_a_while(app: TestApp) {
    let (client, passkey) = app.member_with_passkey("bob@example.org").await;
    let visitor = app.form();
    let proof = passkey.prove(&visitor.options_for_proof().await, &Behaviour::default());
    let (_, new) = Passkey::make(&client.options_for_new().await, &Behaviour::default());
    app.advance(Duration::from_mins(20));
    visitor.send_proof(&proof).await.expect_redirect("/login");
    client.send_new(&new).await.expect_redirect("/account/security");
    client.get("/account/security").await.expect_text("The passkey was not added.");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 2);
}

async fn a_new_passkey_is_for_the_session_that_asked_for_it(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    let eve = app.member("eve@example.org").await;
    let (passkey, answer) = Passkey::make(&bob.options_for_new().await, &Behaviour::default());
    eve.send_new(&answer).await.expect_redirect("/account/security");
    app.logged_in("bob@example.org").await.send_new(&answer).await.expect_redirect("/account/security");
    app.form().send_new(&answer).await.expect_redirect("/login?next=/account/security");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 2);
    bob.send_new(&answer).await.expect_redirect("/account/security");
    bob.send_new(&answer).await.expect_redirect("/account/security");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 3);
    let (_, answer) = Passkey::make(&bob.options_for_new().await, &Behaviour::default());
    bob.log_out().await;
    bob.log_in("bob@example.org", PASSWORD).await.expect_status(302);
    bob.send_new(&answer).await.expect_redirect("/account/security");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 3, "it is another session");
    bob.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/account");
}

async fn fifty_answers_to_one_challenge_are_one_log_in(app: TestApp) {
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let client = app.form();
    let answer = passkey.prove(&client.options_for_proof().await, &Behaviour::default()).to_string();
    let fields = [("provider", "passkey"), ("credential", answer.as_str())];
    let mut answers = JoinSet::new();
    for _ in 0..50 {
        let request = client.request(&http::Method::POST, "/api/login-with-passkey").form(&fields).send();
        answers.spawn(async move { request.await.unwrap().headers()["location"].to_str().unwrap().to_owned() });
    }
    let let_in = answers.join_all().await.into_iter().filter(|to| to == "/account").count();
    assert_eq!(let_in, 1);
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 2);
}

async fn fifty_answers_to_one_challenge_are_one_passkey(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let (_, answer) = Passkey::make(&client.options_for_new().await, &Behaviour::default());
    let answer = answer.to_string();
    let fields = [("provider", "passkey"), ("name", "Phone"), ("credential", answer.as_str())];
    let mut answers = JoinSet::new();
    for _ in 0..50 {
        let request = client.request(&http::Method::POST, "/api/add-passkey").form(&fields).send();
        answers.spawn(async move { request.await.unwrap().status().as_u16() });
    }
    answers.join_all().await;
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE provider = 'passkey'").await, 1);
    assert_eq!(events(&app, "identity.linked").await, 1);
}

async fn a_counter_that_goes_back_is_refused_and_noted(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let counted = |counter: u32| Behaviour { counter, ..Behaviour::default() };
    let passkey = client.add_passkey_as(&counted(5)).await;
    app.form().log_in_by(&passkey, &counted(9)).await.expect_redirect("/account");
    let before = events(&app, "auth.failed").await;
    for counter in [9, 8, 1, 0] {
        let copy = app.form();
        copy.log_in_by(&passkey, &counted(counter)).await.expect_redirect("/login");
        assert!(!copy.is_logged_in().await, "{counter}");
    }
    assert_eq!(events(&app, "auth.failed").await, before + 4);
    let bob = app.user_id("bob@example.org").await;
    let whose = "SELECT target_id FROM events WHERE kind = 'auth.failed' AND target_id = $1";
    assert!(app.text_for(whose, &bob).await.is_some(), "admins see whose it is");
    app.form().log_in_by(&passkey, &counted(10)).await.expect_redirect("/account");
}

async fn a_browser_is_not_asked_without_end(app: TestApp) {
    let client = app.form();
    client.options_for_proof().await;
    client.options_for_proof().await;
    let page = client.fetch("/api/passkey-options", &[("provider", "passkey")]).await;
    assert!(page.expect_status(429).retry_after_secs().is_some());
    app.advance(Duration::from_mins(1));
    client.options_for_proof().await;
    app.member("bob@example.org").await;
}

fn challenge_of(answer: &Value) -> String {
    let data = URL_SAFE_NO_PAD.decode(answer["response"]["clientDataJSON"].as_str().unwrap()).unwrap();
    let data: Value = serde_json::from_slice(&data).unwrap();
    data["challenge"].as_str().unwrap().to_owned()
}

async fn a_passkey_that_a_stranger_added_before_lets_nobody_in(app: TestApp) {
    let stranger = app.member("victim@example.org").await;
    let passkey = stranger.add_passkey().await;
    let victim = app.form();
    let state = set_out(&victim, "").await;
    come_back(&victim, ("victim@example.org!", &state)).await.expect_redirect("/account");
    assert_eq!(victim.get("/auth/session").await.json()["user"]["email"], "victim@example.org");
    stranger.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/login");
    assert!(!stranger.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE provider = 'passkey'").await, 0);
}

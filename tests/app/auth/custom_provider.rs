//! The provider of the examples, as one of another crate: it stands on the log-in page and in the API, its people get
//! accounts by the rules that hold for all, and a bad option stops the start.

use std::{fs, path::Path, process::Stdio};

use latchkey::{Latchkey, config::Config};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::harness::{PASSWORD, TestApp, directory, on_both_databases};

on_both_databases! {
    somebody_of_the_directory_logs_in_and_has_an_account,
    who_has_no_password_sets_one_before_changing_the_address,
    a_wrong_pair_is_refused_and_the_secret_forgotten,
    a_program_logs_in_by_it,
    nobody_comes_into_an_account_by_its_address_alone,
    tries_are_counted_by_user_name with FEW_TRIES,
    blanks_around_a_user_name_stretch_no_limit with FEW_TRIES,
    nobody_is_known_by_what_holds_a_nul,
    nobody_new_comes_in_where_registration_is_closed,
    it_stands_on_the_page_alone_where_it_is_alone,
    a_directory_that_is_down_opens_nothing,
}

const FEW_TRIES: &str = r#"limits.log_in_per_account = "2/5m""#;
const ADA: [(&str, &str); 3] =
    [("provider", "my-auth"), ("fields[username]", "ada"), ("fields[password]", "analytical engine")];
const WRONG: [(&str, &str); 3] =
    [("provider", "my-auth"), ("fields[username]", "ada"), ("fields[password]", "difference engine")];

async fn with_directory(app: &TestApp, more: &str) -> TestApp {
    let endpoint = directory().await;
    app.another_process_with(&format!(
        r#"
        {more}
        [[providers]]
        id = "emailpass"
        kind = "emailpass"
        [[providers]]
        id = "my-auth"
        kind = "my-auth"
        options = {{ endpoint = "{endpoint}", display_name = "Ms. Directory <b>" }}
        "#
    ))
    .await
}

async fn somebody_of_the_directory_logs_in_and_has_an_account(app: TestApp) {
    let app = with_directory(&app, "").await;
    let client = app.form();
    let page = client.get("/login?next=/account/sessions").await;
    let way = page.link("Log in with Ms. Directory <b>").expect("its button");
    let page = client.get(&way).await;
    page.expect_status(200).expect_text("User name").expect_text("Log in by e-mail");
    let fields = [&ADA[..], &[("next", "/account/sessions")]].concat();
    client.submit("/api/login-with", &fields).await.expect_text("Sessions");
    client.get("/account").await.expect_text("ada@example.org").expect_text("Ada");
    app.form().submit("/api/login-with", &ADA).await.expect_text("ada@example.org");
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'user.created'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'session.created'").await, 2);
}

async fn who_has_no_password_sets_one_before_changing_the_address(app: TestApp) {
    let app = with_directory(&app, "").await;
    let client = app.form();
    client.submit("/api/login-with", &ADA).await.expect_text("ada@example.org");
    let profile = client.get("/account").await;
    profile.expect_text("Set a password first.").expect_no_text("Your password").expect_no_text("Change e-mail");
    let security = client.get(&profile.link("Set a password").unwrap()).await;
    let page = client.get(&security.link("Set one by mail").unwrap()).await;
    page.expect_text("Set a password").expect_no_text("Forgot password").expect_no_text("Remembered it?");
    assert!(page.title().starts_with("Set a password"), "{}", page.title());
    assert_eq!(page.value_of("email").as_deref(), Some("ada@example.org"));
    assert_eq!(page.link("Back to your account").as_deref(), Some("/account"));
    client.submit("/api/forgot-password", &[("email", "ada@example.org")]).await.expect_text("Ask for your link");
    client
        .post(&app.mail("ada@example.org", "reset_password").await.link(), &[])
        .await
        .expect_redirect("/reset-password");
    client.post("/api/reset-password", &[("new_password", PASSWORD)]).await.expect_redirect("/account");
    client.get("/account").await.expect_text("Your password").expect_text("Change e-mail");
    // Whoever is not logged in sees nobody's address.
    let visitor = app.form().get("/forgot-password").await;
    visitor.expect_text("Forgot password?").expect_text("Remembered it? Log in");
    assert_eq!(visitor.value_of("email").as_deref(), Some(""));
}

async fn a_wrong_pair_is_refused_and_the_secret_forgotten(app: TestApp) {
    let app = with_directory(&app, "").await;
    let page = app.form().submit("/api/login-with", &WRONG).await;
    page.expect_text("We don't recognise that.");
    assert_eq!(page.value_of("fields[username]").as_deref(), Some("ada"));
    assert_eq!(page.value_of("fields[password]").as_deref(), Some(""));
    assert!(!page.body.contains("difference engine"));
    let unknown = [("provider", "other"), ("fields[username]", "ada")];
    app.form().submit("/api/login-with", &unknown).await.expect_text("don't match");
    assert_eq!(app.script().post("/api/login-with", &WRONG).await.expect_status(401).error(), "not_recognised");
    for table in ["users", "auth_identities", "provider_identities", "sessions"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

async fn a_program_logs_in_by_it(app: TestApp) {
    let app = with_directory(&app, "").await;
    let program = app.program();
    let answer = program.get("/auth/user/providers").await;
    let expected = json!({
        "id": "my-auth", "identifier": "my-auth", "display_name": "Ms. Directory <b>", "flow": "credentials",
    });
    assert_eq!(answer.expect_status(200).json()["providers"][1], expected);
    let body = json!({ "username": "grace", "password": "nanoseconds" });
    let token = program.post("/auth/user/my-auth", &body).await.expect_status(200).json()["token"].clone();
    let known = app.program().known_by(token.as_str().unwrap());
    let me = known.get("/admin/users/me").await.expect_status(200).json();
    assert_eq!((&me["user"]["email"], &me["user"]["first_name"]), (&json!("grace@example.org"), &json!("Grace")));
    let wrong = program.post("/auth/user/my-auth", &json!({ "username": "grace", "password": "hours" })).await;
    let refusal = "The directory does not know this user name and password";
    assert_eq!(wrong.expect_status(401).json(), json!({ "type": "unauthorized", "message": refusal }));
    let register = program.post("/auth/user/my-auth/register", &body).await;
    assert_eq!(register.expect_status(401).json()["message"], "not supported by this provider");
}

async fn nobody_comes_into_an_account_by_its_address_alone(app: TestApp) {
    let app = with_directory(&app, "").await;
    app.member("ada@example.org").await;
    let client = app.form();
    client.submit("/api/login-with", &ADA).await;
    assert!(!client.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
    assert!(app.form().log_in("ada@example.org", PASSWORD).await.location().is_some());
}

async fn tries_are_counted_by_user_name(app: TestApp) {
    let app = with_directory(&app, "").await;
    for _ in 0..2 {
        app.form().post("/api/login-with", &WRONG).await.expect_status(302);
    }
    let refused = app.form().post("/api/login-with", &ADA).await;
    assert!(refused.expect_status(429).retry_after_secs().is_some());
    // Nobody chooses where a try is counted.
    let elsewhere = [&ADA[..], &[("fields[email]", "somebody@example.org")]].concat();
    app.form().post("/api/login-with", &elsewhere).await.expect_status(429);
    let grace = [("provider", "my-auth"), ("fields[username]", "grace"), ("fields[password]", "nanoseconds")];
    app.form().submit("/api/login-with", &grace).await.expect_text("grace@example.org");
}

async fn blanks_around_a_user_name_stretch_no_limit(app: TestApp) {
    let app = with_directory(&app, "").await;
    let program = app.program();
    let log_in = async |username: &str, password: &str| {
        program.post("/auth/user/my-auth", &json!({ "username": username, "password": password })).await
    };
    for username in [" ada", "ADA\t"] {
        log_in(username, "difference engine").await.expect_status(401);
    }
    for username in ["ada", "ada ", " ada ", "Ada"] {
        let refused = log_in(username, "analytical engine").await;
        assert!(refused.expect_status(429).retry_after_secs().is_some(), "{username:?}");
    }
}

async fn nobody_is_known_by_what_holds_a_nul(app: TestApp) {
    let app = with_directory(&app, "").await;
    let program = app.program();
    for username in ["ada\u{0}", "\u{0}"] {
        let body = json!({ "username": username, "password": "analytical engine" });
        program.post("/auth/user/my-auth", &body).await.expect_status(401);
    }
    // Also where a provider believes what it is told.
    let more =
        "providers = [{ id = \"emailpass\", kind = \"emailpass\" }, { id = \"elsewhere\", kind = \"elsewhere\" }]";
    let app = app.another_process_with(more).await;
    let program = app.program();
    let answer = program.back_from_elsewhere("a\u{0}b").await;
    assert_eq!(answer.expect_status(401).json()["message"], "Authentication failed");
    assert_eq!(app.number("SELECT count(*) FROM auth_identities").await, 0);
}

async fn nobody_new_comes_in_where_registration_is_closed(app: TestApp) {
    let open = with_directory(&app, "").await;
    open.form().submit("/api/login-with", &ADA).await.expect_text("ada@example.org");
    let closed =
        with_directory(&app, "registration.mode = \"closed\"\nactors.customer.providers = [\"my-auth\"]").await;
    for actor_type in ["user", "customer"] {
        let body = json!({ "username": "grace", "password": "nanoseconds" });
        let answer = closed.program().post(&format!("/auth/{actor_type}/my-auth"), &body).await;
        assert_eq!(answer.expect_status(400).json()["type"], "not_allowed");
    }
    let grace = [("provider", "my-auth"), ("fields[username]", "grace"), ("fields[password]", "nanoseconds")];
    closed.form().submit("/api/login-with", &grace).await.expect_text("Registration is not open.");
    assert_eq!(app.number("SELECT count(*) FROM auth_identities").await, 1);
    closed.form().submit("/api/login-with", &ADA).await.expect_text("ada@example.org");
}

async fn it_stands_on_the_page_alone_where_it_is_alone(app: TestApp) {
    let app = with_directory(&app, "actors.user.providers = [\"my-auth\"]").await;
    let page = app.form().get("/login").await;
    page.expect_text("User name").expect_no_text("E-mail").expect_no_text("Forgot password?");
    app.form().submit("/api/login-with", &ADA).await.expect_text("ada@example.org");
    app.form().log_in("ada@example.org", PASSWORD).await.expect_status(302).expect_redirect("/login");
}

async fn a_directory_that_is_down_opens_nothing(app: TestApp) {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let app = app
        .another_process_with(&format!(
            "[[providers]]\nid = \"my-auth\"\nkind = \"my-auth\"\noptions.endpoint = \"http://{closed}/check\""
        ))
        .await;
    let client = app.form();
    let answer = client.post("/api/login-with", &ADA).await;
    answer.expect_status(503).expect_no_text("127.0.0.1");
    assert!(answer.retry_after_secs().is_some());
    assert!(!client.is_logged_in().await);
}

#[test]
fn a_bad_option_is_named_with_provider_and_reason() {
    let folder = std::env::temp_dir().join(format!("latchkey-options-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("latchkey.toml");
    fs::write(&file, "[[providers]]\nid = \"staff\"\nkind = \"my-auth\"\noptions.endpoint = \"ftp://directory\"")
        .unwrap();
    let config = Config::load(Some(&file), std::iter::empty()).unwrap();
    let builder = Latchkey::builder().provider::<crate::harness::MyAuth>();
    let error = builder.check(&config).unwrap_err().to_string();
    assert_eq!(error, "provider 'staff', option 'endpoint': must be the URL of a directory");
    fs::remove_dir_all(&folder).unwrap();
}

/// The example as `cargo run --example custom_provider` starts it.
fn example(folder: &Path) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_latchkey")).with_file_name("examples").join("custom_provider");
    assert!(binary.exists(), "`cargo build --examples` makes it");
    let mut command = Command::new(binary);
    command.current_dir(folder).env("LATCHKEY_SERVER__LISTEN", "127.0.0.1:0").env("LATCHKEY_LOG__FORMAT", "json");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_runs_by_one_command_and_stops_for_a_bad_option() {
    let folder = std::env::temp_dir().join(format!("latchkey-example-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut child = example(&folder).spawn().unwrap();
    let mut output = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = loop {
        let line = output.next_line().await.unwrap().expect("it says where it listens");
        let said: Option<serde_json::Value> = serde_json::from_str(&line).ok();
        if let Some(address) = said.as_ref().and_then(|said| said["address"].as_str()) {
            break address.to_owned();
        }
    };
    let page = reqwest::get(format!("http://{address}/login")).await.unwrap().text().await.unwrap();
    assert!(page.contains("Log in with the directory"), "{page}");
    let providers = reqwest::get(format!("http://{address}/auth/user/providers")).await.unwrap().text().await.unwrap();
    assert!(providers.contains(r#""id":"my-auth""#), "{providers}");
    child.kill().await.unwrap();

    let mut stopped = example(&folder);
    let stopped = stopped.env("LATCHKEY_PROVIDERS__MY_AUTH__OPTIONS__ENDPOINT", "nonsense").output().await.unwrap();
    assert!(!stopped.status.success());
    let said = String::from_utf8(stopped.stderr).unwrap();
    assert_eq!(
        said.lines().last().unwrap(),
        "latchkey: provider 'my-auth', option 'endpoint': must be the URL of a directory"
    );
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_readme_shows_the_example_as_it_is_and_it_is_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = fs::read_to_string(root.join("examples/custom_provider.rs")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains(&format!("```rust\n{example}```\n")), "the section \"Write a provider\" is the example");
    assert!(example.lines().count() <= 60, "{}", example.lines().count());
}

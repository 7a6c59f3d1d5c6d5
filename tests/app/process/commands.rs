//! The command line: each command does what it says, `--json` can be read by programs, and a failure is one line that
//! says what and why, with an exit code that is not 0.

use std::{path::Path, process::Stdio};

use tokio::{io::AsyncWriteExt, process::Command};

use super::latchkey;
use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    a_user_is_created_listed_disabled_enabled_and_deleted,
    what_cannot_be_done_is_said_in_one_line,
    the_last_admin_stays,
    an_identity_that_is_nobodys_makes_way_for_a_user,
    migrating_twice_is_as_good_as_once,
    the_configuration_is_checked_and_shown,
    the_keys_of_tokens_are_listed_and_rotated,
}

/// What a command has said.
pub(super) struct Said {
    pub is_success: bool,
    pub output: String,
    pub error: String,
}

async fn run(mut command: Command, input: &str) -> Said {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that fails at once does not read what it is given.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let done = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
    Said { is_success: done.status.success(), output: text(done.stdout), error: text(done.stderr) }
}

pub(super) async fn tell(app: &TestApp, arguments: &[&str], input: &str) -> Said {
    let mut command = latchkey(app);
    command.args(arguments);
    run(command, input).await
}

async fn create(app: &TestApp, email: &str, more: &[&str]) -> serde_json::Value {
    let arguments = [&["user", "create", "--email", email, "--password-stdin", "--json"], more].concat();
    let said = tell(app, &arguments, &format!("{PASSWORD}\n")).await;
    assert!(said.is_success, "{}", said.error);
    serde_json::from_str(&said.output).unwrap()
}

async fn an_identity_that_is_nobodys_makes_way_for_a_user(app: TestApp) {
    let squatter = app.registered("emailpass", "bob@example.org").await;
    create(&app, "bob@example.org", &[]).await;
    squatter.post("/auth/token/refresh", &serde_json::json!({})).await.expect_status(401);
    app.logged_in("bob@example.org").await;
    let again = tell(&app, &["user", "create", "--email", "bob@example.org", "--password-stdin"], PASSWORD).await;
    assert!(!again.is_success);
    app.logged_in("bob@example.org").await;
}

async fn a_user_is_created_listed_disabled_enabled_and_deleted(app: TestApp) {
    let ada = create(&app, "Ada@Example.org", &["--admin"]).await;
    create(&app, "bob@example.org", &[]).await;
    assert_eq!((ada["email"].as_str(), ada["role"].as_str()), (Some("ada@example.org"), Some("admin")));
    assert!(ada["email_verified_at"].is_string());
    assert!(app.logged_in("ada@example.org").await.get("/dashboard/users").await.status == 200);
    let bob = app.logged_in("bob@example.org").await;
    let listed = tell(&app, &["user", "list", "--json"], "").await;
    let listed: serde_json::Value = serde_json::from_str(&listed.output).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let found = tell(&app, &["user", "list", "--q", "bob@"], "").await;
    assert_eq!(found.output.lines().count(), 1, "{}", found.output);
    assert!(tell(&app, &["user", "disable", "bob@example.org"], "").await.is_success);
    assert!(!bob.is_logged_in().await);
    assert!(tell(&app, &["user", "enable", "bob@example.org"], "").await.is_success);
    let bob = app.logged_in("bob@example.org").await;
    let id = app.text_for("SELECT id FROM users WHERE email = $1", "bob@example.org").await.unwrap();
    assert!(tell(&app, &["user", "delete", &id], "").await.is_success);
    assert!(!bob.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
}

async fn what_cannot_be_done_is_said_in_one_line(app: TestApp) {
    create(&app, "bob@example.org", &[]).await;
    let cases: [(&[&str], &str, &str); 7] = [
        (&["user", "create", "--email", "bob@example.org"], "", "exist"),
        (&["user", "disable", "nobody@example.org"], "", "there is no user 'nobody@example.org'"),
        (&["user", "delete", "no-such-id"], "", "there is no user 'no-such-id'"),
        (
            &["user", "create", "--email", "nonsense", "--password-stdin"],
            PASSWORD,
            "'nonsense' is not an e-mail address",
        ),
        (&["user", "create", "--email", "bob@example.org", "--password-stdin"], PASSWORD, "exist"),
        (&["user", "create", "--email", "carl@example.org", "--password-stdin"], "short", "at least 8 characters"),
        (&["user", "create", "--email", "carl@example.org", "--password-stdin"], "", "no password"),
    ];
    for (arguments, input, reason) in cases {
        let said = tell(&app, arguments, input).await;
        assert!(!said.is_success, "{arguments:?}");
        assert_eq!(said.error.lines().count(), 1, "{}", said.error);
        assert!(said.error.contains(reason), "{}", said.error);
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn the_last_admin_stays(app: TestApp) {
    create(&app, "ada@example.org", &["--admin"]).await;
    for command in ["disable", "delete"] {
        let said = tell(&app, &["user", command, "ada@example.org"], "").await;
        assert!(!said.is_success);
        assert!(said.error.contains("last admin"), "{}", said.error);
    }
}

async fn migrating_twice_is_as_good_as_once(app: TestApp) {
    let said = tell(&app, &["migrate"], "").await;
    assert_eq!((said.is_success, said.output.as_str()), (true, "The database is up to date."));
}

async fn the_configuration_is_checked_and_shown(app: TestApp) {
    let said = tell(&app, &["config", "check"], "").await;
    assert!(said.is_success, "{}", said.error);
    let shown = tell(&app, &["config", "show"], "").await;
    assert!(shown.output.parse::<toml::Table>().unwrap().contains_key("password"));
    let mut command = latchkey(&app);
    command.args(["config", "check"]).env("LATCHKEY_SESSION__IDEL", "1d");
    let said = run(command, "").await;
    assert!(!said.is_success);
    assert!(said.error.contains("LATCHKEY_SESSION__IDLE"), "the nearest known key: {}", said.error);
    let mut command = latchkey(&app);
    command.args(["config", "check"]).env("LATCHKEY_PROVIDERS__0__KIND", "nonsense");
    assert!(!run(command, "").await.is_success);
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.args(["--config", "no-such-file.toml", "config", "check"]).current_dir(Path::new("/"));
    let said = run(command, "").await;
    assert!(!said.is_success && said.error.contains("no-such-file.toml"), "{}", said.error);
}

async fn the_keys_of_tokens_are_listed_and_rotated(app: TestApp) {
    let listed = async || {
        let said = tell(&app, &["keys", "list", "--json"], "").await;
        assert!(said.is_success, "{}", said.error);
        serde_json::from_str::<serde_json::Value>(&said.output).unwrap()
    };
    let first = listed().await;
    assert_eq!((first.as_array().unwrap().len(), &first[0]["state"]), (1, &serde_json::json!("signing")));
    let rotated = tell(&app, &["keys", "rotate"], "").await;
    assert!(rotated.is_success && rotated.output.lines().count() == 1, "{}{}", rotated.output, rotated.error);
    let keys = listed().await;
    assert_eq!(keys[0]["id"].as_str(), Some(rotated.output.as_str()));
    assert_eq!((&keys[1]["id"], &keys[1]["state"]), (&first[0]["id"], &serde_json::json!("retired")));
    let said = tell(&app, &["keys", "list"], "").await;
    assert_eq!(said.output.lines().count(), 2, "{}", said.output);
    assert!(said.output.lines().next().unwrap().ends_with("signing"));
}

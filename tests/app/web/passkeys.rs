//! Passkeys on the pages: added, used, renamed and removed, and whom they let in.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{
    Behaviour, Client, PASSKEYS, PASSWORD, PRESENT, Page, Passkey, SYNCED, TestApp, VERIFIED, on_both_databases,
};

on_both_databases! {
    a_passkey_is_shown_renamed_and_removed with PASSKEYS,
    the_pages_offer_passkeys_where_there_are_any with PASSKEYS,
    the_pages_offer_none_where_there_are_none,
    a_passkey_of_another_user_is_refused_without_naming_them with PASSKEYS,
    a_disabled_user_does_not_come_in_and_leaves_no_row with PASSKEYS,
    a_deleted_user_takes_the_passkeys_along with PASSKEYS,
    a_removed_passkey_lets_nobody_in_and_ends_what_it_opened_elsewhere with PASSKEYS,
    a_passkey_outlives_another_address_and_another_password with CONFIRMED,
    the_last_way_in_is_not_removed with TWO_KINDS,
    two_removals_at_once_leave_a_way_in with TWO_KINDS,
    nobody_has_more_passkeys_than_twenty with PASSKEYS,
    of_thirty_passkeys_added_at_once_twenty_are with PASSKEYS,
    the_owner_is_told_of_a_passkey_that_is_added with CONFIRMED,
    where_an_address_must_be_confirmed_a_passkey_waits_for_it with CONFIRMED,
    the_way_that_was_used_last_is_marked with PASSKEYS,
}

const TWO_KINDS: &str = r#"providers = [
    { id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }, { id = "passkey", kind = "passkey" },
]"#;
const CONFIRMED: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "passkey", kind = "passkey" }]
"#;

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

async fn remove(client: &Client, passkey: &Passkey) -> Page {
    let fields = [("provider", "passkey"), ("id", &passkey.id_text())];
    client.submit("/api/remove-passkey", &fields).await
}

async fn rename(client: &Client, passkey: &Passkey, name: &str) -> Page {
    let fields = [("provider", "passkey"), ("id", &passkey.id_text()), ("name", name)];
    client.submit("/api/rename-passkey", &fields).await
}

async fn a_passkey_is_shown_renamed_and_removed(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let passkey = client.add_passkey().await;
    app.advance(Duration::from_secs(1));
    let synced = client.add_passkey_as(&Behaviour { flags: PRESENT | VERIFIED | SYNCED, ..Behaviour::default() }).await;
    let page = client.get("/account/security").await;
    let cells: Vec<_> = page.rows().into_iter().map(|row| row[..3].join("|")).collect();
    assert_eq!(cells, ["Phone On one device|just now|never", "Phone Synced|just now|never"]);
    app.advance(Duration::from_mins(5));
    let behaviour = Behaviour { flags: PRESENT | VERIFIED | SYNCED, ..Behaviour::default() };
    app.form().log_in_by(&synced, &behaviour).await.expect_redirect("/account");
    rename(&client, &synced, " Ada's <b>laptop</b> ").await.expect_text("The passkey has a new name.");
    let page = client.get("/account/security").await;
    assert_eq!(page.rows()[1][..3], ["Ada's <b>laptop</b> Synced", "5 minutes ago", "just now"]);
    for name in ["", "  ", "a\nb", &"x".repeat(61)] {
        rename(&client, &passkey, name).await.expect_text("From 1 to 60 characters");
    }
    client.get("/account/connections").await.expect_text("Ada's <b>laptop</b>").expect_text("Your passkeys");
    let stranger = app.member("eve@example.org").await;
    rename(&stranger, &passkey, "mine").await;
    remove(&stranger, &passkey).await;
    assert_eq!(client.get("/account/security").await.rows().len(), 2, "nobody else's to rename or remove");
    client.get("/account/security").await.expect_no_text("mine");
    remove(&client, &passkey).await.expect_text("The passkey was removed.");
    remove(&client, &passkey).await.expect_status(200);
    assert_eq!(client.get("/account/security").await.rows().len(), 1);
    assert_eq!((events(&app, "identity.linked").await, events(&app, "identity.unlinked").await), (2, 1));
    let visitor = app.form();
    for form in ["/api/remove-passkey", "/api/rename-passkey"] {
        let fields = [("provider", "passkey"), ("id", &*synced.id_text()), ("name", "x")];
        visitor.post(form, &fields).await.expect_redirect("/login?next=/account/security");
    }
}

async fn the_pages_offer_passkeys_where_there_are_any(app: TestApp) {
    let page = app.form().get("/login").await;
    page.expect_text("Log in with a passkey");
    assert!(page.body.contains("username webauthn"), "among what the field can be filled with");
    let client = app.member("bob@example.org").await;
    let page = client.get("/account/security").await;
    assert_eq!(page.value_of("name").as_deref(), Some("Firefox on Linux"), "what the session is called");
    let options = client.options_for_new().await;
    assert_eq!(options["rp"], json!({ "id": "localhost", "name": "Latchkey" }));
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["user"]["name"], "bob@example.org");
    let handle = options["user"]["id"].as_str().unwrap();
    assert_eq!((handle.len(), handle == app.user_id("bob@example.org").await), (22, false), "it tells nothing");
    let passkey = client.add_passkey().await;
    let options = client.options_for_new().await;
    assert_eq!(options["excludeCredentials"][0]["id"], passkey.id_text());
    assert_eq!(options["user"]["id"], handle, "the same for each");
    let asked = client.options_for_proof().await;
    assert_eq!((&asked["userVerification"], &asked["allowCredentials"]), (&json!("required"), &json!([])));
    assert!(asked["challenge"].as_str().unwrap().len() >= 22, "at least 16 bytes");
}

async fn the_pages_offer_none_where_there_are_none(app: TestApp) {
    app.form().get("/login").await.expect_no_text("passkey");
    let client = app.member("bob@example.org").await;
    client.get("/account/security").await.expect_no_text("asskey");
    for form in ["/api/passkey-options", "/api/new-passkey-options"] {
        client.fetch(form, &[("provider", "passkey")]).await.expect_status(401);
        client.fetch(form, &[("provider", "emailpass")]).await.expect_status(401);
    }
    client.post("/api/login-with-passkey", &[("provider", "passkey")]).await.expect_redirect("/login");
}

async fn a_passkey_of_another_user_is_refused_without_naming_them(app: TestApp) {
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let eve = app.member("eve@example.org").await;
    let answer = passkey.attest(&eve.options_for_new().await, &Behaviour::default());
    eve.send_new(&answer).await.expect_redirect("/account/security");
    let page = eve.get("/account/security").await;
    page.expect_text("belongs to another account here.").expect_no_text("bob@");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 3);
    let client = app.form();
    client.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/account");
    assert_eq!(client.get("/auth/session").await.json()["user"]["email"], "bob@example.org");
}

async fn a_disabled_user_does_not_come_in_and_leaves_no_row(app: TestApp) {
    let admin = app.admin().await;
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let bob = app.user_id("bob@example.org").await;
    admin.post("/api/disable-user", &[("id", &bob)]).await.expect_status(302);
    let before = rows(&app).await;
    let client = app.form();
    client.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/login");
    client.get("/login").await.expect_text("This account is turned off.");
    let program = app.program();
    let answer = passkey.prove(&program.options_for_proof().await, &Behaviour::default());
    program.post("/auth/user/passkey/callback", &json!({ "credential": answer })).await.expect_status(401);
    assert_eq!(rows(&app).await, before);
    let used = app.text_for("SELECT provider_metadata FROM provider_identities WHERE provider = $1", "passkey").await;
    assert!(used.unwrap().contains(r#""last_used_at":null"#), "who was not let in has not used it");
}

async fn a_deleted_user_takes_the_passkeys_along(app: TestApp) {
    let admin = app.admin_program().await;
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let bob = app.user_id("bob@example.org").await;
    admin.delete(&format!("/admin/users/{bob}")).await.expect_status(200);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE provider = 'passkey'").await, 0);
    let client = app.form();
    client.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/login");
    client.get("/login").await.expect_text("That passkey didn't work here.");
    app.member("bob@example.org").await;
    client.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/login");
    assert!(!client.is_logged_in().await, "the next one with the address is a new person");
}

async fn a_removed_passkey_lets_nobody_in_and_ends_what_it_opened_elsewhere(app: TestApp) {
    let (client, passkey) = app.member_with_passkey("bob@example.org").await;
    let second = client.add_passkey().await;
    let (elsewhere, by_the_other) = (app.form(), app.form());
    elsewhere.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/account");
    by_the_other.log_in_by(&second, &Behaviour::default()).await.expect_redirect("/account");
    remove(&client, &passkey).await.expect_text("The passkey was removed.");
    assert!(client.is_logged_in().await && by_the_other.is_logged_in().await);
    assert!(!elsewhere.is_logged_in().await, "whoever has the device is out");
    let other = app.form();
    other.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/login");
    other.log_in_by(&second, &Behaviour::default()).await.expect_redirect("/account");
    app.logged_in("bob@example.org").await;
    let answer = passkey.attest(&client.options_for_new().await, &Behaviour::default());
    client.send_new(&answer).await.expect_redirect("/account/security");
    app.form().log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/account");
}

async fn a_passkey_outlives_another_address_and_another_password(app: TestApp) {
    let client = app.member_by_mail("bob@example.org").await;
    let passkey = client.add_passkey().await;
    let fields = [("password", PASSWORD), ("new_password", "another battery staple")];
    client.post("/api/change-password", &fields).await.expect_status(302);
    let fields = [("email", "robert@example.org"), ("password", "another battery staple")];
    client.post("/api/change-email", &fields).await.expect_redirect("/link");
    let link = app.mail("robert@example.org", "confirm_new_email").await.link();
    client.submit(&link, &[]).await.expect_text("Your e-mail address was changed.");
    let other = app.form();
    other.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/account");
    assert_eq!(other.get("/auth/session").await.json()["user"]["email"], "robert@example.org");
}

async fn the_last_way_in_is_not_removed(app: TestApp) {
    let client = newcomer_of_elsewhere(&app).await;
    let passkey = client.add_passkey().await;
    let elsewhere = [("provider", "elsewhere"), ("entity_id", "grace")];
    client.submit("/api/unlink-provider", &elsewhere).await.expect_text("Unlinked.");
    remove(&client, &passkey).await.expect_text("Add another way to log in first.");
    let by_the_other_form = [("provider", "passkey"), ("entity_id", &*passkey.id_text())];
    client.submit("/api/unlink-provider", &by_the_other_form).await.expect_text("Add another way to log in first.");
    let second = client.add_passkey().await;
    remove(&client, &passkey).await.expect_text("The passkey was removed.");
    remove(&client, &second).await.expect_text("Add another way to log in first.");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
    app.form().log_in_by(&second, &Behaviour::default()).await.expect_redirect("/account");
}

/// Somebody who has come by the other provider alone.
async fn newcomer_of_elsewhere(app: &TestApp) -> Client {
    let client = app.form();
    let state = super::providers::set_out(&client, "").await;
    super::providers::come_back(&client, ("grace!", &state)).await.expect_redirect("/account");
    client
}

async fn two_removals_at_once_leave_a_way_in(app: TestApp) {
    let client = newcomer_of_elsewhere(&app).await;
    let passkey = client.add_passkey().await;
    let elsewhere = [("provider", "elsewhere"), ("entity_id", "grace")];
    tokio::join!(remove(&client, &passkey), client.post("/api/unlink-provider", &elsewhere));
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
}

async fn nobody_has_more_passkeys_than_twenty(app: TestApp) {
    let client = app.member("bob@example.org").await;
    for _ in 0..20 {
        client.add_passkey().await;
    }
    client.fetch("/api/new-passkey-options", &[("provider", "passkey")]).await.expect_status(409);
}

async fn of_thirty_passkeys_added_at_once_twenty_are(app: TestApp) {
    let client = Arc::new(app.member("bob@example.org").await);
    let mut adding = JoinSet::new();
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(Passkey::make(&client.options_for_new().await, &Behaviour::default()).1);
    }
    for answer in answers {
        let client = Arc::clone(&client);
        adding.spawn(async move {
            client.send_new(&answer).await.expect_redirect("/account/security");
        });
    }
    adding.join_all().await;
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE provider = 'passkey'").await, 20);
    assert_eq!(events(&app, "identity.linked").await, 20);
}

async fn the_owner_is_told_of_a_passkey_that_is_added(app: TestApp) {
    let client = app.member_by_mail("bob@example.org").await;
    let before = app.mails_to("bob@example.org").await.len();
    let passkey = client.add_passkey().await;
    app.mail("bob@example.org", "way_in_was_added").await;
    rename(&client, &passkey, "Key").await;
    app.form().log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/account");
    assert_eq!(app.mails_to("bob@example.org").await.len(), before + 1, "it is told once");
}

async fn where_an_address_must_be_confirmed_a_passkey_waits_for_it(app: TestApp) {
    let client = app.member_by_mail("bob@example.org").await;
    let passkey = client.add_passkey().await;
    let bob = app.user_id("bob@example.org").await;
    let mut tx = app.platform.db.begin().await.unwrap();
    let unconfirm = "UPDATE users SET email_verified_at = NULL WHERE id = $1";
    sqlx::query(unconfirm).bind(bob).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let other = app.form();
    other.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/link");
    assert!(!other.is_logged_in().await);
}

async fn the_way_that_was_used_last_is_marked(app: TestApp) {
    let (_, passkey) = app.member_with_passkey("bob@example.org").await;
    let client = app.form();
    client.get("/login").await.expect_no_text("Last used");
    client.log_in_by(&passkey, &Behaviour::default()).await.expect_redirect("/account");
    client.log_out().await;
    client.get("/login").await.expect_text("Log in with a passkey Last used");
    let next = [("provider", "passkey"), ("next", "/account/sessions"), ("remember", "true")];
    let answer = passkey.prove(&client.options_for_proof().await, &Behaviour::default()).to_string();
    let fields = [&next[..], &[("credential", answer.as_str())]].concat();
    client.post("/api/login-with-passkey", &fields).await.expect_redirect("/account/sessions");
    assert_eq!(app.number("SELECT count(*) FROM sessions WHERE is_remembered = 1").await, 1);
}

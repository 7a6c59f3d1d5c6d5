//! Ways in by mail and what becomes of the account meanwhile: an address opens the account that has it now, what was mailed
//! before ends where other links end, and who is turned off stays out.

use super::by_mail::{BOB, BY_MAIL};
use crate::harness::{Client, PASSWORD, TestApp, on_both_databases};
use crate::web::providers::{come_back, state_in};

on_both_databases! {
    an_address_that_was_changed_is_no_way_in_any_more with BY_MAIL,
    a_change_that_is_taken_back_takes_the_way_in_along with BY_MAIL,
    a_link_that_was_mailed_before_a_change_lets_nobody_in with BY_MAIL,
    a_link_of_before_follows_an_address_to_its_new_account with BY_MAIL,
    a_way_in_that_was_left_behind_opens_nothing with BY_MAIL,
    who_is_turned_off_is_refused_and_leaves_no_row with BY_MAIL,
    turning_off_ends_the_links_that_wait with BY_MAIL,
    a_deleted_user_leaves_no_link_behind with BY_MAIL,
    a_new_password_ends_the_links_that_wait with BY_MAIL,
    a_link_is_a_way_in_that_may_be_the_last with BY_MAIL,
    whoever_came_by_mail_sets_a_password with BY_MAIL,
    an_invite_is_accepted_without_a_password with BY_MAIL,
    an_invite_that_has_ended_lets_nobody_in_by_mail_either with BY_MAIL,
    a_custom_provider_proves_by_mail_too with CUSTOM,
}

const NEW: &str = "new@example.org";
const CUSTOM: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "staff", kind = "staff" }]
"#;

impl TestApp {
    /// Gives the account that is logged in another address.
    async fn change_address(&self, client: &Client, from: &str, to: &str) {
        client.post("/api/change-email", &[("email", to), ("password", PASSWORD)]).await.expect_redirect("/link");
        client.post(&self.mail(to, "confirm_new_email").await.link(), &[]).await.expect_redirect("/account");
        assert_eq!(client.who().await.as_deref(), Some(to), "{from} is {to} now");
    }
}

async fn an_address_that_was_changed_is_no_way_in_any_more(app: TestApp) {
    let bob = app.member_by_mail(BOB).await;
    app.in_by_link(BOB).await;
    app.change_address(&bob, BOB, NEW).await;
    app.form().ask_for_mail("email-link", BOB).await.expect_redirect("/link");
    assert_eq!(app.log_in_mails(BOB).await, 1, "its owner may still take it back, so nobody gets it");
    let client = app.in_by_link(NEW).await;
    assert_eq!(client.who().await.as_deref(), Some(NEW));
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(app.events_of("identity.linked").await, 1, "it is the same way in");
    assert_eq!(
        app.text_for("SELECT entity_id FROM provider_identities WHERE provider = $1", "email-link").await.unwrap(),
        NEW
    );
    // Once it is free again, whoever has the old address is somebody else.
    app.advance(std::time::Duration::from_hours(8 * 24));
    app.in_by_link(BOB).await;
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
}

async fn a_change_that_is_taken_back_takes_the_way_in_along(app: TestApp) {
    let thief = app.member_by_mail(BOB).await;
    app.in_by_link(BOB).await;
    app.change_address(&thief, BOB, NEW).await;
    let theirs = app.log_in_link(NEW).await;
    let undo = app.mail(BOB, "email_was_changed").await.link();
    app.form().post(&undo, &[]).await.expect_redirect("/reset-password");
    let refused = app.form();
    refused.post(&theirs, &[]).await.expect_redirect(&theirs);
    assert_eq!(refused.who().await, None);
    app.in_by_link(BOB).await;
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
    // The thief's address is that of nobody here; whoever has it is a new person.
    app.in_by_link(NEW).await;
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
}

async fn a_link_that_was_mailed_before_a_change_lets_nobody_in(app: TestApp) {
    let bob = app.member_by_mail(BOB).await;
    let before = app.log_in_link(BOB).await;
    app.change_address(&bob, BOB, NEW).await;
    let client = app.form();
    client.get(&before).await.expect_text("This link no longer works");
    client.post(&before, &[]).await.expect_redirect(&before);
    assert_eq!((client.who().await, app.number("SELECT count(*) FROM users").await), (None, 1));
}

async fn a_link_of_before_follows_an_address_to_its_new_account(app: TestApp) {
    // Mailed to who has no account; then the address becomes one's, by registering it, or by moving an account to it.
    let early = app.log_in_link(BOB).await;
    let bob = app.member_by_mail(BOB).await;
    bob.get(&early).await.expect_text("This logs you in as bob@example.org.");
    let later = app.log_in_link(NEW).await;
    app.change_address(&bob, BOB, NEW).await;
    app.form().get(&early).await.expect_text("This link no longer works");
    let client = app.form();
    client.post(&later, &[]).await.expect_redirect("/account");
    assert_eq!(client.who().await.as_deref(), Some(NEW));
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn a_way_in_that_was_left_behind_opens_nothing(app: TestApp) {
    app.member_by_mail(BOB).await;
    app.in_by_link(BOB).await;
    // As where the provider was not configured while the address was changed.
    app.change("UPDATE users SET email = 'new@example.org'").await;
    let link = app.log_in_link(BOB).await;
    let client = app.form();
    client.submit(&link, &[]).await.expect_text("belongs to another account here");
    assert_eq!((client.who().await, app.number("SELECT count(*) FROM users").await), (None, 1));
    assert_eq!(
        app.number("SELECT count(*) FROM one_time_tokens WHERE purpose = 'log_in' AND used_at IS NULL").await,
        1
    );
}

async fn who_is_turned_off_is_refused_and_leaves_no_row(app: TestApp) {
    app.member_by_mail(BOB).await;
    let link = app.log_in_link(BOB).await;
    // Turned off in the moment in which the link was on its way.
    app.change("UPDATE users SET disabled_at = 1").await;
    let before = (app.events_of("session.created").await, app.number("SELECT count(*) FROM sessions").await);
    let client = app.form();
    client.submit(&link, &[]).await.expect_text("This account is turned off.");
    assert_eq!(client.who().await, None);
    assert_eq!((app.events_of("session.created").await, app.number("SELECT count(*) FROM sessions").await), before);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE provider = 'email-link'").await, 0);
    assert_eq!(app.events_of("identity.linked").await, 0);
}

async fn turning_off_ends_the_links_that_wait(app: TestApp) {
    let admin = app.admin().await;
    let early = app.log_in_link(BOB).await;
    app.member_by_mail(BOB).await;
    let id = app.user_id(BOB).await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    admin.post("/api/enable-user", &[("id", &id)]).await.expect_status(302);
    let client = app.form();
    client.get(&early).await.expect_text("This link no longer works");
    client.post(&early, &[]).await.expect_redirect(&early);
    assert_eq!(client.who().await, None);
}

async fn a_deleted_user_leaves_no_link_behind(app: TestApp) {
    let admin = app.admin().await;
    app.in_by_link(BOB).await;
    let id = app.user_id(BOB).await;
    let link = app.log_in_link(BOB).await;
    admin.post("/api/delete-user", &[("id", id.as_str()), ("confirm", BOB)]).await.expect_status(302);
    app.form().get(&link).await.expect_status(404).expect_text("This link doesn't work");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE entity_id = 'bob@example.org'").await, 0);
    app.in_by_link(BOB).await;
    assert_ne!(app.user_id(BOB).await, id, "a new person");
}

async fn a_new_password_ends_the_links_that_wait(app: TestApp) {
    let bob = app.member_by_mail(BOB).await;
    let link = app.log_in_link(BOB).await;
    let fields = [("password", PASSWORD), ("new_password", "a brand new password")];
    bob.post("/api/change-password", &fields).await.expect_redirect("/account/security");
    let client = app.form();
    client.post(&link, &[]).await.expect_redirect(&link);
    assert_eq!(client.who().await, None);
    let link = app.log_in_link(BOB).await;
    client.post("/api/forgot-password", &[("email", BOB)]).await.expect_redirect("/link");
    client.post(&app.mail(BOB, "reset_password").await.link(), &[]).await.expect_redirect("/reset-password");
    client.post("/api/reset-password", &[("new_password", PASSWORD)]).await.expect_redirect("/account");
    app.form().get(&link).await.expect_text("This link no longer works");
}

async fn a_link_is_a_way_in_that_may_be_the_last(app: TestApp) {
    let bob = app.in_by_link(BOB).await;
    let page = bob.submit("/api/link-provider", &[("provider", "elsewhere")]).await;
    let state = state_in(page.header("refresh").unwrap().strip_prefix("0; url=").unwrap());
    come_back(&bob, ("somebody", &state)).await.expect_redirect("/account/connections");
    bob.get("/account/connections").await.expect_text("A mailed link").expect_text("Unlink");
    // The mail is another way in, so this one may go; the mail itself is no link to be unlinked.
    let fields = [("provider", "email-link"), ("entity_id", BOB)];
    bob.post("/api/unlink-provider", &fields).await;
    let fields = [("provider", "elsewhere"), ("entity_id", "somebody")];
    bob.submit("/api/unlink-provider", &fields).await.expect_text("A mailed link").expect_no_text("Elsewhere Somebody");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
    app.in_by_link(BOB).await;
}

async fn whoever_came_by_mail_sets_a_password(app: TestApp) {
    let bob = app.in_by_link(BOB).await;
    bob.get("/account/security").await.expect_status(200);
    bob.post("/api/forgot-password", &[("email", BOB)]).await.expect_redirect("/link");
    bob.post(&app.mail(BOB, "reset_password").await.link(), &[]).await.expect_redirect("/reset-password");
    bob.post("/api/reset-password", &[("new_password", PASSWORD)]).await.expect_redirect("/account");
    app.logged_in(BOB).await;
    app.in_by_link(BOB).await;
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(app.events_of("identity.linked").await, 0);
}

async fn an_invite_is_accepted_without_a_password(app: TestApp) {
    let admin = app.admin().await;
    let token = invited(&app, &admin).await;
    let bob = app.form();
    bob.get(&format!("/invite/{token}")).await.expect_text("Accept without a password");
    let fields = [("token", token.as_str()), ("provider", "email-link")];
    bob.submit("/api/accept-invite-with", &fields).await.expect_text("You're in.");
    assert_eq!(bob.who().await.as_deref(), Some(BOB));
    assert_eq!((app.events_of("invite.accepted").await, app.events_of("identity.linked").await), (1, 0));
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL").await, 2);
    app.in_by_link(BOB).await;
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
    let again = app.form();
    again.post("/api/accept-invite-with", &fields).await.expect_status(302);
    assert_eq!(again.who().await, None);
}

async fn an_invite_that_has_ended_lets_nobody_in_by_mail_either(app: TestApp) {
    let admin = app.admin().await;
    let token = invited(&app, &admin).await;
    for (token, provider) in [(token.as_str(), "elsewhere-not"), ("x", "email-link")] {
        let client = app.form();
        client.post("/api/accept-invite-with", &[("token", token), ("provider", provider)]).await;
        assert_eq!(client.who().await, None);
    }
    app.advance(std::time::Duration::from_hours(8 * 24));
    let client = app.form();
    client.post("/api/accept-invite-with", &[("token", token.as_str()), ("provider", "email-code")]).await;
    assert_eq!((client.who().await, app.number("SELECT count(*) FROM users").await), (None, 1));
    // What proves a log-in proves no invite, nor the other way round.
    let link = app.log_in_link(BOB).await;
    let fields = [("token", link.rsplit('/').next().unwrap()), ("provider", "email-link")];
    client.post("/api/accept-invite-with", &fields).await;
    assert_eq!((client.who().await, app.events_of("invite.accepted").await), (None, 0));
}

/// Invites Bob; the secret of the link in the mail.
async fn invited(app: &TestApp, admin: &Client) -> String {
    let fields = [("emails", BOB), ("role", "member"), ("step", "send")];
    admin.post("/dashboard/invites/new", &fields).await.expect_status(200);
    app.mail(BOB, "invitation").await.written.link.unwrap().token
}

async fn a_custom_provider_proves_by_mail_too(app: TestApp) {
    app.member_by_mail("somebody@example.org").await;
    let client = app.form();
    client.get("/login?with=staff").await.expect_text("Log in with a mail to the staff").expect_text("Send me a mail");
    let refused = client.submit("/api/login-with", &[("provider", "staff"), ("fields[email]", BOB)]).await;
    refused.expect_status(200).expect_text("We don't recognise that.");
    client.ask_for_mail("staff", "ada@staff.example").await.expect_redirect("/link");
    let link = app.mail("ada@staff.example", "log_in_by_link").await.link();
    client.post(&link, &[]).await.expect_redirect("/account");
    assert_eq!(client.who().await.as_deref(), Some("ada@staff.example"));
    // It has a say in the second half, too.
    app.form().ask_for_mail("staff", "eve@staff.example").await.expect_redirect("/link");
    let link = app.mail("eve@staff.example", "log_in_by_link").await.link();
    let eve = app.form();
    eve.post(&link, &[]).await.expect_status(302);
    assert_eq!((eve.who().await, app.number("SELECT count(*) FROM users").await), (None, 2));
}

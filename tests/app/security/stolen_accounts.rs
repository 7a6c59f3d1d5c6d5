//! Who wants the account of another: by keeping the owner from taking a change of address back, by registering an address
//! before its owner does, by being somebody else when a role is given.

use crate::harness::{Client, MAILS, PASSWORD, TestApp, on_both_databases, token_in};
use crate::web::providers::{ELSEWHERE, come_back, set_out, state_in};

on_both_databases! {
    nobody_gets_an_address_that_its_owner_can_take_back with MAILS,
    without_mail_nobody_gets_it_either,
    a_provider_gives_nobody_an_address_that_is_held with ELSEWHERE,
    the_owner_goes_back_to_an_address_of_their_own with MAILS,
    a_refused_link_says_so_and_how_to_go_on with MAILS,
    an_invite_gives_nobody_an_address_that_is_held with MAILS,
    whoever_registered_for_another_is_out_once_the_owner_confirms with MAILS,
    the_code_of_the_mail_keeps_no_password_of_another_either with MAILS,
    a_session_of_before_ends_when_the_owner_confirms with OPTIONAL,
    one_who_is_logged_in_confirms_and_stays with OPTIONAL,
    a_role_ends_the_links_of_whoever_had_the_account_before with MAILS,
    a_role_given_by_an_admin_ends_them_too with MAILS,
}

const OPTIONAL: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    registration.require_verified_email = false
"#;
const BOB: &str = "bob@example.org";
const NEW: &str = "a brand new password";

impl TestApp {
    /// Gives the account that is logged in another address, by the mail to that address.
    async fn move_to(&self, client: &Client, email: &str) {
        client.post("/api/change-email", &[("email", email), ("password", PASSWORD)]).await.expect_status(302);
        client.post(&self.mail(email, "confirm_new_email").await.link(), &[]).await.expect_redirect("/account");
    }

    /// Takes a change of address back and sets a new password.
    async fn take_back(&self, undo: &str) {
        let owner = self.form();
        owner.post(undo, &[]).await.expect_redirect("/reset-password");
        owner.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
        self.form().log_in(BOB, NEW).await.expect_redirect("/account");
    }
}

async fn nobody_gets_an_address_that_its_owner_can_take_back(app: TestApp) {
    let admin = app.admin().await;
    let eve = app.member_by_mail("eve@example.org").await;
    let thief = app.member_by_mail(BOB).await;
    app.move_to(&thief, "thief@example.org").await;
    let undo = app.mail(BOB, "email_was_changed").await.link();
    app.form().register(BOB, PASSWORD).await.expect_redirect("/link");
    app.mail(BOB, "already_registered").await;
    eve.post("/api/change-email", &[("email", BOB), ("password", PASSWORD)]).await.expect_redirect("/link");
    app.mail(BOB, "email_is_taken").await;
    for step in ["preview", "send"] {
        let fields = [("emails", BOB), ("role", "member"), ("step", step)];
        admin.post("/dashboard/invites/new", &fields).await.expect_text("Already a user");
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 3);
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 0);
    app.take_back(&undo).await;
    assert!(!thief.is_logged_in().await);
}

async fn without_mail_nobody_gets_it_either(app: TestApp) {
    let thief = app.member(BOB).await;
    app.move_to(&thief, "thief@example.org").await;
    let undo = app.mail(BOB, "email_was_changed").await.link();
    app.form().submit("/api/register", &[("email", BOB), ("password", PASSWORD)]).await.expect_text("No account");
    app.script().register(BOB, PASSWORD).await.expect_status(422);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
    app.take_back(&undo).await;
    // Once it is nobody's to be taken back any more, it is anybody's.
    thief.register("thief@example.org", PASSWORD).await.expect_redirect("/account");
}

async fn a_provider_gives_nobody_an_address_that_is_held(app: TestApp) {
    let admin = app.admin().await;
    let thief = app.member(BOB).await;
    app.move_to(&thief, "thief@example.org").await;
    for code in [BOB.to_owned(), format!("{BOB}!")] {
        let client = app.form();
        let state = set_out(&client, "").await;
        let to = "/login?error=OAuthAccountNotLinked&provider=elsewhere&next=/account/connections";
        come_back(&client, (&code, &state)).await.expect_redirect(to);
        app.program().back_from_elsewhere(&code).await.expect_status(401);
        let away = admin.submit("/api/rehearse-provider", &[("provider", "elsewhere")]).await;
        let state = state_in(away.header("refresh").unwrap().strip_prefix("0; url=").unwrap());
        come_back(&admin, (&code, &state)).await.expect_redirect("/dashboard/system");
        admin.get("/dashboard/system").await.expect_text("exists and this one is not linked");
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 2);
}

async fn the_owner_goes_back_to_an_address_of_their_own(app: TestApp) {
    let bob = app.member_by_mail(BOB).await;
    app.move_to(&bob, "new@example.org").await;
    app.move_to(&bob, BOB).await;
    app.logged_in(BOB).await;
}

async fn a_refused_link_says_so_and_how_to_go_on(app: TestApp) {
    let bob = app.member_by_mail(BOB).await;
    let eve = app.member_by_mail("eve@example.org").await;
    eve.post("/api/change-email", &[("email", "new@example.org"), ("password", PASSWORD)]).await.expect_status(302);
    let link = app.mail("new@example.org", "confirm_new_email").await.link();
    app.move_to(&bob, "new@example.org").await;
    eve.submit(&link, &[]).await.expect_text("There is an account with this address already.");
    app.move_to(&bob, BOB).await;
    let page = eve.submit(&link, &[]).await;
    page.expect_text("There is an account with this address already.");
    assert_eq!(page.link("Back to your account"), Some("/account".to_owned()));
    let token = token_in(&link);
    let script = app.script().post("/api/use-link", &[("token", &token)]).await;
    assert_eq!((script.status, script.error()), (409, "has_account".to_owned()));
    let page = app.form().submit(&link, &[]).await;
    assert_eq!(page.link("Log in"), Some("/login".to_owned()));
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email = 'eve@example.org'").await, 1);
}

async fn an_invite_gives_nobody_an_address_that_is_held(app: TestApp) {
    let admin = app.admin().await;
    let fields = [("emails", BOB), ("role", "member"), ("step", "send")];
    admin.post("/dashboard/invites/new", &fields).await.expect_status(200);
    let invite = token_in(&app.mail(BOB, "invitation").await.link());
    let thief = app.member_by_mail(BOB).await;
    app.move_to(&thief, "thief@example.org").await;
    let undo = app.mail(BOB, "email_was_changed").await.link();
    let fields = [("token", invite.as_str()), ("password", PASSWORD)];
    app.form().submit("/api/accept-invite", &fields).await.expect_text("No account was created.");
    assert_eq!(app.number("SELECT count(*) FROM invites WHERE accepted_at IS NOT NULL").await, 0);
    app.take_back(&undo).await;
}

async fn whoever_registered_for_another_is_out_once_the_owner_confirms(app: TestApp) {
    let attacker = app.form();
    attacker.register(BOB, "the password of the attacker").await.expect_redirect("/link");
    app.mail(BOB, "confirm_email").await;
    let bob = app.form();
    bob.register(BOB, PASSWORD).await.expect_redirect("/link");
    app.mail(BOB, "already_registered").await;
    app.advance(std::time::Duration::from_secs(61));
    bob.post("/api/send-again", &[]).await.expect_redirect("/link");
    let link = app.mail(BOB, "confirm_email").await.link();
    let page = bob.submit(&link, &[]).await;
    page.expect_text("Your e-mail address is confirmed.").expect_text("not the browser that you registered with");
    assert!(!bob.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL").await, 1);
    app.script().log_in(BOB, "the password of the attacker").await.expect_status(401);
    bob.post("/api/reset-password", &[("new_password", PASSWORD)]).await.expect_redirect("/account");
    assert!(bob.is_logged_in().await);
    app.logged_in(BOB).await;
    app.script().log_in(BOB, "the password of the attacker").await.expect_status(401);
}

async fn the_code_of_the_mail_keeps_no_password_of_another_either(app: TestApp) {
    app.form().register(BOB, "the password of the attacker").await.expect_redirect("/link");
    let code = app.arm_code(&app.mail(BOB, "confirm_email").await).await;
    let bob = app.form();
    bob.post("/api/use-code", &[("email", BOB), ("code", &code)]).await.expect_redirect("/reset-password");
    app.script().log_in(BOB, "the password of the attacker").await.expect_status(401);
    bob.post("/api/reset-password", &[("new_password", PASSWORD)]).await.expect_redirect("/account");
}

async fn a_session_of_before_ends_when_the_owner_confirms(app: TestApp) {
    let attacker = app.form();
    attacker.register(BOB, PASSWORD).await.expect_redirect("/link");
    let link = app.mail(BOB, "confirm_email").await.link();
    attacker.log_in(BOB, PASSWORD).await.expect_redirect("/account");
    let bob = app.form();
    bob.post(&link, &[]).await.expect_redirect("/reset-password");
    assert!(!attacker.is_logged_in().await);
    // Who leaves it there has lost nothing: there is a way back by mail.
    app.script().log_in(BOB, PASSWORD).await.expect_status(401);
    app.form().post("/api/forgot-password", &[("email", BOB)]).await.expect_redirect("/link");
    app.mail(BOB, "reset_password").await;
}

async fn one_who_is_logged_in_confirms_and_stays(app: TestApp) {
    app.form().register(BOB, PASSWORD).await.expect_redirect("/link");
    let link = app.mail(BOB, "confirm_email").await.link();
    let elsewhere = app.logged_in(BOB).await;
    elsewhere.submit(&link, &[]).await.expect_text("Your e-mail address is confirmed.");
    assert!(elsewhere.is_logged_in().await);
    app.logged_in(BOB).await;
}

/// Mal is a member, the account is now known by Bob's address, and Mal still has the link that takes it back.
async fn mal_becomes_bob(app: &TestApp) -> String {
    let mal = app.member_by_mail("mal@example.org").await;
    app.move_to(&mal, BOB).await;
    app.mail("mal@example.org", "email_was_changed").await.link()
}

/// Bob makes the account his own by his mail, as anybody would who is told that there is an account.
async fn bob_sets_a_password(app: &TestApp) -> Client {
    let bob = app.form();
    bob.post("/api/forgot-password", &[("email", BOB)]).await.expect_redirect("/link");
    bob.post(&app.mail(BOB, "reset_password").await.link(), &[]).await.expect_redirect("/reset-password");
    bob.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
    bob
}

async fn a_role_ends_the_links_of_whoever_had_the_account_before(app: TestApp) {
    let admin = app.admin().await;
    let fields = [("emails", BOB), ("role", "admin"), ("step", "send")];
    admin.post("/dashboard/invites/new", &fields).await.expect_status(200);
    let invite = token_in(&app.mail(BOB, "invitation").await.link());
    let undo = mal_becomes_bob(&app).await;
    let bob = bob_sets_a_password(&app).await;
    bob.post("/api/accept-invite", &[("token", &invite)]).await.expect_redirect("/account");
    bob.get("/dashboard/users").await.expect_status(200);
    app.form().submit(&undo, &[]).await.expect_text("This link no longer works");
    assert!(bob.is_logged_in().await);
    app.form().log_in(BOB, NEW).await.expect_redirect("/dashboard/users");
}

async fn a_role_given_by_an_admin_ends_them_too(app: TestApp) {
    let admin = app.admin().await;
    let undo = mal_becomes_bob(&app).await;
    let bob = bob_sets_a_password(&app).await;
    let id = app.user_id(BOB).await;
    admin.post("/api/change-role", &[("id", &id), ("role", "admin")]).await.expect_status(302);
    app.form().submit(&undo, &[]).await.expect_text("This link no longer works");
    // No session grows with the role.
    assert!(!bob.is_logged_in().await);
    app.form().log_in(BOB, NEW).await.expect_redirect("/dashboard/users");
}

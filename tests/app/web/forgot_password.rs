//! `/forgot-password` and `/reset-password`: one answer for everybody, a link that works once, and what it ends.

use std::time::Duration;

use crate::harness::{Kind, MAILS, PASSWORD, TestApp, eventually, on_both_databases};

on_both_databases! {
    everybody_gets_the_same_answer with MAILS,
    a_password_that_breaks_a_rule_costs_no_link with MAILS,
    a_new_password_ends_what_was_before with MAILS,
    a_newer_link_ends_the_older_one with MAILS,
    whoever_did_not_do_it_takes_it_back with MAILS,
    an_account_that_was_made_in_advance_is_taken_over with MAILS,
    one_who_asks_too_often_gets_no_more_mails with MAILS,
    a_request_that_cannot_be_answered_holds_up_no_other with MAILS,
    without_mail_nothing_is_promised,
    an_address_is_changed_and_changed_back with MAILS,
    an_address_of_another_is_not_told with MAILS,
    an_identity_that_is_nobodys_keeps_nobody_from_an_address with MAILS,
    an_older_link_tells_nobody_of_an_account with MAILS,
    a_change_of_address_ends_when_the_user_is_disabled with MAILS,
    an_address_of_a_domain_that_may_not_register_is_none_to_change_to with MAILS,
    a_thief_cannot_end_the_link_that_takes_a_change_back with MAILS,
}

const NEW: &str = "a brand new password";

impl TestApp {
    async fn forget(&self, email: &str) {
        self.form().post("/api/forgot-password", &[("email", email)]).await.expect_redirect("/link");
    }
}

async fn everybody_gets_the_same_answer(app: TestApp) {
    let admin = app.admin().await;
    app.member_by_mail("known@example.org").await;
    app.member_by_mail("disab@example.org").await;
    app.form().register("unver@example.org", PASSWORD).await.expect_redirect("/link");
    app.mail_requests_are_answered().await;
    let id = app.user_id("disab@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    let mut answers = Vec::new();
    for email in ["known@example.org", "disab@example.org", "unver@example.org", "nobod@example.org"] {
        let client = app.form();
        let answer = client.post("/api/forgot-password", &[("email", email)]).await;
        let cookie_bytes = client.cookie_header().len();
        let page = client.get("/link").await.text().replace(email, "(address)");
        answers.push((answer.status, answer.location(), answer.body.clone(), cookie_bytes, page));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    let resets = |email: &'static str| {
        let app = app.clone();
        async move { app.mails_to(email).await.iter().filter(|mail| mail.kind == "reset_password").count() }
    };
    assert_eq!(resets("known@example.org").await, 1);
    assert_eq!(resets("unver@example.org").await, 1);
    assert_eq!(resets("disab@example.org").await, 0);
    assert_eq!(resets("nobod@example.org").await, 0);
}

async fn a_password_that_breaks_a_rule_costs_no_link(app: TestApp) {
    app.member_by_mail("bob@example.org").await;
    app.forget("bob@example.org").await;
    let link = app.mail("bob@example.org", "reset_password").await.link();
    let client = app.form();
    client.get("/reset-password").await.expect_text("This needs a link");
    client.post("/api/reset-password", &[("new_password", NEW)]).await.expect_status(302);
    client.post(&link, &[]).await.expect_redirect("/reset-password");
    let page = client.submit("/api/reset-password", &[("new_password", "short")]).await;
    page.expect_status(200).expect_text("Use at least 8 characters.");
    client.submit("/api/reset-password", &[("new_password", NEW)]).await.expect_text("Your new password is set.");
    assert!(client.is_logged_in().await);
}

async fn a_new_password_ends_what_was_before(app: TestApp) {
    let before = app.member_by_mail("bob@example.org").await;
    app.forget("bob@example.org").await;
    let link = app.mail("bob@example.org", "reset_password").await.link();
    let client = app.form();
    client.post(&link, &[]).await.expect_redirect("/reset-password");
    client.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
    assert!(client.is_logged_in().await);
    assert!(!before.is_logged_in().await);
    app.form().log_in("bob@example.org", PASSWORD).await.expect_redirect("/login");
    app.form().log_in("bob@example.org", NEW).await.expect_redirect("/account");
    app.form().get(&link).await.expect_text("This link was used");
    app.mail("bob@example.org", "password_was_reset").await;
}

async fn a_newer_link_ends_the_older_one(app: TestApp) {
    app.member_by_mail("bob@example.org").await;
    app.forget("bob@example.org").await;
    let old = app.mail("bob@example.org", "reset_password").await.link();
    let client = app.form();
    client.post(&old, &[]).await.expect_redirect("/reset-password");
    app.forget("bob@example.org").await;
    let new = app.mail("bob@example.org", "reset_password").await.link();
    app.form().get(&old).await.expect_text("This link was replaced");
    client.submit("/api/reset-password", &[("new_password", NEW)]).await.expect_text("This link has ended");
    client.post(&new, &[]).await.expect_redirect("/reset-password");
    client.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
}

async fn whoever_did_not_do_it_takes_it_back(app: TestApp) {
    app.member_by_mail("bob@example.org").await;
    app.forget("bob@example.org").await;
    let thief = app.form();
    thief.post(&app.mail("bob@example.org", "reset_password").await.link(), &[]).await.expect_status(302);
    thief.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
    let notice = app.mail("bob@example.org", "password_was_reset").await.link();
    let owner = app.form();
    owner.get(&notice).await.expect_text("That wasn't you?");
    assert!(thief.is_logged_in().await);
    owner.submit(&notice, &[]).await.expect_text("That password no longer works");
    let used = owner.get(&notice).await;
    used.expect_text("This link was used");
    assert_eq!(used.link("Ask for a new link").as_deref(), Some("/forgot-password"));
    assert!(!thief.is_logged_in().await);
    app.form().log_in("bob@example.org", NEW).await.expect_redirect("/login");
    owner.post(&app.mail("bob@example.org", "reset_password").await.link(), &[]).await.expect_status(302);
    owner.post("/api/reset-password", &[("new_password", PASSWORD)]).await.expect_redirect("/account");
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
    // Once there is a newer password, what was mailed about this one has nothing to end.
    let notice = app.mail("bob@example.org", "password_was_reset").await.link();
    let fields = [("password", PASSWORD), ("new_password", NEW)];
    owner.post("/api/change-password", &fields).await.expect_redirect("/account/security");
    let ended = owner.get(&notice).await;
    ended.expect_text("The password was changed again since").expect_no_text("taken back");
    assert_eq!(ended.link("Ask for a new link").as_deref(), Some("/forgot-password"));
    app.form().log_in("bob@example.org", NEW).await.expect_redirect("/account");
}

async fn an_account_that_was_made_in_advance_is_taken_over(app: TestApp) {
    let attacker = app.form();
    attacker.register("victim@example.org", PASSWORD).await.expect_redirect("/link");
    let confirmation = app.mail("victim@example.org", "confirm_email").await.link();
    app.forget("victim@example.org").await;
    let victim = app.form();
    victim.post(&app.mail("victim@example.org", "reset_password").await.link(), &[]).await.expect_status(302);
    victim.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
    assert!(victim.is_logged_in().await && !attacker.is_logged_in().await);
    attacker.log_in("victim@example.org", PASSWORD).await.expect_redirect("/login");
    attacker.get(&confirmation).await.expect_text("This link no longer works");
}

async fn one_who_asks_too_often_gets_no_more_mails(app: TestApp) {
    app.member_by_mail("bob@example.org").await;
    for _ in 0..10 {
        app.forget("bob@example.org").await;
    }
    let mails = app.mails_to("bob@example.org").await;
    assert_eq!(mails.iter().filter(|mail| mail.kind == "reset_password").count(), 5);
    // The last link works, so the owner is not locked out by who asks on.
    app.form().post(&mails.last().unwrap().link(), &[]).await.expect_redirect("/reset-password");
    for number in 0..20 {
        app.forget(&format!("nobody{number}@example.org")).await;
    }
    app.form().post("/api/forgot-password", &[("email", "x@example.org")]).await.expect_status(429);
    app.advance(Duration::from_mins(20));
    app.forget("x@example.org").await;
}

async fn without_mail_nothing_is_promised(app: TestApp) {
    app.member("bob@example.org").await;
    let client = app.form();
    client.get("/forgot-password").await.expect_text("This site sends no mail itself.");
    client.submit("/api/forgot-password", &[("email", "bob@example.org")]).await.expect_text("Ask for your link");
    // An admin hands the link on.
    let link = app.mail("bob@example.org", "reset_password").await.link();
    client.post(&link, &[]).await.expect_redirect("/reset-password");
}

async fn a_request_that_cannot_be_answered_holds_up_no_other(app: TestApp) {
    app.member_by_mail("bob@example.org").await;
    app.member_by_mail("eve@example.org").await;
    app.change(match app.kind {
        Kind::Sqlite => {
            "CREATE TRIGGER no_eve BEFORE INSERT ON one_time_tokens WHEN NEW.email = 'eve@example.org'
                 AND NEW.purpose = 'reset_password' BEGIN SELECT RAISE(ABORT, 'not today'); END"
        }
        Kind::Postgres => {
            "ALTER TABLE one_time_tokens ADD CHECK (email <> 'eve@example.org' OR purpose <> 'reset_password') NOT VALID"
        }
    })
    .await;
    app.forget("eve@example.org").await;
    app.change("UPDATE mail_requests SET id = '0'").await;
    app.forget("bob@example.org").await;
    let mails = "SELECT count(*) FROM mails WHERE kind = 'reset_password'";
    eventually(|| async { app.number(mails).await == 1 }).await;
    assert_eq!(app.number("SELECT count(*) FROM mail_requests").await, 1, "it is not lost either");
}

async fn an_address_is_changed_and_changed_back(app: TestApp) {
    let bob = app.member_by_mail("bob@example.org").await;
    let fields = [("email", "new@example.org"), ("password", "not the password")];
    bob.submit("/api/change-email", &fields).await.expect_text("That is not your current password.");
    bob.submit("/api/change-email", &[("email", "bob@example.org"), ("password", PASSWORD)])
        .await
        .expect_text("already");
    bob.post("/api/change-email", &[("email", "new@example.org"), ("password", PASSWORD)])
        .await
        .expect_redirect("/link");
    let confirm = app.mail("new@example.org", "confirm_new_email").await.link();
    app.logged_in("bob@example.org").await;
    bob.submit(&confirm, &[]).await.expect_text("Your e-mail address was changed.").expect_text("new@example.org");
    app.logged_in("new@example.org").await;
    app.form().log_in("bob@example.org", PASSWORD).await.expect_redirect("/login");
    let undo = app.mail("bob@example.org", "email_was_changed").await.link();
    let owner = app.form();
    owner.get(&undo).await.expect_text("Take the change back").expect_no_text("I didn't ask for this");
    // Who did not ask for the change has the remedy in hand; nothing that they click may take it away.
    let token = undo.rsplit('/').next().unwrap();
    owner.post("/api/void-link", &[("token", token)]).await;
    let page = owner.submit(&undo, &[]).await;
    page.expect_text("Your account has its address again. Choose a new password; the old one no longer works.");
    page.expect_no_text("Every other device is logged out.");
    assert!(page.body.contains(" autofocus"), "typing starts at the new password");
    let used = app.form().get(&undo).await;
    assert_eq!(used.expect_text("This link was used").link("Ask for a new link").as_deref(), Some("/forgot-password"));
    assert!(!bob.is_logged_in().await);
    app.form().log_in("bob@example.org", PASSWORD).await.expect_redirect("/login");
    owner.post("/api/reset-password", &[("new_password", NEW)]).await.expect_redirect("/account");
    app.form().log_in("bob@example.org", NEW).await.expect_redirect("/account");
    app.form().log_in("new@example.org", NEW).await.expect_redirect("/login");
}

async fn an_identity_that_is_nobodys_keeps_nobody_from_an_address(app: TestApp) {
    let bob = app.member_by_mail("bob@example.org").await;
    // Somebody has registered the address for a program, and never got an account.
    let squatter = app.registered("emailpass", "new@example.org").await;
    bob.post("/api/change-email", &[("email", "new@example.org"), ("password", PASSWORD)])
        .await
        .expect_redirect("/link");
    let confirm = app.mail("new@example.org", "confirm_new_email").await.link();
    bob.submit(&confirm, &[]).await.expect_text("Your e-mail address was changed.");
    app.form().log_in("new@example.org", PASSWORD).await.expect_redirect("/account");
    squatter.post("/auth/token/refresh", &serde_json::json!({})).await.expect_status(401);
    assert_eq!(app.number("SELECT count(*) FROM auth_identities").await, 1);
}

async fn an_address_of_another_is_not_told(app: TestApp) {
    app.member_by_mail("eve@example.org").await;
    let bob = app.member_by_mail("bob@example.org").await;
    for email in ["eve@example.org", "new@example.org"] {
        let answer = bob.post("/api/change-email", &[("email", email), ("password", PASSWORD)]).await;
        answer.expect_redirect("/link");
        bob.get("/link").await.expect_text("Check your e-mail");
    }
    app.mail("eve@example.org", "email_is_taken").await;
    // Somebody else registers the new address first: the link gives it to nobody else.
    let confirm = app.mail("new@example.org", "confirm_new_email").await.link();
    app.member_by_mail("new@example.org").await;
    bob.post(&confirm, &[]).await.expect_status(302);
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email = 'bob@example.org'").await, 1);
}

async fn a_thief_cannot_end_the_link_that_takes_a_change_back(app: TestApp) {
    let thief = app.member_by_mail("bob@example.org").await;
    for address in ["first@example.org", "second@example.org"] {
        let fields = [("email", address), ("password", PASSWORD)];
        thief.post("/api/change-email", &fields).await.expect_redirect("/link");
        thief.post(&app.mail(address, "confirm_new_email").await.link(), &[]).await.expect_redirect("/account");
    }
    thief.post("/api/change-password", &[("password", PASSWORD), ("new_password", NEW)]).await.expect_status(302);
    let undo_of_thief = app.mail("first@example.org", "email_was_changed").await.link();
    let owner = app.form();
    let undo = app.mail("bob@example.org", "email_was_changed").await.link();
    owner.post(&undo, &[]).await.expect_redirect("/reset-password");
    assert!(!thief.is_logged_in().await);
    app.form().get(&undo_of_thief).await.expect_text("This link no longer works");
    owner.post("/api/reset-password", &[("new_password", PASSWORD)]).await.expect_redirect("/account");
    app.form().log_in("second@example.org", NEW).await.expect_redirect("/login");
    app.logged_in("bob@example.org").await;
}

async fn an_older_link_tells_nobody_of_an_account(app: TestApp) {
    app.member_by_mail("eve@example.org").await;
    let mut seen = Vec::new();
    for (number, probed) in ["eve@example.org", "nobody@example.org"].into_iter().enumerate() {
        let bob = app.member_by_mail(&format!("bob{number}@example.org")).await;
        let mine = format!("mine{number}@example.org");
        for email in [mine.as_str(), probed] {
            let answer = bob.post("/api/change-email", &[("email", email), ("password", PASSWORD)]).await;
            answer.expect_redirect("/link");
        }
        let older = app.mail(&mine, "confirm_new_email").await.link();
        let page = bob.get(&older).await;
        seen.push((page.status, page.title(), page.text()));
        bob.post(&older, &[]).await.expect_status(302);
        assert_eq!(app.number("SELECT count(*) FROM users WHERE email LIKE 'mine%'").await, 0, "{probed}");
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].2.contains("This link was replaced"), "{seen:?}");
    let usable = "SELECT count(*) FROM one_time_tokens WHERE purpose = 'change_email' AND email = 'eve@example.org'
         AND revoked_at IS NULL AND replaced_at IS NULL";
    assert_eq!(app.number(usable).await, 0, "no link gives anybody the address of another");
}

async fn a_change_of_address_ends_when_the_user_is_disabled(app: TestApp) {
    let admin = app.admin().await;
    let bob = app.member_by_mail("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    let fields = [("email", "new@example.org"), ("password", PASSWORD)];
    bob.post("/api/change-email", &fields).await.expect_redirect("/link");
    let confirm = app.mail("new@example.org", "confirm_new_email").await.link();
    // Turned off by whatever else than the button: the link is there, and gives nothing away.
    app.change("UPDATE users SET disabled_at = 1 WHERE email = 'bob@example.org'").await;
    let visitor = app.form();
    visitor.post(&confirm, &[]).await.expect_redirect(&confirm);
    visitor.get(&confirm).await.expect_text("From now on your account is known by");
    app.change("UPDATE users SET disabled_at = NULL WHERE email = 'bob@example.org'").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    visitor.get(&confirm).await.expect_text("This link no longer works");
    admin.post("/api/enable-user", &[("id", &id)]).await.expect_status(302);
    visitor.post(&confirm, &[]).await.expect_redirect(&confirm);
    assert_eq!(app.user_id("bob@example.org").await, id);
    app.logged_in("bob@example.org").await;
}

async fn an_address_of_a_domain_that_may_not_register_is_none_to_change_to(app: TestApp) {
    let bob = app.member_by_mail("bob@example.org").await;
    let eve = app.member_by_mail("eve@elsewhere.example").await;
    let ask = [("email", "bob@elsewhere.example"), ("password", PASSWORD)];
    bob.post("/api/change-email", &ask).await.expect_redirect("/link");
    let early = app.mail("bob@elsewhere.example", "confirm_new_email").await.link();
    eve.post("/api/change-email", &[("email", "eve@example.org"), ("password", PASSWORD)]).await.expect_status(302);
    let allowed = app.mail("eve@example.org", "confirm_new_email").await.link();

    let strict = app.another_process_with("registration.allowed_domains = [\"example.org\"]").await;
    // Of one moment, the mails of two processes would stand in any order.
    app.advance(Duration::from_secs(1));
    let bob = strict.logged_in("bob@example.org").await;
    let page = bob.submit("/api/change-email", &ask).await;
    page.expect_status(200).expect_text("Addresses of this domain can't register here.");
    assert_eq!(page.value_of("email").as_deref(), Some("bob@elsewhere.example"));
    assert_eq!(app.mails_to("bob@elsewhere.example").await.len(), 1);
    // A link that was asked for before it was so.
    bob.post(&early, &[]).await.expect_redirect(&early);
    strict.form().post(&allowed, &[]).await.expect_redirect("/login");
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email LIKE '%@elsewhere.example'").await, 0);
    // What a thief has changed is taken back, whatever the domain.
    let undo = app.mail("eve@elsewhere.example", "email_was_changed").await.link();
    strict.form().post(&undo, &[]).await.expect_redirect("/reset-password");
    app.user_id("eve@elsewhere.example").await;
}

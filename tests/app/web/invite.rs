//! `/invite/{token}`: what an invite becomes, once; each refusal has a page, and a scanner spends nothing.

mod accounts;

use std::time::Duration;

use tokio::task::JoinSet;

use crate::harness::{Client, MAILS, PASSWORD, Page, TestApp, on_both_databases};

on_both_databases! {
    a_link_that_is_none_leads_nowhere,
    nobody_is_let_in_where_registration_is_closed,
    a_password_that_breaks_a_rule_is_said_at_its_field,
    an_expired_invite_is_refused_and_another_is_asked_for_once_an_hour,
    a_revoked_invite_is_refused,
    an_invite_of_who_may_not_any_more_is_refused,
    a_scanner_spends_nothing,
    a_form_and_a_script_accept_alike with INVITE_ONLY,
    it_is_for_the_invited_address_whatever_was_typed,
    names_and_notes_are_shown_as_text,
    who_tries_too_often_waits with STRICT,
    the_mailed_link_leads_to_the_invite with MAILS,
    fifty_at_once_make_one_user with UNLIMITED,
    what_happened_is_written_in_its_order,
}

const INVITE_ONLY: &str = "
    registration.mode = \"invite_only\"
    registration.allowed_domains = [\"elsewhere.example\"]
";
const UNLIMITED: &str = "
    limits.accept_invite_per_ip = \"off\"
    password.max_queued_hashes = 200
";
const STRICT: &str = r#"limits.accept_invite_per_ip = "3/10m""#;
const AT_ONCE: usize = 50;
const BOB: &str = "bob@example.org";

async fn accept(client: &Client, token: &str) -> Page {
    let fields = [("token", token), ("first_name", "Bob"), ("last_name", "Noyce"), ("password", PASSWORD)];
    client.post("/api/accept-invite", &fields).await
}

/// Fails unless a script is refused with this, and nobody came to exist by it.
async fn expect_refused(app: &TestApp, token: &str, (status, error): (u16, &str)) {
    let before = app.number("SELECT count(*) FROM users").await;
    let script = app.script();
    let refused = accept(&script, token).await;
    refused.expect_status(status);
    assert_eq!(refused.error(), error);
    assert!(!script.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM users").await, before);
    assert_eq!(app.number("SELECT count(*) FROM invites WHERE accepted_at IS NOT NULL").await, 0);
}

async fn a_link_that_is_none_leads_nowhere(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    let almost = format!("{}A", &token[..42]);
    let other = if almost == token { format!("{}E", &token[..42]) } else { almost };
    for wrong in ["x", other.as_str(), "%00", "a%2Fb", "%3Cscript%3E", &"y".repeat(3_000)] {
        let page = app.form().get(&format!("/invite/{wrong}")).await;
        page.expect_status(404).expect_text("This link doesn't work");
        assert!(!page.body.contains("<script>"));
    }
    for wrong in ["", "x", other.as_str(), "\0", "//evil.example", "</title>"] {
        expect_refused(&app, wrong, (410, "invite_ended")).await;
        app.script().post("/api/ask-for-invite", &[("token", wrong)]).await.expect_status(200);
    }
    let sent_to = accept(&app.form(), "//evil.example").await.expect_status(302).location();
    assert_eq!(sent_to.as_deref(), Some("/invite/%2F%2Fevil.example"));
    accept(&app.form(), &token).await.expect_redirect("/account");
}

async fn nobody_is_let_in_where_registration_is_closed(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    let closed = app.another_process_with("registration.mode = \"closed\"").await;
    expect_refused(&closed, &token, (403, "registration_closed")).await;
    let page = closed.form().get(&format!("/invite/{token}")).await;
    page.expect_status(403).expect_text("Nobody can accept an invite here now.");
    assert!(page.value_of("password").is_none());
    let there = Client::form(&closed);
    there.log_in(crate::harness::ADMIN, PASSWORD).await.expect_status(302);
    there.get("/dashboard/invites/new").await.expect_status(200).expect_text("Nobody can be invited now");
    for step in ["", "send"] {
        let fields = [("emails", "eve@example.org"), ("step", step)];
        there.post("/dashboard/invites/new", &fields).await.expect_status(400).expect_text("Nobody can be invited now");
    }
    there.submit("/api/invite", &[("email", "eve@example.org")]).await.expect_text("Nobody can be invited now");
    let id = app.text_for("SELECT id FROM invites WHERE email = $1", BOB).await.unwrap();
    there
        .submit("/api/resend-invite", &[("id", &id)])
        .await
        .expect_status(200)
        .expect_text("Registration is not open.");
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 1);
}

async fn a_password_that_breaks_a_rule_is_said_at_its_field(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    for (password, words) in [
        ("", "Use at least 8 characters."),
        ("short", "Use at least 8 characters."),
        ("password1", "among the first that others would guess"),
        (BOB, "Don't use your e-mail address."),
    ] {
        let client = app.form();
        let fields = [("token", token.as_str()), ("first_name", "Bob"), ("last_name", ""), ("password", password)];
        let page = client.submit("/api/accept-invite", &fields).await;
        page.expect_status(200).expect_text(words);
        assert_eq!(page.value_of("first_name").as_deref(), Some("Bob"));
        assert_eq!(page.value_of("password").as_deref(), Some(""));
    }
    for name in ["a\0b", "a\u{202e}b", &"x".repeat(101)] {
        let fields = [("token", token.as_str()), ("first_name", name), ("password", PASSWORD)];
        app.form().submit("/api/accept-invite", &fields).await.expect_status(200).expect_text("At most 100 characters");
    }
    accept(&app.form(), &token).await.expect_redirect("/account");
}

async fn an_expired_invite_is_refused_and_another_is_asked_for_once_an_hour(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    app.advance(Duration::from_hours(7 * 24));
    expect_refused(&app, &token, (410, "invite_ended")).await;
    let client = app.form();
    let page = client.get(&format!("/invite/{token}")).await;
    page.expect_status(410).expect_text("This invite has expired").expect_text("Ask for a new one");
    page.expect_no_text(BOB);
    let wanted = "SELECT count(*) FROM mails WHERE kind = 'invite_is_wanted' AND recipient = 'ada@example.org'";
    for letters in [1, 1] {
        let page = client.submit("/api/ask-for-invite", &[("token", &token)]).await;
        page.expect_status(410).expect_text("they are asked for a new one.");
        assert_eq!(app.number(wanted).await, letters);
    }
    app.advance(Duration::from_hours(1));
    client.submit("/api/ask-for-invite", &[("token", &token)]).await.expect_text("they are asked for a new one.");
    assert_eq!(app.number(wanted).await, 2);
}

async fn a_revoked_invite_is_refused(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    let id = app.text_for("SELECT id FROM invites WHERE email = $1", BOB).await.unwrap();
    admin.submit("/api/revoke-invite", &[("id", &id)]).await.expect_text("The invite was revoked.");
    expect_refused(&app, &token, (410, "invite_ended")).await;
    let page = app.form().get(&format!("/invite/{token}")).await;
    page.expect_status(410).expect_text("This invite was taken back").expect_text("Ask for a new one");
    assert_eq!(app.number("SELECT count(*) FROM mails WHERE dropped_at IS NULL OR sealed IS NOT NULL").await, 0);
    app.invite(&admin, BOB, "member").await;
}

async fn an_invite_of_who_may_not_any_more_is_refused(app: TestApp) {
    let admin = app.admin().await;
    app.member("eve@example.org").await;
    let eve = app.user_id("eve@example.org").await;
    admin.post("/api/change-role", &[("id", &eve), ("role", "admin")]).await.expect_status(302);
    let token = app.invite(&app.logged_in("eve@example.org").await, BOB, "admin").await;
    let turned = [("disable-user", "enable-user"), ("change-role", "change-role")];
    for (off, on) in turned {
        admin.post(&format!("/api/{off}"), &[("id", &eve), ("role", "member")]).await.expect_status(302);
        expect_refused(&app, &token, (410, "invite_ended")).await;
        let page = app.form().get(&format!("/invite/{token}")).await;
        page.expect_status(410).expect_text("This invite is no longer valid").expect_no_text("Ask for a new one");
        admin.post(&format!("/api/{on}"), &[("id", &eve), ("role", "admin")]).await.expect_status(302);
    }
    app.form().get(&format!("/invite/{token}")).await.expect_status(200);
    admin.post("/api/delete-user", &[("id", &eve), ("confirm", "eve@example.org")]).await.expect_status(302);
    expect_refused(&app, &token, (410, "invite_ended")).await;
    // It keeps nobody from being invited by somebody else.
    let again = app.invite(&admin, BOB, "member").await;
    accept(&app.form(), &again).await.expect_redirect("/account");
    expect_role(&app, BOB, "member").await;
}

async fn expect_role(app: &TestApp, email: &str, role: &str) {
    assert_eq!(app.text_for("SELECT role FROM users WHERE email = $1", email).await.as_deref(), Some(role));
}

async fn a_scanner_spends_nothing(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    let scanner = app.form();
    let path = format!("/invite/{token}");
    for _ in 0..10 {
        scanner.get(&path).await.expect_status(200);
        scanner.send(scanner.request(&reqwest::Method::HEAD, &path)).await.expect_status(200);
    }
    assert_eq!(app.number("SELECT count(*) FROM one_time_tokens WHERE used_at IS NOT NULL").await, 0);
    let page = app.form().get(&path).await;
    page.expect_text("Ada Lovelace").expect_text("invited you to Latchkey as Member.");
    assert_eq!(page.value_of("email").as_deref(), Some(BOB));
    accept(&app.form(), &token).await.expect_redirect("/account");
    let used = app.form().get(&path).await;
    used.expect_status(410).expect_text("This invite was accepted").expect_no_text(BOB);
    assert_eq!(used.link("Log in").as_deref(), Some("/login"));
}

async fn a_form_and_a_script_accept_alike(app: TestApp) {
    let admin = app.admin().await;
    for (client, email, role) in [(app.form(), BOB, "member"), (app.script(), "eve@example.org", "admin")] {
        let token = app.invite(&admin, email, role).await;
        let answer = accept(&client, &token).await;
        answer.expect_status(if client.is_form() { 302 } else { 200 }).expect_redirect("/account");
        client.get("/account").await.expect_status(200).expect_text(email);
        expect_role(&app, email, role).await;
        assert_eq!(client.get("/dashboard/users").await.status, if role == "admin" { 200 } else { 403 });
        assert!(
            app.text_for("SELECT id FROM users WHERE email = $1 AND email_verified_at IS NOT NULL", email)
                .await
                .is_some()
        );
        app.logged_in(email).await;
        assert_eq!(app.text_for("SELECT state FROM (SELECT email, CASE WHEN accepted_by IS NULL THEN 'open' ELSE 'accepted' END AS state FROM invites) i WHERE email = $1", email).await.as_deref(), Some("accepted"));
        expect_spent(&app, &token).await;
    }
    assert_eq!(app.number("SELECT count(*) FROM mails WHERE sealed IS NOT NULL").await, 0, "no link waits any more");
}

async fn expect_spent(app: &TestApp, token: &str) {
    let script = app.script();
    let again = accept(&script, token).await;
    again.expect_status(410);
    assert_eq!(again.error(), "invite_ended");
    assert!(!script.is_logged_in().await);
}

async fn it_is_for_the_invited_address_whatever_was_typed(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    let fields = [("token", token.as_str()), ("email", "eve@example.org"), ("role", "admin"), ("password", PASSWORD)];
    app.form().post("/api/accept-invite", &fields).await.expect_redirect("/account");
    expect_role(&app, BOB, "member").await;
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE entity_id = 'eve@example.org'").await, 0);
}

async fn names_and_notes_are_shown_as_text(app: TestApp) {
    let admin = app.admin().await;
    let hostile = "</title><script>alert(1)</script>";
    admin.post("/api/profile", &[("first_name", hostile), ("last_name", "<b>")]).await.expect_status(302);
    let note = "</p><script>alert(2)</script>\nhttps://evil.example";
    let fields = [("emails", BOB), ("role", "member"), ("note", note), ("step", "send")];
    let page = admin.post("/dashboard/invites/new", &fields).await;
    let token = crate::harness::token_in(&page.text());
    let id = app.text_for("SELECT id FROM invites WHERE email = $1", BOB).await.unwrap();
    let pages = [
        app.form().get(&format!("/invite/{token}")).await,
        admin.get("/dashboard/invites").await,
        admin.get(&format!("/dashboard/invites/{id}")).await,
        admin.post("/dashboard/invites/new", &[("emails", "</textarea><script>"), ("note", note)]).await,
    ];
    for page in pages {
        page.expect_status(200);
        assert!(!page.body.contains("<script>"), "{}", page.body);
        assert!(!page.body.contains("<b>"), "{}", page.body);
        assert_eq!(page.body.matches("</title>").count(), 1);
        assert!(!page.body.contains("href=\"https://evil"), "{}", page.body);
    }
    let fields = [("token", token.as_str()), ("first_name", hostile), ("password", PASSWORD)];
    let bob = app.form();
    bob.post("/api/accept-invite", &fields).await.expect_redirect("/account");
    let page = bob.get("/account").await;
    assert_eq!(page.value_of("first_name").as_deref(), Some(hostile));
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
}

async fn who_tries_too_often_waits(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    for _ in 0..3 {
        app.script().post("/api/ask-for-invite", &[("token", "x")]).await.expect_status(200);
    }
    expect_refused(&app, &token, (429, "rate_limited")).await;
    app.script().post("/api/ask-for-invite", &[("token", "x")]).await.expect_status(429);
    app.form().get(&format!("/invite/{token}")).await.expect_status(200);
    app.advance(Duration::from_mins(10));
    accept(&app.form(), &token).await.expect_redirect("/account");
}

async fn the_mailed_link_leads_to_the_invite(app: TestApp) {
    let admin = app.admin().await;
    let fields = [("emails", BOB), ("role", "admin"), ("note", "Hello\nBob"), ("step", "send")];
    let page = admin.post("/dashboard/invites/new", &fields).await;
    page.expect_status(200).expect_text("The mails are on their way.").expect_no_text("/link/");
    let mail = app.mail(BOB, "invitation").await;
    let letter = latchkey::flows::Letter::Invitation {
        inviter: Some("Ada Lovelace".to_owned()),
        role: latchkey::shared::Role::Admin,
        note: Some("Hello\nBob".to_owned()),
    };
    assert_eq!(mail.written.letter, letter);
    let bob = app.form();
    let path = bob.get(&mail.link()).await.location().expect("the link leads on");
    bob.get(&path).await.expect_status(200).expect_text("Hello Bob");
    let token = path.trim_start_matches("/invite/");
    accept(&bob, token).await.expect_redirect("/account");
    bob.get("/dashboard/users").await.expect_status(200);
    assert!(app.mails_to(BOB).await.is_empty(), "an invite that was accepted is not mailed any more");
}

async fn fifty_at_once_make_one_user(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    let other = app.another_process().await;
    let mut all = JoinSet::new();
    for nth in 0..AT_ONCE {
        let client = if nth % 2 == 0 { app.script() } else { other.script() };
        let token = token.clone();
        all.spawn(async move { accept(&client, &token).await.status });
    }
    let statuses = all.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409, 410, 503].contains(status)), "{statuses:?}");
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email = 'bob@example.org'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE entity_id = 'bob@example.org'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM auth_identities").await, 2);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'invite.accepted'").await, 1);
    app.logged_in(BOB).await;
}

async fn what_happened_is_written_in_its_order(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "member").await;
    let before = app.number("SELECT count(*) FROM events").await;
    accept(&app.form(), &token).await.expect_redirect("/account");
    assert_eq!(app.number("SELECT count(*) FROM events").await, before + 3);
    let kinds = ["invite.accepted", "user.created", "session.created"];
    for (back, kind) in kinds.iter().rev().enumerate() {
        let newest = format!("SELECT kind FROM events WHERE kind <> $1 ORDER BY id DESC LIMIT 1 OFFSET {back}");
        assert_eq!(app.text_for(&newest, "").await.as_deref(), Some(*kind));
    }
    for kind in ["invite.created", "invite.accepted"] {
        let found = app.text_for("SELECT target_type FROM events WHERE kind = $1", kind).await;
        assert_eq!(found.as_deref(), Some("invite"), "{kind}");
    }
    let secret = app.number(&format!("SELECT count(*) FROM events WHERE details LIKE '%{token}%'")).await;
    assert_eq!(secret, 0, "no event holds a secret");
}

//! Ways in by mail, through the pages: who is mailed and who is not is told to nobody, link and code let in once and whoever
//! reads the mail, and an address opens the account that has it now.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::harness::{Client, PASSWORD, Page, TestApp, on_both_databases};

on_both_databases! {
    everybody_gets_the_same_answer with BY_MAIL,
    where_registration_is_closed_only_users_are_mailed with CLOSED,
    a_foreign_domain_is_not_mailed with ONE_DOMAIN,
    what_is_no_address_is_said_at_its_field with BY_MAIL,
    one_who_asks_too_often_gets_no_more_mails with BY_MAIL,
    a_user_comes_in_and_the_way_in_is_linked_once with BY_MAIL,
    opening_a_link_changes_nothing with BY_MAIL,
    a_link_lets_in_once_and_the_newest_alone with BY_MAIL,
    an_expired_link_leads_to_a_new_one with BY_MAIL,
    a_link_that_nobody_asked_for_can_be_ended with BY_MAIL,
    fifty_uses_of_one_link_are_one_log_in with BY_MAIL,
    two_first_visits_at_once_are_one_user with BY_MAIL,
    somebody_else_who_is_logged_in_is_told with BY_MAIL,
    a_log_in_goes_on_where_it_wanted_to with BY_MAIL,
    the_ways_in_stand_on_the_pages with BY_MAIL,
}

/// Mails are promised, and people come in by them.
pub const BY_MAIL: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [
        { id = "emailpass", kind = "emailpass" },
        { id = "email-link", kind = "email-link" },
        { id = "email-code", kind = "email-code" },
        { id = "elsewhere", kind = "elsewhere" },
    ]
    actors.customer.providers = ["emailpass", "email-link", "email-code"]
"#;
const CLOSED: &str = r#"
    registration.mode = "closed"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "email-link", kind = "email-link" }]
"#;
const ONE_DOMAIN: &str = r#"
    registration.allowed_domains = ["example.org"]
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "email-link", kind = "email-link" }]
"#;
pub const BOB: &str = "bob@example.org";

impl Client {
    /// Asks for a mail to log in by.
    pub async fn ask_for_mail(&self, provider: &str, email: &str) -> Page {
        self.post("/api/login-with", &[("provider", provider), ("fields[email]", email)]).await
    }

    /// The address of whoever is logged in.
    pub async fn who(&self) -> Option<String> {
        self.get("/auth/session").await.json()["user"]["email"].as_str().map(str::to_owned)
    }
}

impl TestApp {
    /// The path of a link that logs in, mailed to somebody who has asked for it.
    pub async fn log_in_link(&self, email: &str) -> String {
        self.form().ask_for_mail("email-link", email).await.expect_redirect("/link");
        self.mail(email, "log_in_by_link").await.link()
    }

    /// A browser that came in by a mailed link.
    pub async fn in_by_link(&self, email: &str) -> Client {
        let client = self.form();
        client.post(&self.log_in_link(email).await, &[]).await.expect_redirect("/account");
        assert_eq!(client.who().await.as_deref(), Some(email));
        client
    }

    /// How many events of a kind there are.
    pub async fn events_of(&self, kind: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM events WHERE kind = '{kind}'")).await
    }

    /// How many mails to log in by wait for an address.
    pub async fn log_in_mails(&self, email: &str) -> usize {
        self.mails_to(email).await.iter().filter(|mail| mail.kind.starts_with("log_in_by_")).count()
    }
}

/// What a browser sees that asks at an address, the address itself left out.
async fn answers(app: &TestApp, provider: &str, email: &str) -> (u16, Option<String>, String, usize, String) {
    let client = app.form();
    let answer = client.ask_for_mail(provider, email).await;
    let cookie_bytes = client.cookie_header().len();
    let page = client.get("/link").await.text().replace(email, "(address)");
    (answer.status, answer.location(), answer.body.clone(), cookie_bytes, page)
}

async fn everybody_gets_the_same_answer(app: TestApp) {
    let admin = app.admin().await;
    app.member_by_mail("known@example.org").await;
    app.member_by_mail("disab@example.org").await;
    app.form().register("unver@example.org", PASSWORD).await.expect_redirect("/link");
    app.mail_requests_are_answered().await;
    let id = app.user_id("disab@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    let people = ["known@example.org", "disab@example.org", "unver@example.org", "nobod@example.org"];
    for provider in ["email-link", "email-code"] {
        let mut seen = Vec::new();
        for email in people {
            seen.push(answers(&app, provider, email).await);
        }
        assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:#?}");
        assert_eq!((seen[0].0, seen[0].1.as_deref()), (302, Some("/link")));
        assert!(seen[0].4.contains("It works until 14:15 UTC."), "{}", seen[0].4);
    }
    for (email, mails) in people.into_iter().zip([2, 0, 2, 2]) {
        assert_eq!(app.log_in_mails(email).await, mails, "{email}");
    }
    assert_eq!(app.number("SELECT count(*) FROM provider_identities WHERE provider <> 'emailpass'").await, 0);
    assert_eq!(app.events_of("session.created").await, 3, "asking is no log-in");
}

async fn where_registration_is_closed_only_users_are_mailed(app: TestApp) {
    app.admin().await;
    let seen =
        [answers(&app, "email-link", "ada@example.org").await, answers(&app, "email-link", "eve@example.org").await];
    assert_eq!(seen[0], seen[1]);
    assert_eq!(app.log_in_mails("eve@example.org").await, 0);
    let client = app.form();
    let link = app.mail("ada@example.org", "log_in_by_link").await.link();
    client.post(&link, &[]).await.expect_redirect("/dashboard/users");
    assert_eq!(app.events_of("identity.linked").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn a_foreign_domain_is_not_mailed(app: TestApp) {
    let seen =
        [answers(&app, "email-link", "bob@example.org").await, answers(&app, "email-link", "bob@example.net").await];
    assert_eq!(seen[0], seen[1]);
    assert_eq!((app.log_in_mails(BOB).await, app.log_in_mails("bob@example.net").await), (1, 0));
}

async fn what_is_no_address_is_said_at_its_field(app: TestApp) {
    let client = app.form();
    client.get("/login?with=email-link").await.expect_status(200).expect_text("Log in with a mailed link");
    for (typed, said) in [("", "Enter an e-mail address."), ("bob", "This is not an e-mail address.")] {
        let page = client.submit("/api/login-with", &[("provider", "email-link"), ("fields[email]", typed)]).await;
        page.expect_status(200).expect_text(said);
        assert!(page.title().contains("that didn't work"), "{}", page.title());
    }
    app.form().ask_for_mail("nothing", BOB).await.expect_redirect("/login");
    assert_eq!(app.number("SELECT count(*) FROM mail_requests").await, 0);
}

async fn one_who_asks_too_often_gets_no_more_mails(app: TestApp) {
    for _ in 0..10 {
        app.form().ask_for_mail("email-link", BOB).await.expect_redirect("/link");
    }
    assert_eq!(app.log_in_mails(BOB).await, 5);
    // Whoever has tried the password too often still comes in by mail, and by the last one.
    for _ in 0..15 {
        app.form().log_in(BOB, "not the password").await;
    }
    app.form().log_in(BOB, PASSWORD).await.expect_status(429);
    let link = app.mail(BOB, "log_in_by_link").await.link();
    app.form().post(&link, &[]).await.expect_redirect("/account");
    for number in 0..20 {
        app.form().ask_for_mail("email-code", &format!("nobody{number}@example.org")).await.expect_redirect("/link");
    }
    app.form().ask_for_mail("email-link", "x@example.org").await.expect_status(429);
    app.advance(Duration::from_mins(20));
    app.form().ask_for_mail("email-link", BOB).await.expect_redirect("/link");
    assert_eq!(app.log_in_mails(BOB).await, 6);
}

async fn a_user_comes_in_and_the_way_in_is_linked_once(app: TestApp) {
    let before = app.member_by_mail(BOB).await;
    let id = app.user_id(BOB).await;
    app.in_by_link(BOB).await;
    app.in_by_link(BOB).await;
    assert_eq!((app.events_of("identity.linked").await, app.events_of("user.created").await), (1, 1));
    assert_eq!(app.events_of("auth.email_verified").await, 1, "it was verified before");
    assert!(before.is_logged_in().await, "nobody else is logged out");
    app.logged_in(BOB).await;
    assert_eq!(app.user_id(BOB).await, id);
    assert_eq!(app.number("SELECT count(*) FROM auth_identity_actors").await, 2);
    before.get("/account/connections").await.expect_text("A mailed link").expect_text(BOB);
}

async fn opening_a_link_changes_nothing(app: TestApp) {
    let link = app.log_in_link(BOB).await;
    let scanner = app.form();
    for _ in 0..10 {
        let page = scanner.get(&link).await;
        page.expect_status(200).expect_text("This logs you in as bob@example.org.");
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM one_time_tokens WHERE used_at IS NOT NULL").await, 0);
    scanner.post(&link, &[]).await.expect_redirect("/account");
    assert_eq!(scanner.who().await.as_deref(), Some(BOB));
    // Whoever opens it again is the one who has used it, and is told so.
    scanner.get(&link).await.expect_text("This link was used");
}

async fn a_link_lets_in_once_and_the_newest_alone(app: TestApp) {
    let old = app.log_in_link(BOB).await;
    let code = app.form();
    code.ask_for_mail("email-code", BOB).await.expect_redirect("/link");
    app.mail(BOB, "log_in_by_code").await;
    app.form().get(&old).await.expect_text("This link was replaced");
    let refused = app.form();
    refused.post(&old, &[]).await.expect_redirect(&old);
    assert_eq!(refused.who().await, None);
    let new = app.log_in_link(BOB).await;
    app.form().post(&new, &[]).await.expect_redirect("/account");
    refused.post(&new, &[]).await.expect_redirect(&new);
    refused.get(&new).await.expect_text("This link was used");
    assert_eq!(refused.who().await, None);
    assert_eq!((app.number("SELECT count(*) FROM users").await, app.events_of("session.created").await), (1, 1));
}

async fn an_expired_link_leads_to_a_new_one(app: TestApp) {
    let client = app.form();
    let fields = [("provider", "email-link"), ("fields[email]", BOB), ("next", "/account/sessions")];
    client.post("/api/login-with", &fields).await.expect_redirect("/link");
    let old = app.mail(BOB, "log_in_by_link").await;
    app.advance(Duration::from_mins(15));
    client.get(&old.link()).await.expect_text("This link has expired").expect_text("Send a new one");
    client.post(&old.link(), &[]).await.expect_redirect(&old.link());
    assert_eq!(client.who().await, None);
    let token = old.written.link.as_ref().unwrap().token.as_str();
    client.submit("/api/renew-link", &[("token", token)]).await.expect_text("another mail is on its way");
    let new = app.mail(BOB, "log_in_by_link").await.link();
    assert_ne!(new, old.link());
    client.post(&new, &[]).await.expect_redirect("/account/sessions");
}

async fn a_link_that_nobody_asked_for_can_be_ended(app: TestApp) {
    let link = app.log_in_link(BOB).await;
    app.form().get(&link).await.expect_text("I didn't ask for this");
    let token = link.rsplit('/').next().unwrap();
    app.form().submit("/api/void-link", &[("token", token)]).await.expect_text("That link no longer works.");
    app.form().get(&link).await.expect_text("This link no longer works");
    let client = app.form();
    client.post(&link, &[]).await.expect_redirect(&link);
    assert_eq!((client.who().await, app.number("SELECT count(*) FROM users").await), (None, 0));
}

async fn fifty_uses_of_one_link_are_one_log_in(app: TestApp) {
    let link = app.log_in_link(BOB).await;
    let mut tries = JoinSet::new();
    for _ in 0..50 {
        let (app, link) = (app.clone(), link.clone());
        tries.spawn(async move {
            let client = app.form();
            let answer = client.post(&link, &[]).await;
            assert_eq!(answer.status, 302, "{}", answer.body);
            i32::from(answer.location().as_deref() == Some("/account"))
        });
    }
    assert_eq!(tries.join_all().await.into_iter().sum::<i32>(), 1);
    assert_eq!((app.events_of("user.created").await, app.events_of("session.created").await), (1, 1));
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
}

async fn two_first_visits_at_once_are_one_user(app: TestApp) {
    // Two mails that both work: one is made anew behind the other's back.
    let first = app.log_in_link(BOB).await;
    let second = app.log_in_link(BOB).await;
    app.change("UPDATE one_time_tokens SET replaced_at = NULL").await;
    let (one, other) = (app.form(), app.form());
    let (one, other) = tokio::join!(one.post(&first, &[]), other.post(&second, &[]));
    one.expect_redirect("/account");
    other.expect_redirect("/account");
    assert_eq!((app.number("SELECT count(*) FROM users").await, app.events_of("user.created").await), (1, 1));
    assert_eq!(app.events_of("session.created").await, 2);
}

async fn somebody_else_who_is_logged_in_is_told(app: TestApp) {
    let eve = app.member_by_mail("eve@example.org").await;
    let link = app.log_in_link(BOB).await;
    let page = eve.get(&link).await;
    page.expect_text("Another account is logged in").expect_text(BOB).expect_text("eve@example.org");
    eve.post(&link, &[]).await.expect_redirect(&link);
    assert_eq!(eve.who().await.as_deref(), Some("eve@example.org"));
    eve.post("/api/logout", &[("next", &link)]).await.expect_redirect(&link);
    eve.post(&link, &[]).await.expect_redirect("/account");
    assert_eq!(eve.who().await.as_deref(), Some(BOB));
}

async fn a_log_in_goes_on_where_it_wanted_to(app: TestApp) {
    for (next, to) in
        [("/account/sessions?x=1", "/account/sessions?x=1"), ("//evil.test", "/account"), ("", "/account")]
    {
        let fields = [("provider", "email-link"), ("fields[email]", BOB), ("next", next), ("remember", "true")];
        let client = app.form();
        client.post("/api/login-with", &fields).await.expect_redirect("/link");
        app.advance(Duration::from_mins(6));
        client.post("/api/send-again", &[]).await.expect_redirect("/link");
        let link = app.mail(BOB, "log_in_by_link").await.link();
        // The browser that asked is another one than the one that follows.
        app.form().post(&link, &[]).await.expect_redirect(to);
    }
    assert_eq!(app.number("SELECT count(*) FROM sessions WHERE is_remembered = 1").await, 3);
    // What a link holds is sealed, since it may be the link of an invite, and judged again when it is followed.
    let link = app.log_in_link(BOB).await;
    let kept = "SELECT data FROM one_time_tokens WHERE used_at IS NULL AND replaced_at IS NULL AND email = $1";
    let kept: String = serde_json::from_str(&app.text_for(kept, BOB).await.unwrap()).unwrap();
    let plain = app.platform.seal.open("log-in by mail", &kept).expect("it is sealed");
    let mut wanted: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    wanted["next"] = "//evil.test".into();
    let sealed = app.platform.seal.seal("log-in by mail", wanted.to_string().as_bytes());
    let mut tx = app.platform.db.begin().await.unwrap();
    let update = sqlx::query("UPDATE one_time_tokens SET data = $1 WHERE used_at IS NULL AND replaced_at IS NULL");
    update.bind(serde_json::json!(sealed).to_string()).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    app.form().post(&link, &[]).await.expect_redirect("/account");
}

async fn the_ways_in_stand_on_the_pages(app: TestApp) {
    let login = app.form().get("/login?next=/account/sessions").await;
    let of_link = login.link("Continue with a mailed link").unwrap();
    assert_eq!(of_link, "/login?with=email-link&next=/account/sessions");
    assert!(login.link("Continue with a mailed code").is_some());
    let register = app.form().get("/register").await;
    assert_eq!(register.link("Continue with a mailed link").as_deref(), Some("/login?with=email-link"));
    let page = app.form().get(&of_link).await;
    page.expect_text("Mail me a link").expect_text("Log in with a password");
    assert_eq!(page.value_of("next").as_deref(), Some("/account/sessions"));
    let client = app.in_by_link(BOB).await;
    client.log_out().await;
    client.get("/login").await.expect_text("Continue with a mailed linkLast used");
}

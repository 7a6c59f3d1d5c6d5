//! Ways in by providers that people are sent to: who comes to exist by them, who is refused, and that a journey ends where
//! it began. Each row of the table of how users come to exist that is about them is a test here.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{ADMIN, Client, PASSWORD, Page, TestApp, on_both_databases};

on_both_databases! {
    an_unknown_account_becomes_a_user with ELSEWHERE,
    a_known_account_is_that_user with ELSEWHERE,
    an_account_with_a_taken_address_is_refused_and_leaves_no_row with ELSEWHERE,
    an_account_that_tells_no_address_is_refused_and_leaves_no_row with ELSEWHERE,
    a_subject_that_looks_like_an_address_is_none with ELSEWHERE,
    an_unproved_account_does_not_capture_a_proved_log_in with ELSEWHERE,
    an_unproved_log_in_does_not_capture_an_unproved_account with ELSEWHERE,
    who_is_turned_off_is_refused_and_leaves_no_row with ELSEWHERE,
    a_closed_registration_refuses_the_unknown_and_leaves_no_row with CLOSED,
    a_foreign_domain_is_refused_and_leaves_no_row with ONE_DOMAIN,
    whom_the_application_refuses_leaves_no_row with ELSEWHERE,
    a_missing_foreign_used_and_old_state_is_refused with ELSEWHERE,
    two_tabs_at_once_both_arrive with ELSEWHERE,
    fifty_callbacks_with_one_state_are_one_log_in with ELSEWHERE,
    two_first_log_ins_at_once_are_one_user with ELSEWHERE,
    two_first_log_ins_of_programs_at_once_are_one_user with ELSEWHERE,
    whoever_cancels_is_told_so with ELSEWHERE,
    an_address_that_nobody_has_proved_is_confirmed_by_mail_first with MAILED,
    a_page_of_another_site_spends_nobodys_tries with FEW_TRIES,
    an_unknown_code_is_never_shown with ELSEWHERE,
    a_journey_ends_where_it_wanted_to_go with ELSEWHERE,
    who_is_logged_in_is_told_of_a_refusal_too with ELSEWHERE,
    the_way_that_was_used_last_is_marked with ELSEWHERE,
}

pub const ELSEWHERE: &str =
    r#"providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]"#;
const CLOSED: &str = r#"
    registration.mode = "closed"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]
"#;
const ONE_DOMAIN: &str = r#"
    registration.allowed_domains = ["example.org"]
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]
"#;

pub const MAILED: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]
"#;
const FEW_TRIES: &str = r#"
    limits.log_in_per_ip = "3/5m"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]
"#;

/// Sends a browser away; answers the state that it has there.
pub async fn set_out(client: &Client, next: &str) -> String {
    let there = client.get(&format!("/auth/signin/elsewhere{next}")).await;
    state_in(there.expect_status(302).header("location").unwrap())
}

pub fn state_in(location: &str) -> String {
    location.strip_prefix("https://elsewhere.example/?state=").unwrap_or_else(|| panic!("{location}")).to_owned()
}

/// Brings a browser back as somebody.
pub async fn come_back(client: &Client, (code, state): (&str, &str)) -> Page {
    let code = code.replace('@', "%40").replace('!', "%21");
    client.get(&format!("/auth/callback/elsewhere?code={code}&state={state}")).await
}

async fn log_in_as(client: &Client, code: &str) -> Page {
    let state = set_out(client, "").await;
    come_back(client, (code, &state)).await
}

/// How many rows there are of what a log-in could leave.
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

async fn an_unknown_account_becomes_a_user(app: TestApp) {
    let client = app.form();
    log_in_as(&client, "grace@example.org!").await.expect_status(302).expect_redirect("/account");
    let session = client.get("/auth/session").await.json();
    assert_eq!(
        (&session["user"]["email"], &session["user"]["name"]),
        (&json!("grace@example.org"), &json!("Somebody"))
    );
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL").await, 1);
    for kind in ["user.created", "identity.linked", "session.created"] {
        assert_eq!(events(&app, kind).await, 1, "{kind}");
    }
    assert_eq!(rows(&app).await, [1, 1, 1, 1, 1]);
    let other = app.form();
    log_in_as(&other, "unsure@example.org").await.expect_redirect("/account");
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL").await, 1, "not proved");
}

async fn a_known_account_is_that_user(app: TestApp) {
    log_in_as(&app.form(), "grace@example.org!").await.expect_redirect("/account");
    let again = app.form();
    log_in_as(&again, "grace@example.org!").await.expect_redirect("/account");
    assert!(again.is_logged_in().await);
    assert_eq!(rows(&app).await, [1, 1, 1, 1, 2]);
    assert_eq!((events(&app, "user.created").await, events(&app, "identity.linked").await), (1, 1));
}

async fn an_account_with_a_taken_address_is_refused_and_leaves_no_row(app: TestApp) {
    app.admin().await;
    let before = rows(&app).await;
    for code in [ADMIN.to_owned(), format!("{ADMIN}!")] {
        let client = app.form();
        let refused = log_in_as(&client, &code).await;
        let to = "/login?error=OAuthAccountNotLinked&provider=elsewhere&next=/account/connections";
        refused.expect_status(302).expect_redirect(to);
        let page = client.get(to).await;
        page.expect_text("An account with this e-mail exists. Log in to it once to link Elsewhere.");
        assert_eq!(page.value_of("next").as_deref(), Some("/account/connections"));
        assert!(!client.is_logged_in().await);
    }
    assert_eq!(rows(&app).await, before);
    let refused = app.program().back_from_elsewhere(ADMIN).await;
    assert_eq!(refused.expect_status(401).json()["message"], "Authentication failed");
    assert_eq!(rows(&app).await, before);
}

async fn an_account_that_tells_no_address_is_refused_and_leaves_no_row(app: TestApp) {
    let client = app.form();
    let refused = log_in_as(&client, "nobody").await;
    refused.expect_redirect("/login?error=OAuthCallbackError&provider=elsewhere");
    let page = client.get("/login?error=OAuthCallbackError&provider=elsewhere").await;
    page.expect_text("Elsewhere told us no e-mail address, and we need one to make an account.");
    assert_eq!(rows(&app).await, [0; 5]);
}

async fn a_subject_that_looks_like_an_address_is_none(app: TestApp) {
    // The provider knows this one as `nobody`, and tells no address.
    app.program().back_from_elsewhere("nobody").await.expect_status(401);
    assert_eq!(rows(&app).await, [0; 5]);
}

async fn an_unproved_account_does_not_capture_a_proved_log_in(app: TestApp) {
    let squatter = app.form();
    squatter.register("victim@example.org", PASSWORD).await.expect_status(302);
    assert!(squatter.is_logged_in().await);
    let victim = app.form();
    log_in_as(&victim, "victim@example.org!").await.expect_redirect("/account");
    assert!(victim.is_logged_in().await);
    assert!(!squatter.is_logged_in().await, "the session of before has ended");
    app.form().log_in("victim@example.org", PASSWORD).await.expect_redirect("/login");
    assert_eq!(rows(&app).await, [1, 1, 1, 1, 1]);
    assert_eq!((events(&app, "user.created").await, events(&app, "auth.email_verified").await), (1, 1));
}

async fn an_unproved_log_in_does_not_capture_an_unproved_account(app: TestApp) {
    let first = app.form();
    first.register("first@example.org", PASSWORD).await.expect_status(302);
    log_in_as(&app.form(), "first@example.org")
        .await
        .expect_redirect("/login?error=OAuthAccountNotLinked&provider=elsewhere&next=/account/connections");
    assert!(first.is_logged_in().await);
    assert_eq!(rows(&app).await, [1, 1, 1, 1, 1]);
}

async fn who_is_turned_off_is_refused_and_leaves_no_row(app: TestApp) {
    let admin = app.admin_program().await;
    let client = app.form();
    log_in_as(&client, "grace@example.org!").await.expect_redirect("/account");
    let id = app.user_id("grace@example.org").await;
    admin.post(&format!("/admin/users/{id}/disable"), &json!({})).await.expect_status(200);
    assert!(!client.is_logged_in().await);
    let before = rows(&app).await;
    let refused = log_in_as(&client, "grace@example.org!").await;
    refused.expect_redirect("/login?error=AccessDenied&provider=elsewhere");
    client.get("/login?error=AccessDenied&provider=elsewhere").await.expect_text("This account is turned off.");
    assert_eq!(rows(&app).await, before);
}

async fn a_closed_registration_refuses_the_unknown_and_leaves_no_row(app: TestApp) {
    let client = app.form();
    log_in_as(&client, "grace@example.org!").await.expect_redirect("/login?error=AccessDenied&provider=elsewhere");
    client.get("/login?error=AccessDenied&provider=elsewhere").await.expect_text("Registration is not open.");
    assert_eq!(rows(&app).await, [0; 5]);
}

async fn a_foreign_domain_is_refused_and_leaves_no_row(app: TestApp) {
    let client = app.form();
    log_in_as(&client, "grace@elsewhere.example!")
        .await
        .expect_redirect("/login?error=AccessDenied&provider=elsewhere");
    assert_eq!(rows(&app).await, [0; 5]);
    log_in_as(&client, "grace@example.org!").await.expect_redirect("/account");
}

async fn whom_the_application_refuses_leaves_no_row(app: TestApp) {
    let client = app.form();
    log_in_as(&client, "refused").await.expect_redirect("/login?error=AccessDenied&provider=elsewhere");
    client.get("/login?error=AccessDenied&provider=elsewhere").await.expect_text("You were not let in.");
    assert!(!client.is_logged_in().await);
    assert_eq!(rows(&app).await, [0; 5]);
}

async fn a_missing_foreign_used_and_old_state_is_refused(app: TestApp) {
    let failed = "/login?error=OAuthCallbackError&provider=elsewhere";
    let client = app.form();
    let state = set_out(&client, "").await;
    come_back(&client, ("grace!", "")).await.expect_redirect(failed);
    come_back(&app.form(), ("grace!", &state)).await.expect_redirect(failed);
    let program = app.program();
    let back = json!({ "code": "grace!", "state": state });
    program.post("/auth/user/elsewhere/callback", &back).await.expect_status(401);
    let there = program.post("/auth/user/elsewhere", &json!({})).await.json()["location"].as_str().unwrap().to_owned();
    come_back(&client, ("grace!", &state_in(&there))).await.expect_redirect(failed);
    assert_eq!(rows(&app).await, [0; 5]);
    come_back(&client, ("grace!", &state)).await.expect_redirect("/account");
    let before = rows(&app).await;
    come_back(&client, ("grace!", &state)).await.expect_redirect(failed);
    let late = set_out(&client, "").await;
    app.advance(Duration::from_mins(20));
    come_back(&client, ("grace!", &late)).await.expect_redirect(failed);
    assert_eq!(rows(&app).await, before);
}

async fn two_tabs_at_once_both_arrive(app: TestApp) {
    let client = app.form();
    let (one, two) = (set_out(&client, "?next=/account/sessions").await, set_out(&client, "").await);
    come_back(&client, ("grace!", &one)).await.expect_redirect("/account/sessions");
    come_back(&client, ("grace!", &two)).await.expect_redirect("/account");
    assert!(client.is_logged_in().await);
}

async fn fifty_callbacks_with_one_state_are_one_log_in(app: TestApp) {
    let client = app.form();
    let state = set_out(&client, "").await;
    let mut under_way = JoinSet::new();
    for _ in 0..50 {
        let back = client.request(&Method::GET, &format!("/auth/callback/elsewhere?code=grace%21&state={state}"));
        under_way.spawn(async move { Page::read(back.send().await.unwrap()).await });
    }
    let all = under_way.join_all().await;
    let let_in = all.iter().filter(|page| page.header("location") == Some("/account")).count();
    let refused = all.iter().filter(|page| page.header("location").is_some_and(|to| to.contains("error="))).count();
    assert_eq!((let_in, refused), (1, 49));
    assert_eq!(rows(&app).await, [1, 1, 1, 1, 1]);
}

async fn two_first_log_ins_at_once_are_one_user(app: TestApp) {
    let (one, two) = (app.form(), app.form());
    let (first, second) = (set_out(&one, "").await, set_out(&two, "").await);
    let (a, b) = tokio::join!(come_back(&one, ("grace!", &first)), come_back(&two, ("grace!", &second)));
    a.expect_redirect("/account");
    b.expect_redirect("/account");
    assert_eq!(rows(&app).await, [1, 1, 1, 1, 2]);
    assert_eq!(events(&app, "user.created").await, 1);
}

async fn whoever_cancels_is_told_so(app: TestApp) {
    let client = app.form();
    let state = set_out(&client, "?next=/account").await;
    let back = client.get(&format!("/auth/callback/elsewhere?error=access_denied&state={state}")).await;
    back.expect_redirect("/login?error=AccessDenied&provider=elsewhere&next=/account");
    client.get("/login?error=AccessDenied&provider=elsewhere").await.expect_text("Elsewhere sign-in was cancelled.");
}

async fn an_unknown_code_is_never_shown(app: TestApp) {
    let client = app.form();
    for code in ["Haxx0r", "%3Cscript%3E", "oauthaccountnotlinked"] {
        let page = client.get(&format!("/login?error={code}&provider=elsewhere")).await;
        page.expect_status(200);
        assert!(!page.body.contains("Haxx0r") && !page.body.contains("role=\"alert\""), "{code}");
        client.get(&format!("/auth/error?error={code}")).await.expect_redirect("/login");
    }
    client.get("/auth/error?error=Verification").await.expect_redirect("/login?error=Verification");
    client.get("/auth/signin").await.expect_redirect("/login");
    let page = client.get("/login?error=OAuthAccountNotLinked&provider=unheard-of").await;
    page.expect_text("An account with this e-mail exists.");
    assert!(!page.body.contains("unheard-of"));
}

async fn a_journey_ends_where_it_wanted_to_go(app: TestApp) {
    let client = app.form();
    for (asked, expected) in [
        ("?next=/account/sessions", "/account/sessions"),
        ("?callbackUrl=/account/sessions%3Fa%3Db", "/account/sessions?a=b"),
        ("?next=//evil.example", "/account"),
        ("?callbackUrl=https://evil.example/", "/account"),
    ] {
        let state = set_out(&client, asked).await;
        come_back(&client, ("grace!", &state)).await.expect_redirect(expected);
    }
    client.get("/auth/signin/emailpass?next=/account").await.expect_redirect("/login?with=emailpass&next=/account");
    client.get("/auth/signin/unheard-of").await.expect_redirect("/login?error=Configuration");
}

async fn who_is_logged_in_is_told_of_a_refusal_too(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    let to = "/login?error=AccessDenied&provider=elsewhere";
    log_in_as(&bob, "refused").await.expect_redirect(to);
    for _ in 0..2 {
        bob.get(to).await.expect_text("You were not let in.").expect_text("You're logged in as bob@example.org.");
    }
    bob.get("/login?error=Haxx0r").await.expect_no_text("not let in");
}

async fn the_way_that_was_used_last_is_marked(app: TestApp) {
    let client = app.form();
    client.get("/login").await.expect_text("Log in with Elsewhere").expect_no_text("Last used");
    log_in_as(&client, "grace!").await.expect_redirect("/account");
    client.log_out().await;
    client.get("/login").await.expect_text("Last used");
    client.get("/register").await.expect_text("Continue with Elsewhere");
}

async fn two_first_log_ins_of_programs_at_once_are_one_user(app: TestApp) {
    let (one, two) = (app.program(), app.program());
    let (a, b) = tokio::join!(one.back_from_elsewhere("grace!"), two.back_from_elsewhere("grace!"));
    a.expect_status(200);
    b.expect_status(200);
    assert_eq!(rows(&app).await, [1, 1, 1, 1, 2]);
}

async fn a_page_of_another_site_spends_nobodys_tries(app: TestApp) {
    let client = app.form();
    let embedded = [[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")]];
    let framed = [[("sec-fetch-site", "same-site"), ("sec-fetch-dest", "iframe")]];
    for headers in embedded.into_iter().chain(framed).cycle().take(8) {
        for path in ["/auth/signin/elsewhere", "/auth/callback/elsewhere?code=eve&state=x"] {
            let mut request = client.request(&Method::GET, path);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            client.send(request).await.expect_redirect("/login?error=AccessDenied");
        }
    }
    assert_eq!(app.number("SELECT count(*) FROM auth_states").await, 0);
    let request = client.request(&Method::GET, "/auth/signin/elsewhere");
    let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-dest", "document");
    let there = client.send(request).await;
    let state = state_in(there.expect_status(302).header("location").unwrap());
    let request = client.request(&Method::GET, &format!("/auth/callback/elsewhere?code=grace%21&state={state}"));
    let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-dest", "document");
    client.send(request).await.expect_redirect("/account");
}

async fn an_address_that_nobody_has_proved_is_confirmed_by_mail_first(app: TestApp) {
    let client = app.form();
    log_in_as(&client, "grace@example.org").await.expect_redirect("/login?error=Verification&provider=elsewhere");
    client.get("/login?error=Verification&provider=elsewhere").await.expect_text("Confirm your e-mail first.");
    assert!(!client.is_logged_in().await);
    client.post(&app.mail("grace@example.org", "confirm_email").await.link(), &[]).await.expect_status(302);
    log_in_as(&client, "grace@example.org").await.expect_redirect("/account");
    assert!(client.is_logged_in().await, "the way in is still there");
    let refused = app.program().back_from_elsewhere("api@example.org").await;
    let text = "Email not verified, cannot proceed with authentication";
    assert_eq!(refused.expect_status(401).json()["message"], text);
    app.mail("api@example.org", "confirm_email").await;
}

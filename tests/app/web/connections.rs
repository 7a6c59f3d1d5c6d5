//! `/account/connections` and what else a journey is made for: linking, unlinking, accepting an invite, trying a provider.

use crate::harness::{ADMIN, Client, PASSWORD, Page, TestApp, on_both_databases};

use super::providers::{ELSEWHERE, MAILED, come_back, set_out, state_in};

on_both_databases! {
    an_unknown_account_is_linked_to_who_is_logged_in_whatever_its_address with ELSEWHERE,
    an_account_of_another_user_is_refused_without_naming_them with ELSEWHERE,
    a_link_is_for_the_session_that_asked_for_it with ELSEWHERE,
    nobody_links_without_being_logged_in with ELSEWHERE,
    the_last_way_in_is_not_unlinked with ELSEWHERE,
    an_unlinked_account_lets_nobody_in_and_its_sessions_end with ELSEWHERE,
    what_is_not_offered_any_more_is_unlinked with ELSEWHERE,
    two_unlinks_at_once_leave_a_way_in with TWO,
    a_form_is_led_away_by_a_page_of_its_own with ELSEWHERE,
    an_invite_is_accepted_with_a_provider with ELSEWHERE,
    what_is_no_token_leads_nobody_away with ELSEWHERE,
    an_invite_is_not_accepted_with_the_account_of_another_user with ELSEWHERE,
    an_invite_takes_an_unproved_account_over_by_a_provider with ELSEWHERE,
    a_rehearsal_says_what_would_be_decided_and_writes_nothing with ELSEWHERE,
    who_cancels_a_rehearsal_is_told_so with ELSEWHERE,
    nobody_but_an_admin_rehearses with ELSEWHERE,
    a_rehearsal_shows_whom_the_hook_names_and_what_is_decided with ELSEWHERE,
    a_rehearsal_says_who_must_confirm_an_address with MAILED,
    a_second_form_of_passwords_has_its_own_page with TWO_FORMS,
}

const TWO: &str = r#"providers = [
    { id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }, { id = "other", kind = "elsewhere" },
]"#;
const TWO_FORMS: &str =
    r#"providers = [{ id = "emailpass", kind = "emailpass" }, { id = "staff", kind = "emailpass" }]"#;

/// Posts a form that sends the browser away; answers the state that it has there.
pub async fn leave(client: &Client, (form, fields): (&str, &[(&str, &str)])) -> String {
    let page = client.submit(form, fields).await;
    let to = page.expect_status(200).header("refresh").unwrap().to_owned();
    state_in(to.strip_prefix("0; url=").unwrap())
}

pub async fn link_as(client: &Client, code: &str) -> Page {
    let state = leave(client, ("/api/link-provider", &[("provider", "elsewhere")])).await;
    come_back(client, (code, &state)).await
}

async fn an_unknown_account_is_linked_to_who_is_logged_in_whatever_its_address(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    link_as(&bob, "private@elsewhere.example!").await.expect_redirect("/account/connections");
    let page = bob.get("/account/connections").await;
    page.expect_text("Linked.").expect_text("Elsewhere").expect_text("private@elsewhere.example");
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'identity.linked'").await, 1);
    let other = app.form();
    let state = set_out(&other, "").await;
    come_back(&other, ("private@elsewhere.example!", &state)).await.expect_redirect("/account");
    assert_eq!(other.get("/auth/session").await.json()["user"]["email"], "bob@example.org");
    link_as(&bob, "private@elsewhere.example!").await.expect_redirect("/account/connections");
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'identity.linked'").await, 1, "linked already");
}

async fn an_account_of_another_user_is_refused_without_naming_them(app: TestApp) {
    let eve = app.form();
    let state = set_out(&eve, "").await;
    come_back(&eve, ("eve@elsewhere.example!", &state)).await.expect_redirect("/account");
    let bob = app.member("bob@example.org").await;
    link_as(&bob, "eve@elsewhere.example!").await.expect_redirect("/account/connections");
    let page = bob.get("/account/connections").await;
    page.expect_text("That account there belongs to another account here.").expect_no_text("eve@");
    assert_eq!(app.number("SELECT count(*) FROM auth_identity_actors").await, 2);
}

async fn a_link_is_for_the_session_that_asked_for_it(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    let state = leave(&bob, ("/api/link-provider", &[("provider", "elsewhere")])).await;
    bob.log_out().await;
    bob.log_in("bob@example.org", PASSWORD).await.expect_status(302);
    come_back(&bob, ("stranger!", &state)).await;
    let state = leave(&bob, ("/api/link-provider", &[("provider", "elsewhere")])).await;
    bob.log_out().await;
    let back = come_back(&bob, ("stranger!", &state)).await;
    back.expect_redirect("/login?error=AccessDenied&provider=elsewhere&next=/account/connections");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
}

async fn nobody_links_without_being_logged_in(app: TestApp) {
    let visitor = app.form();
    let fields = [("provider", "elsewhere")];
    visitor.post("/api/link-provider", &fields).await.expect_redirect("/login?next=/account/connections");
    let fields = [("provider", "elsewhere"), ("entity_id", "x")];
    visitor.post("/api/unlink-provider", &fields).await.expect_redirect("/login?next=/account/connections");
}

async fn the_last_way_in_is_not_unlinked(app: TestApp) {
    let client = app.form();
    let state = set_out(&client, "").await;
    come_back(&client, ("grace!", &state)).await.expect_redirect("/account");
    client.get("/account/connections").await.expect_text("The last way in can't be unlinked");
    let fields = [("provider", "elsewhere"), ("entity_id", "grace")];
    let page = client.submit("/api/unlink-provider", &fields).await;
    page.expect_text("Add another way to log in first.");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
}

async fn an_unlinked_account_lets_nobody_in_and_its_sessions_end(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    link_as(&bob, "private!").await;
    let other = app.form();
    let state = set_out(&other, "").await;
    come_back(&other, ("private!", &state)).await.expect_redirect("/account");
    let fields = [("provider", "elsewhere"), ("entity_id", "private")];
    bob.submit("/api/unlink-provider", &fields).await.expect_text("Unlinked.");
    assert!(bob.is_logged_in().await);
    assert!(!other.is_logged_in().await);
    for kind in ["identity.unlinked", "session.revoked"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM events WHERE kind = '{kind}'")).await, 1, "{kind}");
    }
    assert_eq!(app.number("SELECT count(*) FROM auth_identities").await, 1);
    let state = set_out(&other, "").await;
    come_back(&other, ("private!", &state)).await.expect_redirect("/account");
    assert_ne!(other.get("/auth/session").await.json()["user"]["email"], "bob@example.org", "it is somebody new");
    let password = [("provider", "emailpass"), ("entity_id", "bob@example.org")];
    bob.post("/api/unlink-provider", &password).await.expect_redirect("/account/connections");
    app.logged_in("bob@example.org").await;
}

async fn what_is_not_offered_any_more_is_unlinked(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    link_as(&bob, "private!").await.expect_redirect("/account/connections");
    let without = app.another_process_with(r#"providers = [{ id = "emailpass", kind = "emailpass" }]"#).await;
    let bob = without.logged_in("bob@example.org").await;
    bob.get("/account/connections").await.expect_text("Not offered here any more");
    let password = [("provider", "emailpass"), ("entity_id", "bob@example.org")];
    bob.post("/api/unlink-provider", &password).await.expect_redirect("/account/connections");
    let gone = [("provider", "elsewhere"), ("entity_id", "private")];
    bob.submit("/api/unlink-provider", &gone).await.expect_text("Unlinked.").expect_no_text("Not offered");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1, "the password stays");
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'identity.unlinked'").await, 1);
    let back = app.form();
    let state = set_out(&back, "").await;
    come_back(&back, ("private!", &state)).await.expect_redirect("/account");
    assert_ne!(back.get("/auth/session").await.json()["user"]["email"], "bob@example.org", "it is somebody new");
}

async fn two_unlinks_at_once_leave_a_way_in(app: TestApp) {
    let client = app.form();
    let state = set_out(&client, "").await;
    come_back(&client, ("grace!", &state)).await.expect_redirect("/account");
    let state = leave(&client, ("/api/link-provider", &[("provider", "other")])).await;
    client.get(&format!("/auth/callback/other?code=grace&state={state}")).await.expect_redirect("/account/connections");
    let [one, two] = ["elsewhere", "other"].map(|provider| [("provider", provider), ("entity_id", "grace")]);
    tokio::join!(client.post("/api/unlink-provider", &one), client.post("/api/unlink-provider", &two));
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
}

async fn a_form_is_led_away_by_a_page_of_its_own(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    let there = bob.post("/api/link-provider", &[("provider", "elsewhere")]).await;
    there.expect_status(302).expect_redirect("/login/away");
    let page = bob.get("/login/away").await;
    page.expect_status(200).expect_text("Taking you to Elsewhere.");
    assert!(page.link("Continue to Elsewhere").unwrap().starts_with("https://elsewhere.example/"));
    bob.get("/login/away").await.expect_status(404);
    let unknown = bob.submit("/api/link-provider", &[("provider", "unheard-of")]).await;
    unknown.expect_text("That way to log in didn't work.");
}

async fn an_invite_is_accepted_with_a_provider(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, "new@example.org", "admin").await;
    let guest = app.form();
    guest.get(&format!("/invite/{token}")).await.expect_status(200).expect_text("Accept with Elsewhere");
    let fields = [("token", token.as_str()), ("provider", "elsewhere"), ("first_name", "Nora")];
    let state = leave(&guest, ("/api/accept-invite-with", &fields)).await;
    come_back(&guest, ("private@elsewhere.example", &state)).await.expect_redirect("/account");
    guest.get("/account").await.expect_text("You're in.");
    let user = guest.get("/auth/session").await.json()["user"].clone();
    assert_eq!((user["email"].as_str(), user["name"].as_str()), (Some("new@example.org"), Some("Nora")));
    guest.get("/dashboard/users").await.expect_status(200);
    for (kind, times) in [("invite.accepted", 1), ("identity.linked", 1), ("user.created", 2)] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM events WHERE kind = '{kind}'")).await, times, "{kind}");
    }
    assert_eq!(app.number("SELECT count(*) FROM users WHERE email_verified_at IS NULL").await, 0);
    let again = app.form();
    let page = again.submit("/api/accept-invite-with", &fields).await;
    let state = state_in(page.header("refresh").unwrap().strip_prefix("0; url=").unwrap());
    come_back(&again, ("late@elsewhere.example", &state)).await;
    assert!(!again.is_logged_in().await);
    again.get(&format!("/invite/{token}")).await.expect_status(410);
}

async fn what_is_no_token_leads_nobody_away(app: TestApp) {
    let long = "x".repeat(20_000);
    for token in ["", "no token", "/../", long.as_str()] {
        let fields = [("token", token), ("provider", "elsewhere")];
        let refused = app.form().post("/api/accept-invite-with", &fields).await;
        assert_ne!(refused.header("location"), Some("/login/away"));
        let script = app.script().post("/api/accept-invite-with", &fields).await;
        assert_eq!((script.status, script.error()), (410, "invite_ended".to_owned()));
    }
    assert_eq!(app.number("SELECT count(*) FROM auth_states").await, 0);
}

async fn an_invite_is_not_accepted_with_the_account_of_another_user(app: TestApp) {
    let admin = app.admin().await;
    let eve = app.form();
    let state = set_out(&eve, "").await;
    come_back(&eve, ("eve@elsewhere.example!", &state)).await.expect_redirect("/account");
    let token = app.invite(&admin, "new@example.org", "admin").await;
    let guest = app.form();
    let fields = [("token", token.as_str()), ("provider", "elsewhere")];
    let state = leave(&guest, ("/api/accept-invite-with", &fields)).await;
    come_back(&guest, ("eve@elsewhere.example!", &state)).await.expect_redirect(&format!("/invite/{token}"));
    let page = guest.get(&format!("/invite/{token}")).await;
    page.expect_status(200).expect_text("That Elsewhere account belongs to another account here.");
    assert!(!guest.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
}

async fn an_invite_takes_an_unproved_account_over_by_a_provider(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, "new@example.org", "member").await;
    let squatter = app.form();
    squatter.register("new@example.org", PASSWORD).await;
    let guest = app.form();
    let fields = [("token", token.as_str()), ("provider", "elsewhere")];
    let state = leave(&guest, ("/api/accept-invite-with", &fields)).await;
    come_back(&guest, ("new@example.org", &state)).await.expect_redirect("/account");
    assert!(guest.is_logged_in().await && !squatter.is_logged_in().await);
    app.form().log_in("new@example.org", PASSWORD).await.expect_redirect("/login");
}

async fn a_rehearsal_says_what_would_be_decided_and_writes_nothing(app: TestApp) {
    let admin = app.admin().await;
    admin.get("/dashboard/system").await.expect_text("Elsewhere").expect_text("all applied");
    let before = app.number("SELECT count(*) FROM events").await;
    for (code, decision) in [
        ("grace@example.org!", "An account for grace@example.org would be made, with a confirmed address"),
        ("grace@example.org", "its address would not count as confirmed"),
        (ADMIN, "You would be refused: an account with this address exists"),
        ("nobody", "the provider tells no e-mail address"),
        ("refused", "the application's hook says no"),
    ] {
        let state = leave(&admin, ("/api/rehearse-provider", &[("provider", "elsewhere")])).await;
        come_back(&admin, (code, &state)).await.expect_redirect("/dashboard/system");
        admin.get("/dashboard/system").await.expect_text(decision).expect_text("What Elsewhere told");
    }
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM events").await, before);
}

/// Goes to the provider and back as somebody; what would be decided.
async fn rehearse(admin: &Client, code: &str) -> Page {
    let state = leave(admin, ("/api/rehearse-provider", &[("provider", "elsewhere")])).await;
    come_back(admin, (code, &state)).await.expect_redirect("/dashboard/system");
    admin.get("/dashboard/system").await
}

async fn a_rehearsal_shows_whom_the_hook_names_and_what_is_decided(app: TestApp) {
    let admin = app.admin().await;
    let created = "An account for named@elsewhere.example would be made";
    rehearse(&admin, "named").await.expect_text(created).expect_text("app-first");
    app.member("named@elsewhere.example").await;
    rehearse(&admin, "named").await.expect_text("exists and this one is not linked").expect_no_text("app-");
    let taken = "The account named@elsewhere.example would become yours";
    rehearse(&admin, "named!").await.expect_text(taken).expect_text("app-again");
    let id = app.user_id("named@elsewhere.example").await;
    let program = app.program_of(ADMIN).await;
    program.post(&format!("/admin/users/{id}/disable"), &serde_json::json!({})).await.expect_status(200);
    rehearse(&admin, "named!").await.expect_text("the account is turned off").expect_no_text("app-");
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 2);
}

async fn a_rehearsal_says_who_must_confirm_an_address(app: TestApp) {
    let admin = app.admin().await;
    let sure = rehearse(&admin, "sure@example.org!").await;
    sure.expect_text("An account for sure@example.org would be made").expect_no_text("by a mailed link");
    let unsure = rehearse(&admin, "unsure@example.org").await;
    unsure.expect_text("An account for unsure@example.org would be made").expect_text("by a mailed link");
    let client = app.form();
    let state = set_out(&client, "").await;
    let refused = "/login?error=Verification&provider=elsewhere";
    come_back(&client, ("unsure@example.org", &state)).await.expect_redirect(refused);
    rehearse(&admin, "unsure@example.org").await.expect_text("unsure@example.org").expect_text("by a mailed link");
}

async fn who_cancels_a_rehearsal_is_told_so(app: TestApp) {
    let admin = app.admin().await;
    let state = leave(&admin, ("/api/rehearse-provider", &[("provider", "elsewhere")])).await;
    let back = admin.get(&format!("/auth/callback/elsewhere?error=access_denied&state={state}")).await;
    back.expect_redirect("/dashboard/system");
    admin.get("/dashboard/system").await.expect_text("Elsewhere sign-in was cancelled.");
}

async fn nobody_but_an_admin_rehearses(app: TestApp) {
    app.admin().await;
    let bob = app.member("bob@example.org").await;
    bob.get("/dashboard/system").await.expect_status(403);
    bob.post("/api/rehearse-provider", &[("provider", "elsewhere")]).await.expect_status(403);
    let visitor = app.form();
    let to = "/login?next=/dashboard/system";
    visitor.post("/api/rehearse-provider", &[("provider", "elsewhere")]).await.expect_redirect(to);
}

async fn a_second_form_of_passwords_has_its_own_page(app: TestApp) {
    app.registered("staff", "bob@example.org").await;
    let client = app.form();
    let to = client.get("/login").await.link("Log in with staff").unwrap();
    let page = client.get(&to).await;
    assert_eq!(page.title().split(" · ").next(), Some("Log in with staff"));
    let fields = [("provider", "staff"), ("fields[email]", "bob@example.org"), ("fields[password]", PASSWORD)];
    assert_eq!(page.value_of("provider").as_deref(), Some("staff"));
    client.post("/api/login-with", &fields).await.expect_status(302).expect_redirect("/account");
    assert!(client.is_logged_in().await);
}

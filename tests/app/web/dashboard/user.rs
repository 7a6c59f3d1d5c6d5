//! `/dashboard/users/{id}`: turn off and on, role, sessions, delete; never oneself, never the last admin.

use crate::harness::{ADMIN, Client, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    nobody_but_admins_changes_anybody,
    an_unknown_user_is_not_found,
    one_cannot_do_it_to_oneself,
    a_role_that_is_none_is_refused,
    a_user_is_deleted_only_when_the_address_is_typed,
    who_is_disabled_is_out_at_the_next_click,
    a_disabled_person_is_told_only_after_the_right_password,
    who_loses_the_role_loses_the_sessions,
    the_sessions_of_a_user_are_ended,
    a_deleted_address_registers_as_a_new_person,
}

const ACTS: [&str; 5] = ["disable-user", "enable-user", "change-role", "delete-user", "end-user-sessions"];

async fn act(client: &Client, act: &str, id: &str) -> u16 {
    let fields = [("id", id), ("role", "admin"), ("confirm", "bob@example.org")];
    client.post(&format!("/api/{act}"), &fields).await.status
}

async fn nobody_but_admins_changes_anybody(app: TestApp) {
    app.admin().await;
    app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    let (visitor, member) = (app.script(), app.script());
    member.register("eve@example.org", PASSWORD).await.expect_status(200);
    for name in ACTS {
        assert_eq!(act(&visitor, name, &id).await, 401, "{name}");
        assert_eq!(act(&member, name, &id).await, 403, "{name}");
        let own = app.user_id("eve@example.org").await;
        assert_eq!(act(&member, name, &own).await, 403, "{name}");
    }
    app.form().get(&format!("/dashboard/users/{id}")).await.expect_status(302);
    app.logged_in("eve@example.org").await.get(&format!("/dashboard/users/{id}")).await.expect_status(403);
    assert_eq!(app.number("SELECT count(*) FROM users WHERE role = 'member' AND disabled_at IS NULL").await, 2);
}

async fn an_unknown_user_is_not_found(app: TestApp) {
    let admin = app.admin().await;
    for id in ["00000000-0000-7000-8000-000000000000", "x", "%00", "..%2F..", "%F0%9F%91%BB"] {
        admin.get(&format!("/dashboard/users/{id}")).await.expect_status(404);
    }
    for name in ACTS {
        assert_eq!(act(&admin, name, "nobody").await, 404, "{name}");
    }
}

async fn one_cannot_do_it_to_oneself(app: TestApp) {
    let admin = app.admin().await;
    let id = app.user_id(ADMIN).await;
    let page = format!("/dashboard/users/{id}");
    for (name, extra) in
        [("disable-user", ("", "")), ("delete-user", ("confirm", ADMIN)), ("change-role", ("role", "member"))]
    {
        let answer = admin.submit(&format!("/api/{name}"), &[("id", &id), extra]).await;
        answer.expect_status(200).expect_text("You can't do this to your own account.");
    }
    admin.get(&page).await.expect_status(200).expect_text("This is your own account.");
}

async fn a_role_that_is_none_is_refused(app: TestApp) {
    let admin = app.admin().await;
    app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    for role in ["", "king", "ADMIN", "admin\0"] {
        let page = admin.submit("/api/change-role", &[("id", &id), ("role", role)]).await;
        page.expect_status(200).expect_text("There is no such role.");
    }
}

async fn a_user_is_deleted_only_when_the_address_is_typed(app: TestApp) {
    let admin = app.admin().await;
    app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    for confirm in ["", "bob", "eve@example.org"] {
        let page = admin.submit("/api/delete-user", &[("id", &id), ("confirm", confirm)]).await;
        page.expect_status(200).expect_text("Type the e-mail address to confirm.");
        assert_eq!(page.value_of("confirm").as_deref(), Some(confirm));
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
}

async fn who_is_disabled_is_out_at_the_next_click(app: TestApp) {
    let admin = app.admin().await;
    let bob = app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    let question = admin.get(&format!("/dashboard/users/{id}?confirm=disable")).await;
    question.expect_status(200).expect_text("Their open session ends at once.");
    assert!(bob.is_logged_in().await, "the question alone does nothing");
    let page = admin.submit("/api/disable-user", &[("id", &id)]).await;
    page.expect_status(200).expect_text("Disabled. 1 session was logged out.");
    assert!(!bob.is_logged_in().await);
    admin.submit("/api/enable-user", &[("id", &id)]).await.expect_text("They can log in again.");
    assert!(!bob.is_logged_in().await, "an ended session stays ended");
    app.logged_in("bob@example.org").await;
}

async fn a_disabled_person_is_told_only_after_the_right_password(app: TestApp) {
    let admin = app.admin().await;
    app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    let script = app.script();
    assert_eq!(script.log_in("bob@example.org", "not the password").await.error(), "credentials");
    let refused = script.log_in("bob@example.org", PASSWORD).await;
    refused.expect_status(403);
    assert_eq!(refused.error(), "disabled");
    assert!(!script.is_logged_in().await);
}

async fn who_loses_the_role_loses_the_sessions(app: TestApp) {
    let admin = app.admin().await;
    app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    admin.submit("/api/change-role", &[("id", &id), ("role", "admin")]).await.expect_text("The role was changed.");
    let bob = app.logged_in("bob@example.org").await;
    bob.get("/dashboard/users").await.expect_status(200);
    admin.post("/api/change-role", &[("id", &id), ("role", "member")]).await.expect_status(302);
    bob.get("/dashboard/users").await.expect_status(302).expect_redirect("/login?next=/dashboard/users");
}

async fn the_sessions_of_a_user_are_ended(app: TestApp) {
    let admin = app.admin().await;
    let bob = app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    admin.submit("/api/end-user-sessions", &[("id", &id)]).await.expect_text("1 session was logged out.");
    assert!(!bob.is_logged_in().await);
    admin.get(&format!("/dashboard/users/{id}")).await.expect_text("Not logged in");
}

async fn a_deleted_address_registers_as_a_new_person(app: TestApp) {
    let admin = app.admin().await;
    let bob = app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    let page = admin.submit("/api/delete-user", &[("id", &id), ("confirm", " BOB@example.org")]).await;
    page.expect_status(200).expect_text("The user was deleted.").expect_no_text("bob@example.org");
    assert!(!bob.is_logged_in().await);
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 1);
    app.form().log_in("bob@example.org", PASSWORD).await.expect_redirect("/login");
    app.member("bob@example.org").await;
    assert_ne!(app.user_id("bob@example.org").await, id);
}

//! There is always an admin who can log in, also when two act at once, and nobody turns themselves off.

use crate::harness::{Client, TestApp, on_both_databases};

on_both_databases! {
    two_admins_who_remove_each_other_leave_one,
    nobody_removes_themselves,
    a_member_removes_nobody,
    the_only_admin_who_can_log_in_stays,
}

async fn second_admin(app: &TestApp, admin: &Client) -> (Client, String) {
    app.member("bob@example.org").await;
    let id = id_of(app, "bob@example.org").await;
    admin.post("/api/change-role", &[("id", &id), ("role", "admin")]).await.expect_status(302);
    (app.logged_in("bob@example.org").await, id)
}

async fn id_of(app: &TestApp, email: &str) -> String {
    app.text_for("SELECT id FROM users WHERE email = $1", email).await.unwrap()
}

async fn active_admins(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL").await
}

async fn two_admins_who_remove_each_other_leave_one(app: TestApp) {
    let ada = app.admin().await;
    let ada_id = id_of(&app, "ada@example.org").await;
    let (bob, bob_id) = second_admin(&app, &ada).await;
    let role = [("id", bob_id.as_str()), ("role", "member")];
    let disable = [("id", ada_id.as_str())];
    let (first, second) = tokio::join!(ada.post("/api/change-role", &role), bob.post("/api/disable-user", &disable));
    assert_eq!(active_admins(&app).await, 1, "{} {}", first.status, second.status);
}

async fn nobody_removes_themselves(app: TestApp) {
    let ada = app.admin().await;
    let id = id_of(&app, "ada@example.org").await;
    second_admin(&app, &ada).await;
    let script = app.script();
    script.log_in("ada@example.org", crate::harness::PASSWORD).await.expect_status(200);
    for (endpoint, fields) in [
        ("/api/disable-user", vec![("id", id.as_str())]),
        ("/api/delete-user", vec![("id", id.as_str()), ("confirm", "ada@example.org")]),
        ("/api/change-role", vec![("id", id.as_str()), ("role", "member")]),
    ] {
        let refused = script.post(endpoint, &fields).await;
        refused.expect_status(409);
        assert_eq!(refused.error(), "yourself", "{endpoint}");
    }
    assert_eq!(active_admins(&app).await, 2);
}

async fn a_member_removes_nobody(app: TestApp) {
    app.admin().await;
    let id = id_of(&app, "ada@example.org").await;
    let bob = app.member("bob@example.org").await;
    for (endpoint, fields) in [
        ("/api/disable-user", vec![("id", id.as_str())]),
        ("/api/enable-user", vec![("id", id.as_str())]),
        ("/api/delete-user", vec![("id", id.as_str()), ("confirm", "ada@example.org")]),
        ("/api/change-role", vec![("id", id.as_str()), ("role", "member")]),
        ("/api/end-user-sessions", vec![("id", id.as_str())]),
    ] {
        bob.post(endpoint, &fields).await.expect_status(403);
        let sent_to = app.form().post(endpoint, &fields).await.expect_status(302).location().unwrap();
        assert!(sent_to.starts_with("/login?next=/dashboard/users/"), "{sent_to}");
    }
    bob.get("/dashboard/users").await.expect_status(403);
    bob.get(&format!("/dashboard/users/{id}")).await.expect_status(403);
    assert_eq!(active_admins(&app).await, 1);
}

async fn the_only_admin_who_can_log_in_stays(app: TestApp) {
    let ada = app.admin().await;
    let (bob, bob_id) = second_admin(&app, &ada).await;
    ada.post("/api/disable-user", &[("id", &bob_id)]).await.expect_status(302);
    assert!(!bob.is_logged_in().await);
    assert_eq!(active_admins(&app).await, 1);
    ada.post("/api/enable-user", &[("id", &bob_id)]).await.expect_status(302);
    assert!(!bob.is_logged_in().await, "a session that was ended stays ended");
    assert!(app.logged_in("bob@example.org").await.is_logged_in().await);
}

//! `/account/security`: the password takes the current one to change, and its change ends every other session.

use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    a_wrong_current_password_changes_nothing,
    a_new_password_keeps_the_rules,
    tries_at_the_current_password_are_limited,
    a_change_ends_every_other_session,
}

const NEW: &str = "another horse, another battery";

async fn a_wrong_current_password_changes_nothing(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let fields = [("password", "not the password"), ("new_password", NEW)];
    client.submit("/api/change-password", &fields).await.expect_text("That is not your current password.");
    app.logged_in("bob@example.org").await;
}

async fn a_new_password_keeps_the_rules(app: TestApp) {
    let client = app.member("bob@example.org").await;
    for (new, words) in [
        ("7 chars", "Use at least 8 characters."),
        ("BOB@example.org", "Don't use your e-mail address."),
        ("password1", "This password is among the first that others would guess."),
    ] {
        let page = client.submit("/api/change-password", &[("password", PASSWORD), ("new_password", new)]).await;
        page.expect_status(200).expect_text(words);
    }
    app.logged_in("bob@example.org").await;
}

async fn tries_at_the_current_password_are_limited(app: TestApp) {
    let client = app.member("bob@example.org").await;
    for _ in 0..10 {
        client
            .post("/api/change-password", &[("password", "wrong one"), ("new_password", NEW)])
            .await
            .expect_status(302);
    }
    let refused = client.post("/api/change-password", &[("password", PASSWORD), ("new_password", NEW)]).await;
    refused.expect_status(429);
    assert!(refused.retry_after_secs().is_some());
}

async fn a_change_ends_every_other_session(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let others = [app.logged_in("bob@example.org").await, app.logged_in("bob@example.org").await];
    let before = client.cookie("latchkey");
    let page = client.submit("/api/change-password", &[("password", PASSWORD), ("new_password", NEW)]).await;
    page.expect_text("Your password was changed. 2 sessions were logged out.");
    assert_ne!(before, client.cookie("latchkey"));
    assert!(client.is_logged_in().await);
    for other in others {
        assert!(!other.is_logged_in().await);
    }
    app.form().log_in("bob@example.org", PASSWORD).await.expect_redirect("/login");
    app.form().log_in("bob@example.org", NEW).await.expect_redirect("/account");
}

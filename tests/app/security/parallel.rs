//! Two at once: what is proved by a password does not outlive that password.

use tokio::task::JoinSet;

use crate::harness::{Kind, PASSWORD, ROOMY, TestApp, on_both_databases};

on_both_databases! {
    logging_in_while_the_password_is_changed_leaves_no_session with UNLIMITED,
    a_hash_of_other_cost_does_not_bring_the_old_password_back with UNLIMITED,
    inviting_the_same_people_in_another_order_waits_for_nobody_for_ever with ROOMY,
}

const UNLIMITED: &str = r#"
    limits.log_in_per_account = "off"
    limits.log_in_per_ip = "off"
"#;
const NEW: &str = "another horse, another battery";
const AT_ONCE: usize = 16;

async fn sessions_of(app: &TestApp, email: &str) -> i64 {
    let id = app.text_for("SELECT id FROM users WHERE email = $1", email).await.unwrap();
    app.number(&format!("SELECT count(*) FROM sessions WHERE user_id = '{id}'")).await
}

/// Changes the password while others log in by the old one, and waits for all of them.
async fn change_amid_log_ins(app: &TestApp) {
    let bob = app.logged_in("bob@example.org").await;
    let mut others = JoinSet::new();
    for _ in 0..AT_ONCE {
        let client = app.script();
        others.spawn(async move { client.log_in("bob@example.org", PASSWORD).await.status });
    }
    let changed = bob.post("/api/change-password", &[("password", PASSWORD), ("new_password", NEW)]).await;
    changed.expect_status(302);
    let page = bob.get("/account/security").await;
    for status in others.join_all().await {
        assert!([200, 401].contains(&status), "{status}");
    }
    let is_changed = page.text().contains("Your password was changed.");
    let (old, new) = (app.script(), app.script());
    assert_eq!(old.log_in("bob@example.org", PASSWORD).await.status, if is_changed { 401 } else { 200 });
    assert_eq!(new.log_in("bob@example.org", NEW).await.status, if is_changed { 200 } else { 401 });
    assert!(is_changed, "{}", page.text());
    assert_eq!(sessions_of(app, "bob@example.org").await, 2, "the one that changed it, and the one just opened");
}

async fn logging_in_while_the_password_is_changed_leaves_no_session(app: TestApp) {
    app.member("bob@example.org").await;
    change_amid_log_ins(&app).await;
}

async fn a_hash_of_other_cost_does_not_bring_the_old_password_back(app: TestApp) {
    app.member("bob@example.org").await;
    let dearer = app.another_process_with("password.iterations = 2").await;
    let stored = "SELECT provider_metadata FROM provider_identities WHERE entity_id = $1";
    let before = app.text_for(stored, "bob@example.org").await;
    let (first, second) = (dearer.script(), dearer.script());
    let (first, second) =
        tokio::join!(first.log_in("bob@example.org", PASSWORD), second.log_in("bob@example.org", PASSWORD));
    assert_eq!((first.status, second.status), (200, 200), "both may hash it anew");
    assert_ne!(app.text_for(stored, "bob@example.org").await, before);
    change_amid_log_ins(&app).await;
}

async fn inviting_the_same_people_in_another_order_waits_for_nobody_for_ever(app: TestApp) {
    let admin = app.admin().await;
    app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    admin.post("/api/change-role", &[("id", &id), ("role", "admin")]).await.expect_status(302);
    let bob = app.logged_in("bob@example.org").await;
    // Somebody invites the one in the middle, so that both get as far as that one.
    let mut held = app.platform.db.begin().await.unwrap();
    let insert = "INSERT INTO invites (id, email, role, metadata, created_at, updated_at, expires_at)
        VALUES ('held', 'm@example.org', 'member', '{}', 0, 0, 4000000000000000)";
    sqlx::query(insert).execute(&mut *held).await.unwrap();
    let send = |client: crate::harness::Client, emails: &'static str| {
        tokio::spawn(async move {
            let fields = [("emails", emails), ("role", "member"), ("step", "send")];
            client.post("/dashboard/invites/new", &fields).await
        })
    };
    let forth = send(admin, "a@example.org\nm@example.org\nz@example.org");
    app.until_held(1, &forth).await;
    let back = send(bob, "z@example.org\nm@example.org\na@example.org");
    app.until_held(2, &back).await;
    held.rollback().await.unwrap();
    let pages = [forth.await.unwrap(), back.await.unwrap()];
    let people = |page: &crate::harness::Page| page.rows().into_iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    for (page, first) in pages.iter().zip(["a@example.org", "z@example.org"]) {
        page.expect_status(200);
        assert_eq!(people(page)[0], first, "the answers stand in the order in which they were typed");
    }
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 3);
    if app.kind == Kind::Postgres {
        pages[0].expect_text("3 people are invited.");
        pages[1].expect_text("0 people are invited.");
    }
}

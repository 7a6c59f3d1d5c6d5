//! `/setup`: the first admin, for whoever has the token from the log, once.

use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    another_token_is_refused,
    the_page_is_gone_once_there_is_an_admin,
    the_first_admin_is_made_and_logged_in,
    two_at_once_make_one_admin,
}

async fn another_token_is_refused(app: TestApp) {
    let client = app.form();
    for token in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let fields = [("token", token), ("email", "ada@example.org"), ("password", PASSWORD)];
        let page = client.submit("/api/setup", &fields).await;
        page.expect_status(200).expect_text("This is not the token from the log");
        assert_eq!(page.value_of("email").as_deref(), Some("ada@example.org"));
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 0);
}

async fn the_page_is_gone_once_there_is_an_admin(app: TestApp) {
    app.admin().await;
    let client = app.form();
    client.get("/setup").await.expect_status(404);
    let token = app.setup_token.as_deref().unwrap();
    let fields = [("token", token), ("email", "eve@example.org"), ("password", PASSWORD)];
    client.post("/api/setup", &fields).await.expect_status(404);
    assert_eq!(app.another_process().await.setup_token, None);
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

async fn the_first_admin_is_made_and_logged_in(app: TestApp) {
    let token = app.setup_token.as_deref().unwrap();
    let page = app.form().get(&format!("/setup?token={token}")).await;
    page.expect_status(200);
    assert_eq!(page.value_of("token").as_deref(), Some(token));
    let admin = app.admin().await;
    admin.get("/dashboard/users").await.expect_status(200).expect_text("ada@example.org");
}

async fn two_at_once_make_one_admin(app: TestApp) {
    let other = app.another_process().await;
    let set_up = |server: TestApp, email: &'static str| {
        tokio::spawn(async move {
            let token = server.setup_token.clone().unwrap();
            let fields = [("token", token.as_str()), ("email", email), ("password", PASSWORD)];
            server.script().post("/api/setup", &fields).await.status
        })
    };
    let (one, two) = (set_up(app.clone(), "ada@example.org"), set_up(other, "bob@example.org"));
    let mut statuses = [one.await.unwrap(), two.await.unwrap()];
    statuses.sort_unstable();
    // The one who comes too late meets a page that is gone, or a token that is.
    assert!(statuses == [200, 404] || statuses == [200, 400], "{statuses:?}");
    assert_eq!(app.number("SELECT count(*) FROM users").await, 1);
}

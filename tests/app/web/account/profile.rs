//! `/account`: one's own names.

use crate::harness::{TestApp, on_both_databases};

on_both_databases! {
    a_visitor_is_sent_to_the_log_in,
    a_name_that_cannot_be_one_is_refused_and_kept,
    a_role_in_the_body_is_ignored,
    names_are_changed,
}

async fn a_visitor_is_sent_to_the_log_in(app: TestApp) {
    app.form().get("/account").await.expect_status(302).expect_redirect("/login?next=/account");
    app.form()
        .post("/api/profile", &[("first_name", "Eve")])
        .await
        .expect_status(302)
        .expect_redirect("/login?next=/account");
    let refused = app.script().post("/api/profile", &[("first_name", "Eve")]).await;
    refused.expect_status(401);
    assert_eq!(refused.error(), "unauthorized");
}

async fn a_name_that_cannot_be_one_is_refused_and_kept(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let page = client.submit("/api/profile", &[("first_name", "Bob"), ("last_name", "a\u{202e}b")]).await;
    page.expect_status(200).expect_text("At most 100 characters, and no control characters.");
    assert_eq!(page.value_of("first_name").as_deref(), Some("Bob"));
    assert_eq!(client.get("/account").await.value_of("first_name").as_deref(), Some(""));
}

async fn a_role_in_the_body_is_ignored(app: TestApp) {
    let client = app.member("bob@example.org").await;
    client.post("/api/profile", &[("first_name", "Bob"), ("role", "admin"), ("email", "x@example.org")]).await;
    assert_eq!(app.number("SELECT count(*) FROM users WHERE role = 'admin'").await, 0);
    client.get("/account").await.expect_text("bob@example.org");
}

async fn names_are_changed(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let page = client.submit("/api/profile", &[("first_name", " Bob "), ("last_name", "李")]).await;
    page.expect_status(200).expect_text("Saved.");
    assert_eq!(page.value_of("first_name").as_deref(), Some("Bob"));
    assert_eq!(page.value_of("last_name").as_deref(), Some("李"));
    client.get("/account").await.expect_no_text("Saved.");
}

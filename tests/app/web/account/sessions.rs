//! `/account/sessions`: what is ended is out at its next request; sessions end by themselves, idle or old.

use std::time::Duration;

use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    the_session_of_another_is_not_there,
    this_browser_is_marked,
    one_session_is_logged_out,
    all_others_are_logged_out,
    an_idle_session_ends,
    a_used_session_ends_at_its_limit,
    no_secret_of_a_session_is_stored,
}

const DAY: Duration = Duration::from_hours(24);

async fn the_session_of_another_is_not_there(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    app.logged_in("bob@example.org").await;
    let ids = bob.get("/account/sessions").await.values_of("id");
    let eve = app.member("eve@example.org").await;
    assert_eq!(ids.len(), 1);
    eve.post("/api/revoke-session", &[("id", &ids[0])]).await;
    let script = app.script();
    script.log_in("eve@example.org", PASSWORD).await.expect_status(200);
    script.post("/api/revoke-session", &[("id", &ids[0])]).await.expect_status(404);
    assert_eq!(bob.get("/account/sessions").await.values_of("id"), ids);
}

async fn this_browser_is_marked(app: TestApp) {
    let client = app.member("bob@example.org").await;
    app.logged_in("bob@example.org").await;
    let rows = client.get("/account/sessions").await.rows();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows.iter().filter(|row| row[0] == "Firefox on Linux This browser").count(), 1, "{rows:?}");
    assert!(rows.iter().all(|row| row[1] == "127.0.0.1"), "{rows:?}");
}

async fn one_session_is_logged_out(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let other = app.logged_in("bob@example.org").await;
    let id = client.get("/account/sessions").await.value_of("id").unwrap();
    client.submit("/api/revoke-session", &[("id", &id)]).await.expect_text("That session was logged out.");
    assert!(!other.is_logged_in().await && client.is_logged_in().await);
}

async fn all_others_are_logged_out(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let others = [app.logged_in("bob@example.org").await, app.logged_in("bob@example.org").await];
    client.submit("/api/revoke-other-sessions", &[]).await.expect_text("2 sessions were logged out.");
    for other in others {
        assert!(!other.is_logged_in().await);
    }
    assert!(client.is_logged_in().await);
}

async fn an_idle_session_ends(app: TestApp) {
    let client = app.member("bob@example.org").await;
    app.advance(6 * DAY);
    assert!(client.is_logged_in().await);
    app.advance(6 * DAY);
    assert!(client.is_logged_in().await);
    app.advance(7 * DAY + Duration::from_secs(1));
    assert!(!client.is_logged_in().await);
}

async fn a_used_session_ends_at_its_limit(app: TestApp) {
    let client = app.member("bob@example.org").await;
    for _ in 0..5 {
        app.advance(5 * DAY + DAY / 2);
        assert!(client.is_logged_in().await);
    }
    app.advance(3 * DAY);
    assert!(!client.is_logged_in().await);
}

async fn no_secret_of_a_session_is_stored(app: TestApp) {
    let client = app.member("bob@example.org").await;
    let secret = client.cookie("latchkey").unwrap();
    assert_eq!(app.number("SELECT count(*) FROM sessions").await, 1);
    assert_eq!(app.text_for("SELECT id FROM sessions WHERE id = $1 OR key_hash = $1", &secret).await, None);
}

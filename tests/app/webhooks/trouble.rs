//! Endpoints in trouble: what they do not take is tried again and given up in the end, and nobody else waits for them.

use std::time::Duration;

use super::delivery::all_is_delivered;
use crate::harness::{ADMIN, Answer, Receiver, SECRET, TestApp, eventually, on_both_databases};

on_both_databases! {
    what_is_not_taken_is_tried_again_under_the_same_id,
    what_is_never_taken_is_given_up_after_a_day_and_a_half,
    an_endpoint_that_is_gone_is_left_alone_until_the_next_start,
    a_silent_endpoint_holds_up_nobody,
    an_endless_answer_is_not_listened_to,
}

/// How long one waits after each try, as it is promised.
const BACK_OFFS_MINUTES: [u64; 7] = [1, 5, 30, 120, 300, 600, 840];

async fn answer(app: &TestApp) -> Option<String> {
    app.text_for("SELECT answer FROM webhook_deliveries WHERE kind = $1", "session.created").await
}

async fn tried(app: &TestApp, times: i64) {
    eventually(async || app.number("SELECT coalesce(max(attempts), 0) FROM webhook_deliveries").await == times).await;
}

async fn what_is_not_taken_is_tried_again_under_the_same_id(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(500)).await;
    app.admin().await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    sender.logged_in(ADMIN).await;
    tried(&app, 1).await;
    assert_eq!(answer(&app).await.as_deref(), Some("500 Internal Server Error"));
    let due = app.number("SELECT due_at FROM webhook_deliveries").await - app.clock.now().as_micros();
    assert!((4_000_000..=5_000_000).contains(&due), "{due}");
    receiver.behave(Answer::Status(202));
    app.advance(Duration::from_secs(5));
    let webhooks = receiver.take(2).await;
    all_is_delivered(&app).await;
    assert_eq!(answer(&app).await.as_deref(), Some("202 Accepted"));
    assert_eq!((webhooks[0].id(), &webhooks[0].body), (webhooks[1].id(), &webhooks[1].body));
    assert_ne!(webhooks[0].header("webhook-timestamp"), webhooks[1].header("webhook-timestamp"));
    assert!(webhooks.iter().all(|one| one.is_signed_by(SECRET)));
}

async fn what_is_never_taken_is_given_up_after_a_day_and_a_half(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(503)).await;
    app.admin().await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    sender.logged_in(ADMIN).await;
    let mut times = 1;
    for minutes in BACK_OFFS_MINUTES {
        tried(&app, times).await;
        assert_eq!(app.number("SELECT count(failed_at) FROM webhook_deliveries").await, 0);
        app.advance(Duration::from_mins(minutes));
        times += 1;
    }
    tried(&app, times).await;
    assert_eq!(app.number("SELECT count(failed_at) FROM webhook_deliveries").await, 1);
    assert_eq!((receiver.received().len(), times), (8, 8));
    assert_eq!(answer(&app).await.as_deref(), Some("503 Service Unavailable"));
}

async fn an_endpoint_that_is_gone_is_left_alone_until_the_next_start(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(410)).await;
    app.admin().await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    sender.logged_in(ADMIN).await;
    eventually(async || app.number("SELECT count(gone_at) FROM webhook_endpoints").await == 1).await;
    let said = answer(&app).await.unwrap();
    assert_eq!(said, "410 Gone: nothing more is sent there until the server starts again");
    assert_eq!(app.number("SELECT count(failed_at) FROM webhook_deliveries").await, 1);
    receiver.behave(Answer::Status(200));
    app.advance(Duration::from_hours(24));
    sender.logged_in(ADMIN).await;
    assert_eq!(app.number("SELECT count(*) FROM events WHERE to_tell IS NOT NULL").await, 0);
    sender.stop_last().await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    sender.logged_in(ADMIN).await;
    receiver.take(2).await;
    let delivered = "SELECT count(delivered_at) FROM webhook_deliveries";
    eventually(async || app.number(delivered).await == 1).await;
    assert_eq!(receiver.received().len(), 2, "what happened while it was gone is not sent");
}

async fn a_silent_endpoint_holds_up_nobody(app: TestApp) {
    let (silent, honest) = tokio::join!(Receiver::start(Answer::Silence), Receiver::start(Answer::Status(200)));
    app.admin().await;
    let sender = app.another_process_with(&(silent.settings("silent") + &honest.settings("honest"))).await;
    for number in 0..20 {
        sender.member(&format!("person-{number}@example.org")).await;
    }
    // Whoever waited for the silent one, even four at a time, would not be through within the receiver's patience.
    honest.take(40).await;
    assert!(!silent.received().is_empty(), "it was asked, too");
}

async fn an_endless_answer_is_not_listened_to(app: TestApp) {
    let receiver = Receiver::start(Answer::Endless).await;
    app.admin().await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    sender.logged_in(ADMIN).await;
    receiver.take(1).await;
    all_is_delivered(&app).await;
    assert_eq!(answer(&app).await.as_deref(), Some("200 OK"));
}

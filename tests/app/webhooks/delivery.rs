//! What happens arrives once, signed, as the audit log has it; what did not happen, or was before, does not.

use std::time::Duration;

use latchkey::{
    events::{self, Actor, Event, EventKind, Scope},
    shared::UserId,
};

use crate::harness::{ADMIN, Answer, Receiver, SECRET, TestApp, Webhook, eventually, on_both_databases};

on_both_databases! {
    an_event_arrives_signed_and_as_the_audit_log_has_it,
    an_endpoint_gets_what_it_wants,
    what_happened_before_is_not_sent,
    what_is_taken_back_never_goes_out,
    the_old_secret_signs_beside_the_new_one,
    a_server_that_stops_lets_go_of_its_webhooks,
}

const OTHER: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

/// Waits until nothing is on its way any more.
pub(super) async fn all_is_delivered(app: &TestApp) {
    let open = "SELECT (SELECT count(*) FROM events WHERE to_tell IS NOT NULL)
         + (SELECT count(*) FROM webhook_deliveries WHERE delivered_at IS NULL)";
    eventually(async || app.number(open).await == 0).await;
}

async fn an_event_arrives_signed_and_as_the_audit_log_has_it(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(204)).await;
    app.admin().await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    sender.member("bob@example.org").await;
    let webhooks = receiver.take(2).await;
    let created = webhooks.iter().find(|one| one.kind() == "user.created").unwrap();
    assert!(created.is_signed_by(SECRET) && !created.is_signed_by(OTHER));
    assert_eq!(created.path, "/hooks?token=t0ken");
    assert_eq!(created.header("content-type"), "application/json");
    assert!(created.header("user-agent").starts_with("Latchkey/"));
    assert_eq!(created.header("webhook-timestamp"), "1795269600");
    let bob = app.user_id("bob@example.org").await;
    let data = created.json();
    assert_eq!(data["timestamp"], "2026-11-21T14:00:00.000Z");
    let data = &data["data"];
    assert_eq!((data["target"]["type"].as_str(), data["target"]["id"].as_str()), (Some("user"), Some(bob.as_str())));
    assert_eq!(data["ip"], "127.0.0.1");
    assert!(data["user_agent"].as_str().unwrap().contains("Firefox"));
    assert_eq!(data["id"].as_str(), Some(created.id()));
    let details = app.text_for("SELECT details FROM events WHERE id = $1", created.id()).await.unwrap();
    assert_eq!(data["details"], serde_json::from_str::<serde_json::Value>(&details).unwrap());
    let mut keys: Vec<_> = data.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["actor", "details", "id", "ip", "target", "user_agent"]);

    all_is_delivered(&app).await;
    app.advance(Duration::from_hours(1));
    sender.member("eve@example.org").await;
    let webhooks = receiver.take(4).await;
    all_is_delivered(&app).await;
    assert_eq!(webhooks.len(), 4, "the first two are not sent again");
}

async fn an_endpoint_gets_what_it_wants(app: TestApp) {
    let (users, failures) = tokio::join!(Receiver::start(Answer::Status(200)), Receiver::start(Answer::Status(200)));
    app.admin().await;
    let settings = format!(
        "{}events = [\"user.*\"]\n{}events = [\"auth.failed\", \"user.deleted\"]",
        users.settings("users"),
        failures.settings("failures")
    );
    let sender = app.another_process_with(&settings).await;
    sender.member("bob@example.org").await;
    sender.form().log_in("bob@example.org", "wr0ng-and-long").await.expect_status(302);
    failures.take(1).await;
    users.take(1).await;
    all_is_delivered(&app).await;
    let kinds = |receiver: &Receiver| receiver.received().iter().map(Webhook::kind).collect::<Vec<_>>();
    assert_eq!((kinds(&users), kinds(&failures)), (vec!["user.created".to_owned()], vec!["auth.failed".to_owned()]));
}

async fn what_happened_before_is_not_sent(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(200)).await;
    app.admin().await;
    app.member("bob@example.org").await;
    app.advance(Duration::from_secs(1));
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    sender.member("eve@example.org").await;
    let webhooks = receiver.take(2).await;
    all_is_delivered(&app).await;
    let eve = app.user_id("eve@example.org").await;
    assert!(webhooks.iter().all(|one| one.body.contains(&eve)) && receiver.received().len() == 2, "{webhooks:?}");
}

async fn what_is_taken_back_never_goes_out(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(200)).await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    let scope = Scope::operator(app.clock.now());
    for (user, happens) in [("taken-back", false), ("kept", true)] {
        let mut tx = sender.platform.db.begin().await.unwrap();
        let event = Event::about_user(EventKind::UserDisabled, &UserId::new(user));
        events::record(&mut tx, &app.platform.entropy, &scope, event).await.unwrap();
        if happens {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }
    }
    let webhooks = receiver.take(1).await;
    all_is_delivered(&app).await;
    assert!(receiver.received().len() == 1 && webhooks[0].body.contains("kept"));
    let actor = &webhooks[0].json()["data"]["actor"];
    assert_eq!((actor["type"].as_str(), actor["id"].as_str()), (Some("operator"), None));
    assert!(matches!(scope.actor, Actor::Operator));
}

async fn the_old_secret_signs_beside_the_new_one(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(200)).await;
    app.admin().await;
    let both = format!("[{OTHER:?}, {SECRET:?}]");
    let settings = receiver.settings("shop").replace(&format!("{SECRET:?}"), &both);
    let sender = app.another_process_with(&settings).await;
    sender.logged_in(ADMIN).await;
    let webhook = &receiver.take(1).await[0];
    assert!(webhook.is_signed_by(SECRET) && webhook.is_signed_by(OTHER));
    assert_eq!(webhook.header("webhook-signature").split(' ').count(), 2);
}

async fn a_server_that_stops_lets_go_of_its_webhooks(app: TestApp) {
    let receiver = Receiver::start(Answer::Silence).await;
    app.admin().await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    sender.logged_in(ADMIN).await;
    let first = receiver.take(1).await;
    sender.stop_last().await;
    let claimed = "SELECT count(*) FROM webhook_deliveries WHERE claimed_until > 0 OR attempts > 0";
    assert_eq!(app.number(claimed).await, 0, "another process may send it at once");
    receiver.behave(Answer::Status(200));
    app.another_process_with(&receiver.settings("shop")).await;
    let webhooks = receiver.take(2).await;
    assert_eq!(webhooks[1].id(), first[0].id());
}

//! Webhooks and processes: two that send from one database, one that is killed, and what none of them ever says.

use std::{collections::HashMap, fs};

use latchkey::{
    events::{self, Event, EventKind, Scope},
    platform::Clock,
    shared::UserId,
};

use super::{Server, commands::tell, latchkey};
use crate::harness::{Answer, PASSWORD, Receiver, SECRET, TestApp, eventually, on_both_databases};

on_both_databases! {
    two_processes_send_each_webhook_once,
    killed_processes_lose_none,
    no_secret_is_ever_said,
}

const EVENTS: usize = 100;

/// Lets events happen at the time that other processes know.
async fn let_happen(app: &TestApp, events: usize) {
    for number in 0..events {
        let scope = Scope::operator(Clock::system().now());
        let event = Event::about_user(EventKind::UserUpdated, &UserId::new(format!("user-{number}")));
        let mut tx = app.platform.db.begin().await.unwrap();
        events::record(&mut tx, &app.platform.entropy, &scope, event).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn settings(receiver: &Receiver) -> Vec<(&'static str, String)> {
    vec![
        ("LATCHKEY_WEBHOOKS__SHOP__URL", receiver.url()),
        ("LATCHKEY_WEBHOOKS__SHOP__SECRET", SECRET.to_owned()),
        ("LATCHKEY_WEBHOOKS__SHOP__ALLOW_PRIVATE", "true".to_owned()),
        ("LATCHKEY_WEBHOOKS__SHOP__EVENTS", "user.*, session.created".to_owned()),
        // Nobody is there, and nobody is asked.
        ("HTTP_PROXY", "http://127.0.0.1:9".to_owned()),
        ("http_proxy", "http://127.0.0.1:9".to_owned()),
    ]
}

/// How often each event came in.
fn counts(receiver: &Receiver) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for webhook in receiver.received() {
        *counts.entry(webhook.id().to_owned()).or_default() += 1;
    }
    counts
}

async fn nothing_waits(app: &TestApp) {
    let waiting = "SELECT (SELECT count(*) FROM events WHERE to_tell IS NOT NULL)
         + (SELECT count(*) FROM webhook_deliveries WHERE delivered_at IS NULL)";
    eventually(async || app.number(waiting).await == 0).await;
}

async fn two_processes_send_each_webhook_once(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(200)).await;
    let settings = settings(&receiver);
    let (_one, _other) = tokio::join!(Server::start_with(&app, &settings), Server::start_with(&app, &settings));
    let_happen(&app, EVENTS).await;
    receiver.take(EVENTS).await;
    nothing_waits(&app).await;
    let counts = counts(&receiver);
    assert_eq!((counts.len(), counts.values().sum::<usize>()), (EVENTS, EVENTS), "{counts:?}");
}

async fn killed_processes_lose_none(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(200)).await;
    let settings = settings(&receiver);
    let mut happened = 0;
    // Before anybody was told, with the first ones on their way, in the middle.
    for arrived in [0, 1, 17] {
        let mut server = Server::start_with(&app, &settings).await;
        let before = receiver.received().len();
        let_happen(&app, EVENTS).await;
        happened += EVENTS;
        receiver.take(before + arrived).await;
        server.signal("-KILL");
        server.child.wait().await.unwrap();
        // So that the test need not wait until the claims of the dead have ended.
        app.change("UPDATE webhook_deliveries SET claimed_until = 0").await;
    }
    let_happen(&app, 1).await;
    let _again = Server::start_with(&app, &settings).await;
    nothing_waits(&app).await;
    let counts = counts(&receiver);
    assert_eq!(counts.len(), happened + 1, "all have arrived");
    let twice = counts.values().sum::<usize>() - counts.len();
    assert!(twice <= 3 * 4, "only what was on its way comes twice: {twice}");
}

async fn no_secret_is_ever_said(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(500)).await;
    let mut settings = settings(&receiver);
    settings.push(("RUST_LOG", "trace".to_owned()));
    let Server { mut child, url, mut output } = Server::start_with(&app, &settings).await;
    // Somebody has to read what it logs, or it waits for that.
    let reading = tokio::spawn(async move {
        let mut said = String::new();
        while let Ok(Some(line)) = output.next_line().await {
            said += &line;
        }
        said
    });
    let fields = [("email", "bob@example.org"), ("password", PASSWORD)];
    let answer = reqwest::Client::new().post(format!("{url}/api/register")).form(&fields).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    receiver.take(2).await;
    // The server has noted that one was not taken, and has said so before.
    let noted = "SELECT count(*) FROM webhook_deliveries WHERE answer IS NOT NULL";
    eventually(async || app.number(noted).await > 0).await;
    child.kill().await.unwrap();
    let said = reading.await.unwrap();
    assert!(said.contains("a webhook was not taken"), "it is logged that something is wrong");

    let file = app.config_file();
    let with_webhook = fs::read_to_string(&file).unwrap() + &receiver.settings("shop");
    fs::write(&file, with_webhook).unwrap();
    let shown = tell(&app, &["config", "show"], "").await;
    assert!(shown.is_success && shown.output.contains("[[webhooks]]"), "{} {}", shown.output, shown.error);
    let mut wrong = latchkey(&app);
    wrong.args(["config", "check"]).env("LATCHKEY_WEBHOOKS__SHOP__SECRET", &SECRET[..30]);
    let refused = wrong.output().await.unwrap();
    let refused = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.contains("webhooks.shop.secret") && refused.contains("LATCHKEY_WEBHOOKS__SHOP__SECRET"),
        "{refused}"
    );
    let secret = SECRET.strip_prefix("whsec_").unwrap();
    for (place, text) in [("log", &said), ("config show", &shown.output), ("error", &refused)] {
        for word in [&secret[..12], "t0ken"] {
            assert!(!text.contains(word), "{word} is in the {place}");
        }
    }
}

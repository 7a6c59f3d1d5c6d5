//! `kill -9` while people register: whoever was answered has an account, and nobody has half of one.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{sync::Notify, task::JoinSet};

use super::Server;
use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    what_was_answered_survives_and_nothing_is_half_there with UNLIMITED,
}

const UNLIMITED: &str = r#"
    limits.register_per_ip = "off"
    limits.register_per_account = "off"
"#;
const KILLS: usize = 20;
const AT_ONCE: usize = 8;

/// What the clients of one server have seen.
#[derive(Default)]
struct Seen {
    answered: Mutex<Vec<String>>,
    next: AtomicUsize,
    another: Notify,
}

async fn what_was_answered_survives_and_nothing_is_half_there(app: TestApp) {
    let mut answered = Vec::new();
    for round in 0..KILLS {
        answered.extend(register_until_killed(&app, round).await);
    }
    assert!(answered.len() >= KILLS, "people registered: {}", answered.len());
    for email in &answered {
        let whole = "SELECT u.email FROM users u JOIN auth_identity_actors a ON a.actor_id = u.id
             JOIN provider_identities p ON p.auth_identity_id = a.auth_identity_id AND p.entity_id = u.email
             JOIN sessions s ON s.user_id = u.id WHERE u.email = $1";
        assert_eq!(app.text_for(whole, email).await.as_ref(), Some(email), "was answered and is gone");
    }
    let users = app.number("SELECT count(*) FROM users").await;
    for table in ["auth_identities", "auth_identity_actors", "provider_identities", "sessions"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, users, "{table}");
    }
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'user.created'").await, users);
}

/// Lets people register at a server of its own and kills it in the middle; answers who was told of success.
async fn register_until_killed(app: &TestApp, round: usize) -> Vec<String> {
    let mut server = Server::start(app).await;
    let seen = Arc::new(Seen::default());
    let mut people = JoinSet::new();
    for _ in 0..AT_ONCE {
        people.spawn(register_on_and_on(server.url.clone(), round, seen.clone()));
    }
    // A little later in each round, so that the kill meets every step of a registration.
    while seen.answered.lock().unwrap().len() < 1 + round % 7 {
        tokio::select! {
            () = seen.another.notified() => {}
            Some(ended) = people.join_next() => panic!("nobody killed the server yet: {ended:?}"),
        }
    }
    server.signal("-KILL");
    server.child.wait().await.unwrap();
    people.join_all().await;
    std::mem::take(&mut *seen.answered.lock().unwrap())
}

/// Registers one person after the other until the server is gone.
async fn register_on_and_on(url: String, round: usize, seen: Arc<Seen>) {
    let client = reqwest::Client::new();
    loop {
        let email = format!("person-{round}-{}@example.org", seen.next.fetch_add(1, Ordering::Relaxed));
        let fields = [("email", email.as_str()), ("password", PASSWORD)];
        let request = client.post(format!("{url}/api/register")).header("accept", "application/json").form(&fields);
        let Ok(answer) = request.send().await else { return };
        assert_eq!(answer.status(), 200);
        seen.answered.lock().unwrap().push(email);
        seen.another.notify_one();
    }
}

//! `kill -9` while people register: whoever was answered has an account, or gets one by mail, and nobody has half of one.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{sync::Notify, task::JoinSet};

use super::Server;
use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    what_was_answered_survives_and_nothing_is_half_there with UNLIMITED,
    who_was_told_of_a_mail_gets_it_from_the_next_process with SENDING,
    a_registration_is_dropped_where_it_is_closed_meanwhile with CLOSED,
}

const UNLIMITED: &str = r#"
    limits.register_per_ip = "off"
    limits.register_per_account = "off"
"#;
const SENDING: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    limits.register_per_ip = "off"
"#;
const CLOSED: &str = r#"
    mail.transport = "smtp"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
    limits.register_per_ip = "off"
    registration.mode = "closed"
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

/// Registers at a server where registration is open and kills that as soon as it has answered.
async fn register_and_kill(app: &TestApp, email: &str) {
    let mut server = Server::start_with(app, &[("LATCHKEY_REGISTRATION__MODE", "open".to_owned())]).await;
    let fields = [("email", email), ("password", PASSWORD)];
    let request = reqwest::Client::new().post(format!("{}/api/register", server.url)).form(&fields);
    let answer = request.header("accept", "application/json").send().await.unwrap();
    server.signal("-KILL");
    assert_eq!(answer.status(), 200);
    server.child.wait().await.unwrap();
}

async fn who_was_told_of_a_mail_gets_it_from_the_next_process(app: TestApp) {
    app.stop_last().await;
    for round in 0..3 {
        register_and_kill(&app, &format!("person-{round}@example.org")).await;
    }
    let app = app.another_process().await;
    for round in 0..3 {
        app.mail(&format!("person-{round}@example.org"), "confirm_email").await;
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 3);
}

async fn a_registration_is_dropped_where_it_is_closed_meanwhile(app: TestApp) {
    for round in 0..10 {
        let email = format!("person-{round}@example.org");
        register_and_kill(&app, &email).await;
        app.mail_requests_are_answered().await;
        if app.text_for("SELECT id FROM users WHERE email = $1", &email).await.is_none() {
            assert_eq!(app.mails_to(&email).await.len(), 0);
            return;
        }
        // The server itself has answered before it was killed.
    }
    panic!("no registration was left to a process where it is closed");
}

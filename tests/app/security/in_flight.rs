//! A session that ends while a request is on its way ends for that request, too: what its body asks for is not done.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Client, TestApp, on_both_databases};

on_both_databases! {
    a_request_in_flight_does_nothing_once_its_session_has_ended,
    a_request_in_flight_does_nothing_once_its_user_is_disabled,
    a_request_in_flight_does_nothing_once_its_admin_is_a_member,
    a_session_that_was_ended_is_not_brought_back,
}

const BODY: &str = "first_name=Changed&last_name=";

/// A request whose head has arrived and whose body has not.
struct HalfSent {
    stream: TcpStream,
    body: String,
}

impl HalfSent {
    /// Sends the head, and waits until the server asks for the body: by then it knows who asks.
    async fn new(app: &TestApp, client: &Client, path: &str, body: &str) -> Self {
        let host = app.url.trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let cookie = client.cookie("latchkey").unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nCookie: latchkey={cookie}\r\nAccept: application/json\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        assert!(asked.starts_with(b"HTTP/1.1 100"), "{:?}", String::from_utf8_lossy(&asked));
        Self { stream, body: body.to_owned() }
    }

    /// Sends the body and answers with the status.
    async fn finish(mut self) -> u16 {
        self.stream.write_all(self.body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

async fn id_of(app: &TestApp, email: &str) -> String {
    app.text_for("SELECT id FROM users WHERE email = $1", email).await.unwrap()
}

async fn a_request_in_flight_does_nothing_once_its_session_has_ended(app: TestApp) {
    let bob = app.member("bob@example.org").await;
    let request = HalfSent::new(&app, &bob, "/api/profile", BODY).await;
    bob.log_out().await.expect_status(302);
    assert_eq!(request.finish().await, 401);
    assert_eq!(app.number("SELECT count(*) FROM users WHERE first_name = 'Changed'").await, 0);
}

async fn a_request_in_flight_does_nothing_once_its_user_is_disabled(app: TestApp) {
    let admin = app.admin().await;
    let bob = app.member("bob@example.org").await;
    let request = HalfSent::new(&app, &bob, "/api/profile", BODY).await;
    let id = id_of(&app, "bob@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    assert_eq!(request.finish().await, 401);
    assert_eq!(app.number("SELECT count(*) FROM users WHERE first_name = 'Changed'").await, 0);
    assert!(!bob.is_logged_in().await);
}

async fn a_request_in_flight_does_nothing_once_its_admin_is_a_member(app: TestApp) {
    let admin = app.admin().await;
    app.member("bob@example.org").await;
    app.member("carl@example.org").await;
    let (bob, carl) = (id_of(&app, "bob@example.org").await, id_of(&app, "carl@example.org").await);
    admin.post("/api/change-role", &[("id", &bob), ("role", "admin")]).await.expect_status(302);
    let second = app.logged_in("bob@example.org").await;
    let request = HalfSent::new(&app, &second, "/api/disable-user", &format!("id={carl}")).await;
    admin.post("/api/change-role", &[("id", &bob), ("role", "member")]).await.expect_status(302);
    assert_eq!(request.finish().await, 401);
    assert_eq!(app.number("SELECT count(*) FROM users WHERE disabled_at IS NOT NULL").await, 0);
}

async fn a_session_that_was_ended_is_not_brought_back(app: TestApp) {
    let admin = app.admin().await;
    let bob = app.member("bob@example.org").await;
    let request = HalfSent::new(&app, &bob, "/api/change-password", "password=x&new_password=y").await;
    let id = id_of(&app, "bob@example.org").await;
    admin.post("/api/end-user-sessions", &[("id", &id)]).await.expect_status(302);
    request.finish().await;
    assert!(!bob.is_logged_in().await);
    let sessions = format!("SELECT count(*) FROM sessions WHERE user_id = '{id}'");
    assert_eq!(app.number(&sessions).await, 0);
}

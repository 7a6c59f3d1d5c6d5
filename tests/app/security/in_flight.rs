//! A session that ends while a request is on its way ends for that request, too: what its body asks for is not done.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Client, PASSWORD, ROOMY, TestApp, on_both_databases};

on_both_databases! {
    a_request_in_flight_does_nothing_once_its_session_has_ended,
    a_request_in_flight_does_nothing_once_its_user_is_disabled,
    a_request_in_flight_does_nothing_once_its_admin_is_a_member,
    a_session_that_was_ended_is_not_brought_back,
    a_link_asked_for_in_flight_ends_with_a_change_of_password with ROOMY,
    a_link_asked_for_in_flight_ends_with_the_user with ROOMY,
    a_role_raised_in_flight_leaves_no_session_behind with ROOMY,
    two_who_end_each_others_sessions_do_not_wait_for_each_other with ROOMY,
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

const BOB: &str = "bob@example.org";
const THIEF: &str = "thief@evil.example";

/// Lets somebody with password and session ask for another address, and meanwhile somebody else do what ends that.
async fn ask_for_an_address_amid<F>(app: &TestApp, ending: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let thief = app.logged_in(BOB).await;
    let held = app.hold_mails().await;
    let fields = [("email", THIEF), ("password", PASSWORD)];
    let asking = tokio::spawn(async move { thief.post("/api/change-email", &fields).await });
    app.until_held(1, &asking).await;
    let ending = tokio::spawn(ending);
    app.until_held(2, &ending).await;
    held.rollback().await.unwrap();
    asking.await.unwrap().expect_status(302);
    ending.await.unwrap();
}

/// Fails if a link that was mailed to the thief gives them the account.
async fn expect_no_way_in(app: &TestApp) {
    for mail in app.mails_to(THIEF).await {
        app.form().post(&mail.link(), &[]).await;
    }
    assert!(app.text_for("SELECT id FROM users WHERE email = $1", THIEF).await.is_none());
}

async fn a_link_asked_for_in_flight_ends_with_a_change_of_password(app: TestApp) {
    let owner = app.member(BOB).await;
    ask_for_an_address_amid(&app, async move {
        let fields = [("password", PASSWORD), ("new_password", "another horse, another battery")];
        owner.post("/api/change-password", &fields).await.expect_redirect("/account/security");
        assert!(owner.is_logged_in().await);
    })
    .await;
    app.form().log_in(BOB, PASSWORD).await.expect_redirect("/login");
    expect_no_way_in(&app).await;
}

async fn a_link_asked_for_in_flight_ends_with_the_user(app: TestApp) {
    let admin = app.admin().await;
    app.member(BOB).await;
    let id = id_of(&app, BOB).await;
    ask_for_an_address_amid(&app, async move {
        admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
        admin.post("/api/enable-user", &[("id", &id)]).await.expect_status(302);
    })
    .await;
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'user.enabled'").await, 1);
    expect_no_way_in(&app).await;
}

async fn a_role_raised_in_flight_leaves_no_session_behind(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, BOB, "admin").await;
    app.member(BOB).await;
    app.change("UPDATE users SET email_verified_at = 1").await;
    let (bob, id) = (app.logged_in(BOB).await, id_of(&app, BOB).await);
    let held = app.hold_mails().await;
    let accepting = tokio::spawn(async move {
        bob.post("/api/accept-invite", &[("token", &token)]).await.expect_status(302);
        bob
    });
    app.until_held(1, &accepting).await;
    let ending_id = id.clone();
    let ending = tokio::spawn(async move {
        admin.post("/api/end-user-sessions", &[("id", &ending_id)]).await.expect_status(302);
    });
    app.until_held(2, &ending).await;
    held.rollback().await.unwrap();
    ending.await.unwrap();
    let bob = accepting.await.unwrap();
    assert!(!bob.is_logged_in().await);
    assert_eq!(app.number(&format!("SELECT count(*) FROM sessions WHERE user_id = '{id}'")).await, 0);
}

async fn two_who_end_each_others_sessions_do_not_wait_for_each_other(app: TestApp) {
    app.member(BOB).await;
    for _ in 0..3 {
        let all = [app.logged_in(BOB).await, app.logged_in(BOB).await, app.logged_in(BOB).await];
        let mut ending = tokio::task::JoinSet::new();
        for client in all {
            ending.spawn(async move {
                let answer = client.post("/api/revoke-other-sessions", &[]).await;
                (answer.location(), client.is_logged_in().await)
            });
        }
        // Whoever is first is the only one left; the others are sent to log in.
        let answers = ending.join_all().await;
        assert_eq!(answers.iter().filter(|(_, is_logged_in)| *is_logged_in).count(), 1, "{answers:?}");
    }
}

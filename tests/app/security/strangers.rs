//! What strangers do to others: lock them out, hold the server up, leave a cookie behind.

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Client, PASSWORD, Page, TestApp, on_both_databases};

on_both_databases! {
    a_stranger_does_not_lock_the_owner_out with BEHIND_A_PROXY,
    a_connection_that_asks_nothing_is_closed with IMPATIENT,
    logging_out_takes_the_cookie_away_under_https with HTTPS,
    logging_out_without_a_session_is_as_good,
}

const BEHIND_A_PROXY: &str = r#"server.trusted_proxies = ["127.0.0.1"]"#;
const IMPATIENT: &str = r#"server.header_timeout = "1s""#;
const HTTPS: &str = r#"server.public_url = "https://login.example.org""#;

async fn log_in_from(client: &Client, ip: &str, password: &str) -> Page {
    let fields = [("email", "bob@example.org"), ("password", password)];
    let request = client.request(&Method::POST, "/api/login").header("x-forwarded-for", ip);
    client.send(request.form(&fields)).await
}

async fn a_stranger_does_not_lock_the_owner_out(app: TestApp) {
    app.member("bob@example.org").await;
    let (stranger, owner) = (app.script(), app.script());
    let mut last = 0;
    for _ in 0..12 {
        last = log_in_from(&stranger, "198.51.100.7", "not the password").await.status;
    }
    assert_eq!(last, 429);
    // A neighbour of the same /64 is the same stranger; a name that only looks like another address, too.
    log_in_from(&stranger, "203.0.113.1, 198.51.100.7", "not the password").await.expect_status(429);
    log_in_from(&owner, "203.0.113.9", PASSWORD).await.expect_status(200);
}

async fn a_connection_that_asks_nothing_is_closed(app: TestApp) {
    for said in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\n"] {
        let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Ends when the server closes; the test would hang if it did not.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{said:?}: {answer:?}");
    }
    app.script().get("/health/live").await.expect_status(200);
}

async fn logging_out_takes_the_cookie_away_under_https(app: TestApp) {
    let client = app.script();
    client.set_cookie("__Host-latchkey", "AAAAAAAAAAAAAAAAAAAAAA");
    let mut request = client.request(&Method::POST, "/api/logout").build().unwrap();
    request.headers_mut().insert("origin", "https://login.example.org".parse().unwrap());
    let answer = client.execute(request).await;
    answer.expect_status(200);
    let lines = answer.set_cookies();
    let removal = lines.iter().find(|line| line.starts_with("__Host-latchkey=;")).expect("the cookie is taken away");
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=0"] {
        assert!(removal.contains(attribute), "{attribute} in {removal}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

async fn logging_out_without_a_session_is_as_good(app: TestApp) {
    let client = app.form();
    client.set_cookie("latchkey", "AAAAAAAAAAAAAAAAAAAAAA");
    client.log_out().await.expect_status(302).expect_redirect("/login");
    assert_eq!(client.cookie("latchkey"), None);
}

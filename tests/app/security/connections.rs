//! Who holds connections to keep others out: one client with many, one that rests and answers pings, one that asks and
//! never reads. Plain sockets, so that nothing is answered or read that the test does not.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{TestApp, eventually, on_both_databases};

on_both_databases! {
    one_client_holds_only_so_many_connections with THREE,
    a_trusted_proxy_holds_any_number with THREE_BEHIND_A_PROXY,
    a_connection_that_only_answers_pings_is_closed with IMPATIENT,
    a_connection_whose_client_takes_no_answer_is_closed with IMPATIENT,
    a_client_that_never_reads_is_closed with IMPATIENT,
    a_connection_in_use_outlasts_the_limit_of_rest with IMPATIENT,
}

const THREE: &str = "server.max_connections_per_client = 3";
const THREE_BEHIND_A_PROXY: &str = "server.max_connections_per_client = 3\nserver.trusted_proxies = [\"127.0.0.0/8\"]";
const IMPATIENT: &str = "server.idle_timeout = \"1s\"\nserver.request_timeout = \"1s\"";

const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// How a client begins to speak HTTP/2 (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The types of frames (RFC 9113 §6).
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
/// Of settings and pings: it is an answer.
const ACK: u8 = 1;
/// Of headers: no body, and no more headers.
const END: u8 = 5;
/// The setting by which a client takes no byte of an answer: a window of 0.
const NO_WINDOW: &[u8] = &[0, 4, 0, 0, 0, 0];

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap()
}

/// Whether a connection is served: asks by it, and leaves it open.
async fn is_served(stream: &mut TcpStream) -> bool {
    let mut status = [0; 12];
    stream.write_all(LIVE).await.is_ok()
        && stream.read_exact(&mut status).await.is_ok()
        && status.starts_with(b"HTTP/1.1 200")
}

async fn one_client_holds_only_so_many_connections(app: TestApp) {
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&app).await;
        assert!(is_served(&mut stream).await);
        held.push(stream);
    }
    assert!(!is_served(&mut connect(&app).await).await);
    assert!(!is_served(&mut connect(&app).await).await, "also the next");
    held.pop();
    eventually(async || is_served(&mut connect(&app).await).await).await;
}

async fn a_trusted_proxy_holds_any_number(app: TestApp) {
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut stream = connect(&app).await;
        assert!(is_served(&mut stream).await);
        held.push(stream);
    }
}

/// A frame of HTTP/2.
async fn send(stream: &mut TcpStream, (kind, flags, of): (u8, u8, u8), payload: &[u8]) -> std::io::Result<()> {
    let length = u8::try_from(payload.len()).unwrap();
    let head = [0, 0, length, kind, flags, 0, 0, 0, of];
    stream.write_all(&[&head, payload].concat()).await
}

/// The next frame; `None` where the server has closed.
async fn receive(stream: &mut TcpStream) -> Option<(u8, u8, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
    stream.read_exact(&mut payload).await.ok()?;
    Some((head[3], head[4], payload))
}

/// Asks for a path by HTTP/2 (RFC 7541: by names and values of the static table, the path as it is).
async fn ask(stream: &mut TcpStream, path: &str) {
    let length = u8::try_from(path.len()).unwrap();
    let block = [&[0x82, 0x86, 0x41, 9], &b"localhost"[..], &[0x04, length], path.as_bytes()].concat();
    send(stream, (HEADERS, END, 1), &block).await.unwrap();
}

/// Answers whatever wants an answer, and pings, until the server closes; which frames came.
async fn ping_to_the_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut seen = Vec::new();
    while let Some((kind, flags, payload)) = receive(stream).await {
        seen.push(kind);
        let answered = match (kind, flags & ACK) {
            (SETTINGS, 0) => send(stream, (SETTINGS, ACK, 0), &[]).await,
            (PING, 0) => send(stream, (PING, ACK, 0), &payload).await,
            _ => send(stream, (PING, 0, 0), b"is there").await,
        };
        if answered.is_err() {
            break;
        }
    }
    seen
}

async fn a_connection_that_only_answers_pings_is_closed(app: TestApp) {
    let mut stream = connect(&app).await;
    stream.write_all(PREFACE).await.unwrap();
    send(&mut stream, (SETTINGS, 0, 0), &[]).await.unwrap();
    ask(&mut stream, "/health/live").await;
    // Ends when the server closes; the test would hang if it did not.
    let seen = ping_to_the_end(&mut stream).await;
    assert!(seen.contains(&HEADERS) && seen.contains(&GOAWAY), "it was answered, and told before it was closed");
}

async fn a_connection_whose_client_takes_no_answer_is_closed(app: TestApp) {
    let mut stream = connect(&app).await;
    stream.write_all(PREFACE).await.unwrap();
    send(&mut stream, (SETTINGS, 0, 0), NO_WINDOW).await.unwrap();
    ask(&mut stream, "/openapi.json").await;
    let seen = ping_to_the_end(&mut stream).await;
    assert!(seen.contains(&HEADERS) && seen.contains(&GOAWAY));
}

async fn a_client_that_never_reads_is_closed(app: TestApp) {
    let mut stream = connect(&app).await;
    let question = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    // The server stops to read when it can't write, so that in time this waits, too; until the server closes.
    while stream.write_all(&question).await.is_ok() {}
    assert!(is_served(&mut connect(&app).await).await);
}

async fn a_connection_in_use_outlasts_the_limit_of_rest(app: TestApp) {
    let mut stream = connect(&app).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    for _ in 0..6 {
        ticks.tick().await;
        let mut answer = [0; 1024];
        stream.write_all(LIVE).await.unwrap();
        assert!(stream.read(&mut answer).await.unwrap() > 0);
    }
}

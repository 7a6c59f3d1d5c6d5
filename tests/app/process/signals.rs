//! SIGTERM and SIGINT: requests in flight end, new ones are not taken, and the process ends well.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Server;
use crate::harness::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    a_server_that_is_told_to_stop_ends_what_it_began,
}

async fn a_server_that_is_told_to_stop_ends_what_it_began(app: TestApp) {
    for (round, signal) in ["-TERM", "-INT"].into_iter().enumerate() {
        let mut server = Server::start(&app).await;
        let host = server.url.trim_start_matches("http://").to_owned();
        let body = format!("email=person{round}%40example.org&password={}", PASSWORD.replace(' ', "+"));
        let head = format!(
            "POST /api/register HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(&host).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        server.signal(signal);
        // It takes no one new in any more, and still answers the one who was there.
        while TcpStream::connect(&host).await.is_ok() {
            tokio::task::yield_now().await;
        }
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(server.child.wait().await.unwrap().success());
        let mut said = Vec::new();
        while let Some(line) = server.output.next_line().await.unwrap() {
            said.push(line);
        }
        assert!(said.iter().any(|line| line.contains("\"stopped\"")), "{said:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2);
}

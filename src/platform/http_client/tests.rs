//! The client against real servers on this machine: what it refuses to connect to, and what it makes of odd answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use super::*;

const QUICK: Duration = Duration::from_secs(5);

fn client(reach: Reach) -> HttpClient {
    HttpClient::new(HttpSettings { reach, time_limit: QUICK, max_body_bytes: 8 }, "test").unwrap()
}

async fn ask(client: &HttpClient, url: &str) -> Result<HttpAnswer, HttpError> {
    let url = url.parse().unwrap();
    client.send(HttpRequest { method: Method::GET, url: &url, headers: HeaderMap::new(), body: Vec::new() }).await
}

/// A server that says the same to everybody, and counts them.
struct Parrot {
    port: u16,
    calls: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Parrot {
    async fn saying(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut head = [0; 1_024];
                    if stream.read(&mut head).await.is_ok_and(|length| length > 0) {
                        let _ = stream.write_all(answer.as_bytes()).await;
                        // Held open: whoever waits for more waits for ever.
                        let _ = stream.read(&mut head).await;
                    }
                });
            }
        });
        Self { port, calls, serving }
    }
}

impl Drop for Parrot {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn where_only_the_internet_may_be_reached_nothing_private_is_called() {
    let parrot = Parrot::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let client = client(Reach::Public);
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.1", "[::ffff:127.0.0.1]", "[::1]", "localhost"] {
        let refused = ask(&client, &format!("https://{host}:{}/", parrot.port)).await.unwrap_err();
        assert!(matches!(refused, HttpError::Private(_)), "{host}: {refused:?}");
        assert!(refused.to_string().ends_with("private addresses, which is not allowed"), "{refused}");
    }
    assert_eq!(ask(&client, "http://example.org/").await.unwrap_err(), HttpError::NotEncrypted);
    assert_eq!(parrot.calls.load(Ordering::SeqCst), 0);
}

#[test]
fn of_the_addresses_of_a_name_only_public_ones_are_connected_to() {
    let addresses = |list: &[&str]| list.iter().map(|one| one.parse().unwrap()).collect::<Vec<SocketAddr>>();
    let found = addresses(&["127.0.0.1:0", "8.8.8.8:0", "[::1]:0", "[2600::1]:0", "[::ffff:10.0.0.1]:0"]);
    assert_eq!(public_among("a.test", found.into_iter()).unwrap(), addresses(&["8.8.8.8:0", "[2600::1]:0"]));
    for list in [&["10.0.0.1:0", "[fe80::1]:0"][..], &[]] {
        let refused = public_among("a.test", addresses(list).into_iter()).unwrap_err();
        assert_eq!(refused.to_string(), "a.test leads to private addresses, which is not allowed");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let end = Parrot::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let answer = format!("HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:{}/\r\ncontent-length: 0\r\n\r\n", end.port);
    let start = Parrot::saying(answer.leak()).await;
    let answer = ask(&client(Reach::Anywhere), &format!("http://127.0.0.1:{}/", start.port)).await.unwrap();
    assert_eq!((answer.status.as_u16(), end.calls.load(Ordering::SeqCst)), (307, 0));
}

#[tokio::test]
async fn a_long_answer_is_cut() {
    let long = Parrot::saying("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n0123456789").await;
    let answer = ask(&client(Reach::Anywhere), &format!("http://127.0.0.1:{}/", long.port)).await.unwrap();
    assert_eq!((answer.body.as_slice(), answer.is_whole), (b"01234567".as_slice(), false));
    let short = Parrot::saying("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n01234567").await;
    let answer = ask(&client(Reach::Anywhere), &format!("http://127.0.0.1:{}/", short.port)).await.unwrap();
    assert_eq!((answer.body.as_slice(), answer.is_whole), (b"01234567".as_slice(), true));
}

#[tokio::test]
async fn whoever_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let time_limit = Duration::from_millis(50);
    let settings = HttpSettings { reach: Reach::Anywhere, time_limit, max_body_bytes: 8 };
    let hasty = HttpClient::new(settings, "test").unwrap();
    assert_eq!(ask(&hasty, &url).await.unwrap_err(), HttpError::TimedOut(time_limit));
}

#[tokio::test]
async fn a_failure_is_said_without_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?token=s3cret", listener.local_addr().unwrap());
    drop(listener);
    let failed = ask(&client(Reach::Anywhere), &url).await.unwrap_err().to_string();
    assert!(failed.contains("Connection refused") && !failed.contains("s3cret"), "{failed}");
}

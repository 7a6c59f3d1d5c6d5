//! A mail server that behaves as a test tells it to: it takes mails, or refuses them, says nothing, hangs up at the worst
//! moment. Speaks as much SMTP (RFC 5321) as a client needs to hand a mail over.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    task::JoinHandle,
    time::timeout,
};

/// How long a test waits for mails before it fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// How the server behaves to whoever speaks to it from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Takes every mail.
    Honest,
    /// Takes connections and never says a word.
    Silent,
    /// Says that it is closing, as soon as somebody calls.
    Closing,
    /// Answers so to every recipient.
    ToRecipients(&'static str),
    /// Wants a password and likes none.
    WrongPassword,
    /// Takes the whole mail and hangs up without an answer.
    HangsUpAfterData,
}

impl Manner {
    fn to_recipients(self) -> &'static str {
        if let Self::ToRecipients(answer) = self { answer } else { "250 ok" }
    }
}

/// A mail as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What stood in `MAIL FROM`.
    pub from: String,
    /// What stood in `RCPT TO`.
    pub to: Vec<String>,
    /// Head and body.
    pub data: String,
}

/// A mail server of one test; gone when dropped.
pub struct Smtp {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    manner: Mutex<Manner>,
    received: Mutex<Vec<Received>>,
    /// How often somebody called.
    calls: Mutex<usize>,
    something: Notify,
}

impl Shared {
    fn manner(&self) -> Manner {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Smtp {
    /// A server on a free port.
    pub async fn start(manner: Manner) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), manner).await
    }

    /// A server on a port that was another's before.
    pub async fn at(address: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            manner: Mutex::new(manner),
            received: Mutex::default(),
            calls: Mutex::default(),
            something: Notify::new(),
        });
        let serving = tokio::spawn(serve(listener, shared.clone()));
        Self { address, shared, serving }
    }

    /// Settings that send mails here.
    pub fn settings(&self) -> String {
        settings(self.address)
    }

    /// Behaves otherwise from now on.
    pub fn behave(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// What was taken so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Forgets what was taken so far.
    pub fn clear(&self) {
        self.shared.received.lock().unwrap().clear();
    }

    /// Waits until so many mails were taken, and answers with them.
    pub async fn take(&self, count: usize) -> Vec<Received> {
        self.wait(|shared| shared.received.lock().unwrap().len() >= count).await;
        self.received()
    }

    /// Waits until somebody has called so often since the server was started.
    pub async fn called(&self, count: usize) {
        self.wait(|shared| *shared.calls.lock().unwrap() >= count).await;
    }

    /// How often somebody has called.
    pub fn calls(&self) -> usize {
        *self.shared.calls.lock().unwrap()
    }

    async fn wait(&self, is_enough: impl Fn(&Shared) -> bool) {
        let waiting = async {
            loop {
                let next = self.shared.something.notified();
                if is_enough(&self.shared) {
                    return;
                }
                next.await;
            }
        };
        let count = || self.shared.received.lock().unwrap().len();
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("only {} mails came in", count()));
    }
}

/// Settings that send mails to a server without TLS.
pub fn settings(address: SocketAddr) -> String {
    let (host, port) = (address.ip(), address.port());
    format!(
        "mail.transport = \"smtp\"\n\
         mail.smtp = {{ host = \"{host}\", port = {port}, encryption = \"none\", timeout = \"1s\" }}\n\
         registration.require_verified_email = false"
    )
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        *shared.calls.lock().unwrap() += 1;
        shared.something.notify_waiters();
        let shared = shared.clone();
        sessions.spawn(async move {
            // A client that goes away is what many tests are about.
            let _ = session(stream, &shared).await;
        });
    }
}

struct Session {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Session {
    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.writer.write_all(format!("{line}\r\n").as_bytes()).await
    }

    /// All up to the lonely dot, with the dots that were doubled made single.
    async fn data(&mut self) -> std::io::Result<String> {
        let mut data = String::new();
        while let Some(line) = self.lines.next_line().await? {
            if line == "." {
                break;
            }
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
            data.push_str("\r\n");
        }
        Ok(data)
    }
}

async fn session(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let mut session = Session { lines: BufReader::new(reader).lines(), writer };
    let manner = shared.manner();
    match manner {
        Manner::Silent => {
            while session.lines.next_line().await?.is_some() {}
            return Ok(());
        }
        Manner::Closing => return session.say("421 not now").await,
        _ => session.say("220 test").await?,
    }
    let (mut from, mut to) = (String::new(), Vec::new());
    while let Some(line) = session.lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or("").to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" if manner == Manner::WrongPassword => session.say("250-test\r\n250 AUTH PLAIN LOGIN").await?,
            "EHLO" => session.say("250-test\r\n250-8BITMIME\r\n250 SMTPUTF8").await?,
            "AUTH" => session.say("535 wrong password").await?,
            "MAIL" => {
                (from, to) = (line, Vec::new());
                session.say("250 ok").await?;
            }
            "RCPT" => {
                let answer = shared.manner().to_recipients();
                if answer.starts_with('2') {
                    to.push(line);
                }
                session.say(answer).await?;
            }
            "DATA" => {
                session.say("354 go on").await?;
                let data = session.data().await?;
                if shared.manner() == Manner::HangsUpAfterData {
                    return Ok(());
                }
                shared.received.lock().unwrap().push(Received { from: from.clone(), to: to.clone(), data });
                session.say("250 ok").await?;
                shared.something.notify_waiters();
            }
            "QUIT" => return session.say("221 bye").await,
            _ => session.say("250 ok").await?,
        }
    }
    Ok(())
}

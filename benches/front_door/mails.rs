//! Mails: how many leave in a second through a mail server on loopback that takes every mail at once. Those with a link
//! cost a password hash each, for the code that they carry.

use std::time::Duration;

use latchkey::{
    platform::{
        Clock, DatabaseSettings, Db, Entropy, KeySettings, NewMail, NewOneTime, Outbox, Purpose, Seal, Timestamp,
        one_time,
    },
    shared::{EmailAddress, OneTimeId},
};
use serde_json::{Value, json};
use sqlx::Connection;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::{
    Extent, Outcome,
    database::{Database, execute},
    now,
    server::Server,
    table::{Cell, Column},
};

const LINK: Purpose = Purpose { name: "bench", lifetime: Duration::from_hours(1), replaces: false };

/// Measures them.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (taken, mut mails) = mpsc::unbounded_channel();
    let taking = tokio::spawn(take_all(listener, taken));
    let settings = [("TRANSPORT", "smtp"), ("SMTP__HOST", "127.0.0.1"), ("SMTP__ENCRYPTION", "none")];
    let port = port.to_string();
    let settings = settings.into_iter().chain([("SMTP__PORT", port.as_str())]);
    let settings: Vec<_> = settings.map(|(name, value)| (format!("LATCHKEY_MAIL__{name}"), value.to_owned())).collect();
    forget(database).await?;
    let server = Server::start_with(database, None, &settings).await?;
    for (what, has_link) in [("mails sent, without a code", false), ("mails sent, with a link and a code", true)] {
        let started = put(database, &server, (extent.tries, has_link)).await?;
        for _ in 0..extent.tries {
            mails.recv().await.ok_or("the mail server ended")?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let per_second = extent.tries as f64 / started.elapsed().as_secs_f64();
        column.note(what, "", Cell::alone(format!("{per_second:.0}/s"), per_second > 1.0));
    }
    taking.abort();
    drop(server);
    forget(database).await
}

async fn forget(database: &Database) -> Outcome<()> {
    let mut connection = database.connect().await?;
    execute(&mut connection, "DELETE FROM mails").await?;
    execute(&mut connection, "DELETE FROM one_time_tokens WHERE purpose = 'bench'").await?;
    Ok(connection.close().await?)
}

/// Puts so many mails into the outbox of a server at once; answers when.
async fn put(database: &Database, server: &Server, (count, has_link): (usize, bool)) -> Outcome<std::time::Instant> {
    let entropy = Entropy::from_os()?;
    let keys = KeySettings { directory: server.folder.clone() };
    let outbox = Outbox::new(Seal::load_or_create(&keys.instance_key(), &entropy)?, entropy.clone(), true);
    let db = Db::open(&DatabaseSettings::for_url(&database.url)?).await?;
    let now_at = Clock::system().now();
    let expires_at = now_at.plus(LINK.lifetime);
    let mut tx = db.begin().await?;
    for number in 0..count {
        let recipient = EmailAddress::parse(&format!("mail.{number}@latchkey.example"))?;
        let (mut content, mut token) = (letter("test", now_at), None);
        if has_link {
            content = letter("reset_password", now_at);
            let subject = number.to_string();
            let new = NewOneTime { purpose: LINK, subject: &subject, email: &recipient, data: Value::Null, expires_at };
            let issued = one_time::issue(&mut tx, &entropy, now_at, new).await?;
            content["link"] =
                json!({ "token": issued.token.expose(), "code": "ABCD-2345", "expires_at": expires_at.as_micros() });
            token = Some(issued.id);
        }
        let token: Option<&OneTimeId> = token.as_ref();
        let mail =
            NewMail { kind: "bench", recipient: &recipient, subject: "A mail", content: &content, token, expires_at };
        outbox.put(&mut tx, now_at, mail).await?;
    }
    tx.commit().await?;
    let started = now();
    db.close().await;
    Ok(started)
}

fn letter(name: &str, at: Timestamp) -> Value {
    json!({ "letter": name, "link": null, "ip": null, "user_agent": null, "at": at.as_micros() })
}

/// A mail server that says yes to everything.
async fn take_all(listener: TcpListener, taken: mpsc::UnboundedSender<()>) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        // Whoever hangs up has said all that it wanted.
        tokio::spawn(take(stream, taken.clone()));
    }
}

async fn take(stream: TcpStream, taken: mpsc::UnboundedSender<()>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut is_data = false;
    writer.write_all(b"220 bench\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer: &[u8] = match line.as_str() {
            "." if is_data => {
                is_data = false;
                let _ = taken.send(());
                b"250 taken\r\n"
            }
            _ if is_data => continue,
            "DATA" => {
                is_data = true;
                b"354 go on\r\n"
            }
            "QUIT" => return writer.write_all(b"221 bye\r\n").await,
            _ => b"250 yes\r\n",
        };
        writer.write_all(answer).await?;
    }
    Ok(())
}

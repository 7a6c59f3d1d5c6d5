//! Mails of the tests: put into the outbox as flows do it, and read back by another hand.

use std::{future::Future, time::Duration};

use latchkey::{
    platform::{Clock, Issued, NewMail, NewOneTime, Platform, Purpose, Timestamp, one_time},
    shared::{EmailAddress, MailId},
};
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};

use super::{Received, TestApp};

/// The code of every mailed link.
pub const CODE: &str = "ABCD-2345";
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);
/// The year 2096, for mails that are put in at the time of one process and sent at that of another.
const FOR_EVER: Timestamp = Timestamp::from_micros(4_000_000_000_000_000);
const LINK: Purpose = Purpose { name: "reset_password", lifetime: Duration::from_mins(15), replaces: true };

/// A mail as its recipient reads it.
#[derive(Clone, Debug)]
pub struct Read {
    pub id: String,
    pub subject: String,
    pub from: String,
    pub to: Vec<String>,
    pub text: String,
    pub html: String,
    /// The names of the header's lines.
    pub headers: Vec<String>,
}

impl Read {
    /// Reads the text of a mail.
    pub fn parse(raw: &str) -> Self {
        let mail = MessageParser::default().parse(raw).expect("it is a mail");
        let address = |address: Option<&mail_parser::Address>| {
            let all = address.into_iter().flat_map(|list| list.iter());
            all.map(|one| one.address().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(mail.content_type().map(|kind| kind.subtype()), Some(Some("alternative")));
        Self {
            id: mail.message_id().unwrap_or_default().to_owned(),
            subject: mail.subject().unwrap_or_default().to_owned(),
            from: address(mail.from()).join(","),
            to: [address(mail.to()), address(mail.cc()), address(mail.bcc())].concat(),
            text: mail.body_text(0).unwrap_or_default().into_owned(),
            html: mail.body_html(0).unwrap_or_default().into_owned(),
            headers: mail.headers().iter().map(|header| header.name().to_owned()).collect(),
        }
    }
}

impl Received {
    /// The mail as its recipient reads it.
    pub fn read(&self) -> Read {
        Read::parse(&self.data)
    }
}

/// What a letter without a link is in the outbox.
pub fn letter(letter: &Value, now: Timestamp) -> Value {
    let mut written = json!({ "link": null, "ip": null, "user_agent": null, "at": now.as_micros() });
    for (key, value) in letter.as_object().expect("a letter is an object") {
        written[key] = value.clone();
    }
    written
}

impl TestApp {
    /// Puts a letter without a link into the outbox, as of the test's time.
    pub async fn put_mail(&self, to: &str, content: &Value) -> MailId {
        let now = self.clock.now();
        put(&self.platform, now, (to, &letter(content, now)), None).await
    }

    /// Puts many letters into the outbox, as of the time that other processes know.
    pub async fn put_mails_now(&self, recipients: impl Iterator<Item = String>) {
        let now = Clock::system().now();
        for to in recipients {
            put(&self.platform, now, (&to, &letter(&json!({ "letter": "test" }), now)), None).await;
        }
    }

    /// Puts a letter with a link into the outbox.
    pub async fn put_link(&self, to: &str, content: &Value) -> (MailId, Issued) {
        let now = self.clock.now();
        let email = EmailAddress::parse(to).unwrap();
        let mut tx = self.platform.db.begin().await.unwrap();
        let expires_at = now.plus(LINK.lifetime);
        let new = NewOneTime { purpose: LINK, subject: to, email: &email, data: Value::Null, expires_at };
        let issued = one_time::issue(&mut tx, &self.platform.entropy, now, new).await.unwrap();
        tx.commit().await.unwrap();
        let mut written = letter(content, now);
        written["link"] =
            json!({ "token": issued.token.expose(), "code": CODE, "expires_at": issued.expires_at.as_micros() });
        (put(&self.platform, now, (to, &written), Some(&issued)).await, issued)
    }

    /// Changes what the server does not let anybody change.
    pub async fn change(&self, statement: &'static str) {
        let mut tx = self.platform.db.begin().await.unwrap();
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What has become of a mail: the columns that tell it.
    pub async fn mail_state(&self, id: &MailId) -> String {
        let state = "SELECT CASE WHEN sent_at IS NOT NULL THEN 'sent' WHEN failed_at IS NOT NULL THEN 'failed'
             WHEN dropped_at IS NOT NULL THEN 'dropped' WHEN reason IS NOT NULL THEN 'put off' ELSE 'waiting' END
             FROM mails WHERE id = $1";
        self.text_for(state, id.as_str()).await.unwrap_or_else(|| "gone".to_owned())
    }

    /// Waits until a mail has become this.
    pub async fn mail_becomes(&self, id: &MailId, state: &str) {
        eventually(async || self.mail_state(id).await == state).await;
    }
}

async fn put(platform: &Platform, now: Timestamp, (to, content): (&str, &Value), issued: Option<&Issued>) -> MailId {
    let mail = NewMail {
        kind: "test",
        recipient: &EmailAddress::parse(to).unwrap(),
        subject: "A test",
        content,
        token: issued.map(|issued| &issued.id),
        expires_at: issued.map_or(FOR_EVER, |issued| issued.expires_at),
    };
    let mut tx = platform.db.begin().await.unwrap();
    let id = platform.outbox.put(&mut tx, now, mail).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Waits until something holds, looking again and again.
pub async fn eventually<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let waiting = async {
        while !holds().await {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it never came to hold");
}

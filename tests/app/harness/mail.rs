//! What the server has written to people, read from its outbox: nobody takes the mails of these servers, so they wait.

use std::time::Duration;

use latchkey::{
    flows::Written,
    platform::{OneTimeCode, SecretToken, one_time},
    shared::OneTimeId,
};
use sqlx::Row;
use tokio::time::{Instant, interval};

use super::TestApp;

/// A mail server that nobody runs: mails are promised, and wait.
pub const MAILS: &str = r#"
    mail.transport = "smtp"
    mail.smtp.host = "127.0.0.1"
    mail.smtp.port = 9
    mail.smtp.encryption = "none"
"#;
/// How long a mail may take that a job writes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A mail that waits.
#[derive(Clone, Debug)]
pub struct Mail {
    /// What it is about.
    pub kind: String,
    /// What it says.
    pub written: Written,
}

impl Mail {
    /// The path of its link.
    pub fn link(&self) -> String {
        format!("/link/{}", self.written.link.as_ref().expect("the mail has a link").token)
    }
}

impl TestApp {
    /// The mails that wait for an address, the oldest first, once everything that was asked for is answered.
    pub async fn mails_to(&self, email: &str) -> Vec<Mail> {
        self.mail_requests_are_answered().await;
        let rows =
            sqlx::query("SELECT kind, sealed FROM mails WHERE recipient = $1 AND sealed IS NOT NULL ORDER BY id")
                .bind(email)
                .fetch_all(self.platform.db.reader())
                .await
                .unwrap();
        let mail = |row: &sqlx::any::AnyRow| {
            let plain = self.platform.outbox.open(&row.get::<String, _>(1)).expect("it was sealed with the key");
            Mail { kind: row.get(0), written: serde_json::from_slice(&plain).unwrap() }
        };
        rows.iter().map(mail).collect()
    }

    /// The newest mail to an address, which must be of this kind.
    pub async fn mail(&self, email: &str, kind: &str) -> Mail {
        let mail = self.mails_to(email).await.pop().expect("there is a mail");
        assert_eq!(mail.kind, kind);
        mail
    }

    /// Lets the code of a mail work, as sending it does; answers with the code.
    pub async fn arm_code(&self, mail: &Mail) -> String {
        let link = mail.written.link.as_ref().expect("the mail has a link");
        let code = OneTimeCode::parse(&link.code).expect("the mail has a code");
        let hash = self.platform.passwords.hash(code.to_password()).await.unwrap();
        let statement = "SELECT id FROM one_time_tokens WHERE token_hash = $1";
        let token = SecretToken::parse(&link.token).unwrap();
        let id = OneTimeId::new(self.text_for(statement, token.hash().as_str()).await.unwrap());
        let mut tx = self.platform.db.begin().await.unwrap();
        one_time::set_code(&mut tx, &id, &hash).await.unwrap();
        tx.commit().await.unwrap();
        link.code.clone()
    }

    /// Waits until the job has answered what visitors asked for.
    pub async fn mail_requests_are_answered(&self) {
        let (mut looks, started) = (interval(Duration::from_millis(5)), Instant::now());
        while self.number("SELECT count(*) FROM mail_requests").await > 0 {
            assert!(started.elapsed() < PATIENCE, "mail requests are answered in time");
            looks.tick().await;
        }
    }
}

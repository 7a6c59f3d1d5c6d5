//! The mailer: how a mail that is due leaves the house, by a mail server or as a file. A mail has one recipient, whose
//! address was checked when it was read, and headers that no person has a hand in. Called by the job that sends; what
//! goes wrong is told apart by whose trouble it is: the server's, this mail's for now, or this mail's for good.

mod directory;
mod message;
mod settings;
mod smtp;
mod tls;

use std::time::Duration;

pub use settings::{Encryption, MailSettings, Sender, SmtpPassword, SmtpSettings, Transport};
pub use tls::{CaFile, InvalidCaFile};

use self::{directory::Directory, message::Letterhead, smtp::Smtp};
use super::Timestamp;
use crate::shared::{EmailAddress, MailId};

/// How much longer a mail is claimed than handing it over may take: time to prepare it, and to note what came of it.
const LEASE_MARGIN: Duration = Duration::from_secs(10);

/// A mail, ready to leave.
#[derive(Clone, Debug)]
pub struct OutgoingMail<'a> {
    /// Which one; a repeat has the same `Message-ID`.
    pub id: &'a MailId,
    /// To whom.
    pub recipient: &'a EmailAddress,
    /// The subject.
    pub subject: &'a str,
    /// When it was written.
    pub written_at: Timestamp,
    /// What it says, as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Why a mail did not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// No mail leaves now: the server does not answer, says that it is closing, or does not let us in.
    #[error("{0}")]
    Unreachable(String),
    /// This mail is not taken for now.
    #[error("{0}")]
    PutOff(String),
    /// This mail will never be taken.
    #[error("{0}")]
    Refused(String),
}

/// Lets mails leave.
pub struct Mailer {
    letterhead: Letterhead,
    way: Way,
    timeout: Duration,
}

enum Way {
    Smtp(Box<Smtp>),
    Directory(Directory),
}

impl Mailer {
    /// The mailer of these settings at the host that people know; `None` where mails are kept in the outbox.
    pub fn new(settings: &MailSettings, (product, host): (&str, &str)) -> Option<Self> {
        let way = match settings.transport {
            Transport::Outbox => return None,
            Transport::Smtp => Way::Smtp(Box::new(Smtp::new(settings.smtp.clone(), host))),
            Transport::File => Way::Directory(Directory::new(settings.directory.clone())),
        };
        let sender = settings.from.as_deref().and_then(Sender::parse);
        let sender = sender.unwrap_or_else(|| Sender::at_host(product, host));
        let letterhead = Letterhead { sender, host: host.to_owned() };
        Some(Self { letterhead, way, timeout: settings.smtp.timeout })
    }

    /// How long a mail has to be claimed for, so that nobody else sends it while this mailer does.
    pub fn lease(&self) -> Duration {
        self.timeout + LEASE_MARGIN
    }

    /// Hands a mail over. When this answers `Ok`, it is somebody else's.
    ///
    /// # Errors
    /// [`MailError`] tells whose trouble it is.
    pub async fn send(&self, mail: OutgoingMail<'_>) -> Result<(), MailError> {
        let id = mail.id.clone();
        let message = self.letterhead.message(mail)?;
        let handed_over = async {
            match &self.way {
                Way::Smtp(smtp) => smtp.send(&message).await,
                Way::Directory(directory) => directory.keep(&id, message.formatted()).await,
            }
        };
        let late = |_| Err(MailError::Unreachable(format!("no answer within {:?}", self.timeout)));
        tokio::time::timeout(self.timeout, handed_over).await.unwrap_or_else(late)
    }

    /// Ends what is held open between mails; the next one opens it again.
    pub async fn rest(&self) {
        if let Way::Smtp(smtp) = &self.way {
            smtp.hang_up().await;
        }
    }
}

//! `[mail]`: whether and how mails leave. Without a transport they stay in the outbox, where admins copy their links.

use std::{fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize, Serializer};

use crate::platform::duration_text;

/// How mails leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// They don't: they are kept and shown to admins.
    #[default]
    Outbox,
    /// By a mail server.
    Smtp,
    /// Each as an `.eml` file in a directory.
    File,
}

/// `[mail]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    /// How mails leave.
    pub transport: Transport,
    /// The sender, as `name@example.org` or `Name <name@example.org>`; by default `no-reply` at the host of
    /// `server.public_url`.
    pub from: Option<String>,
    /// Where the transport `file` writes to.
    pub directory: PathBuf,
    /// The mail server of the transport `smtp`.
    pub smtp: SmtpSettings,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            transport: Transport::default(),
            from: None,
            directory: PathBuf::from("data/mail"),
            smtp: SmtpSettings::default(),
        }
    }
}

impl MailSettings {
    /// Whether mails leave at all.
    pub fn is_sent(&self) -> bool {
        self.transport != Transport::Outbox
    }
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// TLS from the first byte (RFC 8314); port 465.
    Tls,
    /// TLS by STARTTLS, and nothing without it (RFC 3207); port 587.
    #[default]
    Starttls,
    /// None: for a server on the same machine; port 25.
    None,
}

/// `[mail.smtp]`: the mail server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpSettings {
    /// Its host name or address.
    pub host: String,
    /// Its port, where it is not the usual one of the encryption.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// The name to log in with, if the server asks for one.
    pub username: Option<String>,
    /// The password to log in with.
    pub password: Option<SmtpPassword>,
    /// How long one mail may take, the connection included.
    #[serde(with = "duration_text")]
    pub timeout: Duration,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: None,
            encryption: Encryption::default(),
            username: None,
            password: None,
            timeout: Duration::from_secs(20),
        }
    }
}

/// A password that is written nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SmtpPassword(String);

impl SmtpPassword {
    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SmtpPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpPassword(redacted)")
    }
}

impl Serialize for SmtpPassword {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(redacted)")
    }
}

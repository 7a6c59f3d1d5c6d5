//! `[mail]`: whether and how mails leave. Without a transport they stay in the outbox, where admins copy their links.

use std::{fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize, Serializer};

use super::CaFile;
use crate::{platform::duration_text, shared::EmailAddress};

/// What stands around a mail address in a header, and so can't be part of a name.
const NOT_IN_NAMES: [char; 6] = ['<', '>', '"', '\\', '@', ','];

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

/// Who mails are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name that is shown.
    pub name: Option<String>,
    /// The address.
    pub address: EmailAddress,
}

impl Sender {
    /// Reads `name@example.org` or `Name <name@example.org>`, one of them; `None` if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let Some(rest) = text.strip_suffix('>') else {
            return Some(Self { name: None, address: EmailAddress::parse(text).ok()? });
        };
        let (name, address) = rest.split_once('<')?;
        let name = name.trim();
        let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
        let is_name = !name.chars().any(|c| c.is_control() || NOT_IN_NAMES.contains(&c));
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Some(Self { name, address: EmailAddress::parse(address).ok()? }).filter(|_| is_name)
    }

    /// Who mails are from where nothing is configured: an address at the host that people know.
    pub fn at_host(product: &str, host: &str) -> Self {
        let address = EmailAddress::parse(&format!("no-reply@{host}"));
        let address = address.unwrap_or_else(|_| EmailAddress::from_stored("no-reply@localhost".to_owned()));
        Self { name: Some(product.to_owned()), address }
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
    /// Whom to believe that the server is the one, instead of the public authorities; read at the start.
    pub ca_file: Option<CaFile>,
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
            ca_file: None,
            username: None,
            password: None,
            timeout: Duration::from_secs(20),
        }
    }
}

impl SmtpSettings {
    /// The port: the one that is set, or the usual one.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.encryption {
            Encryption::Tls => 465,
            Encryption::Starttls => 587,
            Encryption::None => 25,
        })
    }

    /// Whether the server is this machine.
    pub fn is_local(&self) -> bool {
        let ip = self.host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        self.host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_one_mailbox() {
        for (text, name, address) in [
            ("a@example.org", None, "a@example.org"),
            ("<a@example.org>", None, "a@example.org"),
            (" Front door <A@example.org> ", Some("Front door"), "a@example.org"),
            ("\"Ops. Team\" <a@example.org>", Some("Ops. Team"), "a@example.org"),
        ] {
            let sender = Sender::parse(text).unwrap();
            assert_eq!((sender.name.as_deref(), sender.address.as_str()), (name, address), "{text}");
        }
        for text in [
            "",
            "nobody",
            "a@example.org, b@example.org",
            "A <a@example.org>, B <b@example.org>",
            "A <a@example.org",
            "A\r\nBcc: b@example.org <a@example.org>",
            "A <a@example.org>\r\nBcc: b@example.org",
        ] {
            assert_eq!(Sender::parse(text), None, "{text}");
        }
        assert_eq!(Sender::at_host("Door", "[::1]").address.as_str(), "no-reply@localhost");
    }
}

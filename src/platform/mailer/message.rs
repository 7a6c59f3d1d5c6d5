//! A mail as it is written on the wire (RFC 5322, RFC 2046): one recipient, text and HTML side by side, and the
//! `Message-ID` of its row in the outbox, by which a repeat is recognised.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{MailError, OutgoingMail, settings::Sender};
use crate::shared::EmailAddress;

/// What all mails of this house have at their head.
pub(super) struct Letterhead {
    pub sender: Sender,
    /// The host that people know.
    pub host: String,
}

impl Letterhead {
    /// Puts a mail together.
    pub(super) fn message(&self, mail: OutgoingMail<'_>) -> Result<Message, MailError> {
        let written_at = Duration::from_micros(u64::try_from(mail.written_at.as_micros()).unwrap_or_default());
        let parts = MultiPart::alternative().boundary(format!("={}=", mail.id));
        let parts = parts.singlepart(SinglePart::plain(mail.text)).singlepart(SinglePart::html(mail.html));
        Message::builder()
            .from(Mailbox::new(self.sender.name.clone(), address(&self.sender.address)?))
            .to(Mailbox::new(None, address(mail.recipient)?))
            .subject(mail.subject)
            .date(SystemTime::UNIX_EPOCH + written_at)
            .message_id(Some(format!("<{}@{}>", mail.id, self.host)))
            // So that nobody's "I am on holiday" answers (RFC 3834 §5).
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .multipart(parts)
            .map_err(|error| MailError::Refused(error.to_string()))
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn address(email: &EmailAddress) -> Result<Address, MailError> {
    let (local, domain) = email.as_str().rsplit_once('@').unwrap_or_default();
    let refused = |reason: &str| MailError::Refused(format!("mail can't be sent there: {reason}"));
    let domain = ascii_domain(domain).ok_or_else(|| refused("no such domain can be registered"))?;
    Address::new(local, domain).map_err(|error| refused(&error.to_string()))
}

/// A domain as the name service knows it (UTS 46, RFC 5891), so that it also goes where SMTPUTF8 (RFC 6531) is unknown;
/// only a local part that is not ASCII then needs that. `None` for what no domain can be.
fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    if domain.is_ascii() {
        return Some(Cow::Borrowed(domain));
    }
    Uts46::new().to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow, DnsLength::Verify).ok()
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;
    use crate::{platform::Timestamp, shared::MailId};

    fn written(recipient: &str, text: &str) -> String {
        let letterhead = Letterhead {
            sender: Sender::parse("Fröntdoor <door@example.org>").unwrap(),
            host: "login.example.org".to_owned(),
        };
        let mail = OutgoingMail {
            id: &MailId::new("0192-ab"),
            recipient: &EmailAddress::parse(recipient).unwrap(),
            subject: "Set a new password",
            written_at: Timestamp::from_micros(1_795_269_600_000_000),
            text: text.to_owned(),
            html: format!("<p>{text}</p>"),
        };
        String::from_utf8(letterhead.message(mail).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_is_read_as_it_was_written() {
        let link = format!("http://localhost:3000/link/{}", "x".repeat(43));
        let raw = written("ada+tag@example.org", &format!("Grüße\n\n{link}\n.\nend"));
        let mail = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(mail.message_id(), Some("0192-ab@login.example.org"));
        assert_eq!(mail.subject(), Some("Set a new password"));
        let from = mail.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some("Fröntdoor"), Some("door@example.org")));
        assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("ada+tag@example.org"));
        assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-11-21T14:00:00Z");
        assert_eq!(mail.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
        assert!(mail.body_text(0).unwrap().contains(&link));
        assert!(mail.body_html(0).unwrap().contains(&link));
        assert!(raw.is_ascii());
        assert_eq!(raw, written("ada+tag@example.org", &format!("Grüße\n\n{link}\n.\nend")), "a repeat is the same");
    }

    #[test]
    fn a_domain_is_written_as_the_name_service_knows_it() {
        for (domain, ascii) in [
            ("example.org", Some("example.org")),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("under--score.example", Some("under--score.example")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("straße.example", Some("xn--strae-oqa.example")),
            ("例子.公司", Some("xn--fsqu00a.xn--55qx5d")),
            ("ab\u{1100}\u{200d}.example", None),
            (&format!("{}.example", "ü".repeat(60)), None),
        ] {
            assert_eq!(ascii_domain(domain).as_deref(), ascii, "{domain}");
        }
        let raw = written("ada@bücher.example", "Hello");
        assert!(raw.contains("\r\nTo: ada@xn--bcher-kva.example\r\n") && raw.is_ascii(), "{raw}");
    }
}

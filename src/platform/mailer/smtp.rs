//! Mails by SMTP (RFC 5321), with TLS from the first byte, by STARTTLS, or without. A connection is kept from mail to
//! mail and given up when there is none left. What is said before the mail itself is the server's trouble and not the
//! mail's: a wrong password must not make mails fail one by one.

use std::net::IpAddr;

use lettre::{
    Message,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::AsyncSmtpConnection,
        extension::ClientId,
    },
};
use tokio::{net::TcpStream, sync::Mutex};

use super::{
    MailError,
    settings::{Encryption, SmtpSettings},
    tls,
};

/// "Service not available, closing transmission channel" (RFC 5321 §4.2.3).
const CLOSING: u16 = 421;
/// What a server says that wants other or better credentials first (RFC 4954 §6).
const NOT_LET_IN: [u16; 4] = [530, 534, 535, 538];

/// No connection came about.
#[derive(Debug, thiserror::Error)]
enum Unreachable {
    #[error("connection error: {0}")]
    Network(#[from] std::io::Error),
    #[error("{0}")]
    Server(#[from] Error),
}

/// Hands mails to a server.
pub(super) struct Smtp {
    settings: SmtpSettings,
    hello: ClientId,
    open: Mutex<Option<AsyncSmtpConnection>>,
}

impl Smtp {
    /// A server, to which this one introduces itself by the host that people know.
    pub(super) fn new(settings: SmtpSettings, host: &str) -> Self {
        let hello = match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(IpAddr::V4(ip)) => ClientId::Ipv4(ip),
            Ok(IpAddr::V6(ip)) => ClientId::Ipv6(ip),
            Err(_) => ClientId::Domain(host.to_owned()),
        };
        Self { settings, hello, open: Mutex::default() }
    }

    /// Hands a mail over.
    pub(super) async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mut open = self.open.lock().await;
        let mail = message.formatted();
        if let Some(mut connection) = open.take() {
            match connection.send(message.envelope(), &mail).await.map_err(|error| of_mail(&error)) {
                Ok(_) => *open = Some(connection),
                // Servers end connections that are old or have carried enough; only a new one tells.
                Err(MailError::Unreachable(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if open.is_some() {
            return Ok(());
        }
        let mut connection = self.connect().await.map_err(|error| MailError::Unreachable(error.to_string()))?;
        connection.send(message.envelope(), &mail).await.map_err(|error| of_mail(&error))?;
        *open = Some(connection);
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Unreachable> {
        let SmtpSettings { host, encryption, timeout, .. } = &self.settings;
        let tls = || tls::parameters(&self.settings);
        let server = (host.as_str(), self.settings.port());
        let mut connection = if *encryption == Encryption::Tls {
            AsyncSmtpConnection::connect_tokio1(server, Some(*timeout), &self.hello, Some(tls()?), None).await?
        } else {
            let stream = TcpStream::connect(server).await?;
            // A mail ends with a few bytes of their own, which must not wait until the rest is acknowledged: that would
            // take as long as all else of sending one.
            stream.set_nodelay(true)?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello).await?
        };
        if *encryption == Encryption::Starttls {
            connection.starttls(tls()?, &self.hello).await?;
        }
        if let (Some(username), Some(password)) = (&self.settings.username, &self.settings.password) {
            let credentials = Credentials::new(username.clone(), password.expose().to_owned());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
        }
        Ok(connection)
    }

    /// Ends the connection, if one is open.
    pub(super) async fn hang_up(&self) {
        let Some(mut connection) = self.open.lock().await.take() else { return };
        // A server that does not say goodbye is left without.
        let _ = tokio::time::timeout(self.settings.timeout, connection.quit()).await;
    }
}

/// Whose trouble it is that a mail was not taken.
fn of_mail(error: &Error) -> MailError {
    let code = error.status().map(u16::from);
    let words = error.to_string();
    match code {
        Some(CLOSING) => MailError::Unreachable(words),
        Some(code) if NOT_LET_IN.contains(&code) => MailError::Unreachable(words),
        Some(_) if error.is_permanent() => MailError::Refused(words),
        Some(_) => MailError::PutOff(words),
        // The server can't carry such an address.
        None if error.is_client() => MailError::Refused(words),
        None => MailError::Unreachable(words),
    }
}

//! The mailer: how a mail that is due leaves the house.

mod settings;

pub use settings::{Encryption, MailSettings, SmtpPassword, SmtpSettings, Transport};

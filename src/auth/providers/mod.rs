//! Latchkey's own auth providers; they use nothing but the contract that anyone's provider uses.

mod common_passwords;
mod email_code;
mod email_link;
mod emailpass;
mod github;
mod google;
mod oidc;
mod passkey;

pub use email_code::EmailCode;
pub use email_link::EmailLink;
pub use emailpass::EmailPass;
pub use github::GitHub;
pub use google::Google;
pub use oidc::Oidc;
pub use passkey::Passkey;

/// The kind of the provider that mails links.
pub const EMAIL_LINK: &str = <EmailLink as super::AuthProvider>::IDENTIFIER;
/// The kind of the provider that mails codes.
pub const EMAIL_CODE: &str = <EmailCode as super::AuthProvider>::IDENTIFIER;
/// The kind of the provider that knows passwords.
pub const EMAILPASS: &str = <EmailPass as super::AuthProvider>::IDENTIFIER;
/// The kind of the provider that knows passkeys.
pub const PASSKEY: &str = <Passkey as super::AuthProvider>::IDENTIFIER;

//! Latchkey's own auth providers; they use nothing but the contract that anyone's provider uses.

mod common_passwords;
mod emailpass;

pub use emailpass::EmailPass;

/// The kind of the provider that knows passwords.
pub const EMAILPASS: &str = <EmailPass as super::AuthProvider>::IDENTIFIER;

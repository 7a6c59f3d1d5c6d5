//! What a password must be: 8 to 256 characters and not the e-mail address (NIST SP 800-63B-4 §3.1.1; no composition
//! rules). The browser says so while one types, the server decides; the list of common passwords is the server's alone.

use serde::{Deserialize, Serialize};

use super::EmailAddress;

/// The fewest characters of a password.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// The most characters of a password; also caps what is hashed.
pub const MAX_PASSWORD_CHARS: usize = 256;

/// A rule that a password breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum PasswordRule {
    /// Fewer than [`MIN_PASSWORD_CHARS`].
    #[error("The password must have at least 8 characters.")]
    TooShort,
    /// More than [`MAX_PASSWORD_CHARS`].
    #[error("The password must have at most 256 characters.")]
    TooLong,
    /// The e-mail address, or the part of it before the `@`.
    #[error("The password must not be the e-mail address.")]
    IsEmail,
    /// Among the common passwords.
    #[error("This password is among the most common ones.")]
    Common,
    /// Holds a control character, which no keyboard can type again.
    #[error("The password must not contain control characters.")]
    Control,
}

/// The first rule that `password` breaks, judged without the list of common passwords.
pub fn broken_rule(password: &str, email: Option<&EmailAddress>) -> Option<PasswordRule> {
    let chars = password.chars().count();
    if chars < MIN_PASSWORD_CHARS {
        return Some(PasswordRule::TooShort);
    }
    if chars > MAX_PASSWORD_CHARS {
        return Some(PasswordRule::TooLong);
    }
    if password.chars().any(char::is_control) {
        return Some(PasswordRule::Control);
    }
    email.filter(|email| is_email(password, email)).map(|_| PasswordRule::IsEmail)
}

fn is_email(password: &str, email: &EmailAddress) -> bool {
    let password = password.trim().to_lowercase();
    let local = email.as_str().rsplit_once('@').map_or("", |(local, _)| local);
    password == email.as_str() || password == local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_refuses_what_it_names() {
        let email = EmailAddress::parse("ada.lovelace@example.org").unwrap();
        let cases = [
            ("", Some(PasswordRule::TooShort)),
            ("7 chars", Some(PasswordRule::TooShort)),
            ("8 chars!", None),
            ("pässwörd", None),
            ("Ada.Lovelace@example.org", Some(PasswordRule::IsEmail)),
            ("ada.lovelace", Some(PasswordRule::IsEmail)),
            ("with\0zero", Some(PasswordRule::Control)),
        ];
        for (password, rule) in cases {
            assert_eq!(broken_rule(password, Some(&email)), rule, "{password:?}");
        }
        assert_eq!(broken_rule(&"é".repeat(256), None), None);
        assert_eq!(broken_rule(&"é".repeat(257), None), Some(PasswordRule::TooLong));
    }
}

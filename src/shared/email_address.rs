//! E-mail addresses in the one form in which they are stored and compared: trimmed, Unicode NFKC, lower case.
//! What can't be an address of RFC 5321 is refused here, with line breaks and lists, so that no mail header and no
//! recipient can be smuggled in by one.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The longest address that SMTP carries (RFC 5321 §4.5.3.1.3, less the angle brackets), in bytes.
const MAX_ADDRESS_BYTES: usize = 254;
/// The longest part before the `@` (RFC 5321 §4.5.3.1.1), in bytes.
const MAX_LOCAL_BYTES: usize = 64;
/// The longest label of a domain name (RFC 1035 §2.3.4), in bytes.
const MAX_LABEL_BYTES: usize = 63;
/// What may stand in a local part besides letters and digits (RFC 5322 `atext` and the dot).
const LOCAL_PUNCTUATION: &str = ".!#$%&'*+/=?^_`{|}~-";

/// A normalised e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EmailAddress(String);

/// The text is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Normalises and checks an address as a person typed it.
    ///
    /// # Errors
    /// [`InvalidEmail`] if the text can't be an address: no or empty part around the last `@`, a character that RFC 5322
    /// wants quoted, a domain that is no host name, or over 254 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let address: String = text.trim().nfkc().collect::<String>().to_lowercase();
        let (local, domain) = address.rsplit_once('@').ok_or(InvalidEmail)?;
        if address.len() > MAX_ADDRESS_BYTES || !is_local_part(local) || !is_domain(domain) {
            return Err(InvalidEmail);
        }
        Ok(Self(address))
    }

    /// Takes an address that was normalised when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        Self::parse(&text)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_local_part(local: &str) -> bool {
    !local.is_empty()
        && local.len() <= MAX_LOCAL_BYTES
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_alphanumeric() || LOCAL_PUNCTUATION.contains(c))
}

fn is_domain(domain: &str) -> bool {
    !domain.is_empty() && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= MAX_LABEL_BYTES
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_in_one_form() {
        let plain = EmailAddress::parse("ada@example.org").unwrap();
        for typed in [" ada@example.org ", "ADA@Example.ORG", "ａｄａ@example.org", "\tada@example.org\n"] {
            assert_eq!(EmailAddress::parse(typed), Ok(plain.clone()), "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long_local = format!("{}@example.org", "a".repeat(65));
        let long = format!("a@{}.org", ["b".repeat(60).as_str(); 5].join("."));
        for typed in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a da@example.org",
            "ada@exa mple.org",
            "ada@example..org",
            ".ada@example.org",
            "ada.@example.org",
            "a..da@example.org",
            "ada@-example.org",
            "ada@example.org\r\nBcc: eve@example.org",
            "ada@example.org,eve@example.org",
            "ada@example.org;eve@example.org",
            "<ada@example.org>",
            "ada\0@example.org",
            "\"ada\"@example.org",
            "ada@[127.0.0.1]",
            "ada@b@example.org",
            &long_local,
            &long,
        ] {
            assert_eq!(EmailAddress::parse(typed), Err(InvalidEmail), "{typed:?}");
        }
    }

    #[test]
    fn plain_and_international_addresses_pass() {
        for typed in ["a@b", "o'hara+tag@mail.example.co.uk", "ünï@exämple.org", "用户@例子.公司"] {
            assert!(EmailAddress::parse(typed).is_ok(), "{typed:?}");
        }
    }
}

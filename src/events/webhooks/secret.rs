//! The secrets that webhooks are signed with, and the signatures (Standard Webhooks): HMAC-SHA256 over id, time and body.
//! While a secret is being replaced there are two, and both sign. No secret is ever written out again.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;
use serde::{Deserialize, Serialize, Serializer};

use super::Endpoint;
use crate::{platform::Timestamp, shared::EventId};

/// What every secret begins with, so that it is known for one wherever it turns up.
const PREFIX: &str = "whsec_";
/// How long a secret is, in bytes.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// The version of the signature.
const VERSION: &str = "v1";
/// What stands in the place of a secret.
const REDACTED: &str = "(redacted)";

/// Secrets as they are configured: one, or several while one takes the place of another.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "must be a text that begins with `whsec_`, or a list of them")]
pub enum SecretText {
    /// The one.
    One(String),
    /// All that receivers may know.
    Several(Vec<String>),
}

impl SecretText {
    /// All of them as keys.
    ///
    /// # Errors
    /// [`InvalidSecret`] if there is none, or one that is none.
    pub fn to_secrets(&self) -> Result<Vec<SigningSecret>, InvalidSecret> {
        let texts = match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts.as_slice(),
        };
        if texts.is_empty() {
            return Err(InvalidSecret);
        }
        texts.iter().map(|text| text.parse()).collect()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// The text is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `whsec_` and 24 to 64 random bytes in base64; `echo whsec_$(openssl rand -base64 32)` makes one")]
pub struct InvalidSecret;

/// A secret that signs.
#[derive(Clone)]
pub struct SigningSecret(hmac::Key);

impl FromStr for SigningSecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let bytes = text.trim().strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.filter(|bytes| BYTES.contains(&bytes.len())).ok_or(InvalidSecret)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(redacted)")
    }
}

/// The headers of a delivery: its id, when it is sent in whole seconds since the Unix epoch, and one signature for each
/// secret, with spaces between.
pub fn headers(endpoint: &Endpoint, (id, at): (&EventId, Timestamp), body: &str) -> [(&'static str, String); 3] {
    let secs = at.as_micros().div_euclid(1_000_000);
    let signatures = signatures(&endpoint.secrets, (id.as_str(), secs), body);
    [("webhook-id", id.to_string()), ("webhook-timestamp", secs.to_string()), ("webhook-signature", signatures)]
}

fn signatures(secrets: &[SigningSecret], (id, secs): (&str, i64), body: &str) -> String {
    let signature = |SigningSecret(key): &SigningSecret| {
        let mut signing = hmac::Context::with_key(key);
        signing.update(format!("{id}.{secs}.").as_bytes());
        signing.update(body.as_bytes());
        format!("{VERSION},{}", STANDARD.encode(signing.sign()))
    };
    secrets.iter().map(signature).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one that the libraries of Standard Webhooks are tested with.
    const KNOWN: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        let message = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
        let body = r#"{"test": 2432232314}"#;
        let known: SigningSecret = KNOWN.parse().unwrap();
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signatures(std::slice::from_ref(&known), message, body), signature);
        let other: SigningSecret = format!("whsec_{}", STANDARD.encode([7; 32])).parse().unwrap();
        let both = signatures(&[other.clone(), known], message, body);
        let (first, second) = both.split_once(' ').unwrap();
        assert_eq!((first, second), (signatures(&[other], message, body).as_str(), signature));
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_repeated() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![1; bytes]));
        for text in [of(24), of(64), KNOWN.to_owned()] {
            assert!(SigningSecret::from_str(&text).is_ok());
        }
        for text in
            [of(23), of(65), String::new(), "whsec_".to_owned(), KNOWN.replace("whsec_", ""), format!("{KNOWN}!")]
        {
            let refusal = SigningSecret::from_str(&text).unwrap_err().to_string();
            assert!(text.len() < 10 || !refusal.contains(&text[6..]), "{refusal}");
        }
        assert!(SecretText::Several(Vec::new()).to_secrets().is_err());
    }

    #[test]
    fn a_secret_is_written_nowhere() {
        let text = SecretText::One(KNOWN.to_owned());
        let shown = format!("{text:?} {:?} {}", text.to_secrets().unwrap(), serde_json::to_string(&text).unwrap());
        assert!(!shown.contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "{shown}");
    }
}

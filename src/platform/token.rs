//! Secrets that leave the server once and come back: 256 random bits as base64url, of which only the SHA-256 is stored.
//! What does not have the form of a token is refused before anything is looked up. A plain hash is enough, since nobody
//! can guess 256 random bits; passwords and short codes need [`super::PasswordHasher`].

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Entropy;

/// How much randomness a token carries, in bytes.
const TOKEN_BYTES: usize = 32;

/// A secret of 32 random bytes as base64url without padding; wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(Zeroizing<String>);

impl SecretToken {
    /// Makes a new token.
    pub fn generate(entropy: &Entropy) -> Self {
        let bytes = Zeroizing::new(entropy.bytes::<TOKEN_BYTES>());
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
    }

    /// Takes a token that came back; `None` if the text does not have the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        (bytes.len() == TOKEN_BYTES).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret itself, for the cookie, link or answer that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.as_bytes())
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretToken(redacted)")
    }
}

/// The SHA-256 of a secret, as 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(String);

impl TokenHash {
    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]).collect())
    }

    /// The digits, as they are stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_round_trip() {
        let token = SecretToken::generate(&Entropy::from_os().unwrap());
        assert_eq!(token.expose().len(), 43);
        let back = SecretToken::parse(token.expose()).unwrap();
        assert_eq!(back.hash(), token.hash());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = SecretToken::generate(&Entropy::from_os().unwrap()).expose().to_owned();
        let short = &good[..42];
        let padded = format!("{good}=");
        let long = format!("{good}AAAA");
        let spaced = format!(" {good}");
        let standard_alphabet = format!("+{}", &good[1..]);
        // 43 characters hold 258 bits; the last two must be zero, or one secret would have four spellings.
        let other_spelling = format!("{}B", "A".repeat(42));
        for text in ["", "x", short, &padded, &long, &spaced, &standard_alphabet, &other_spelling, "ü", "\0"] {
            assert!(SecretToken::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_hash_is_the_sha256_in_hexadecimal() {
        // FIPS 180-4, the example of one block.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(TokenHash::of(b"abc").as_str(), expected);
    }

    #[test]
    fn a_token_is_not_shown_in_logs() {
        let token = SecretToken::generate(&Entropy::from_os().unwrap());
        assert!(!format!("{token:?}").contains(token.expose()));
    }
}

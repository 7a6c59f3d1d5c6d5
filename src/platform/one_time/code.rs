//! Codes that people type from a mail on another device: 40 random bits as eight characters of Crockford's base 32, shown
//! as `XXXX-XXXX`. Few enough to be guessed by a machine that has the hash, so they are stored as argon2id only and have
//! few tries. Reads what people make of them: small letters, spaces, O for 0, I and L for 1.

use std::fmt;

use zeroize::Zeroizing;

use super::super::{Entropy, Password};

/// Digits and letters that nobody mistakes for each other.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many characters a code has.
const CODE_CHARS: usize = 8;

/// A code from a mail; wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode(Zeroizing<String>);

impl OneTimeCode {
    /// Makes a new code.
    pub fn generate(entropy: &Entropy) -> Self {
        let random = Zeroizing::new(entropy.bytes::<CODE_CHARS>());
        // 256 is a multiple of 32, so that every character is as likely as any other.
        let chars = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        Self(Zeroizing::new(chars.collect()))
    }

    /// Reads what was typed or stored; `None` if it can't be a code.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut code = Zeroizing::new(String::with_capacity(CODE_CHARS));
        for c in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            if code.len() == CODE_CHARS || !u8::try_from(c).is_ok_and(|byte| ALPHABET.contains(&byte)) {
                return None;
            }
            code.push(c);
        }
        (code.len() == CODE_CHARS).then_some(Self(code))
    }

    /// The code as it is shown: two groups of four.
    pub fn expose(&self) -> String {
        let (first, second) = self.0.split_at(CODE_CHARS / 2);
        format!("{first}-{second}")
    }

    /// What is hashed of it.
    pub fn to_password(&self) -> Password {
        Password::from(self.0.as_str().to_owned())
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = OneTimeCode::parse("0A1B-2C3D").unwrap();
        for typed in ["0a1b2c3d", " oalb 2c3d ", "OAIB-2C3D", "0A1B\t2C3D"] {
            assert_eq!(OneTimeCode::parse(typed).as_ref(), Some(&code), "{typed}");
        }
        assert_eq!(code.expose(), "0A1B-2C3D");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in ["", "0A1B-2C3", "0A1B-2C3D4", "0A1B-2C3U", "0A1B-2C3ü", "\0\0\0\0\0\0\0\0"] {
            assert_eq!(OneTimeCode::parse(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn a_code_that_was_made_can_be_read() {
        let entropy = Entropy::from_os().unwrap();
        let codes: std::collections::HashSet<String> =
            (0..100).map(|_| OneTimeCode::generate(&entropy).expose()).collect();
        assert_eq!(codes.len(), 100);
        for code in codes {
            assert_eq!(OneTimeCode::parse(&code).unwrap().expose(), code);
        }
    }
}

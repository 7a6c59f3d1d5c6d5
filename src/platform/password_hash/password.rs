//! A password on its way to the hasher: never printed, wiped from memory when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A password as a person typed it; its rules and length are the caller's to check.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Cuts what is longer than `max_bytes`, so that hashing it costs no more than any other.
    pub(super) fn capped(mut self, max_bytes: usize) -> Self {
        let end = self.0.floor_char_boundary(max_bytes);
        self.0.truncate(end);
        self
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

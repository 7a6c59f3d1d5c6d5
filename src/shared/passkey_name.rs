//! What somebody calls a passkey: a line of any script, up to 60 characters, so that they know which device it is on.

use super::PersonName;

/// The most characters of the name of a passkey.
pub const MAX_PASSKEY_NAME_CHARS: usize = 60;

/// What somebody calls a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyName(String);

impl PasskeyName {
    /// Trims and checks a name; `None` for an empty one, for one that is too long and for one that a person could not have.
    pub fn parse(text: &str) -> Option<Self> {
        let name = PersonName::parse(text).ok()??;
        let is_short = name.as_str().chars().count() <= MAX_PASSKEY_NAME_CHARS;
        is_short.then(|| Self(name.as_str().to_owned()))
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_line_that_is_not_too_long() {
        assert_eq!(PasskeyName::parse(" Chrome on Linux ").unwrap().as_str(), "Chrome on Linux");
        for text in ["", " ", "a\nb", "a\u{202e}b", &"x".repeat(61)] {
            assert_eq!(PasskeyName::parse(text), None, "{text:?}");
        }
    }
}

//! First and last names: any script, up to 100 characters, no control characters. An empty one is no name.

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

/// The most characters of a first or last name.
pub const MAX_NAME_CHARS: usize = 100;

/// A first or last name as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PersonName(String);

/// The text can't be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A name must have at most 100 characters and no control characters.")]
pub struct InvalidName;

impl PersonName {
    /// Trims, composes (NFC) and checks a name; `None` where nothing was typed.
    ///
    /// # Errors
    /// [`InvalidName`] for control characters and for more than [`MAX_NAME_CHARS`].
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidName> {
        let name: String = text.trim().nfc().collect();
        if name.chars().count() > MAX_NAME_CHARS || name.chars().any(is_refused) {
            return Err(InvalidName);
        }
        Ok((!name.is_empty()).then_some(Self(name)))
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters break logs and databases; direction overrides let a name disguise what stands beside it.
fn is_refused(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_pass_and_are_trimmed() {
        for (typed, name) in [(" Ada ", "Ada"), ("李", "李"), ("O'Hara-<b>", "O'Hara-<b>"), ("e\u{301}", "é")] {
            assert_eq!(PersonName::parse(typed).unwrap().unwrap().as_str(), name);
        }
        assert_eq!(PersonName::parse("  "), Ok(None));
    }

    #[test]
    fn control_characters_and_long_names_are_refused() {
        for typed in ["a\0b", "a\nb", "a\u{202e}b", &"x".repeat(101)] {
            assert_eq!(PersonName::parse(typed), Err(InvalidName), "{typed:?}");
        }
    }
}

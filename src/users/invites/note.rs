//! What an inviter adds to an invite: a few plain lines. Line breaks are the only control characters, and nothing in it
//! can turn the direction of what stands around it.

/// The most characters of a note.
pub const MAX_NOTE_CHARS: usize = 500;

/// A note as the inviter wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteNote(String);

/// The text can't be a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A note must have at most 500 characters and no control characters but line breaks.")]
pub struct InvalidNote;

impl InviteNote {
    /// Trims and checks a note; `None` where nothing was typed.
    ///
    /// # Errors
    /// [`InvalidNote`] for control characters and for more than [`MAX_NOTE_CHARS`].
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidNote> {
        // Forms send line breaks as CR LF (WHATWG HTML, form submission).
        let note = text.replace("\r\n", "\n").trim().to_owned();
        if note.chars().count() > MAX_NOTE_CHARS || note.chars().any(is_refused) {
            return Err(InvalidNote);
        }
        Ok((!note.is_empty()).then_some(Self(note)))
    }

    /// The text of the note.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_refused(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_pass() {
        assert_eq!(InviteNote::parse(" See you\r\non Monday ").unwrap().unwrap().as_str(), "See you\non Monday");
        assert_eq!(InviteNote::parse(" \r\n "), Ok(None));
        assert!(InviteNote::parse(&"é".repeat(500)).is_ok());
    }

    #[test]
    fn control_characters_and_long_notes_are_refused() {
        for text in ["a\0b", "a\tb", "a\rb", "a\u{202e}b", "a\u{1b}[31mb", &"x".repeat(501)] {
            assert_eq!(InviteNote::parse(text), Err(InvalidNote), "{text:?}");
        }
    }
}

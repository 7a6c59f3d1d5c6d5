//! A user whom somebody else looks after: a provider answers who they are, and Latchkey keeps nothing of them but the
//! session, which carries this. Refuses what could not stand in a header, would not fit in a row, or is another id to whoever
//! reads a header (RFC 9110 §5.5: outer blanks are none of the value).

use serde::{Deserialize, Serialize};

/// The most characters of each text.
const MAX_CHARS: usize = 500;

/// A user whom the embedding application looks after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalUser {
    /// The id in the application, as `Remote-User` and `actor_id` tell it.
    pub id: String,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The URL of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// A user that nobody could be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a user needs an id without outer blanks; id, email, name and image have at most 500 characters, no control characters"
)]
pub struct InvalidExternalUser;

impl ExternalUser {
    /// The user with this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Checks what an application has said.
    ///
    /// # Errors
    /// [`InvalidExternalUser`] says what would be right.
    pub fn check(&self) -> Result<(), InvalidExternalUser> {
        let texts = [Some(&self.id), self.email.as_ref(), self.name.as_ref(), self.image.as_ref()];
        let is_fine = |text: &&String| text.chars().count() <= MAX_CHARS && !text.chars().any(char::is_control);
        let are_fine = texts.iter().flatten().all(is_fine);
        let is_whole = !self.id.is_empty() && self.id.trim() == self.id;
        if are_fine && is_whole { Ok(()) } else { Err(InvalidExternalUser) }
    }

    /// What to call them: the name, else the address, else the id.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_an_id_or_with_what_no_header_carries_is_refused() {
        let named = |name: &str| ExternalUser { name: Some(name.to_owned()), ..ExternalUser::new("7") };
        for (user, is_fine) in [
            (ExternalUser::new("7"), true),
            (ExternalUser::new(""), false),
            (ExternalUser::new(" "), false),
            (ExternalUser::new(" 7"), false),
            (ExternalUser::new("7 "), false),
            (ExternalUser::new("7\u{a0}"), false),
            (ExternalUser::new("7 8"), true),
            (ExternalUser::new("7\r\nRemote-Role: admin"), false),
            (ExternalUser::new("x".repeat(500)), true),
            (ExternalUser::new("x".repeat(501)), false),
            (named("Ada \u{1f600}"), true),
            (named("Ada\n"), false),
        ] {
            assert_eq!(user.check().is_ok(), is_fine, "{user:?}");
        }
    }
}

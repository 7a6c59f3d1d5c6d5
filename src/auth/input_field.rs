//! What a provider asks for on the login page: a form of these fields stands there for each provider of credentials, and
//! what is typed reaches the provider under the fields' names.

/// One field of a provider's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputField {
    /// Under which name [`super::AuthInput::body`] holds what was typed.
    pub name: &'static str,
    /// What the page says to type.
    pub label: &'static str,
    /// What kind of text it is.
    pub kind: InputKind,
}

/// What kind of text a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A line of text; survives an error.
    Text,
    /// An e-mail address; survives an error.
    Email,
    /// Something that nobody should read: it is never shown again.
    Secret,
}

impl InputField {
    /// A line of text.
    pub const fn text(name: &'static str, label: &'static str) -> Self {
        Self { name, label, kind: InputKind::Text }
    }

    /// An e-mail address.
    pub const fn email(name: &'static str, label: &'static str) -> Self {
        Self { name, label, kind: InputKind::Email }
    }

    /// A password or a key.
    pub const fn secret(name: &'static str, label: &'static str) -> Self {
        Self { name, label, kind: InputKind::Secret }
    }

    /// Whether what is typed is never shown again.
    pub fn is_secret(&self) -> bool {
        self.kind == InputKind::Secret
    }
}

//! The codes by which a browser is told at `/login?error=CODE` why it was not let in: a closed set, in the words of the
//! clients that read them. Any other code says nothing and is never shown.

/// Why a browser was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInError {
    /// A user has the address, and the account at the provider is not linked.
    OAuthAccountNotLinked,
    /// The person, the provider or a rule of this site has said no.
    AccessDenied,
    /// The address must be confirmed, or a link has ended.
    Verification,
    /// What came back from the provider can't be believed, or nothing did.
    OAuthCallbackError,
    /// What was typed is wrong.
    CredentialsSignin,
    /// The word against forged requests is missing.
    MissingCSRF,
    /// There is no such provider.
    Configuration,
}

impl SignInError {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::OAuthAccountNotLinked,
        Self::AccessDenied,
        Self::Verification,
        Self::OAuthCallbackError,
        Self::CredentialsSignin,
        Self::MissingCSRF,
        Self::Configuration,
    ];

    /// The code in the address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OAuthAccountNotLinked => "OAuthAccountNotLinked",
            Self::AccessDenied => "AccessDenied",
            Self::Verification => "Verification",
            Self::OAuthCallbackError => "OAuthCallbackError",
            Self::CredentialsSignin => "CredentialsSignin",
            Self::MissingCSRF => "MissingCSRF",
            Self::Configuration => "Configuration",
        }
    }

    /// The code, if it is one.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == code)
    }
}

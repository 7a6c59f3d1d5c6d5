//! The provider contract: what code must offer to authenticate people. Anyone can implement it in a crate of their own;
//! Latchkey's own providers use nothing else. A provider sees its own identities and nothing about users.

use std::{collections::BTreeMap, future::Future};

use serde_json::{Map, Value};

use super::{AuthIdentity, AuthIdentityProviderService, Error, InputField, MailedProof};
use crate::{
    platform::{Clock, Entropy, PasswordHasher},
    shared::{ExternalUser, PasswordRule, ProviderId},
};

/// The options of a configured provider, as its table in the configuration holds them.
pub type Options = Map<String, Value>;

/// How a person uses a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// They type something into a form.
    Credentials,
    /// They type an address, and show that they read its mail.
    Mail,
    /// Their browser is sent elsewhere and comes back.
    Redirect,
}

impl Flow {
    /// The name in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            // To whoever asks: something is typed, and nobody is sent to another site.
            Self::Credentials | Self::Mail => "credentials",
            Self::Redirect => "redirect",
        }
    }
}

/// What a provider is given when it is made.
#[derive(Clone)]
pub struct Dependencies {
    /// The id under which it is configured.
    pub id: ProviderId,
    /// Hashes passwords on the bounded pool.
    pub passwords: PasswordHasher,
    /// Tells the time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// Where people reach this server, `server.public_url`.
    pub public_url: String,
}

/// An option that a provider can't work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("option '{option}': {reason}")]
pub struct InvalidOption {
    /// Which option.
    pub option: String,
    /// What is wrong with it.
    pub reason: String,
}

impl InvalidOption {
    /// An option and what is wrong with it.
    pub fn new(option: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { option: option.into(), reason: reason.into() }
    }
}

/// What came in with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthInput {
    /// The URL of the request.
    pub url: String,
    /// Its headers, in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its query.
    pub query: BTreeMap<String, String>,
    /// The fields of its body that are text.
    pub body: BTreeMap<String, String>,
    /// `http` or `https`.
    pub protocol: String,
}

/// What a provider is to change about an identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateData {
    /// Which identity.
    pub entity_id: String,
    /// The new values, such as `password`.
    pub body: BTreeMap<String, String>,
}

/// Somebody who is logged in and adds a way in to their account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The id of the account.
    pub id: String,
    /// Its address.
    pub email: String,
    /// What the person is called, where they have said so.
    pub name: Option<String>,
    /// What this provider knows the account by already.
    pub entity_ids: Vec<String>,
}

/// What a provider answers. `location` wins over `success`; `success` without an identity or a user is a failure. `mail`
/// counts where the flow of the provider is [`Flow::Mail`], and nothing else does there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuthResponse {
    /// Whether the person proved who they are.
    pub success: bool,
    /// Who they are.
    pub auth_identity: Option<AuthIdentity>,
    /// The user, where somebody else looks after them: wins over the identity, and nothing is stored. Where people are sent
    /// elsewhere, an identity beside it says what was proved of them, for the rules of who may come in.
    pub user: Option<ExternalUser>,
    /// Why not, in words for the person.
    pub error: Option<String>,
    /// Why not, in words for whoever runs the site: shown to admins who try the provider, and to nobody else.
    pub reason: Option<String>,
    /// Where to send the browser.
    pub location: Option<String>,
    /// What a script of this site has to ask the browser for, whose answer is then sent as `credential`.
    pub options: Option<Value>,
    /// What the person is mailed to prove who they are.
    pub mail: Option<MailedProof>,
}

impl AuthResponse {
    /// The person proved to be this one.
    pub fn authenticated(auth_identity: AuthIdentity) -> Self {
        Self { success: true, auth_identity: Some(auth_identity), ..Self::default() }
    }

    /// The person proved to be a user whom the embedding application looks after (`authorize` in other systems): the user
    /// is taken as it is, Latchkey keeps no account and opens a session.
    pub fn authorized(user: ExternalUser) -> Self {
        Self { success: true, user: Some(user), ..Self::default() }
    }

    /// The person proved at a provider to which people are sent to be this user, of whom nothing is to be kept. They pass
    /// what everybody passes who has no account yet; the identity says what was proved, and is not stored.
    pub fn visiting(user: ExternalUser, proved: AuthIdentity) -> Self {
        Self { success: true, user: Some(user), auth_identity: Some(proved), ..Self::default() }
    }

    /// The person did not prove who they are.
    pub fn refused(error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), ..Self::default() }
    }

    /// The same with the reason that admins are told who try the provider.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The person proves by a mail who they are, whether the address is known or not. Where they do,
    /// [`AuthProvider::validate_callback`] finds the address as [`AuthIdentityProviderService::proved_address`].
    pub fn by_mail(mail: MailedProof) -> Self {
        Self { mail: Some(mail), ..Self::default() }
    }

    /// The browser must go elsewhere first.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self { location: Some(location.into()), ..Self::default() }
    }

    /// A script has to ask the browser first, on the page at this location if not elsewhere.
    pub fn ask(location: impl Into<String>, options: Value) -> Self {
        Self { location: Some(location.into()), options: Some(options), ..Self::default() }
    }
}

/// Why a provider could not answer at all.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// A password that is to be set breaks a rule.
    #[error("{0}")]
    Password(PasswordRule),
    /// Something that came in is malformed, in words for the person.
    #[error("{0}")]
    InvalidData(String),
    /// There is more to do than the machine can.
    #[error("busy, try again in {retry_after_secs} s")]
    Busy {
        /// Seconds until it is worth to try again.
        retry_after_secs: u32,
    },
    /// A server that the provider needs does not answer; the person is told to come back.
    #[error("no answer: {0}")]
    Unavailable(String),
    /// The identities could not be read or written.
    #[error(transparent)]
    Identities(#[from] Error),
    /// Anything else that is not the person's fault; it is logged and never shown.
    #[error(transparent)]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl ProviderError {
    /// A server that the provider needs does not answer: logged, and the person is told to come back.
    pub fn unavailable(error: impl std::error::Error) -> Self {
        tracing::warn!(%error, "what a provider needs does not answer");
        Self::Unavailable(error.to_string())
    }

    /// Something that is not the person's fault, such as an answer that can't be read.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
}

impl From<crate::platform::HashError> for ProviderError {
    fn from(error: crate::platform::HashError) -> Self {
        match error {
            crate::platform::HashError::Busy { retry_after_secs } => Self::Busy { retry_after_secs },
            other @ crate::platform::HashError::Internal(_) => Self::Internal(Box::new(other)),
        }
    }
}

/// Code that authenticates people.
///
/// Nothing that a provider writes through `identities` is stored before the flow that called it has decided that the
/// person may come in; a refused log-in leaves no row.
pub trait AuthProvider: Sized + Send + Sync + 'static {
    /// The stable name of the kind, as `kind` in the configuration names it.
    const IDENTIFIER: &'static str;
    /// What a login page shows.
    const DISPLAY_NAME: &'static str;
    /// How a person uses it.
    const FLOW: Flow = Flow::Credentials;
    /// What the login page asks for, where it is a provider of credentials. The first one that is no secret says whose
    /// tries are counted.
    const FIELDS: &'static [InputField] =
        &[InputField::text("username", "User name"), InputField::secret("password", "Password")];

    /// Checks the options when the program starts, without any connection.
    ///
    /// # Errors
    /// [`InvalidOption`] names the option and what is wrong with it; the program stops with it.
    fn validate_options(options: &Options) -> Result<(), InvalidOption>;

    /// Makes one instance for each configured provider id; clients and connections are made here.
    ///
    /// # Errors
    /// What keeps it from working; the program stops with it.
    fn new(dependencies: Dependencies, options: &Options) -> Result<Self, InvalidOption>;

    /// Whether people get accounts here; where not, nobody is sent to it to link an account or to accept an invite.
    fn keeps_accounts(&self) -> bool {
        true
    }

    /// Logs a person in, or answers with a location to send the browser to, or with what they are mailed.
    fn authenticate(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> impl Future<Output = Result<AuthResponse, ProviderError>> + Send;

    /// Creates a provider identity.
    fn register(
        &self,
        _input: &AuthInput,
        _identities: &AuthIdentityProviderService,
    ) -> impl Future<Output = Result<AuthResponse, ProviderError>> + Send {
        async { Ok(AuthResponse::refused("not supported by this provider")) }
    }

    /// Changes an identity, such as its password.
    fn update(
        &self,
        _data: &UpdateData,
        _identities: &AuthIdentityProviderService,
    ) -> impl Future<Output = Result<AuthResponse, ProviderError>> + Send {
        async { Ok(AuthResponse::refused("not supported by this provider")) }
    }

    /// Adds a way in to the account of somebody who is logged in. As in [`AuthProvider::authenticate`], the answer may be
    /// what their browser has to be asked first. The pages ask this of passkeys alone.
    fn link(
        &self,
        _holder: &Holder,
        _input: &AuthInput,
        _identities: &AuthIdentityProviderService,
    ) -> impl Future<Output = Result<AuthResponse, ProviderError>> + Send {
        async { Ok(AuthResponse::refused("not supported by this provider")) }
    }

    /// Takes the second half of a redirect, or of a proof by mail. There, who is known by an address must be known by it
    /// alone, and an identity that tells `email_verified` comes in to the account with this address.
    fn validate_callback(
        &self,
        _input: &AuthInput,
        _identities: &AuthIdentityProviderService,
    ) -> impl Future<Output = Result<AuthResponse, ProviderError>> + Send {
        async { Ok(AuthResponse::refused("not supported by this provider")) }
    }
}

//! Why a flow refuses. A variant is a fact; wording and status belong to the pages and the API.

use crate::{
    auth,
    platform::{HashError, Refused, SigningError, is_unavailable},
    shared::{EmailAddress, PasswordRule, UserId},
    users,
};

/// When it is worth to ask a server of a provider again that did not answer, in seconds.
const PROVIDER_RETRY_SECS: u32 = 10;
/// When it is worth to ask a database again that had no time, in seconds.
const DATABASE_RETRY_SECS: u32 = 2;

/// Why a flow refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person did not prove who they are; the text is the provider's.
    #[error("{0}")]
    NotProved(String),
    /// A password that is to be set breaks a rule.
    #[error("{0}")]
    Password(PasswordRule),
    /// Something that came in is malformed, in words for the person.
    #[error("{0}")]
    InvalidData(String),
    /// The user is turned off.
    #[error("the user is turned off")]
    Disabled,
    /// The e-mail address must be verified before one can log in.
    #[error("Email not verified, cannot proceed with authentication")]
    EmailNotVerified {
        /// Whose it is, who has proved it.
        user: UserId,
        /// The address.
        email: EmailAddress,
    },
    /// Nobody can register now.
    #[error("registration is not open")]
    RegistrationClosed,
    /// Addresses of this domain can't register.
    #[error("addresses of this domain can't register")]
    DomainNotAllowed,
    /// The identity or the user exists already; the text is the provider's.
    #[error("{0}")]
    Taken(String),
    /// There is no such kind of account.
    #[error("no such actor type")]
    UnknownActorType,
    /// The provider is not configured, or not for this actor type.
    #[error("no such provider")]
    UnknownProvider,
    /// Nobody is logged in, or no longer.
    #[error("not logged in")]
    Unauthorized,
    /// The one who asks may not do this.
    #[error("not allowed")]
    Forbidden,
    /// What it is about does not exist, or no longer.
    #[error("not found")]
    NotFound,
    /// The invite can't be accepted, or not any more; nobody is told which by this alone.
    #[error("the invite can't be accepted any more")]
    InviteEnded,
    /// An invite for this address is pending already.
    #[error("this e-mail address is invited already")]
    AlreadyInvited,
    /// A user has this address: they log in.
    #[error("a user with this e-mail address exists")]
    HasAccount,
    /// The embedding application does not let the person in.
    #[error("the application does not let the person in")]
    Refused,
    /// A user has the address that the provider tells: they log in first, and then link it.
    #[error("a user with this e-mail address exists, whose account at the provider is not linked")]
    NotLinked,
    /// The account at the provider is another user's way in.
    #[error("the account at the provider belongs to another user")]
    LinkedElsewhere,
    /// The provider tells no e-mail address by which a user could be made.
    #[error("the provider tells no e-mail address")]
    NoAddress,
    /// Without it nobody could log in to the account any more.
    #[error("it is the last way in")]
    LastWayIn,
    /// The account has as many passkeys as one may have.
    #[error("the account has as many passkeys as one may have")]
    TooManyPasskeys,
    /// Somebody else is logged in.
    #[error("it is for another account than the one that is logged in")]
    WrongAccount,
    /// It was changed by another request meanwhile.
    #[error("it was changed meanwhile, try again")]
    Conflict,
    /// It would leave nobody who can manage users.
    #[error("this is the last admin who can log in; make somebody else an admin first")]
    LastAdmin,
    /// One can't do this to oneself.
    #[error("a user can't do this to itself")]
    Yourself,
    /// Too many tries.
    #[error("too many tries, try again in {retry_after_secs} s")]
    TooManyTries {
        /// Seconds until the next try.
        retry_after_secs: u32,
    },
    /// There is more to do than the machine can.
    #[error("busy, try again in {retry_after_secs} s")]
    Busy {
        /// Seconds until it is worth to try again.
        retry_after_secs: u32,
    },
    /// Something unexpected; it is logged and never shown.
    #[error(transparent)]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(super) fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(error))
    }
}

/// A database that has no time is no defect: whoever asks is told to come back.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_unavailable(&error) {
            tracing::warn!(%error, "the database has no time");
            return Self::Busy { retry_after_secs: DATABASE_RETRY_SECS };
        }
        Self::internal(error)
    }
}

impl From<users::Error> for Error {
    fn from(error: users::Error) -> Self {
        match error {
            users::Error::Forbidden => Self::Forbidden,
            users::Error::NotFound | users::Error::UnknownCursor => Self::NotFound,
            users::Error::EmailTaken => Self::Taken("A user with this e-mail address exists".to_owned()),
            users::Error::AlreadyInvited => Self::AlreadyInvited,
            users::Error::Internal(error) => error.into(),
        }
    }
}

impl From<auth::Error> for Error {
    fn from(error: auth::Error) -> Self {
        match error {
            auth::Error::Taken => Self::Taken("Identity with email already exists".to_owned()),
            auth::Error::Closed => Self::RegistrationClosed,
            auth::Error::Unusable => Self::NotProved("Authentication failed".to_owned()),
            auth::Error::NotFound => Self::NotFound,
            auth::Error::Changed => Self::Conflict,
            auth::Error::Unreadable(error) => Self::internal(error),
            auth::Error::Internal(error) => error.into(),
        }
    }
}

impl From<SigningError> for Error {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::Database(error) => error.into(),
            SigningError::Unusable => Self::internal(error),
        }
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy { retry_after_secs } => Self::Busy { retry_after_secs },
            HashError::Internal(_) => Self::internal(error),
        }
    }
}

impl From<auth::ProviderError> for Error {
    fn from(error: auth::ProviderError) -> Self {
        match error {
            auth::ProviderError::Password(rule) => Self::Password(rule),
            auth::ProviderError::InvalidData(text) => Self::InvalidData(text),
            auth::ProviderError::Busy { retry_after_secs } => Self::Busy { retry_after_secs },
            auth::ProviderError::Unavailable(_) => Self::Busy { retry_after_secs: PROVIDER_RETRY_SECS },
            auth::ProviderError::Identities(error) => error.into(),
            auth::ProviderError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TooMany { retry_after_secs } => Self::TooManyTries { retry_after_secs },
            Refused::Internal(error) => error.into(),
        }
    }
}

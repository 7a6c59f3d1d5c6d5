//! The closed set of things that can be wrong with a form. Only codes travel between server and browser, in cookies
//! and in answers to scripts; the words are the page's.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

use super::PasswordRule;

/// A field of a form, named as in the HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The e-mail address.
    Email,
    /// The password that is asked for.
    Password,
    /// The password to be set.
    NewPassword,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// A code from a mail, an authenticator or the log.
    Code,
    /// The role.
    Role,
    /// The text typed to confirm a grave act.
    Confirm,
    /// What an inviter adds to an invite.
    Note,
    /// How long an invite lasts.
    ExpiresIn,
    /// What a passkey is called.
    Name,
}

/// What is wrong, as a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Nothing was typed where something is needed.
    Required,
    /// The text can't be what the field holds.
    Invalid,
    /// The password breaks a rule.
    Password(PasswordRule),
    /// The current password is another one.
    WrongPassword,
    /// The code from a mail is another one, or can't be used any more.
    WrongCode,
}

/// Why a form was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum FormError {
    /// A field needs another value.
    Invalid {
        /// Which field.
        field: Field,
        /// What is wrong with it.
        problem: Problem,
    },
    /// E-mail and password don't match, or nobody has that e-mail: the two are never told apart.
    Credentials,
    /// Another provider has not recognised the person.
    NotRecognised,
    /// A provider that people are sent to does not work, or has told nothing that could be believed.
    ProviderFailed,
    /// The person did not go on at the provider.
    ProviderCancelled,
    /// The application does not let the person in.
    Refused,
    /// There is an account with the address that the provider tells, which is not linked.
    NotLinked,
    /// The account at the provider is another user's.
    LinkedElsewhere,
    /// The provider tells no address.
    NoAddress,
    /// It is the last way in.
    LastWayIn,
    /// The passkey is not one of anybody here, or did not prove it.
    PasskeyRefused,
    /// The passkey was not made as it has to be.
    PasskeyNotAdded,
    /// There are as many passkeys as an account may have.
    TooManyPasskeys,
    /// The account is turned off; only said after the right password.
    Disabled,
    /// The e-mail address must be confirmed before one can log in.
    EmailNotVerified,
    /// Nobody can register here now.
    RegistrationClosed,
    /// Addresses of this domain can't register.
    DomainNotAllowed,
    /// No account could be made from this; it does not say whether one exists.
    NotRegistered,
    /// Nobody is logged in, or no longer.
    Unauthorized,
    /// The one who asks may not do this.
    Forbidden,
    /// What it is about does not exist, or no longer.
    NotFound,
    /// It would leave nobody who can manage users.
    LastAdmin,
    /// One can't do this to oneself.
    Yourself,
    /// The invite can't be accepted, or not any more.
    InviteEnded,
    /// The address is invited already.
    AlreadyInvited,
    /// There is an account with this address: log in.
    HasAccount,
    /// Somebody else is logged in.
    WrongAccount,
    /// It was changed by someone else meanwhile.
    Conflict,
    /// A mailed link was used, replaced, taken back or is past its time.
    LinkEnded,
    /// It is the address that the account has already.
    SameEmail,
    /// Too many tries.
    RateLimited {
        /// Seconds until the next try.
        retry_after_secs: u32,
    },
    /// The server has more to do than it can; try again soon.
    Busy {
        /// Seconds until it is worth to try again.
        retry_after_secs: u32,
    },
    /// Something unexpected; the log has the cause under this id.
    Internal {
        /// The id in the log.
        request_id: String,
    },
    /// The request itself could not be read.
    Unreadable,
}

/// What went wrong around a server function says nothing to a person; its text stays here.
impl FromServerFnError for FormError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(_error: ServerFnErrorErr) -> Self {
        Self::Unreadable
    }
}

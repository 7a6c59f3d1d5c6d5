//! Plain data that the server and the browser both know: ids, addresses, rules and codes.
//! Nothing here reads a clock, a file or a database; all of it compiles to WebAssembly.

mod browser_name;
mod change;
mod codes;
mod email_address;
mod external_user;
mod ids;
mod passkey_name;
mod password_rules;
mod person_name;
mod role;
mod sign_in_error;

pub use browser_name::browser_name;
pub use change::Change;
pub use codes::{Field, FormError, Problem};
pub use email_address::{EmailAddress, InvalidEmail};
pub use external_user::{ExternalUser, InvalidExternalUser};
pub use ids::{AuthIdentityId, DeliveryId, EventId, InviteId, MailId, OneTimeId, ProviderId, SessionId, UserId};
pub use passkey_name::{MAX_PASSKEY_NAME_CHARS, PasskeyName};
pub use password_rules::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, PasswordRule, broken_rule};
pub use person_name::{InvalidName, MAX_NAME_CHARS, PersonName};
pub use role::{Role, UnknownRole};
pub use sign_in_error::SignInError;

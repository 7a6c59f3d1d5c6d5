//! What a browser is in the middle of: it waits for a mail, or it has followed a link and may set a password. It travels
//! in a sealed cookie, so that a visitor needs no row, and a browser that waits looks the same for every address.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::sealed_cookie::SealedCookie;
use crate::{
    auth::{AuthInput, MailedProof},
    flows::LogIn,
    platform::{Seal, Timestamp},
    shared::{EmailAddress, OneTimeId, ProviderId, UserId},
    web::state::WebState,
};

/// What the seal is bound to, and the end of the cookie's name.
const PURPOSE: &str = "pending";
/// As long as the longest wait: for the confirmation of an address.
const LIFETIME_SECS: u32 = 24 * 3_600;

/// The cookie beside a session cookie of this name.
pub fn cookie_beside(session_cookie: &str, is_secure: bool, seal: Seal) -> SealedCookie {
    SealedCookie::beside((session_cookie, is_secure), (PURPOSE, LIFETIME_SECS), seal)
}

/// What a mail is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// The confirmation of an address that was registered in this browser, with its password.
    Confirmation {
        /// Who registered, or an id of nobody where the address was taken: as long as the other.
        user: UserId,
    },
    /// A link or a code to log in by.
    LogIn(AwaitedLogIn),
    /// A link to set a new password.
    NewPassword,
    /// The confirmation of a new address for the account that is logged in.
    NewEmail,
}

/// A log-in that waits for its mail, so that it can be asked for once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedLogIn {
    /// By which provider.
    pub provider: ProviderId,
    /// Where the browser goes on: judged again when it does.
    pub next: Option<String>,
    is_remembered: bool,
    /// Whether the mail has a link.
    pub has_link: bool,
    /// How long link and code live.
    pub lifetime_secs: u64,
}

impl AwaitedLogIn {
    /// The same, to be asked for at an address.
    pub fn at(&self, email: &EmailAddress) -> LogIn {
        let body = [("email".to_owned(), email.to_string())].into();
        LogIn {
            provider: self.provider.clone(),
            input: AuthInput { body, ..AuthInput::default() },
            is_remembered: self.is_remembered,
            next: self.next.clone(),
            browser: None,
        }
    }
}

/// What a browser is in the middle of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    /// It waits for a mail.
    Mail {
        /// For what.
        awaited: Awaited,
        /// At which address.
        email: EmailAddress,
        /// Since when, in microseconds since the Unix epoch.
        asked_at: i64,
    },
    /// It has followed a link by which a password may be set.
    Password {
        /// The link.
        link: OneTimeId,
    },
}

impl Pending {
    /// Waits for a mail from now on.
    pub fn mail(awaited: Awaited, email: EmailAddress, now: Timestamp) -> Self {
        Self::Mail { awaited, email, asked_at: now.as_micros() }
    }

    /// Waits for a mail to log in by from now on.
    pub fn log_in(wanted: &LogIn, mail: &MailedProof, now: Timestamp) -> Self {
        let awaited = AwaitedLogIn {
            provider: wanted.provider.clone(),
            next: wanted.next.clone(),
            is_remembered: wanted.is_remembered,
            has_link: mail.has_link,
            lifetime_secs: mail.lifetime.as_secs(),
        };
        Self::mail(Awaited::LogIn(awaited), mail.email.clone(), now)
    }

    /// Whether it waits for a mail to log in by at this address.
    pub fn is_to_log_in(&self, address: &EmailAddress) -> bool {
        matches!(self, Self::Mail { awaited: Awaited::LogIn(_), email, .. } if email == address)
    }

    /// Who registered in this browser and waits for the confirmation.
    pub fn registered(&self) -> Option<&UserId> {
        match self {
            Self::Mail { awaited: Awaited::Confirmation { user }, .. } => Some(user),
            _ => None,
        }
    }

    /// The same for one address.
    pub fn registered_as(&self, address: &EmailAddress) -> Option<&UserId> {
        match self {
            Self::Mail { email, .. } if email == address => self.registered(),
            _ => None,
        }
    }
}

/// What the browser that asks is in the middle of, if anything.
pub struct MaybePending(pub Option<Pending>);

impl FromRequestParts<WebState> for MaybePending {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Self::Rejection> {
        Ok(Self(state.pending.read(&parts.headers)))
    }
}

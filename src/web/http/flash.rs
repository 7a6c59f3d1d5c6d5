//! What one answer leaves for the next page: which form was refused and why, what was typed, what was done.
//!
//! It travels in a short-lived cookie that is sealed with the instance key, so that no link can put words into a page
//! and visitors need no row in the database. Passwords are never in it. The page that shows it takes it away.

use std::collections::BTreeMap;

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use super::sealed_cookie::SealedCookie;
use crate::{
    platform::{Seal, Timestamp},
    shared::FormError,
};

/// What the seal is bound to, and the end of the cookie's name.
const PURPOSE: &str = "flash";
/// How long a flash waits for its page, in seconds.
const LIFETIME_SECS: u32 = 300;

/// Something that was done, as a code; the words are the page's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// The profile was saved.
    ProfileSaved,
    /// The password was changed; so many other sessions ended.
    PasswordChanged(u64),
    /// A session was ended.
    SessionEnded,
    /// So many sessions were ended.
    SessionsEnded(u64),
    /// A user was turned off; so many sessions ended.
    UserDisabled(u64),
    /// A user was turned on.
    UserEnabled,
    /// A user got another role.
    RoleChanged,
    /// A user was deleted.
    UserDeleted,
    /// Somebody was invited.
    Invited,
    /// An invite was sent again.
    InviteResent,
    /// An invite was taken back.
    InviteRevoked,
    /// An invite was deleted.
    InviteDeleted,
    /// Another invite was asked for, if there is anybody to ask.
    InviteAskedFor,
    /// An invite was accepted.
    InviteAccepted,
    /// A mail is tried again.
    MailRetried,
    /// A test mail was written.
    TestMailWritten,
    /// A delivery is tried again.
    DeliveryRetried,
    /// A test of a webhook was queued.
    TestWebhookSent,
    /// An account at a provider is a way in now.
    Linked,
    /// An account at a provider is no way in any more.
    Unlinked,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey has another name.
    PasskeyRenamed,
    /// A passkey was removed.
    PasskeyRemoved,
    /// The person logged out.
    LoggedOut,
    /// The address was confirmed.
    EmailConfirmed,
    /// The address was confirmed, and a password is to be chosen again.
    EmailConfirmedElsewhere,
    /// The account has a new address.
    EmailChanged,
    /// The account has its old address again, and a new password is to be chosen.
    EmailTakenBack,
    /// A new password was set by a mailed link.
    PasswordSet,
    /// A new password was taken back; another link was mailed.
    PasswordDisowned,
    /// A link was made useless.
    LinkVoided,
    /// Another mail was asked for.
    MailAskedAgain,
}

/// What one answer leaves for the next page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// The form that was refused, by the name of its server function.
    pub form: Option<String>,
    /// Why it was refused.
    pub error: Option<FormError>,
    /// What was typed, passwords excepted.
    pub typed: BTreeMap<String, String>,
    /// What was done.
    pub done: Option<Done>,
    /// When it was left, in microseconds.
    left_at: i64,
}

impl Flash {
    /// A form was refused.
    pub fn refused(form: &str, error: FormError, typed: BTreeMap<String, String>) -> Self {
        Self { form: Some(form.to_owned()), error: Some(error), typed, ..Self::default() }
    }

    /// Something was done.
    pub fn done(done: Done) -> Self {
        Self { done: Some(done), ..Self::default() }
    }

    /// A form was answered with something to be shown once.
    pub fn told(form: &str, told: BTreeMap<String, String>) -> Self {
        Self { form: Some(form.to_owned()), typed: told, ..Self::default() }
    }

    /// Why this form was refused, if it was.
    pub fn error_of(&self, form: &str) -> Option<&FormError> {
        self.error.as_ref().filter(|_| self.form.as_deref() == Some(form))
    }

    /// What was typed into a field of this form, or told by it.
    pub fn typed_in(&self, form: &str, field: &str) -> Option<&str> {
        let is_this = self.form.as_deref() == Some(form);
        self.typed.get(field).filter(|_| is_this).map(String::as_str)
    }
}

/// The cookie of the flash.
#[derive(Clone, Debug)]
pub struct FlashCookie(SealedCookie);

impl FlashCookie {
    /// The cookie beside a session cookie of this name.
    pub fn beside(session_cookie: &str, is_secure: bool, seal: Seal) -> Self {
        Self(SealedCookie::beside((session_cookie, is_secure), (PURPOSE, LIFETIME_SECS), seal))
    }

    /// The `Set-Cookie` that leaves a flash. What was typed is dropped where a cookie can't hold it.
    pub fn leave(&self, flash: &Flash, now: Timestamp) -> Option<HeaderValue> {
        let flash = Flash { left_at: now.as_micros(), ..flash.clone() };
        self.0.leave(&flash).or_else(|| self.0.leave(&Flash { typed: BTreeMap::new(), ..flash }))
    }

    /// The `Set-Cookie` that takes a flash away.
    pub fn take_away(&self) -> Option<HeaderValue> {
        self.0.take_away()
    }

    /// The flash of a request, and whether there is a cookie to take away.
    pub fn read(&self, headers: &http::HeaderMap, now: Timestamp) -> (Flash, bool) {
        let is_fresh =
            |flash: &Flash| now.since(Timestamp::from_micros(flash.left_at)).as_secs() <= u64::from(LIFETIME_SECS);
        (self.0.read(headers).filter(is_fresh).unwrap_or_default(), self.0.is_in(headers))
    }
}

//! What one answer leaves for the next page: which form was refused and why, what was typed, what was done.
//!
//! It travels in a short-lived cookie that is sealed with the instance key, so that no link can put words into a page
//! and visitors need no row in the database. Passwords are never in it. The page that shows it takes it away.

use std::collections::BTreeMap;

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::{
    platform::{Seal, Timestamp},
    shared::FormError,
};

/// What the seal is bound to, so that no other sealed text can be passed off as a flash.
const PURPOSE: &str = "flash";
/// How long a flash waits for its page, in seconds.
const LIFETIME_SECS: u32 = 300;
/// The most that a browser keeps in a cookie, less name and attributes, in bytes.
const MAX_BYTES: usize = 3_600;

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
    /// The person logged out.
    LoggedOut,
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

    /// Why this form was refused, if it was.
    pub fn error_of(&self, form: &str) -> Option<&FormError> {
        self.error.as_ref().filter(|_| self.form.as_deref() == Some(form))
    }

    /// What was typed into a field of this form.
    pub fn typed_in(&self, form: &str, field: &str) -> Option<&str> {
        let is_this = self.form.as_deref() == Some(form);
        self.typed.get(field).filter(|_| is_this).map(String::as_str)
    }
}

/// The cookie of the flash: its name, and whether it is for https alone.
#[derive(Clone, Debug)]
pub struct FlashCookie {
    name: String,
    is_secure: bool,
    seal: Seal,
}

impl FlashCookie {
    /// The cookie beside a session cookie of this name.
    pub fn beside(session_cookie: &str, is_secure: bool, seal: Seal) -> Self {
        Self { name: format!("{session_cookie}_flash"), is_secure, seal }
    }

    /// The `Set-Cookie` that leaves a flash. What was typed is dropped where a cookie can't hold it.
    pub fn leave(&self, flash: &Flash, now: Timestamp) -> Option<HeaderValue> {
        let mut flash = Flash { left_at: now.as_micros(), ..flash.clone() };
        let mut sealed = self.sealed(&flash)?;
        if sealed.len() > MAX_BYTES {
            flash.typed.clear();
            sealed = self.sealed(&flash)?;
        }
        self.header(&sealed, LIFETIME_SECS)
    }

    /// The `Set-Cookie` that takes a flash away.
    pub fn take_away(&self) -> Option<HeaderValue> {
        self.header("", 0)
    }

    /// The flash of a request, and whether there is a cookie to take away.
    pub fn read(&self, headers: &http::HeaderMap, now: Timestamp) -> (Flash, bool) {
        let Some(text) = cookie(headers, &self.name) else { return (Flash::default(), false) };
        let opened = self.seal.open(PURPOSE, text).and_then(|plain| serde_json::from_slice::<Flash>(&plain).ok());
        let is_fresh =
            |flash: &Flash| now.since(Timestamp::from_micros(flash.left_at)).as_secs() <= u64::from(LIFETIME_SECS);
        (opened.filter(is_fresh).unwrap_or_default(), true)
    }

    fn sealed(&self, flash: &Flash) -> Option<String> {
        serde_json::to_vec(flash).ok().map(|plain| self.seal.seal(PURPOSE, &plain))
    }

    fn header(&self, value: &str, max_age_secs: u32) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie = format!("{}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age_secs}{secure}", self.name);
        HeaderValue::try_from(cookie).ok()
    }
}

fn cookie<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(http::header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

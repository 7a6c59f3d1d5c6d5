//! Cookies that are sealed with the instance key: the server reads back what it has written, and nobody else reads or
//! writes anything. What they hold is bound to their purpose, so that one can't be passed off as another.

use http::{HeaderMap, HeaderValue, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::platform::Seal;

/// The most that a browser keeps in a cookie, less name and attributes, in bytes.
const MAX_BYTES: usize = 3_600;

/// One sealed cookie: its name, what it is for, and whether it is for https alone.
#[derive(Clone, Debug)]
pub struct SealedCookie {
    name: String,
    purpose: &'static str,
    lifetime_secs: u32,
    is_secure: bool,
    seal: Seal,
}

impl SealedCookie {
    /// The cookie beside a session cookie of this name, for `purpose`.
    pub fn beside(
        (session_cookie, is_secure): (&str, bool),
        (purpose, lifetime_secs): (&'static str, u32),
        seal: Seal,
    ) -> Self {
        Self { name: format!("{session_cookie}_{purpose}"), purpose, lifetime_secs, is_secure, seal }
    }

    /// The `Set-Cookie` that leaves a value; `None` where a browser would not keep it.
    pub fn leave(&self, value: &impl Serialize) -> Option<HeaderValue> {
        let sealed = self.seal.seal(self.purpose, &serde_json::to_vec(value).ok()?);
        (sealed.len() <= MAX_BYTES).then(|| self.header(&sealed, self.lifetime_secs))?
    }

    /// The `Set-Cookie` that takes it away.
    pub fn take_away(&self) -> Option<HeaderValue> {
        self.header("", 0)
    }

    /// Whether a request has it, readable or not.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        cookie(headers, &self.name).is_some()
    }

    /// The value that a request brings back.
    pub fn read<Value: DeserializeOwned>(&self, headers: &HeaderMap) -> Option<Value> {
        let plain = self.seal.open(self.purpose, cookie(headers, &self.name)?)?;
        serde_json::from_slice(&plain).ok()
    }

    fn header(&self, value: &str, max_age_secs: u32) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie = format!("{}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age_secs}{secure}", self.name);
        HeaderValue::try_from(cookie).ok()
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

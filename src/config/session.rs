//! `[session]`: how long a log-in lasts, and the cookie that carries it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::platform::duration_text;

const DAY: Duration = Duration::from_hours(24);

/// `[session]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// How long a session lasts without being used.
    #[serde(with = "duration_text")]
    pub idle: Duration,
    /// How long a session lasts at most.
    #[serde(with = "duration_text")]
    pub absolute: Duration,
    /// The name of the cookie. Under https it begins with `__Host-`, which binds it to the host, or with `__Secure-` where
    /// it has a domain.
    pub cookie_name: String,
    /// The domain whose hosts all get the cookie, so that applications on other hosts can stand behind the door; each of
    /// them is trusted with the log-in of everybody who visits it. None: this host alone.
    pub cookie_domain: Option<String>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { idle: DAY * 7, absolute: DAY * 30, cookie_name: "latchkey".to_owned(), cookie_domain: None }
    }
}

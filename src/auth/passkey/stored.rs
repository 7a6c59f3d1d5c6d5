//! What is kept of a passkey: its public key with counter and flags, and by what it knows the account. None of it is secret,
//! and none of it leaves the server.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use webauthn_rs::prelude::{AuthenticationResult, Passkey};

use crate::{auth::Error, platform::Timestamp};

/// A passkey as it is stored, in the provider metadata.
#[derive(Clone, Serialize, Deserialize)]
pub struct Stored {
    /// The public key, the counter and the flags.
    pub passkey: Passkey,
    /// What the passkey knows the account by.
    pub user_handle: Vec<u8>,
    /// When somebody logged in by it last, in microseconds since the Unix epoch.
    #[serde(default)]
    last_used_at: Option<i64>,
}

/// The flags of a passkey (WebAuthn §6.1.3), as the library writes them.
#[derive(Deserialize)]
struct Flags {
    cred: Credential,
}

#[derive(Deserialize)]
struct Credential {
    #[serde(default)]
    backup_eligible: bool,
    #[serde(default)]
    backup_state: bool,
}

impl Stored {
    /// One that was just made.
    pub fn new(passkey: Passkey, user_handle: Vec<u8>) -> Self {
        Self { passkey, user_handle, last_used_at: None }
    }

    /// The same after somebody has logged in by it.
    pub fn used(mut self, result: &AuthenticationResult, now: Timestamp) -> Self {
        self.passkey.update_credential(result);
        Self { last_used_at: Some(now.as_micros()), ..self }
    }

    /// When somebody logged in by it last.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        self.last_used_at.map(Timestamp::from_micros)
    }

    /// Whether it is kept in more than one place, and whether it may be (backup state and backup eligibility).
    pub fn is_synced(&self) -> (bool, bool) {
        let flags = serde_json::to_value(&self.passkey).and_then(serde_json::from_value::<Flags>);
        flags.map_or((false, false), |Flags { cred }| (cred.backup_state, cred.backup_eligible))
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn read(metadata: Map<String, Value>) -> Result<Self, Error> {
        serde_json::from_value(Value::Object(metadata)).map_err(Error::Unreadable)
    }

    /// What is to be stored.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn to_metadata(&self) -> Result<Map<String, Value>, Error> {
        serde_json::to_value(self).and_then(serde_json::from_value).map_err(Error::Unreadable)
    }
}

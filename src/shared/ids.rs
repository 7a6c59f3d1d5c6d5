//! Identifiers as types of their own, so that a user's id can't be passed where a session's is meant.
//! They are UUIDv7 (RFC 9562) as text when Latchkey makes them; an embedder's hook may bring ids of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest id, an embedder's included, in bytes.
const MAX_ID_BYTES: usize = 255;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text of an id as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Reads an id that came from outside; what holds control characters or is longer than any id is none, and
            /// no database needs to be asked for it.
            pub fn parse(text: &str) -> Option<Self> {
                let is_id = (1..=MAX_ID_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
                is_id.then(|| Self(text.to_owned()))
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Names a user, a person's account.
    UserId
);
id!(
    /// Names an auth identity, one person as the Auth module knows them.
    AuthIdentityId
);
id!(
    /// Names a session where it is listed or revoked; it opens nothing, unlike the secret in the cookie.
    SessionId
);
id!(
    /// Names an event of the audit log.
    EventId
);
id!(
    /// Names a configured auth provider; the same kind may be configured under several ids.
    ProviderId
);
id!(
    /// Names an invite.
    InviteId
);
id!(
    /// Names a one-time token where it is used up or revoked; it opens nothing, unlike the secret in the link.
    OneTimeId
);
id!(
    /// Names a mail of the outbox, and is its `Message-ID` (RFC 5322 §3.6.4).
    MailId
);
id!(
    /// Names the delivery of an event to one endpoint.
    DeliveryId
);

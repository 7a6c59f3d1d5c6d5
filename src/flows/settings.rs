//! What the operator decides about who may come in, and how.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    events::webhooks::Endpoint,
    platform::{LimitSettings, duration_text},
    sessions::Lifetime,
    shared::EmailAddress,
};

/// Who may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMode {
    /// Everyone.
    #[default]
    Open,
    /// An identity may be registered over the API; a user comes only from an invite or an admin.
    InviteOnly,
    /// No invites either: only admins and the command line create users.
    Closed,
}

/// `[registration]`: who may get an account without being asked in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationSettings {
    /// Who may register.
    pub mode: RegistrationMode,
    /// Domains whose addresses may register, in lower case; empty: all. A domain does not stand for the ones below it.
    pub allowed_domains: Vec<String>,
    /// Whether an address has to be verified before it can log in; by default where mails are sent.
    pub require_verified_email: Option<bool>,
}

impl RegistrationSettings {
    /// Whether an address has to be verified before it can log in.
    pub fn requires_verified_email(&self) -> bool {
        self.require_verified_email.unwrap_or(false)
    }

    /// Whether the domain of this address may register.
    pub fn allows(&self, email: &EmailAddress) -> bool {
        self.allowed_domains.is_empty() || self.allowed_domains.iter().any(|domain| domain == email.domain())
    }
}

/// Whose invite it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailMatch {
    /// The account's address is the invited one.
    #[default]
    Exact,
    /// Over the API the account may have another address.
    Any,
}

/// `[invites]`: promises of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InviteSettings {
    /// How long an invite lasts where nobody says otherwise.
    #[serde(with = "duration_text")]
    pub expires_in: Duration,
    /// Whether the account's address must be the invited one.
    pub email_match: EmailMatch,
}

impl InviteSettings {
    /// The shortest and the longest life of an invite.
    pub const BOUNDS: RangeInclusive<Duration> = Duration::from_hours(1)..=Duration::from_hours(30 * 24);
}

impl Default for InviteSettings {
    fn default() -> Self {
        Self { expires_in: Duration::from_hours(7 * 24), email_match: EmailMatch::default() }
    }
}

/// `[actors.NAME]`: one actor type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorSettings {
    /// The ids of the providers it may use.
    pub providers: Vec<String>,
}

/// What the flows go by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who may make an account.
    pub registration: RegistrationSettings,
    /// How invites are.
    pub invites: InviteSettings,
    /// Which actor type may use which providers.
    pub actors: BTreeMap<String, ActorSettings>,
    /// How long sessions live.
    pub lifetime: Lifetime,
    /// How many tries one has.
    pub limits: LimitSettings,
    /// Who is told of events.
    pub webhooks: Vec<Endpoint>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_stands_for_itself_alone() {
        let settings = RegistrationSettings { allowed_domains: vec!["example.org".to_owned()], ..Default::default() };
        for (typed, is_allowed) in [
            ("a@example.org", true),
            ("a@EXAMPLE.ORG", true),
            ("a@mail.example.org", false),
            ("a@badexample.org", false),
            ("a@example.org.evil.test", false),
        ] {
            assert_eq!(settings.allows(&EmailAddress::parse(typed).unwrap()), is_allowed, "{typed}");
        }
    }
}

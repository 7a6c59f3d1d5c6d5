//! `[[webhooks]]`: who is told of what, where and signed with which secret. What could never work is refused at the start,
//! without asking the network.

use serde::{Deserialize, Serialize};

use super::{InvalidSecret, SecretText, SigningSecret};
use crate::{
    events::EventKind,
    platform::{HttpUrl, Reach},
};

/// The pattern of all events.
const ALL: &str = "*";

/// One endpoint, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// The name under which it is shown and remembered.
    pub id: String,
    /// Where events are posted to.
    pub url: HttpUrl,
    /// What they are signed with.
    pub secret: SecretText,
    /// Which events: their kinds, `user.*` for all of a group, `*` for all.
    #[serde(default = "all_events")]
    pub events: Vec<String>,
    /// Whether it may be reached without TLS and at addresses that are not of the public internet.
    #[serde(default)]
    pub allow_private: bool,
}

fn all_events() -> Vec<String> {
    vec![ALL.to_owned()]
}

/// What is wrong with an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidWebhook {
    /// The setting.
    pub setting: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// An endpoint that events can be sent to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name.
    pub id: String,
    /// Where events are posted to.
    pub url: HttpUrl,
    /// What they are signed with.
    pub secrets: Vec<SigningSecret>,
    /// The kinds and patterns of the events that it wants.
    pub events: Vec<String>,
    /// Where it may lie.
    pub reach: Reach,
}

impl WebhookSettings {
    /// The endpoint of these settings.
    ///
    /// # Errors
    /// [`InvalidWebhook`] with the first thing that can't work.
    pub fn to_endpoint(&self) -> Result<Endpoint, InvalidWebhook> {
        let wrong = |setting, problem: String| InvalidWebhook { setting, problem };
        let reach = if self.allow_private { Reach::Anywhere } else { Reach::Public };
        if reach == Reach::Public && !self.url.is_https() {
            let problem = "must begin with `https://`; `allow_private = true` allows http";
            return Err(wrong("url", problem.to_owned()));
        }
        if reach == Reach::Public && self.url.is_private_address() {
            let problem = format!("{} is a private address; `allow_private = true` allows them", self.url.host());
            return Err(wrong("url", problem));
        }
        let secrets = self.secret.to_secrets().map_err(|error: InvalidSecret| wrong("secret", error.to_string()))?;
        if self.events.is_empty() {
            return Err(wrong("events", "names none; leave it out for all".to_owned()));
        }
        if let Some(pattern) =
            self.events.iter().find(|pattern| !EventKind::ALL.iter().any(|kind| matches(pattern, kind.as_str())))
        {
            let problem = format!("there are no events `{pattern}`; they are called `user.created`, `user.*` or `*`");
            return Err(wrong("events", problem));
        }
        Ok(Endpoint { id: self.id.clone(), url: self.url.clone(), secrets, events: self.events.clone(), reach })
    }
}

/// Whether an endpoint that wants these events wants this one.
pub(crate) fn wants(patterns: &[String], kind: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, kind))
}

/// Whether a pattern names a kind: (1) `*` names all; (2) `user.*` names those of a group; (3) else it is the kind.
fn matches(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix(ALL) {
        Some("") => true,
        Some(group) => group.ends_with('.') && kind.starts_with(group),
        None => pattern == kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_kinds() {
        for (pattern, kind, is_named) in [
            ("*", "user.created", true),
            ("user.*", "user.created", true),
            ("user.*", "user.role_changed", true),
            ("user.*", "users.created", false),
            ("user*", "user.created", false),
            (".*", "user.created", false),
            ("user.created", "user.created", true),
            ("user.created", "user.created_again", false),
            ("User.created", "user.created", false),
            ("", "user.created", false),
        ] {
            assert_eq!(matches(pattern, kind), is_named, "{pattern} {kind}");
        }
    }
}

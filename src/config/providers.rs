//! `[[providers]]` and `[actors.NAME]`: the ways to prove who one is, and which kind of account may use which.

use std::fmt;

use serde::{Deserialize, Serialize};
use toml::Table;

use crate::flows::ActorSettings;

/// One configured auth provider.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// The name under which its rows are written and its pages are reached.
    pub id: String,
    /// Which provider it is an instance of.
    pub kind: String,
    /// What the provider wants to know; checked by the provider at the start.
    #[serde(default)]
    pub options: Table,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self { id: "emailpass".to_owned(), kind: "emailpass".to_owned(), options: Table::new() }
    }
}

/// Options may be secrets, so only their names are shown.
impl fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<&String> = self.options.keys().collect();
        f.debug_struct("ProviderSettings")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("options", &options)
            .finish()
    }
}

/// An actor type that may use all `providers`.
pub(super) fn all_of(providers: &[ProviderSettings]) -> ActorSettings {
    ActorSettings { providers: providers.iter().map(|provider| provider.id.clone()).collect() }
}

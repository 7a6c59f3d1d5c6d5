//! Every setting with its meaning: gathered from the floors, read from a file and the environment, checked as a whole.
//! Refuses unknown keys and wrong values with a message that names the key, where it came from and what would be right.
//! Called by the command line; the floors are handed their own part and never see this.

mod check;
mod keys;
mod load;
mod providers;
mod server;
mod session;
mod show;

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

pub use load::{ConfigError, Origin};
pub use providers::ProviderSettings;
pub use server::{InvalidPublicUrl, Network, PublicUrl, ServerSettings};
pub use session::SessionSettings;

use crate::flows::{ActorSettings, InviteSettings, RegistrationSettings};
use crate::platform::{
    DatabaseSettings, KeySettings, LimitSettings, LogSettings, MailSettings, PasswordSettings,
    Settings as PlatformSettings,
};
use crate::{events::webhooks::WebhookSettings, flows::HookSettings};

/// The name of the actor type that is built in.
pub const USER_ACTOR: &str = "user";
/// The file that is read when no other is named, if it exists.
pub const DEFAULT_FILE: &str = "latchkey.toml";

/// All settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[server]`: where it listens and how it is reached.
    pub server: ServerSettings,
    /// `[database]`: which database.
    pub database: DatabaseSettings,
    /// `[registration]`: who may get an account.
    pub registration: RegistrationSettings,
    /// `[invites]`: how long an invite lasts, and whom it is for.
    pub invites: InviteSettings,
    /// `[mail]`: whether and how mails leave.
    pub mail: MailSettings,
    /// `[session]`: how long a log-in lasts.
    pub session: SessionSettings,
    /// `[password]`: what a password hash costs.
    pub password: PasswordSettings,
    /// `[limits]`: how often what may be tried.
    pub limits: LimitSettings,
    /// `[log]`: what is logged, and how.
    pub log: LogSettings,
    /// `[keys]`: where the instance key is.
    pub keys: KeySettings,
    /// `[[providers]]`: the ways to prove who one is, in the order of the login page.
    pub providers: Vec<ProviderSettings>,
    /// `[[webhooks]]`: who is told of events.
    #[serde(default)]
    pub webhooks: Vec<WebhookSettings>,
    /// `[resolve_user]`: an application that is asked whom a session is for.
    #[serde(default)]
    pub resolve_user: HookSettings,
    /// `[actors.NAME]`: the actor types and which providers each may use. `user` is always there,
    /// by default with all providers.
    #[serde(default)]
    pub actors: BTreeMap<String, ActorSettings>,
    /// What is allowed but probably not meant; shown at the start.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        let providers = vec![ProviderSettings::default()];
        let actors = BTreeMap::from([(USER_ACTOR.to_owned(), providers::all_of(&providers))]);
        Self {
            server: ServerSettings::default(),
            database: DatabaseSettings::default(),
            registration: RegistrationSettings::default(),
            invites: InviteSettings::default(),
            mail: MailSettings::default(),
            session: SessionSettings::default(),
            password: PasswordSettings::default(),
            limits: LimitSettings::default(),
            log: LogSettings::default(),
            keys: KeySettings::default(),
            providers,
            webhooks: Vec::new(),
            resolve_user: HookSettings::default(),
            actors,
            warnings: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the file at `path`, or [`DEFAULT_FILE`] if that exists; then the variables `LATCHKEY_SECTION__KEY` of `env`,
    /// which win. Without both, everything has its default.
    ///
    /// # Errors
    /// [`ConfigError`] with the first thing that is wrong.
    pub fn load(path: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        Self::load_over("", path, env)
    }

    /// The same over settings of a program that has Latchkey within it, as TOML.
    ///
    /// # Errors
    /// [`ConfigError`] with the first thing that is wrong.
    pub fn load_over(
        defaults: &str,
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let sources = load::read(defaults, path, env)?;
        let mut config = sources.to_config()?;
        check::complete(&mut config);
        check::check(&config).map_err(|wrong| sources.invalid(wrong.key, wrong.problem))?;
        config.warnings = check::warnings(&config);
        Ok(config)
    }

    /// The part that the platform needs.
    pub fn platform(&self) -> PlatformSettings {
        PlatformSettings {
            database: self.database.clone(),
            password: self.password.clone(),
            keys: self.keys.clone(),
            mail: self.mail.clone(),
        }
    }

    /// All settings as TOML, secrets replaced; what `config show` prints.
    pub fn to_toml_redacted(&self) -> String {
        show::to_toml_redacted(self)
    }
}

#[cfg(test)]
mod tests;

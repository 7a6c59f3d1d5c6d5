//! View the system: what runs, on what, and by which providers people come in. For admins.

use super::{Error, Services, USER, authority::asks_as_manager, providers_of};
use crate::{auth::Flow, events::Scope, platform::Dialect, shared::ProviderId};

/// What runs, on what.
#[derive(Clone, Debug)]
pub struct SystemView {
    /// The version of the program.
    pub version: &'static str,
    /// Which database.
    pub database: Dialect,
    /// How many migrations the database lacks.
    pub pending_migrations: usize,
    /// Whether mails leave.
    pub sends_mail: bool,
    /// The ways in, in the order of the configuration.
    pub providers: Vec<ProviderView>,
}

/// A configured way in.
#[derive(Clone, Debug)]
pub struct ProviderView {
    /// Its id.
    pub id: ProviderId,
    /// Its kind.
    pub kind: &'static str,
    /// What people call it.
    pub name: String,
    /// How people use it.
    pub flow: Flow,
    /// Whether people may use it.
    pub is_for_users: bool,
}

/// What runs, on what.
///
/// # Errors
/// [`Error::Forbidden`] for who may not manage users, [`Error::Internal`] if the database fails.
pub async fn view_system(services: &Services, scope: &Scope) -> Result<SystemView, Error> {
    asks_as_manager(scope)?;
    let platform = &services.platform;
    let of_users = providers_of(services, USER)?;
    let providers = services.providers.all().iter().map(|provider| ProviderView {
        id: provider.id.clone(),
        kind: provider.identifier,
        name: provider.display_name.clone(),
        flow: provider.flow,
        is_for_users: of_users.iter().any(|known| known.id == provider.id),
    });
    Ok(SystemView {
        version: env!("CARGO_PKG_VERSION"),
        database: platform.db.dialect(),
        pending_migrations: platform.db.pending_migrations().await.map_err(Error::internal)?,
        sends_mail: platform.outbox.is_sent(),
        providers: providers.collect(),
    })
}

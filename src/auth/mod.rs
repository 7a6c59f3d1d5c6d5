//! The Auth module: proves who somebody is. It owns auth identities and provider identities and runs auth providers;
//! it stores nothing about users and never asks for one.

mod actors;
mod by_mail;
mod dynamic;
mod identities;
mod input_field;
mod only_way_in;
mod passkey;
pub mod prelude;
mod provider;
pub mod providers;
mod redirect;
mod registry;
mod state;
mod stored_identity;

pub use actors::{
    WayIn, delete_of_actor, delete_unowned, find_of_actor, has_actor, link_actor, rename_identity, unlink, ways_in,
    ways_in_of,
};
pub use by_mail::MailedProof;
pub use dynamic::DynProvider;
pub use identities::{AuthIdentity, AuthIdentityProviderService, ProviderIdentity};
pub use input_field::{InputField, InputKind};
pub use only_way_in::leave_only;
pub use passkey::{OwnPasskey, list_passkeys, rename_passkey};
pub use provider::{
    AuthInput, AuthProvider, AuthResponse, Dependencies, Flow, Holder, InvalidOption, Options, ProviderError,
    UpdateData,
};
pub use registry::{Catalogue, Configured, Registry, RegistryError};
pub use state::{BrowserKey, sweep as sweep_states};
pub use stored_identity::get_identity;

/// Why the Auth module refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An identity of this provider has this entity id already.
    #[error("the identity exists already")]
    Taken,
    /// The identity was changed since this request has read it.
    #[error("the identity was changed meanwhile")]
    Changed,
    /// No identity is made here: nobody new comes in.
    #[error("no identity is made here")]
    Closed,
    /// Nobody can be known by this entity id.
    #[error("nobody can be known by this")]
    Unusable,
    /// There is no such identity.
    #[error("no such identity")]
    NotFound,
    /// What is stored can't be read.
    #[error("a stored identity can't be read: {0}")]
    Unreadable(#[source] serde_json::Error),
    /// The database failed.
    #[error("the database failed: {0}")]
    Internal(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if crate::platform::is_unique_violation(&error) { Self::Taken } else { Self::Internal(error) }
    }
}

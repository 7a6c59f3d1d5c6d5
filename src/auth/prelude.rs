//! What a provider in another crate is written with: `use latchkey::auth::prelude::*`.

pub use super::{
    AuthIdentity, AuthIdentityProviderService, AuthInput, AuthProvider, AuthResponse, Dependencies, Flow, Holder,
    InputField, InputKind, InvalidOption, MailedProof, Options, ProviderError, UpdateData,
};
pub use crate::shared::ExternalUser;

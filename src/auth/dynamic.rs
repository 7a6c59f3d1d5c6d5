//! The provider contract behind a pointer: the registry holds providers of different types side by side. Implementers
//! never see this trait; every [`AuthProvider`] has it.

use std::{future::Future, pin::Pin};

use super::{AuthIdentityProviderService, AuthInput, AuthProvider, AuthResponse, Holder, ProviderError, UpdateData};

type Answer<'a> = Pin<Box<dyn Future<Output = Result<AuthResponse, ProviderError>> + Send + 'a>>;

/// An [`AuthProvider`] of whatever type.
pub trait DynProvider: Send + Sync {
    /// See [`AuthProvider::keeps_accounts`].
    fn keeps_accounts(&self) -> bool;
    /// See [`AuthProvider::authenticate`].
    fn authenticate<'a>(&'a self, input: &'a AuthInput, identities: &'a AuthIdentityProviderService) -> Answer<'a>;
    /// See [`AuthProvider::register`].
    fn register<'a>(&'a self, input: &'a AuthInput, identities: &'a AuthIdentityProviderService) -> Answer<'a>;
    /// See [`AuthProvider::update`].
    fn update<'a>(&'a self, data: &'a UpdateData, identities: &'a AuthIdentityProviderService) -> Answer<'a>;
    /// See [`AuthProvider::link`].
    fn link<'a>(
        &'a self,
        holder: &'a Holder,
        input: &'a AuthInput,
        identities: &'a AuthIdentityProviderService,
    ) -> Answer<'a>;
    /// See [`AuthProvider::validate_callback`].
    fn validate_callback<'a>(&'a self, input: &'a AuthInput, identities: &'a AuthIdentityProviderService)
    -> Answer<'a>;
}

impl<T: AuthProvider> DynProvider for T {
    fn keeps_accounts(&self) -> bool {
        AuthProvider::keeps_accounts(self)
    }

    fn authenticate<'a>(&'a self, input: &'a AuthInput, identities: &'a AuthIdentityProviderService) -> Answer<'a> {
        Box::pin(AuthProvider::authenticate(self, input, identities))
    }

    fn register<'a>(&'a self, input: &'a AuthInput, identities: &'a AuthIdentityProviderService) -> Answer<'a> {
        Box::pin(AuthProvider::register(self, input, identities))
    }

    fn update<'a>(&'a self, data: &'a UpdateData, identities: &'a AuthIdentityProviderService) -> Answer<'a> {
        Box::pin(AuthProvider::update(self, data, identities))
    }

    fn link<'a>(
        &'a self,
        holder: &'a Holder,
        input: &'a AuthInput,
        identities: &'a AuthIdentityProviderService,
    ) -> Answer<'a> {
        Box::pin(AuthProvider::link(self, holder, input, identities))
    }

    fn validate_callback<'a>(
        &'a self,
        input: &'a AuthInput,
        identities: &'a AuthIdentityProviderService,
    ) -> Answer<'a> {
        Box::pin(AuthProvider::validate_callback(self, input, identities))
    }
}

//! The configured providers: several instances of a kind may stand side by side under different ids. A bad option
//! stops the program at the start, with provider, option and reason.

use std::sync::Arc;

use super::{
    AuthProvider, Dependencies, DynProvider, Flow, InputField, InvalidOption, Options,
    providers::{EmailCode, EmailLink, EmailPass, GitHub, Google, Oidc, Passkey},
};
use crate::shared::ProviderId;

type Make = fn(Dependencies, &Options) -> Result<Arc<dyn DynProvider>, InvalidOption>;

/// A kind of provider that a configuration may name.
#[derive(Clone)]
struct Kind {
    identifier: &'static str,
    display_name: &'static str,
    flow: Flow,
    fields: &'static [InputField],
    make: Make,
}

fn make<P: AuthProvider>(dependencies: Dependencies, options: &Options) -> Result<Arc<dyn DynProvider>, InvalidOption> {
    P::validate_options(options)?;
    Ok(Arc::new(P::new(dependencies, options)?))
}

/// The kinds of providers that exist: Latchkey's own and the embedder's.
#[derive(Clone, Default)]
pub struct Catalogue {
    kinds: Vec<Kind>,
}

impl Catalogue {
    /// Latchkey's own providers.
    pub fn built_in() -> Self {
        Self::default()
            .with::<EmailPass>()
            .with::<EmailLink>()
            .with::<EmailCode>()
            .with::<Google>()
            .with::<GitHub>()
            .with::<Oidc>()
            .with::<Passkey>()
    }

    /// The same with one more kind; a later one of the same name replaces the former.
    #[must_use]
    pub fn with<P: AuthProvider>(mut self) -> Self {
        self.kinds.retain(|kind| kind.identifier != P::IDENTIFIER);
        let kind = Kind {
            identifier: P::IDENTIFIER,
            display_name: P::DISPLAY_NAME,
            flow: P::FLOW,
            fields: P::FIELDS,
            make: make::<P>,
        };
        self.kinds.push(kind);
        self
    }
}

/// One configured provider.
#[derive(Clone)]
pub struct Configured {
    /// The id under which its identities are stored.
    pub id: ProviderId,
    /// The name of its kind.
    pub identifier: &'static str,
    /// What a login page shows.
    pub display_name: String,
    /// How a person uses it.
    pub flow: Flow,
    /// What the login page asks for.
    pub fields: &'static [InputField],
    /// The provider itself.
    pub provider: Arc<dyn DynProvider>,
}

/// Why the providers can't be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The configuration names a kind that there is not.
    #[error("provider '{id}': unknown kind '{kind}', known are: {known}")]
    UnknownKind {
        /// The id of the provider.
        id: ProviderId,
        /// The kind that it names.
        kind: String,
        /// The kinds that there are.
        known: String,
    },
    /// Two providers have the same id.
    #[error("provider '{0}' is configured twice")]
    DuplicateId(ProviderId),
    /// An option is wrong.
    #[error("provider '{id}', {source}")]
    Option {
        /// The id of the provider.
        id: ProviderId,
        /// Which option, and why.
        source: InvalidOption,
    },
}

/// The configured providers, in the order of the configuration.
#[derive(Clone, Default)]
pub struct Registry {
    providers: Vec<Configured>,
}

impl Registry {
    /// Makes one more configured provider.
    ///
    /// # Errors
    /// [`RegistryError`] names the provider and what is wrong with it.
    pub fn add(
        &mut self,
        catalogue: &Catalogue,
        kind: &str,
        (dependencies, options): (Dependencies, &Options),
    ) -> Result<(), RegistryError> {
        let id = dependencies.id.clone();
        if self.get(&id).is_some() {
            return Err(RegistryError::DuplicateId(id));
        }
        let Some(known) = catalogue.kinds.iter().find(|known| known.identifier == kind) else {
            let known = catalogue.kinds.iter().map(|kind| kind.identifier).collect::<Vec<_>>().join(", ");
            return Err(RegistryError::UnknownKind { id, kind: kind.to_owned(), known });
        };
        let provider =
            (known.make)(dependencies, options).map_err(|source| RegistryError::Option { id: id.clone(), source })?;
        let display_name =
            options.get("display_name").and_then(|name| name.as_str()).unwrap_or(known.display_name).to_owned();
        let Kind { identifier, flow, fields, .. } = *known;
        self.providers.push(Configured { id, identifier, display_name, flow, fields, provider });
        Ok(())
    }

    /// The provider with this id.
    pub fn get(&self, id: &ProviderId) -> Option<&Configured> {
        self.providers.iter().find(|provider| provider.id == *id)
    }

    /// The first configured provider of a kind.
    pub fn first_of(&self, identifier: &str) -> Option<&Configured> {
        self.providers.iter().find(|provider| provider.identifier == identifier)
    }

    /// All of them.
    pub fn all(&self) -> &[Configured] {
        &self.providers
    }
}

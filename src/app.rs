//! Composition: puts the floors together into one server, and runs it. The binary, the tests and the programs that have
//! Latchkey within them build the same, by [`Latchkey::builder`].

mod clients;
mod serve;

use std::{future::Future, net::SocketAddr, path::Path, sync::Arc};

use axum::Router;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    api,
    auth::{AuthProvider, Catalogue, Dependencies, Options, Registry, RegistryError},
    config::{Config, ConfigError, Network},
    events::webhooks::{self, Endpoint, InvalidWebhook, WebhookSettings},
    flows::{self, HookError, ProvedLogin, Resolution, ResolveUser, Rules, Services},
    jobs::{self, Courier, Post},
    platform::{
        Clock, DbError, Entropy, EntropyError, HttpClientError, Mailer, OpenError, PasswordHasher, Platform, StartError,
    },
    sessions::Lifetime,
    shared::ProviderId,
    web::{
        http::{away::AwayCookies, flash::FlashCookie, pending},
        site,
        state::{Description, PRODUCT, Parts, Site, WebState},
    },
};
use clients::Clients;
use serve::{Waits, accept};

/// What the server calls itself where it asks others.
const USER_AGENT: &str = concat!("Latchkey/", env!("CARGO_PKG_VERSION"));

/// Why the server can't be built or run.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A tool of the platform can't be made.
    #[error(transparent)]
    Platform(#[from] OpenError),
    /// The database can't be migrated.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A provider can't be made.
    #[error(transparent)]
    Providers(#[from] RegistryError),
    /// The hashing threads of the checks can't be started.
    #[error(transparent)]
    Passwords(#[from] StartError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The options of a provider are no plain values.
    #[error("provider '{id}': its options can't be read: {source}")]
    Options {
        /// The provider.
        id: String,
        /// Why not.
        source: serde_json::Error,
    },
    /// The public URL is no origin.
    #[error("server.public_url: {0}")]
    PublicUrl(String),
    /// A webhook can't work.
    #[error("webhook '{id}': {setting}: {problem}")]
    Webhook {
        /// Which one.
        id: String,
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Webhooks can't be sent at all.
    #[error(transparent)]
    HttpClient(#[from] HttpClientError),
    /// A flow failed at the start.
    #[error(transparent)]
    Flow(#[from] flows::Error),
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// What a program adds to Latchkey before it is built.
#[derive(Clone)]
pub struct Builder {
    catalogue: Catalogue,
    clock: Clock,
    defaults: &'static str,
    resolve_user: Option<ResolveUser>,
}

impl Builder {
    /// Adds a kind of provider, which the configuration names by its `IDENTIFIER`; one of the same name is replaced.
    #[must_use]
    pub fn provider<P: AuthProvider>(self) -> Self {
        Self { catalogue: self.catalogue.with::<P>(), ..self }
    }

    /// Asks the application at each log-in by a provider that people are sent to: it may refuse them, or name the user that
    /// the session is for.
    #[must_use]
    pub fn resolve_user<F, A>(self, hook: F) -> Self
    where
        F: Fn(ProvedLogin) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Resolution, HookError>> + Send + 'static,
    {
        Self { resolve_user: Some(ResolveUser::new(hook)), ..self }
    }

    /// Settings as TOML that hold where neither file nor environment say otherwise; read by [`Builder::config`].
    #[must_use]
    pub fn defaults(self, defaults: &'static str) -> Self {
        Self { defaults, ..self }
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Reads the configuration, as the command line does: these defaults, then the file, then the environment.
    ///
    /// # Errors
    /// [`ConfigError`] with the first thing that is wrong.
    pub fn config(&self, file: Option<&Path>) -> Result<Config, ConfigError> {
        Config::load_over(self.defaults, file, std::env::vars())
    }

    /// Checks what can only be checked by making it, without a database: the providers with their options.
    ///
    /// # Errors
    /// [`AppError::Providers`] names provider, option and reason.
    pub fn check(&self, config: &Config) -> Result<(), AppError> {
        let entropy = Entropy::from_os()?;
        let passwords = PasswordHasher::start(&config.password, entropy.clone())?;
        self.registry(config, (&passwords, &entropy)).map(drop)
    }

    /// The services that the command line and the server share.
    ///
    /// # Errors
    /// [`AppError`] names what can't be made.
    pub async fn services(&self, config: &Config) -> Result<Services, AppError> {
        let platform = Platform::open(&config.platform(), self.clock.clone()).await?;
        let providers = self.registry(config, (&platform.passwords, &platform.entropy))?;
        let rules = Rules {
            registration: config.registration.clone(),
            invites: config.invites.clone(),
            actors: config.actors.clone(),
            lifetime: Lifetime { idle: config.session.idle, absolute: config.session.absolute },
            limits: config.limits.clone(),
            webhooks: endpoints(config)?,
        };
        let resolve_user = self.hook(config, &platform)?;
        Ok(Services {
            platform,
            providers: Arc::new(providers),
            rules: Arc::new(rules),
            resolve_user,
            mail_requested: Arc::default(),
        })
    }

    /// The hook of the embedding program, else that of the configuration.
    fn hook(&self, config: &Config, platform: &Platform) -> Result<Option<ResolveUser>, AppError> {
        if self.resolve_user.is_some() {
            return Ok(self.resolve_user.clone());
        }
        let wrong = |error: InvalidWebhook| AppError::Webhook {
            id: "resolve_user".to_owned(),
            setting: error.setting,
            problem: error.problem,
        };
        let Some(endpoint) = config.resolve_user.to_endpoint().map_err(wrong)? else { return Ok(None) };
        let tools = (platform.clock.clone(), platform.entropy.clone());
        Ok(Some(ResolveUser::by_http(endpoint, USER_AGENT, tools)?))
    }

    fn registry(
        &self,
        config: &Config,
        (passwords, entropy): (&PasswordHasher, &Entropy),
    ) -> Result<Registry, AppError> {
        let mut registry = Registry::default();
        for provider in &config.providers {
            let unreadable = |source| AppError::Options { id: provider.id.clone(), source };
            let options = serde_json::to_value(&provider.options).map_err(unreadable)?;
            let options: Options = serde_json::from_value(options).map_err(unreadable)?;
            let id = ProviderId::new(provider.id.clone());
            let dependencies = Dependencies {
                id,
                passwords: passwords.clone(),
                clock: self.clock.clone(),
                entropy: entropy.clone(),
                public_url: config.server.public_url.to_string(),
            };
            registry.add(&self.catalogue, &provider.kind, (dependencies, &options))?;
        }
        Ok(registry)
    }

    /// Opens and migrates the database and makes the providers.
    ///
    /// # Errors
    /// [`AppError`] names what can't be done.
    pub async fn build(self, config: Config) -> Result<Latchkey, AppError> {
        let services = self.services(&config).await?;
        services.platform.db.migrate().await?;
        let now = services.platform.clock.now();
        webhooks::settle(&services.platform.db, &services.rules.webhooks, now).await.map_err(flows::Error::from)?;
        let setup_token = flows::open_setup(&services).await?.map(|token| token.expose().to_owned());
        let state = web_state(&config, services.clone());
        let router = site::routes(&state, api::programs())
            .map_err(|error| AppError::PublicUrl(error.to_string()))?
            .merge(api::health(services.platform.db.clone()));
        let post = post(&config, services.clone());
        let courier = Courier::new(services.clone(), USER_AGENT)?;
        Ok(Latchkey { services, router, setup_token, post, courier })
    }

    /// The same, with the configured address bound.
    ///
    /// # Errors
    /// As [`Builder::build`], and [`AppError::Listen`].
    pub async fn bind(self, config: Config) -> Result<App, AppError> {
        let (address, server) = (config.server.listen, config.server.clone());
        let waits =
            Waits { header: server.header_timeout, idle: server.idle_timeout, shutdown: server.shutdown_timeout };
        let clients = Clients::new(server.max_connections_per_client.get(), server.trusted_proxies);
        let latchkey = self.build(config).await?;
        let listener = TcpListener::bind(address).await.map_err(|source| AppError::Listen { address, source })?;
        let local_addr = listener.local_addr().map_err(|source| AppError::Listen { address, source })?;
        Ok(App { latchkey, listener, local_addr, limits: (waits, clients) })
    }
}

/// Latchkey as a part of a program: its addresses, and its work outside of requests.
pub struct Latchkey {
    services: Services,
    router: Router,
    setup_token: Option<String>,
    post: Post,
    courier: Courier,
}

impl Latchkey {
    /// Begins with Latchkey's own providers, the system's clock and no defaults.
    pub fn builder() -> Builder {
        Builder { catalogue: Catalogue::built_in(), clock: Clock::system(), defaults: "", resolve_user: None }
    }

    /// All pages and addresses, with their layers, for the root of a host. Whoever serves it adds the peer's address to
    /// each request ([`axum::extract::ConnectInfo`]), by which tries are counted.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// What the first admin must show at `/setup`, while there is none.
    pub fn setup_token(&self) -> Option<&str> {
        self.setup_token.as_deref()
    }

    /// The tools below, for whoever looks after the server.
    pub fn platform(&self) -> &Platform {
        &self.services.platform
    }

    /// Sends mails and webhooks and sweeps until told to stop; then ends what was begun and closes the database.
    pub async fn run_jobs(self, stop: impl Future<Output = ()> + Send) {
        let (stopped, stopping) = watch::channel(());
        let stopping = || {
            let mut stopping = stopping.clone();
            // Both a word and a dropped sender mean the same: the server stops.
            async move { stopping.changed().await.unwrap_or_default() }
        };
        let mut working = JoinSet::new();
        working.spawn(jobs::sweep_until(self.services.clone(), stopping()));
        working.spawn(jobs::answer_mail_requests_until(self.services.clone(), stopping()));
        working.spawn(jobs::send_until(self.post, stopping()));
        working.spawn(jobs::deliver_webhooks_until(self.courier, stopping()));
        stop.await;
        drop(stopped);
        while let Some(ended) = working.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a job ended badly");
            }
        }
        self.services.platform.db.close().await;
    }
}

/// One server, bound and ready to serve.
pub struct App {
    latchkey: Latchkey,
    listener: TcpListener,
    local_addr: SocketAddr,
    limits: (Waits, Clients),
}

impl App {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What is served.
    pub fn latchkey(&self) -> &Latchkey {
        &self.latchkey
    }

    /// Serves until told to stop, then lets requests in flight end.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send) {
        let Self { latchkey, listener, limits, .. } = self;
        let router = latchkey.router();
        latchkey.run_jobs(accept(listener, &router, limits, stop)).await;
    }
}

fn endpoints(config: &Config) -> Result<Vec<Endpoint>, AppError> {
    let endpoint = |webhook: &WebhookSettings| {
        webhook.to_endpoint().map_err(|error| AppError::Webhook {
            id: webhook.id.clone(),
            setting: error.setting,
            problem: error.problem,
        })
    };
    config.webhooks.iter().map(endpoint).collect()
}

fn post(config: &Config, services: Services) -> Post {
    let url = &config.server.public_url;
    let mailer = Mailer::new(&config.mail, (PRODUCT, url.host()));
    Post::new(services, mailer, (PRODUCT, url.to_string()))
}

fn web_state(config: &Config, services: Services) -> WebState {
    let site = Site {
        public_url: config.server.public_url.to_string(),
        is_https: config.server.public_url.is_https(),
        trusted_proxies: config.server.trusted_proxies.iter().map(Network::net).collect(),
        allowed_origins: config.server.allowed_origins.iter().map(ToString::to_string).collect(),
        forward_origins: config.server.forward_origins.iter().map(ToString::to_string).collect(),
        request_timeout: config.server.request_timeout,
        session_cookie: config.session.cookie_name.clone(),
        cookie_domain: config.session.cookie_domain.clone(),
    };
    let flash = FlashCookie::beside(&site.session_cookie, site.is_https, services.platform.seal.clone());
    let away = AwayCookies::beside(&site.session_cookie, site.is_https, &services.platform.seal);
    let csrf = api::csrf_cookie_beside(&site.session_cookie, site.is_https, services.platform.seal.clone());
    let pending = pending::cookie_beside(&site.session_cookie, site.is_https, services.platform.seal.clone());
    let mut actor_types: Vec<String> = services.rules.actors.keys().cloned().collect();
    // People come first.
    actor_types.sort_by_key(|name| name != flows::USER);
    let configured = api::Configured {
        actor_types,
        providers: services.providers.all().iter().map(|provider| provider.id.to_string()).collect(),
    };
    let description = Description::new(api::description(&site, &configured));
    WebState::from(Parts { services, site, flash, pending, away, csrf, description })
}

//! Composition: puts the floors together into one server, and runs it. The binary and the tests build the same.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
};
use tower::ServiceExt;

use crate::{
    api,
    auth::{Catalogue, Dependencies, Options, Registry, RegistryError},
    config::{Config, Network},
    flows::{self, Rules, Services},
    jobs::{self, Post},
    platform::{Clock, DbError, Entropy, EntropyError, Mailer, OpenError, PasswordHasher, Platform, StartError},
    sessions::Lifetime,
    shared::ProviderId,
    web::{
        http::{flash::FlashCookie, pending},
        site,
        state::{PRODUCT, Parts, Site, WebState},
    },
};

/// How often a quiet HTTP/2 connection is asked whether anybody is there.
const HTTP2_PING_EVERY: Duration = Duration::from_secs(20);
/// The most connections at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 8_192;

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

/// The services that the command line and the server share.
///
/// # Errors
/// [`AppError`] names what can't be made.
pub async fn services(config: &Config, catalogue: &Catalogue, clock: Clock) -> Result<Services, AppError> {
    let platform = Platform::open(&config.platform(), clock).await?;
    let providers = registry(config, catalogue, (&platform.passwords, &platform.clock))?;
    let rules = Rules {
        registration: config.registration.clone(),
        invites: config.invites.clone(),
        actors: config.actors.clone(),
        lifetime: Lifetime { idle: config.session.idle, absolute: config.session.absolute },
        limits: config.limits.clone(),
    };
    Ok(Services { platform, providers: Arc::new(providers), rules: Arc::new(rules), mail_requested: Arc::default() })
}

/// Checks what can only be checked by making it, without a database: the providers with their options.
///
/// # Errors
/// [`AppError::Providers`] names provider, option and reason.
pub fn check(config: &Config, catalogue: &Catalogue) -> Result<(), AppError> {
    let passwords = PasswordHasher::start(&config.password, Entropy::from_os()?)?;
    registry(config, catalogue, (&passwords, &Clock::system())).map(drop)
}

fn registry(
    config: &Config,
    catalogue: &Catalogue,
    (passwords, clock): (&PasswordHasher, &Clock),
) -> Result<Registry, AppError> {
    let mut registry = Registry::default();
    for provider in &config.providers {
        let unreadable = |source| AppError::Options { id: provider.id.clone(), source };
        let options = serde_json::to_value(&provider.options).map_err(unreadable)?;
        let options: Options = serde_json::from_value(options).map_err(unreadable)?;
        let id = ProviderId::new(provider.id.clone());
        let dependencies = Dependencies { id, passwords: passwords.clone(), clock: clock.clone() };
        registry.add(catalogue, &provider.kind, (dependencies, &options))?;
    }
    Ok(registry)
}

/// One server, bound and ready to serve.
pub struct App {
    services: Services,
    router: Router,
    listener: TcpListener,
    local_addr: SocketAddr,
    setup_token: Option<String>,
    waits: Waits,
    post: Post,
}

/// How long the server waits.
#[derive(Clone, Copy)]
struct Waits {
    /// For the head of a request; a connection that is kept open waits as long for the next one.
    header: Duration,
    /// For requests in flight, when it is told to stop.
    shutdown: Duration,
}

impl App {
    /// Opens and migrates the database, makes the providers and binds the address.
    ///
    /// # Errors
    /// [`AppError`] names what can't be done.
    pub async fn build(config: Config, clock: Clock) -> Result<Self, AppError> {
        let services = services(&config, &Catalogue::built_in(), clock).await?;
        services.platform.db.migrate().await?;
        let setup_token = flows::open_setup(&services).await?.map(|token| token.expose().to_owned());
        let state = web_state(&config, services.clone());
        let router = site::routes(&state, api::programs())
            .map_err(|error| AppError::PublicUrl(error.to_string()))?
            .merge(api::health::routes(services.platform.db.clone()));
        let address = config.server.listen;
        let listener = TcpListener::bind(address).await.map_err(|source| AppError::Listen { address, source })?;
        let local_addr = listener.local_addr().map_err(|source| AppError::Listen { address, source })?;
        let waits = Waits { header: config.server.header_timeout, shutdown: config.server.shutdown_timeout };
        let post = post(&config, services.clone());
        Ok(Self { services, router, listener, local_addr, setup_token, waits, post })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What the first admin must show, while there is none.
    pub fn setup_token(&self) -> Option<&str> {
        self.setup_token.as_deref()
    }

    /// The tools below, for whoever looks after the server.
    pub fn platform(&self) -> &Platform {
        &self.services.platform
    }

    /// Serves until told to stop, then lets requests in flight end.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send) {
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
        accept(self.listener, &self.router, self.waits, stop).await;
        drop(stopped);
        while let Some(ended) = working.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a job ended badly");
            }
        }
        self.services.platform.db.close().await;
    }
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
    let pending = pending::cookie_beside(&site.session_cookie, site.is_https, services.platform.seal.clone());
    WebState::from(Parts { services, site, flash, pending })
}

async fn accept(listener: TcpListener, router: &Router, waits: Waits, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = next_connection(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let spoke = Arc::new(Notify::new());
        let connection = graceful.watch(connection((stream, peer), router, (waits, spoke.clone())));
        tokio::spawn(async move {
            tokio::select! {
                // A client that goes away or sends what is no HTTP is nobody's fault here.
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended badly");
                },
                () = silence(&spoke, waits.header) => tracing::debug!("a connection that asked nothing was closed"),
            }
            drop(place);
        });
    }
    // Closed before the requests in flight end, so that whoever comes now is sent to another server at once.
    drop(listener);
    if tokio::time::timeout(waits.shutdown, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in {:?} and were cut off", waits.shutdown);
    }
}

/// Ends where nothing was asked in time: the reading of a head has its limit only once it is known to be HTTP.
async fn silence(spoke: &Notify, limit: Duration) {
    if tokio::time::timeout(limit, spoke.notified()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection can't be told to send at once");
            }
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            // Most often there are no file descriptors left; only time brings some back.
            #[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but time")]
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

fn connection(
    (stream, peer): (TcpStream, SocketAddr),
    router: &Router,
    (waits, spoke): (Waits, Arc<Notify>),
) -> impl hyper_util::server::graceful::GracefulConnection<Error = Box<dyn std::error::Error + Send + Sync>> + Send + 'static
{
    let service = router.clone().map_request(move |request: hyper::Request<Incoming>| {
        spoke.notify_one();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(waits.header);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HTTP2_PING_EVERY).max_concurrent_streams(100);
    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned()
}

//! What every page and every server function is handed: the services below, and how this site is called.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ipnet::IpNet;
use sha2::{Digest, Sha256};

use super::http::{away::AwayCookies, flash::FlashCookie, sealed_cookie::SealedCookie};
use crate::flows::Services;

/// The name that pages and titles carry.
pub const PRODUCT: &str = "Latchkey";

/// How this site is called and reached.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where people reach it, without a slash at the end.
    pub public_url: String,
    /// Whether people reach it by https.
    pub is_https: bool,
    /// The proxies whose word about the client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// The other origins whose scripts may read the answers for programs.
    pub allowed_origins: Vec<String>,
    /// The origins of applications behind the door that people are sent back to.
    pub forward_origins: Vec<String>,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// The name of the session cookie.
    pub session_cookie: String,
    /// The domain of the session cookie, where it is not this host's alone.
    pub cookie_domain: Option<String>,
}

/// The description of the API, which stays the same as long as the process lives.
#[derive(Debug)]
pub struct Description {
    /// As programs fetch it; shared by all answers, however slowly they are read.
    pub json: Bytes,
    /// By which they know that they have it.
    pub etag: String,
    /// As people read it, once somebody has asked for it.
    pub page: OnceLock<Bytes>,
}

impl Description {
    /// Takes the description as JSON.
    pub fn new(json: String) -> Self {
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&json)[..12]));
        Self { json: Bytes::from(json), etag, page: OnceLock::new() }
    }
}

/// What every page is handed. A request clones it many times over, once a layer, so a clone is one count.
#[derive(Clone)]
pub struct WebState(Arc<Parts>);

/// What is in a [`WebState`].
pub struct Parts {
    /// The services below.
    pub services: Services,
    /// How this site is called.
    pub site: Site,
    /// The cookie of messages between pages.
    pub flash: FlashCookie,
    /// The cookie of what a browser is in the middle of.
    pub pending: SealedCookie,
    /// The cookies of a browser that goes to providers.
    pub away: AwayCookies,
    /// The cookie of the word against forged requests.
    pub csrf: SealedCookie,
    /// The description of the API.
    pub description: Description,
}

impl From<Parts> for WebState {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for WebState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

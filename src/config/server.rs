//! `[server]`: where the server listens, how it is reached from outside, whom it believes, and how long it waits.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    str::FromStr,
    time::Duration,
};

use http::Uri;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::platform::duration_text;

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// How people reach the server; all links and the cookie's security follow from it.
    pub public_url: PublicUrl,
    /// Proxies whose `X-Forwarded-For` is believed: addresses and networks.
    pub trusted_proxies: Vec<Network>,
    /// Origins whose scripts may use the API (CORS).
    pub allowed_origins: Vec<PublicUrl>,
    /// Origins of applications behind the door that people are sent back to when they have logged in (forward-auth).
    pub forward_origins: Vec<PublicUrl>,
    /// How many connections one client (an IPv4 address, an IPv6 /64) may hold at once; a trusted proxy any number.
    pub max_connections_per_client: NonZeroU32,
    /// How long a client may take to send the head of a request.
    #[serde(with = "duration_text")]
    pub header_timeout: Duration,
    /// How long a request may take, its body included.
    #[serde(with = "duration_text")]
    pub request_timeout: Duration,
    /// How long a connection stays on which nothing is asked for, and how long the answers that are left may take then.
    #[serde(with = "duration_text")]
    pub idle_timeout: Duration,
    /// How long open requests may go on after the signal to stop.
    #[serde(with = "duration_text")]
    pub shutdown_timeout: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
            public_url: PublicUrl { is_https: false, authority: "localhost:3000".to_owned() },
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            forward_origins: Vec::new(),
            max_connections_per_client: const { NonZeroU32::new(512).unwrap() },
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_mins(1),
            shutdown_timeout: Duration::from_secs(20),
        }
    }
}

/// An origin (RFC 6454): scheme, host and port, nothing behind them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicUrl {
    is_https: bool,
    /// Host and port, the port only if it is not the scheme's own.
    authority: String,
}

/// The text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicUrl {
    /// Not a URL with a host.
    #[error("must be a URL such as `https://login.example.org`")]
    Syntax,
    /// Neither http nor https.
    #[error("must begin with `http://` or `https://`")]
    Scheme,
    /// Something behind the host.
    #[error("must end after the host and port: no path, query or user name")]
    Extra,
}

impl PublicUrl {
    /// Whether browsers reach the server over TLS.
    pub const fn is_https(&self) -> bool {
        self.is_https
    }

    /// Host and port as they stand in a `Host` header.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        }
    }

    /// The URL of `path`, which begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        let host = self.host();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || host.ends_with(".localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_https { "https" } else { "http" }, self.authority)
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let uri: Uri = text.trim().parse().map_err(|_| InvalidPublicUrl::Syntax)?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(InvalidPublicUrl::Scheme),
            None => return Err(InvalidPublicUrl::Syntax),
        };
        let authority = uri.authority().filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or(InvalidPublicUrl::Syntax)?;
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains(['#', '?']);
        if !is_bare || authority.as_str().contains('@') {
            return Err(InvalidPublicUrl::Extra);
        }
        let host = authority.host().to_ascii_lowercase();
        let own_port = if is_https { 443 } else { 80 };
        let authority = match authority.port_u16() {
            Some(port) if port != own_port => format!("{host}:{port}"),
            None if authority.as_str().len() != host.len() => return Err(InvalidPublicUrl::Syntax),
            _ => host,
        };
        Ok(Self { is_https, authority })
    }
}

impl Serialize for PublicUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A network, or a single address as the network that holds only it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// The network itself.
    pub fn net(&self) -> IpNet {
        self.0
    }

    /// Whether `ip` is in it; an IPv4 address in IPv6 form counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(Self)
            .map_err(|_| D::Error::custom(format!("`{text}` is neither an address nor a network such as `10.0.0.0/8`")))
    }
}

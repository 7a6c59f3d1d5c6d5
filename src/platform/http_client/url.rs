//! URLs of servers that are called: http or https, a host, no user name and no password. They are read as browsers read
//! them (WHATWG), so that `0x7f.1` and `2130706433` are seen as the address that they spell. Neither `Debug` nor what is
//! written out shows the query, which may hold a secret.

use std::{fmt, net::IpAddr, str::FromStr};

use reqwest::Url;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::is_public;

/// The longest URL, in bytes.
const MAX_BYTES: usize = 2_048;
/// What stands in the place of a query.
const REDACTED: &str = "(redacted)";

/// The URL of a server that is called.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpUrl(Url);

/// The text is no such URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHttpUrl {
    /// Not a URL with a host, or far too long.
    #[error("must be a URL such as `https://app.example.org/hooks`")]
    Syntax,
    /// Neither http nor https.
    #[error("must begin with `https://` or `http://`")]
    Scheme,
    /// A name or a password before the host.
    #[error("must hold no user name and no password")]
    Credentials,
}

impl HttpUrl {
    /// Whether it is reached by TLS.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The name or address of the server.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Scheme, host and port: what may be shown to people.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Whether its host is an address that is not public; a name has to be looked up first.
    pub fn is_private_address(&self) -> bool {
        let host = self.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.is_ok_and(|address| !is_public(address))
    }

    /// Whether it is this machine, as far as the name tells: `localhost`, what is below it, and loopback addresses.
    pub fn is_this_machine(&self) -> bool {
        let host = self.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
    }

    pub(super) fn as_url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for HttpUrl {
    type Err = InvalidHttpUrl;

    fn from_str(text: &str) -> Result<Self, InvalidHttpUrl> {
        let text = text.trim();
        let url = Url::parse(text).map_err(|_| InvalidHttpUrl::Syntax)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidHttpUrl::Scheme);
        }
        if text.len() > MAX_BYTES || url.host_str().is_none_or(str::is_empty) {
            return Err(InvalidHttpUrl::Syntax);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidHttpUrl::Credentials);
        }
        Ok(Self(url))
    }
}

/// Without what stands in the query.
impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        url.set_fragment(None);
        url.set_query(self.0.query().map(|_| REDACTED));
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpUrl({self})")
    }
}

impl Serialize for HttpUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HttpUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> HttpUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_spelling_of_a_private_address_is_seen() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "１２７.０.０.１",
            "127。0。0。1",
            "0",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "2852039166",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:0:0:1]",
            "[fe80::1]",
            "[fd00:ec2::254]",
        ] {
            assert!(url(&format!("https://{host}/hook")).is_private_address(), "{host}");
        }
        for host in ["8.8.8.8", "[2606:4700:4700::1111]", "example.org", "localhost", "127.0.0.1.example.org"] {
            assert!(!url(&format!("https://{host}:8443/hook")).is_private_address(), "{host}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names_and_addresses() {
        for host in ["localhost", "LOCALHOST", "id.localhost", "127.0.0.1", "127.1", "0x7f.1", "[::1]"] {
            assert!(url(&format!("http://{host}:4000/")).is_this_machine(), "{host}");
        }
        for host in ["example.org", "localhost.example.org", "notlocalhost", "10.0.0.1", "0.0.0.0", "[::ffff:10.0.0.1]"]
        {
            assert!(!url(&format!("http://{host}/")).is_this_machine(), "{host}");
        }
    }

    #[test]
    fn what_is_no_such_url_is_refused() {
        for (text, reason) in [
            ("", InvalidHttpUrl::Syntax),
            ("example.org/hook", InvalidHttpUrl::Syntax),
            ("/hook", InvalidHttpUrl::Syntax),
            ("https://", InvalidHttpUrl::Syntax),
            ("https://1.2.3.4.5/", InvalidHttpUrl::Syntax),
            ("https://256.1.1.1/", InvalidHttpUrl::Syntax),
            ("https://[fe80::1%25eth0]/", InvalidHttpUrl::Syntax),
            ("ftp://example.org/", InvalidHttpUrl::Scheme),
            ("file:///etc/passwd", InvalidHttpUrl::Scheme),
            ("gopher://127.0.0.1/", InvalidHttpUrl::Scheme),
            ("https://ada@example.org/", InvalidHttpUrl::Credentials),
            ("https://ada:x@example.org/", InvalidHttpUrl::Credentials),
            ("https://example.org\\@evil.example/", InvalidHttpUrl::Credentials),
        ] {
            let read = HttpUrl::from_str(text);
            if text.contains('\\') {
                // A browser reads the backslash as a slash, and so the host is the first one.
                assert_eq!(read.unwrap().host(), "example.org");
            } else {
                assert_eq!(read, Err(reason), "{text}");
            }
        }
        assert_eq!(
            HttpUrl::from_str(&format!("https://example.org/{}", "a".repeat(2_100))),
            Err(InvalidHttpUrl::Syntax)
        );
    }

    #[test]
    fn what_is_shown_holds_no_query() {
        let url = url("https://example.org:8443/hook?token=s3cret#s3cret");
        assert_eq!(url.to_string(), "https://example.org:8443/hook?(redacted)");
        assert_eq!(url.origin(), "https://example.org:8443");
        assert!(!format!("{url:?}").contains("s3cret"));
        assert_eq!(url.as_url().query(), Some("token=s3cret"), "but it is called with it");
    }
}

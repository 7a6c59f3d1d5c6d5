//! Where a picture of a person is: an `http` or `https` address that a browser may load, and nothing that a page could be
//! made to run.

use http::Uri;

/// The longest address, in bytes.
pub const MAX_AVATAR_URL_BYTES: usize = 2_048;

/// The address of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvatarUrl(String);

/// The text is no such address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https URL of at most 2048 characters")]
pub struct InvalidAvatarUrl;

impl AvatarUrl {
    /// Checks an address.
    ///
    /// # Errors
    /// [`InvalidAvatarUrl`] for another scheme, no host, a name or password in it, characters that no URL has, or over
    /// 2,048 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidAvatarUrl> {
        let is_plain = text.len() <= MAX_AVATAR_URL_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
        let uri: Uri = text.parse().map_err(|_| InvalidAvatarUrl)?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        let names_somebody = uri.authority().is_none_or(|authority| authority.as_str().contains('@'));
        let has_marks = text.contains(['"', '<', '>', '\\', '^', '`', '{', '|', '}']);
        if is_plain && is_web && has_host && !names_somebody && !has_marks {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidAvatarUrl)
    }

    /// The text of the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_pass() {
        for text in ["https://example.org/a.png", "http://127.0.0.1:9000/x?y=%20&z=1", "HTTPS://Example.org/#me"] {
            assert_eq!(AvatarUrl::parse(text).map(|url| url.0).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_address_of_the_web_is_refused() {
        let long = format!("https://example.org/{}", "a".repeat(2_048));
        for text in [
            "",
            "x",
            "/a.png",
            "//example.org/a.png",
            "https://",
            "https:///a.png",
            "ftp://example.org/a.png",
            "javascript:alert(1)",
            "data:image/png;base64,AAAA",
            "https://ada:secret@example.org/",
            "https://example.org/a b",
            "https://example.org/\"onerror=x",
            "https://example.org/\n",
            "https://example.org/\0",
            "https://exämple.org/",
            &long,
        ] {
            assert_eq!(AvatarUrl::parse(text), Err(InvalidAvatarUrl), "{text:?}");
        }
    }
}

//! Where to go on after logging in: a path of this site, never another site. Judged as a browser reads addresses, which
//! take `\` for `/` and drop tabs and line breaks (WHATWG URL §4.4).

use crate::users::User;

/// The longest address that is carried along, in bytes.
const MAX_BYTES: usize = 2_000;

/// A path of this site that a browser can't take for another site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPath(String);

impl OwnPath {
    /// Takes an address if it is a path of this site.
    pub fn parse(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        let is_path = chars.next() == Some('/') && chars.next() != Some('/');
        let is_plain = text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
        (is_path && is_plain && text.len() <= MAX_BYTES).then(|| Self(text.to_owned()))
    }

    /// A path that stands in the code.
    pub fn known(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// The path, with its query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as the value of a query.
    pub fn in_query(&self) -> String {
        query_value(&self.0)
    }
}

/// Where a user starts.
pub fn home_of(user: &User) -> OwnPath {
    OwnPath::known(if user.role.may_manage_users() { "/dashboard/users" } else { "/account" })
}

/// Percent-encodes a text for the value of a query.
pub fn query_value(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].map(|half| char::from(b"0123456789ABCDEF"[usize::from(half)])));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_may_take_for_another_site_is_refused() {
        for text in [
            "",
            "x",
            "https://evil.test",
            "//evil.test",
            "///evil.test",
            "/\\evil.test",
            "\\/evil.test",
            "\\\\evil.test",
            "/\t/evil.test",
            "/\n/evil.test",
            "\t//evil.test",
            " //evil.test",
            "/ /evil.test",
            "/a\\..\\b",
            "javascript:alert(1)",
            "/\u{a0}x",
            "/ünï",
            "http:/evil.test",
            "/x\0",
            "/x\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(OwnPath::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_path_of_this_site_passes() {
        for text in
            ["/", "/account", "/dashboard/users?q=a%20b&sort=email", "/%2F/evil.test", "/a//b", "/a?x=https://b"]
        {
            assert_eq!(OwnPath::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(OwnPath::parse("/a?b=c&d").unwrap().in_query(), "/a%3Fb%3Dc%26d");
    }
}

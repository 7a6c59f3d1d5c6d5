//! `[database]`: which database, and how many connections to it.

use std::{fmt, num::NonZeroU32};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::Dialect;

/// `[database]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `sqlite://` and a path, or `postgres://user:password@host/name`.
    pub url: DatabaseUrl,
    /// The most connections that this process opens; for SQLite, the readers beside the one writer.
    pub max_connections: NonZeroU32,
}

impl DatabaseSettings {
    /// The settings for `url`, the others at their defaults.
    ///
    /// # Errors
    /// [`InvalidDatabaseUrl`] if it names no database.
    pub fn for_url(url: &str) -> Result<Self, InvalidDatabaseUrl> {
        Ok(Self { url: DatabaseUrl::parse(url)?, ..Self::default() })
    }
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        let max_connections = const { NonZeroU32::new(8).unwrap() };
        Self { url: DatabaseUrl("sqlite://data/latchkey.db".to_owned()), max_connections }
    }
}

/// Where the database is; may hold a password, and so is shown without it.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

/// The text names no database that this program works with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Neither SQLite nor PostgreSQL.
    #[error("must begin with `sqlite://` or `postgres://`")]
    Scheme,
    /// Every connection would have a database of its own.
    #[error("must name a file: a SQLite database in memory is empty for every connection")]
    InMemory,
    /// No path.
    #[error("names no file")]
    NoFile,
    /// Not a URL.
    #[error("is no URL: {0}")]
    Syntax(String),
}

impl DatabaseUrl {
    /// Checks that `text` names a SQLite file or a PostgreSQL database.
    ///
    /// # Errors
    /// [`InvalidDatabaseUrl`] says why it does not.
    pub fn parse(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let url = Self(text.trim().to_owned());
        match (url.dialect(), url.sqlite_path()) {
            (None, _) => Err(InvalidDatabaseUrl::Scheme),
            (Some(Dialect::Sqlite), Some("")) => Err(InvalidDatabaseUrl::NoFile),
            (Some(Dialect::Sqlite), Some(path)) if path.contains(":memory:") || path.contains('?') => {
                Err(InvalidDatabaseUrl::InMemory)
            }
            (Some(Dialect::Postgres), _) => {
                let syntax = url.0.parse::<sqlx::any::AnyConnectOptions>();
                syntax.map(|_| url).map_err(|error| InvalidDatabaseUrl::Syntax(error.to_string()))
            }
            _ => Ok(url),
        }
    }

    /// The whole text, password included.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text without its password.
    pub fn redacted(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return self.0.clone() };
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_end);
        // A password in the query is legal too; nothing of the query is shown.
        let path = path.split('?').next().unwrap_or("");
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                let user = user.split(':').next().unwrap_or("");
                format!("{scheme}://{user}:…@{host}{path}")
            }
            None => format!("{scheme}://{authority}{path}"),
        }
    }

    /// The language of the database.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        match self.0.split(':').next() {
            Some("sqlite") => Some(Dialect::Sqlite),
            Some("postgres" | "postgresql") => Some(Dialect::Postgres),
            _ => None,
        }
    }

    /// The path of a SQLite file, as it is written.
    pub(super) fn sqlite_path(&self) -> Option<&str> {
        self.0.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.redacted())
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

//! The database: SQLite or PostgreSQL behind one SQL text (`$1` works in both) and one pool type, `sqlx::Any`.
//! SQLite has one writer connection and several that can only read; PostgreSQL has one pool for both. Columns are TEXT
//! and BIGINT only. Every noun's file sends its statements through here; nobody else opens a connection.
//!
//! `sqlx::Any` was chosen over a type of our own with two arms because it costs nothing that can be measured: 32 tasks
//! reading by primary key made 44,900 reads a second on SQLite (44,600 bare) and 19,900 on PostgreSQL (18,200 bare), the
//! best of 25 slots each. NULLs of each type, affected rows and unique violations come through; the tests hold it to that.

mod dialect;
mod error;
mod migrate;
mod open;
mod settings;
mod swift;
mod together;
mod walk;

use std::sync::Arc;

use sqlx::{Any, AnyPool, Execute, Transaction, any::AnyRow};

pub use dialect::Dialect;
pub use error::{DbError, is_unavailable, is_unique_violation};
pub use settings::{DatabaseSettings, DatabaseUrl, InvalidDatabaseUrl};
pub use together::{Write, fetch_together, write_together};
pub use walk::{Walk, WalkStep};

use self::swift::SwiftReads;
use super::TokenHash;

/// A transaction that may write.
pub type Tx = Transaction<'static, Any>;

/// The database of this process; clones share the connections.
#[derive(Clone)]
pub struct Db(Arc<Pools>);

struct Pools {
    dialect: Dialect,
    reader: AnyPool,
    swift: SwiftReads,
    writer: AnyPool,
}

impl Db {
    /// Connects, and makes the file and directory of a SQLite database if they are missing. Migrates nothing.
    ///
    /// # Errors
    /// [`DbError`] if the database can't be reached or its file can't be made.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, DbError> {
        open::open(settings).await.map(|pools| Self(Arc::new(pools)))
    }

    /// Brings the schema up to date and answers how many migrations that took. Processes that migrate at once wait for
    /// each other; either all pending migrations are applied or none.
    ///
    /// # Errors
    /// [`DbError`] if a migration fails, or the database was migrated by a newer version.
    pub async fn migrate(&self) -> Result<usize, DbError> {
        migrate::migrate(self).await
    }

    /// How many migrations are still to be applied.
    ///
    /// # Errors
    /// [`DbError`] if the database does not answer or was migrated by a newer version.
    pub async fn pending_migrations(&self) -> Result<usize, DbError> {
        migrate::pending(self).await
    }

    /// The connections for reading, outside of any transaction.
    pub fn reader(&self) -> &AnyPool {
        &self.0.reader
    }

    /// The row that a statement finds, if it finds one, by a connection that is kept at hand: twice as fast as by
    /// [`Self::reader`], for what every request asks.
    ///
    /// # Errors
    /// [`sqlx::Error`] if no connection is free in time, or the database does not answer.
    pub async fn fetch_swiftly<'q, E>(&self, query: E) -> Result<Option<AnyRow>, sqlx::Error>
    where
        E: Execute<'q, Any> + 'q,
    {
        self.0.swift.fetch_optional(query).await
    }

    /// The few rows that a statement finds, in the same way.
    ///
    /// # Errors
    /// [`sqlx::Error`] if no connection is free in time, or the database does not answer.
    pub async fn fetch_all_swiftly<'q, E>(&self, query: E) -> Result<Vec<AnyRow>, sqlx::Error>
    where
        E: Execute<'q, Any> + 'q,
    {
        self.0.swift.fetch_all(query).await
    }

    /// Starts a transaction that may write; what it commits survives a power cut. In SQLite it is the only one until it
    /// ends.
    ///
    /// # Errors
    /// [`sqlx::Error`] if no connection is free in time, or the database does not answer.
    pub async fn begin(&self) -> Result<Tx, sqlx::Error> {
        self.0.writer.begin_with(self.0.dialect.begin()).await
    }

    /// Starts the same for what may be forgotten when the machine loses power, though not when the process ends: counts,
    /// and what people simply do again. In SQLite it does not wait for the disk.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn begin_relaxed(&self) -> Result<Tx, sqlx::Error> {
        self.0.writer.begin_with(self.0.dialect.begin_relaxed()).await
    }

    /// The language of the database.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`sqlx::Error`] if it gives none.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        sqlx::query(self.0.dialect.ping()).execute(self.reader()).await.map(drop)
    }

    /// Waits for all connections to come back and closes them.
    pub async fn close(&self) {
        self.0.swift.close();
        self.0.reader.close().await;
        self.0.writer.close().await;
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("dialect", &self.0.dialect).finish_non_exhaustive()
    }
}

/// Lets only one transaction at a time pass this point for `name`, over all processes.
///
/// # Errors
/// [`sqlx::Error`] if the lock is not granted in time.
pub async fn lock(tx: &mut Tx, dialect: Dialect, name: &'static str) -> Result<(), sqlx::Error> {
    let Some(statement) = dialect.lock() else { return Ok(()) };
    let digits = TokenHash::of(name.as_bytes()).as_str().get(..15).map(|digits| i64::from_str_radix(digits, 16));
    let Some(Ok(number)) = digits else { return Err(sqlx::Error::Protocol("no number for a lock".to_owned())) };
    sqlx::query(statement).bind(number).execute(&mut **tx).await.map(drop)
}

#[cfg(test)]
mod tests;

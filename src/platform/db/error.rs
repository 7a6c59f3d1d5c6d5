//! What can go wrong with the database, and the two questions that other floors ask of an error.

use std::{borrow::Cow, io, path::PathBuf};

use sqlx::{error::DatabaseError, migrate::MigrateError};

/// SQLite: another connection holds the file (its primary result codes `SQLITE_BUSY` and `SQLITE_LOCKED`).
const SQLITE_BUSY: [i32; 2] = [5, 6];
/// PostgreSQL (Appendix A): deadlock, serialization, lock not available, statement timeout, shutdown, too many clients.
const POSTGRES_BUSY: [&str; 8] = ["40P01", "40001", "55P03", "57014", "57P01", "57P02", "57P03", "53300"];

/// The database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The file or directory of a SQLite database can't be made.
    #[error("the database file {path} can't be used: {source}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The database can't be reached.
    #[error("the database {url} can't be opened: {source}")]
    Open {
        /// The address, without its password.
        url: String,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The database was migrated by a newer version of this program, or its migrations were changed.
    #[error("the database does not fit this version: migration {version} is unknown to it or was changed")]
    Foreign {
        /// The number of the migration.
        version: i64,
    },
    /// A migration failed; the schema is as it was.
    #[error("a migration failed and changed nothing: {0}")]
    Migrate(MigrateError),
    /// A statement failed.
    #[error("the database failed: {0}")]
    Statement(#[from] sqlx::Error),
}

impl From<MigrateError> for DbError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => Self::Foreign { version },
            error => Self::Migrate(error),
        }
    }
}

/// Whether a row was refused because another one has the same value in a unique column. On PostgreSQL the transaction
/// it happened in can only be rolled back.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
}

/// Whether the database was only too busy, or away: the same request may succeed later.
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(is_busy_code),
        _ => false,
    }
}

/// SQLite's codes are decimal numbers whose low byte is the primary code; PostgreSQL's have five characters.
#[expect(clippy::needless_pass_by_value, reason = "it is what the driver gives")]
fn is_busy_code(code: Cow<'_, str>) -> bool {
    let sqlite = code.parse::<i32>().is_ok_and(|number| SQLITE_BUSY.contains(&(number & 0xff)));
    if code.len() == 5 { POSTGRES_BUSY.contains(&&*code) } else { sqlite }
}

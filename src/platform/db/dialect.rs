//! What SQLite and PostgreSQL spell differently, all in this one place; every other statement is written once.

use sqlx::{AnyConnection, migrate::Migrator};

/// The language of the connected database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One file; one writer at a time.
    Sqlite,
    /// A server, shared by several processes.
    Postgres,
}

/// Pragmas of every SQLite connection. The memory map stays off: it made reads 13 % faster, but each page that was ever
/// read would count as memory of the process.
const SQLITE_EVERY: &str = "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000; PRAGMA busy_timeout = 5000; \
    PRAGMA foreign_keys = ON;";
/// Pragmas of the one writer. Pages that many write are copied back once in 16 MB of them.
const SQLITE_WRITER: &str = "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;";
/// Pragmas of the readers: a write that got lost in a read is an error.
const SQLITE_READER: &str = "PRAGMA query_only = ON;";
/// Bounds for a PostgreSQL connection: no statement and no forgotten transaction holds its locks for long. And no merge
/// joins: where all who were logged in when statistics were last taken are among the first users, the planner believes
/// that a merge ends there too, and reads a million users for the session of the last one.
const POSTGRES_EVERY: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '30s'; SET enable_mergejoin = off";

impl Dialect {
    /// The language of a connection or transaction.
    pub fn of(connection: &AnyConnection) -> Self {
        if connection.backend_name() == <sqlx::Postgres as sqlx::Database>::NAME {
            Self::Postgres
        } else {
            Self::Sqlite
        }
    }

    /// Starts a transaction that may write and, once committed, survives a power cut.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            // A transaction that starts by reading and then writes would fail at once if another writer came between.
            Self::Sqlite => "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// The same for one that survives the end of the process, and need not survive a power cut.
    pub(super) const fn begin_relaxed(self) -> &'static str {
        match self {
            Self::Sqlite => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
            // PostgreSQL would not even survive the end of its own process.
            Self::Postgres => "BEGIN",
        }
    }

    /// Asks the database for an answer that it can't give without its file or server.
    pub(super) const fn ping(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT count(*) FROM sqlite_schema",
            Self::Postgres => "SELECT 1",
        }
    }

    /// Counts tables named `$1`.
    pub(super) const fn count_tables(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1",
            Self::Postgres => {
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1"
            }
        }
    }

    /// Locks the number `$1` until the transaction ends; `None` where the one writer is the lock.
    pub(super) const fn lock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock($1)"),
        }
    }

    /// Behind a `SELECT`: holds its rows as they are until the transaction ends; nothing where the one writer does that.
    pub const fn hold_rows(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR NO KEY UPDATE",
        }
    }

    /// The function that says where in a text a part begins, counted from 1; 0 where it is not in it.
    pub const fn position_of_part(self) -> &'static str {
        match self {
            Self::Sqlite => "instr",
            Self::Postgres => "strpos",
        }
    }

    /// Lifts the bounds on time for the transaction at hand.
    pub(super) const fn take_your_time(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"),
        }
    }

    /// The embedded migrations. The lock is taken by the caller.
    pub(super) fn migrator(self) -> Migrator {
        let mut migrator = match self {
            Self::Sqlite => sqlx::migrate!("migrations/sqlite"),
            Self::Postgres => sqlx::migrate!("migrations/postgres"),
        };
        migrator.set_locking(false);
        migrator
    }

    /// Prepares a connection that may write.
    pub(super) async fn prepare_writer(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite => {
                run(connection, SQLITE_EVERY).await?;
                run(connection, SQLITE_WRITER).await
            }
            Self::Postgres => run(connection, POSTGRES_EVERY).await,
        }
    }

    /// Prepares a connection that only reads.
    pub(super) async fn prepare_reader(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite => {
                run(connection, SQLITE_EVERY).await?;
                run(connection, SQLITE_READER).await
            }
            Self::Postgres => run(connection, POSTGRES_EVERY).await,
        }
    }
}

async fn run(connection: &mut AnyConnection, statements: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(statements).execute(connection).await.map(drop)
}

//! Swift reads: for the statements that every request or every log-in pays for. A pool asks each connection for a sign of life when it
//! comes back, which takes as long as the read itself; here a connection that has answered is kept at hand without, and
//! only one that failed, or whose caller went away in the middle, goes back to the pool to be asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::{Any, AnyPool, Connection, Execute, Executor, any::AnyRow, pool::PoolConnection};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{
    Dialect,
    open::{ACQUIRE_TIMEOUT, RESTED},
};

/// Connections that are lent for one statement at a time.
pub(super) struct SwiftReads {
    dialect: Dialect,
    pool: AnyPool,
    places: Semaphore,
    at_hand: Mutex<Vec<Rested>>,
}

struct Rested {
    connection: PoolConnection<Any>,
    since: Instant,
}

impl SwiftReads {
    /// Takes half of the pool's connections at most, so that the others are there for everything else.
    pub(super) fn of(pool: AnyPool, dialect: Dialect) -> Self {
        let places = (pool.options().get_max_connections() / 2).max(1);
        Self { dialect, pool, places: Semaphore::new(places as usize), at_hand: Mutex::default() }
    }

    /// The row that a statement finds, if it finds one.
    pub(super) async fn fetch_optional<'q, E>(&self, query: E) -> Result<Option<AnyRow>, sqlx::Error>
    where
        E: Execute<'q, Any> + 'q,
    {
        let _place = self.place().await?;
        let mut connection = self.connection().await?;
        let row = connection.fetch_optional(query).await?;
        self.keep(connection);
        Ok(row)
    }

    /// The rows that a statement finds; a few, since they are all held.
    pub(super) async fn fetch_all<'q, E>(&self, query: E) -> Result<Vec<AnyRow>, sqlx::Error>
    where
        E: Execute<'q, Any> + 'q,
    {
        let _place = self.place().await?;
        let mut connection = self.connection().await?;
        let rows = connection.fetch_all(query).await?;
        self.keep(connection);
        Ok(rows)
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, sqlx::Error> {
        let place = tokio::time::timeout(ACQUIRE_TIMEOUT, self.places.acquire()).await;
        place.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)
    }

    fn keep(&self, connection: PoolConnection<Any>) {
        if !self.pool.is_closed() {
            self.at_hand().push(Rested { connection, since: Instant::now() });
        }
    }

    /// Gives all connections back and lends none any more.
    pub(super) fn close(&self) {
        self.places.close();
        self.at_hand().clear();
    }

    /// A file is always there; a server may have gone since it was last asked.
    async fn connection(&self) -> Result<PoolConnection<Any>, sqlx::Error> {
        let Some(Rested { mut connection, since }) = self.take() else { return self.pool.acquire().await };
        let is_trusted = self.dialect == Dialect::Sqlite || since.elapsed() < RESTED;
        if is_trusted || connection.ping().await.is_ok() {
            return Ok(connection);
        }
        drop(connection);
        self.pool.acquire().await
    }

    fn take(&self) -> Option<Rested> {
        self.at_hand().pop()
    }

    fn at_hand(&self) -> MutexGuard<'_, Vec<Rested>> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

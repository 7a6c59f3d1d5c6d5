//! Swift reads: for the one statement that every request pays for. A pool asks each connection for a sign of life when it
//! comes back, which takes as long as the read itself; here a connection that has answered is kept at hand without, and
//! only one that failed, or whose caller went away in the middle, goes back to the pool to be asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::{Any, AnyPool, Connection, Execute, Executor, any::AnyRow, pool::PoolConnection};
use tokio::{sync::Semaphore, time::Instant};

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
        let place = tokio::time::timeout(ACQUIRE_TIMEOUT, self.places.acquire()).await;
        let _place = place.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let mut connection = self.connection().await?;
        let row = connection.fetch_optional(query).await?;
        if !self.pool.is_closed() {
            self.at_hand().push(Rested { connection, since: Instant::now() });
        }
        Ok(row)
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

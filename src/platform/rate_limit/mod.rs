//! Rate limits that all processes share through the database, by the generic cell rate algorithm: one row a bucket,
//! which holds the instant at which the bucket is full again, and one statement a try. A refusal takes from no bucket.
//! Subjects (addresses, accounts) are stored as SHA-256 only. Called by flows before they prove or change anything.

mod limit;
mod settings;

use std::net::{IpAddr, Ipv6Addr};

use sqlx::Row;

pub use limit::{InvalidLimit, Limit};
pub use settings::LimitSettings;

use super::{Db, Timestamp, TokenHash, Tx};

/// How many refilled buckets one transaction of [`RateLimiter::sweep`] deletes.
const SWEEP_BATCH: i64 = 1000;

/// One bucket to take a try from.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    /// What is limited, such as `log_in_per_ip`.
    pub name: &'static str,
    /// Who is limited: an [`ip_subject`], an account.
    pub subject: &'a str,
    /// How often.
    pub limit: Limit,
}

/// A try was not granted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A bucket is empty.
    #[error("too many tries; the next is possible in {retry_after_secs} s")]
    TooMany {
        /// When it holds a try again, in seconds.
        retry_after_secs: u32,
    },
    /// The database failed. What can't be counted is not allowed.
    #[error("the limits can't be read: {0}")]
    Internal(#[from] sqlx::Error),
}

/// Counts tries.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    db: Db,
}

impl RateLimiter {
    /// Counts in `db`.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Takes one try from each bucket, or from none.
    ///
    /// # Errors
    /// [`Refused::TooMany`] if one of them is empty, [`Refused::Internal`] if the database failed.
    pub async fn take(&self, now: Timestamp, buckets: &[Bucket<'_>]) -> Result<(), Refused> {
        if buckets.iter().all(|bucket| bucket.limit.is_off()) {
            return Ok(());
        }
        let mut tx = self.db.begin_relaxed().await?;
        self.take_in(&mut tx, now, buckets).await?;
        Ok(tx.commit().await?)
    }

    /// The same in a transaction of the caller, who commits it where a try was granted and drops it where not.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub async fn take_in(&self, tx: &mut Tx, now: Timestamp, buckets: &[Bucket<'_>]) -> Result<(), Refused> {
        let mut cells: Vec<Cell> = buckets.iter().filter(|bucket| !bucket.limit.is_off()).map(Cell::of).collect();
        // One order for all, so that two takes can't wait for each other.
        cells.sort_by(|a, b| a.key.as_str().cmp(b.key.as_str()));
        for cell in &cells {
            cell.take(tx, now).await?;
        }
        Ok(())
    }

    /// Deletes buckets that are full again, which are worth as much as none, and answers how many.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the database failed.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, sqlx::Error> {
        let mut total = 0;
        loop {
            let deleted = self.sweep_batch(now).await?;
            total += deleted;
            if deleted < SWEEP_BATCH.unsigned_abs() {
                return Ok(total);
            }
        }
    }

    /// The second condition matters: a bucket may have been taken from since it was picked.
    async fn sweep_batch(&self, now: Timestamp) -> Result<u64, sqlx::Error> {
        let mut tx = self.db.begin_relaxed().await?;
        let deleted = sqlx::query(
            "DELETE FROM rate_limits WHERE full_at <= $1
             AND key IN (SELECT key FROM rate_limits WHERE full_at <= $1 ORDER BY full_at LIMIT $2)",
        )
        .bind(now.as_micros())
        .bind(SWEEP_BATCH)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(deleted.rows_affected())
    }
}

/// The subject of an IP address: IPv4 as it is, IPv6 by its /64, which is what one customer gets.
pub fn ip_subject(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// A bucket as its row sees it.
struct Cell {
    key: TokenHash,
    limit: Limit,
}

impl Cell {
    fn of(bucket: &Bucket<'_>) -> Self {
        Self { key: TokenHash::of(format!("{}\0{}", bucket.name, bucket.subject).as_bytes()), limit: bucket.limit }
    }

    async fn take(&self, tx: &mut Tx, now: Timestamp) -> Result<(), Refused> {
        if self.upsert(tx, now).await? {
            return Ok(());
        }
        let full_at = self.find_full_at(tx).await?.unwrap_or(now.as_micros());
        let micros = full_at.saturating_sub(self.latest_full_at(now)).max(0);
        let secs = micros.unsigned_abs().div_ceil(1_000_000).max(1);
        Err(Refused::TooMany { retry_after_secs: u32::try_from(secs).unwrap_or(u32::MAX) })
    }

    /// The latest instant of being full that leaves a try to take.
    fn latest_full_at(&self, now: Timestamp) -> i64 {
        now.as_micros().saturating_add(self.limit.micros() - self.limit.micros_a_try())
    }

    /// Moves the instant of being full by one try; `false` if there was none left.
    async fn upsert(&self, tx: &mut Tx, now: Timestamp) -> Result<bool, sqlx::Error> {
        let row = sqlx::query(
            "INSERT INTO rate_limits (key, full_at) VALUES ($1, $2 + $3)
             ON CONFLICT (key) DO UPDATE
             SET full_at = CASE WHEN rate_limits.full_at > $2 THEN rate_limits.full_at ELSE $2 END + $3
             WHERE rate_limits.full_at <= $4
             RETURNING full_at",
        )
        .bind(self.key.as_str())
        .bind(now.as_micros())
        .bind(self.limit.micros_a_try())
        .bind(self.latest_full_at(now))
        .fetch_optional(&mut **tx)
        .await?;
        Ok(row.is_some())
    }

    async fn find_full_at(&self, tx: &mut Tx) -> Result<Option<i64>, sqlx::Error> {
        let row = sqlx::query("SELECT full_at FROM rate_limits WHERE key = $1")
            .bind(self.key.as_str())
            .fetch_optional(&mut **tx)
            .await?;
        row.map(|row| row.try_get(0)).transpose()
    }
}

#[cfg(test)]
mod tests;

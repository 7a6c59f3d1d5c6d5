//! Rate limits that all processes share through the database, by the generic cell rate algorithm: one row a bucket,
//! which holds the instant at which the bucket is full again, and one statement for all buckets of a try. A refusal takes
//! from none. Subjects (addresses, accounts) are stored as SHA-256 only. Called by flows before they prove or change anything.

mod limit;
mod settings;

use std::net::{IpAddr, Ipv6Addr};

use sqlx::Row;

pub use limit::{InvalidLimit, Limit};
pub use settings::LimitSettings;

use super::{Db, Timestamp, TokenHash, Tx, Walk, WalkStep};

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

    /// Takes one try from each bucket, or from none. No bucket is named twice.
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
        if cells.is_empty() {
            return Ok(());
        }
        let granted = take_each(tx, now, &cells).await?;
        let mut wait = None;
        for cell in cells.iter().filter(|cell| !granted.iter().any(|key| key == cell.key.as_str())) {
            wait = wait.max(Some(cell.secs_to_wait(tx, now).await?));
        }
        match wait {
            None => Ok(()),
            Some(retry_after_secs) => Err(Refused::TooMany { retry_after_secs }),
        }
    }

    /// Deletes buckets that are full again, which are worth as much as none, and answers how many.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the database failed.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, sqlx::Error> {
        let (mut total, mut walk) = (0, Walk::through("rate_limits", "key"));
        while let Some(WalkStep { after, upto }) = walk.step(&self.db).await? {
            let mut tx = self.db.begin_relaxed().await?;
            let deleted = sqlx::query("DELETE FROM rate_limits WHERE key > $1 AND key <= $2 AND full_at <= $3")
                .bind(after)
                .bind(upto)
                .bind(now.as_micros())
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            total += deleted.rows_affected();
        }
        Ok(total)
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

    /// How long it takes until a refused try would be granted, at least one second.
    async fn secs_to_wait(&self, tx: &mut Tx, now: Timestamp) -> Result<u32, sqlx::Error> {
        let full_at = self.find_full_at(tx).await?.unwrap_or(now.as_micros());
        let micros = full_at.saturating_sub(self.latest_full_at(now)).max(0);
        let secs = micros.unsigned_abs().div_ceil(1_000_000).max(1);
        Ok(u32::try_from(secs).unwrap_or(u32::MAX))
    }

    /// The latest instant of being full that leaves a try to take.
    fn latest_full_at(&self, now: Timestamp) -> i64 {
        now.as_micros().saturating_add(self.limit.micros() - self.limit.micros_a_try())
    }

    async fn find_full_at(&self, tx: &mut Tx) -> Result<Option<i64>, sqlx::Error> {
        let row = sqlx::query("SELECT full_at FROM rate_limits WHERE key = $1")
            .bind(self.key.as_str())
            .fetch_optional(&mut **tx)
            .await?;
        row.map(|row| row.try_get(0)).transpose()
    }
}

/// Moves each instant of being full by one try where there is one left; answers with the keys of those.
async fn take_each(tx: &mut Tx, now: Timestamp, cells: &[Cell]) -> Result<Vec<String>, sqlx::Error> {
    let sql = taking(cells.len());
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(now.as_micros());
    for cell in cells {
        query = query.bind(cell.key.as_str()).bind(cell.limit.micros_a_try()).bind(cell.latest_full_at(now));
    }
    let rows = query.fetch_all(&mut **tx).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// The statement for so many buckets: `$1` is now, and each has its key, what a try costs, and the latest instant of being
/// full that leaves one.
fn taking(buckets: usize) -> String {
    let each = |part: fn(usize) -> String| (0..buckets).map(|nth| part(2 + 3 * nth)).collect::<Vec<_>>();
    let rows = each(|key| format!("(${key}, $1 + ${})", key + 1)).join(", ");
    let latest = each(|key| format!("WHEN ${key} THEN ${}", key + 2)).join(" ");
    format!(
        "INSERT INTO rate_limits (key, full_at) VALUES {rows}
         ON CONFLICT (key) DO UPDATE
         SET full_at = CASE WHEN rate_limits.full_at > $1 THEN rate_limits.full_at - $1 ELSE 0 END + excluded.full_at
         WHERE rate_limits.full_at <= CASE excluded.key {latest} END
         RETURNING key"
    )
}

#[cfg(test)]
mod tests;

//! From events to deliveries. An event says by a mark of its own that nobody was told of it yet, not by lying behind some id:
//! ids are in the order in which requests began, and a transaction that ends late must not be passed over. The mark goes
//! in the transaction that makes the deliveries, so each is made once, whoever is killed in between.

use sqlx::Row;

use crate::{
    events::webhooks::{self, Standing},
    platform::{Db, Entropy, Timestamp, Tx, lock},
};

/// How many events one transaction deals with; on SQLite nobody else writes meanwhile.
const BATCH: i64 = 100;
/// What only one process at a time does.
const LOCK: &str = "tell webhooks";

struct Untold {
    id: String,
    at: Timestamp,
    kind: String,
}

/// Makes the deliveries of the events of which nobody was told; how many events there were.
///
/// # Errors
/// What the database says.
pub async fn tell(db: &Db, entropy: &Entropy, now: Timestamp) -> Result<usize, sqlx::Error> {
    let mut total = 0;
    loop {
        let found = sqlx::query("SELECT 1 FROM events WHERE to_tell IS NOT NULL LIMIT 1").fetch_optional(db.reader());
        if found.await?.is_none() {
            return Ok(total);
        }
        // What is forgotten with the power is made again: marks and deliveries are forgotten together.
        let mut tx = db.begin_relaxed().await?;
        lock(&mut tx, db.dialect(), LOCK).await?;
        let told = tell_some(&mut tx, entropy, now).await?;
        tx.commit().await?;
        total += told;
    }
}

async fn tell_some(tx: &mut Tx, entropy: &Entropy, now: Timestamp) -> Result<usize, sqlx::Error> {
    let endpoints = webhooks::to_tell(tx).await?;
    let rows = sqlx::query("SELECT id, at, kind FROM events WHERE to_tell IS NOT NULL ORDER BY id LIMIT $1")
        .bind(BATCH)
        .fetch_all(&mut **tx)
        .await?;
    for row in &rows {
        let at = Timestamp::from_micros(row.try_get(1)?);
        let event = Untold { id: row.try_get(0)?, at, kind: row.try_get(2)? };
        for endpoint in endpoints.iter().filter(|endpoint| is_for(endpoint, &event)) {
            insert(tx, (entropy.uuid_v7(now), now), (endpoint, &event)).await?;
        }
        sqlx::query("UPDATE events SET to_tell = NULL WHERE id = $1").bind(event.id).execute(&mut **tx).await?;
    }
    Ok(rows.len())
}

fn is_for(endpoint: &Standing, event: &Untold) -> bool {
    endpoint.since <= event.at && webhooks::wants(&endpoint.events, &event.kind)
}

async fn insert(
    tx: &mut Tx,
    (id, now): (String, Timestamp),
    (endpoint, event): (&Standing, &Untold),
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO webhook_deliveries (id, endpoint, event_id, kind, created_at, due_at, attempts, claimed_until)
         VALUES ($1, $2, $3, $4, $5, $5, 0, 0) ON CONFLICT (endpoint, event_id) DO NOTHING",
    )
    .bind(id)
    .bind(&endpoint.id)
    .bind(&event.id)
    .bind(&event.kind)
    .bind(now.as_micros())
    .execute(&mut **tx)
    .await
    .map(drop)
}

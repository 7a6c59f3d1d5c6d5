//! The way of a delivery to its endpoint. What is noted here may be forgotten when the machine loses power, and is then
//! sent once more under the same id, which receivers have to expect anyway.

use std::time::Duration;

use sqlx::{Row, any::AnyRow};

use crate::{
    events::webhooks::TEST_KIND,
    platform::{Db, Entropy, Timestamp, Tx},
    shared::{DeliveryId, EventId},
};

/// How long deliveries that have arrived or failed stay to be looked at.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// How many one sweep deletes at a time.
const SWEEP_BATCH: i64 = 1_000;
/// How many deliveries are looked at for one to claim; the others may be claimed by somebody else meanwhile.
const CANDIDATES: i64 = 8;
/// The longest answer that is kept, in characters; it may come from anybody.
const MAX_ANSWER_CHARS: usize = 300;

/// A delivery that this process has claimed.
#[derive(Clone, Debug)]
pub struct DueDelivery {
    /// Which one.
    pub id: DeliveryId,
    /// The event, and the id that the receiver knows it by.
    pub event: EventId,
    /// What is sent, where it is no event.
    pub body: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// Under what it is claimed.
    claim: String,
}

/// Claims the delivery to an endpoint that is due first, for as long as `lease`; `None` if none is. Of several processes
/// one gets it.
///
/// # Errors
/// What the database says.
pub async fn claim(
    (db, entropy): (&Db, &Entropy),
    endpoint: &str,
    (now, lease): (Timestamp, Duration),
) -> Result<Option<DueDelivery>, sqlx::Error> {
    loop {
        let due = due(db, endpoint, now).await?;
        if due.is_empty() {
            return Ok(None);
        }
        for id in due {
            let claim = entropy.uuid_v7(now);
            let mut tx = db.begin_relaxed().await?;
            let row = take(&mut tx, (&id, &claim), (now, now.plus(lease))).await?;
            tx.commit().await?;
            if let Some(row) = row {
                return Ok(Some(DueDelivery {
                    id: DeliveryId::new(id),
                    event: EventId::new(row.try_get::<String, _>(0)?),
                    body: row.try_get(1)?,
                    attempts: u32::try_from(row.try_get::<i64, _>(2)?).unwrap_or(u32::MAX),
                    claim,
                }));
            }
        }
        // All of them went to others, so there is less to do now than there was.
    }
}

async fn due(db: &Db, endpoint: &str, now: Timestamp) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id FROM webhook_deliveries WHERE endpoint = $1 AND delivered_at IS NULL AND failed_at IS NULL
             AND due_at <= $2 AND claimed_until <= $2
             AND EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.id = $1 AND e.gone_at IS NULL)
         ORDER BY due_at, id LIMIT $3",
    )
    .bind(endpoint)
    .bind(now.as_micros())
    .bind(CANDIDATES)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

async fn take(
    tx: &mut Tx,
    (id, claim): (&str, &str),
    (now, until): (Timestamp, Timestamp),
) -> Result<Option<AnyRow>, sqlx::Error> {
    sqlx::query(
        "UPDATE webhook_deliveries SET claim = $1, claimed_until = $2
         WHERE id = $3 AND claimed_until <= $4 AND due_at <= $4 AND delivered_at IS NULL AND failed_at IS NULL
         RETURNING event_id, body, attempts",
    )
    .bind(claim)
    .bind(until.as_micros())
    .bind(id)
    .bind(now.as_micros())
    .fetch_optional(&mut **tx)
    .await
}

/// Notes that a delivery has arrived. Whoever has claimed or given it up since: it has arrived.
///
/// # Errors
/// What the database says.
pub async fn mark_delivered(db: &Db, due: &DueDelivery, (now, answer): (Timestamp, &str)) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_relaxed().await?;
    sqlx::query(
        "UPDATE webhook_deliveries SET delivered_at = $1, failed_at = NULL, answer = $2, attempts = attempts + 1,
             claim = NULL, claimed_until = 0
         WHERE id = $3 AND delivered_at IS NULL",
    )
    .bind(now.as_micros())
    .bind(cut(answer))
    .bind(due.id.as_str())
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Puts a delivery off that was not taken.
///
/// # Errors
/// What the database says.
pub async fn put_off(db: &Db, due: &DueDelivery, (due_at, answer): (Timestamp, &str)) -> Result<(), sqlx::Error> {
    postpone(db, due, (due_at, Some(answer)), 1).await
}

/// Lets go of a delivery that was not tried to its end.
///
/// # Errors
/// What the database says.
pub async fn release(db: &Db, due: &DueDelivery, now: Timestamp) -> Result<(), sqlx::Error> {
    postpone(db, due, (now, None), 0).await
}

async fn postpone(
    db: &Db,
    due: &DueDelivery,
    (due_at, answer): (Timestamp, Option<&str>),
    attempts: i64,
) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_relaxed().await?;
    sqlx::query(
        "UPDATE webhook_deliveries SET due_at = $1, answer = COALESCE($2, answer), attempts = attempts + $3,
             claim = NULL, claimed_until = 0
         WHERE id = $4 AND claim = $5",
    )
    .bind(due_at.as_micros())
    .bind(answer.map(cut))
    .bind(attempts)
    .bind(due.id.as_str())
    .bind(&due.claim)
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Gives a delivery up.
///
/// # Errors
/// What the database says.
pub async fn give_up(db: &Db, due: &DueDelivery, (now, answer): (Timestamp, &str)) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_relaxed().await?;
    sqlx::query(
        "UPDATE webhook_deliveries SET failed_at = $1, answer = $2, attempts = attempts + 1, claim = NULL,
             claimed_until = 0
         WHERE id = $3 AND claim = $4",
    )
    .bind(now.as_micros())
    .bind(cut(answer))
    .bind(due.id.as_str())
    .bind(&due.claim)
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

fn cut(answer: &str) -> String {
    answer.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_ANSWER_CHARS).collect()
}

/// Lets a delivery be tried at once that failed or was put off, with all its tries before it; whether there was such a one
/// to an endpoint that is there.
///
/// # Errors
/// What the database says.
pub async fn retry(tx: &mut Tx, id: &DeliveryId, now: Timestamp) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE webhook_deliveries SET failed_at = NULL, attempts = 0, due_at = $1
         WHERE id = $2 AND delivered_at IS NULL AND claimed_until <= $1
             AND EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.id = endpoint AND e.gone_at IS NULL)",
    )
    .bind(now.as_micros())
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a test into the queue of an endpoint; whether that is there.
///
/// # Errors
/// What the database says.
pub async fn put_test(
    tx: &mut Tx,
    (id, event): (&DeliveryId, &EventId),
    (endpoint, body): (&str, &str),
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO webhook_deliveries (id, endpoint, event_id, kind, body, created_at, due_at, attempts, claimed_until)
         SELECT $1, e.id, $2, $3, $4, $5, $5, 0, 0 FROM webhook_endpoints e WHERE e.id = $6 AND e.gone_at IS NULL",
    )
    .bind(id.as_str())
    .bind(event.as_str())
    .bind(TEST_KIND)
    .bind(body)
    .bind(now.as_micros())
    .bind(endpoint)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes what has long arrived or failed; how many there were.
///
/// # Errors
/// What the database says.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, sqlx::Error> {
    // Ids begin with the time at which they were made, so the index of the ids is one of age.
    let before = Entropy::first_uuid_v7(now.minus(KEPT));
    let mut total = 0;
    loop {
        let mut tx = db.begin().await?;
        let deleted = sqlx::query(
            "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE id < $1
                 AND (delivered_at IS NOT NULL OR failed_at IS NOT NULL) ORDER BY id LIMIT $2)",
        )
        .bind(&before)
        .bind(SWEEP_BATCH)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        total += deleted;
        if deleted < SWEEP_BATCH.unsigned_abs() {
            return Ok(total);
        }
    }
}

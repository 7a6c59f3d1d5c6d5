//! The endpoints as rows: what all processes must agree on. The process that starts last says which there are; an event
//! that is written while there is none costs nothing. An endpoint that said that it is gone (410) is left alone until a
//! process starts again.

use sqlx::Row;

use super::Endpoint;
use crate::platform::{Db, Timestamp, Tx};

/// Why nothing is sent to an endpoint that is not configured any more.
const REMOVED: &str = "the endpoint is not configured any more";
/// Why nothing is sent to an endpoint that is gone.
pub const GONE: &str = "410 Gone: nothing more is sent there until the server starts again";

/// Where an endpoint stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub id: String,
    /// The kinds and patterns of the events that it wants.
    pub events: Vec<String>,
    /// Nothing that happened before is sent to it.
    pub since: Timestamp,
    /// When it said that it is gone.
    pub gone_at: Option<Timestamp>,
}

/// Makes the table say what the configuration says: new endpoints are told of what happens from now on, those that were
/// gone get another chance, and what waits for those that are not there any more is given up.
///
/// # Errors
/// What the database says.
pub async fn settle(db: &Db, endpoints: &[Endpoint], now: Timestamp) -> Result<(), sqlx::Error> {
    let known = standings(db).await?;
    if known.is_empty() && endpoints.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for endpoint in endpoints {
        sqlx::query(
            "INSERT INTO webhook_endpoints (id, events, since) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET events = excluded.events, gone_at = NULL",
        )
        .bind(&endpoint.id)
        .bind(serde_json::to_string(&endpoint.events).map_err(|error| sqlx::Error::Encode(error.into()))?)
        .bind(now.as_micros())
        .execute(&mut *tx)
        .await?;
    }
    for removed in known.iter().filter(|one| !endpoints.iter().any(|endpoint| endpoint.id == one.id)) {
        sqlx::query("DELETE FROM webhook_endpoints WHERE id = $1").bind(&removed.id).execute(&mut *tx).await?;
        give_up_all(&mut tx, &removed.id, (now, REMOVED)).await?;
    }
    tx.commit().await
}

/// Where all endpoints stand.
///
/// # Errors
/// What the database says.
pub async fn standings(db: &Db) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query("SELECT id, events, since, gone_at FROM webhook_endpoints ORDER BY id");
    rows.fetch_all(db.reader()).await?.iter().map(from_row).collect()
}

/// The endpoints that are to be told, as the transaction sees them.
pub(crate) async fn to_tell(tx: &mut Tx) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query("SELECT id, events, since, gone_at FROM webhook_endpoints WHERE gone_at IS NULL");
    rows.fetch_all(&mut **tx).await?.iter().map(from_row).collect()
}

fn from_row(row: &sqlx::any::AnyRow) -> Result<Standing, sqlx::Error> {
    let events: String = row.try_get(1)?;
    Ok(Standing {
        id: row.try_get(0)?,
        events: serde_json::from_str(&events).map_err(|error| sqlx::Error::Decode(error.into()))?,
        since: Timestamp::from_micros(row.try_get(2)?),
        gone_at: row.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_micros),
    })
}

/// Notes that an endpoint is gone, and gives up what waits for it.
///
/// # Errors
/// What the database says.
pub async fn mark_gone(db: &Db, endpoint: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    let mut tx = db.begin().await?;
    sqlx::query("UPDATE webhook_endpoints SET gone_at = $1 WHERE id = $2")
        .bind(now.as_micros())
        .bind(endpoint)
        .execute(&mut *tx)
        .await?;
    give_up_all(&mut tx, endpoint, (now, GONE)).await?;
    tx.commit().await
}

async fn give_up_all(tx: &mut Tx, endpoint: &str, (now, answer): (Timestamp, &str)) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE webhook_deliveries SET failed_at = $1, answer = $2, claim = NULL, claimed_until = 0
         WHERE endpoint = $3 AND delivered_at IS NULL AND failed_at IS NULL",
    )
    .bind(now.as_micros())
    .bind(answer)
    .bind(endpoint)
    .execute(&mut **tx)
    .await
    .map(drop)
}

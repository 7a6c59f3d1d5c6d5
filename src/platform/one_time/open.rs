//! Which tokens can still be used, by the address that they went to: what one may do there is its owner's as long.
//! Asked by flows before they give the address to somebody else.

use sqlx::Row;

use super::Purpose;
use crate::{platform::Timestamp, shared::EmailAddress};

/// The tokens of one purpose that went to these addresses and can still be used: address and subject of each.
///
/// # Errors
/// What the database says.
pub async fn find_open(
    executor: impl sqlx::Executor<'_, Database = sqlx::Any>,
    (purpose, emails): (Purpose, &[EmailAddress]),
    now: Timestamp,
) -> Result<Vec<(EmailAddress, String)>, sqlx::Error> {
    if emails.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (3..3 + emails.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "SELECT email, subject FROM one_time_tokens WHERE purpose = $1 AND expires_at > $2 AND used_at IS NULL
         AND replaced_at IS NULL AND revoked_at IS NULL AND email IN ({})",
        places.join(", ")
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(purpose.name).bind(now.as_micros());
    for email in emails {
        query = query.bind(email.as_str());
    }
    let rows = query.fetch_all(executor).await?;
    rows.iter().map(|row| Ok((EmailAddress::from_stored(row.try_get(0)?), row.try_get(1)?))).collect()
}

//! The passkeys of an account as their owner sees them, and the name that they give one.

use serde_json::{Map, Value, json};
use sqlx::{Row, any::AnyRow};

use super::Stored;
use crate::{
    auth::Error,
    platform::{Db, Timestamp, Tx},
    shared::{PasskeyName, ProviderId},
};

/// Under which key the user metadata holds the name.
pub(in crate::auth) const NAME: &str = "name";

/// A passkey as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPasskey {
    /// The configured id of the provider.
    pub provider: ProviderId,
    /// The id of the passkey.
    pub id: String,
    /// What the owner calls it.
    pub name: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// When somebody logged in by it last.
    pub last_used_at: Option<Timestamp>,
    /// Whether it is kept in more than one place.
    pub is_synced: bool,
    /// Whether it may be.
    pub may_be_synced: bool,
}

/// The passkeys of an account at this provider, the oldest first.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn list_passkeys(
    db: &Db,
    provider: &ProviderId,
    (actor_type, actor_id): (&str, &str),
) -> Result<Vec<OwnPasskey>, Error> {
    let rows = sqlx::query(
        "SELECT p.entity_id, p.provider_metadata, p.user_metadata, p.created_at FROM auth_identity_actors a
         JOIN provider_identities p ON p.auth_identity_id = a.auth_identity_id
         WHERE a.actor_type = $1 AND a.actor_id = $2 AND p.provider = $3 ORDER BY p.created_at, p.entity_id",
    )
    .bind(actor_type)
    .bind(actor_id)
    .bind(provider.as_str())
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| from_row(provider, row)).collect()
}

fn from_row(provider: &ProviderId, row: &AnyRow) -> Result<OwnPasskey, Error> {
    let json = |index: usize| -> Result<Map<String, Value>, Error> {
        let text: String = row.try_get(index).map_err(Error::Internal)?;
        serde_json::from_str(&text).map_err(Error::Unreadable)
    };
    let stored = Stored::read(json(1)?)?;
    let (is_synced, may_be_synced) = stored.is_synced();
    Ok(OwnPasskey {
        provider: provider.clone(),
        id: row.try_get(0).map_err(Error::Internal)?,
        name: json(2)?.get(NAME).and_then(Value::as_str).unwrap_or_default().to_owned(),
        added_at: Timestamp::from_micros(row.try_get(3).map_err(Error::Internal)?),
        last_used_at: stored.last_used_at(),
        is_synced,
        may_be_synced,
    })
}

/// Gives a passkey of an account another name.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such passkey.
pub async fn rename_passkey(
    tx: &mut Tx,
    (provider, id): (&ProviderId, &str),
    (actor_type, actor_id): (&str, &str),
    name: &PasskeyName,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE provider_identities SET user_metadata = $1 WHERE provider = $2 AND entity_id = $3
             AND auth_identity_id IN
                 (SELECT auth_identity_id FROM auth_identity_actors WHERE actor_type = $4 AND actor_id = $5)",
    )
    .bind(json!({ NAME: name.as_str() }).to_string())
    .bind(provider.as_str())
    .bind(id)
    .bind(actor_type)
    .bind(actor_id)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound) }
}

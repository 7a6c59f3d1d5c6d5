//! Whose login an auth identity is: the ways in of an account, one more, one less. It knows accounts by actor type and id
//! and asks nobody what they are; whether a way in may go is a flow's to say.

use serde_json::{Map, Value};
use sqlx::{Row, any::AnyRow};

use super::Error;
use crate::{
    platform::{Db, Timestamp, Tx},
    shared::{AuthIdentityId, ProviderId},
};

/// One way in which a person can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayIn {
    /// The configured id of the provider.
    pub provider: ProviderId,
    /// What the provider knows the person by.
    pub entity_id: String,
    /// The auth identity that it belongs to.
    pub auth_identity_id: AuthIdentityId,
    /// What the provider calls the account: its address, else its name.
    pub account: Option<String>,
}

const WAYS_IN: &str = "SELECT p.provider, p.entity_id, p.auth_identity_id, p.user_metadata FROM auth_identity_actors a
     JOIN provider_identities p ON p.auth_identity_id = a.auth_identity_id
     WHERE a.actor_type = $1 AND a.actor_id = $2 ORDER BY p.created_at, p.provider";

impl WayIn {
    fn from_row(row: &AnyRow) -> Result<Self, Error> {
        let text = |index: usize| row.try_get::<String, _>(index).map_err(Error::Internal);
        let told: Map<String, Value> = serde_json::from_str(&text(3)?).map_err(Error::Unreadable)?;
        let account = ["email", "preferred_username", "name"].iter().find_map(|claim| told.get(*claim)?.as_str());
        Ok(Self {
            provider: ProviderId::new(text(0)?),
            entity_id: text(1)?,
            auth_identity_id: AuthIdentityId::new(text(2)?),
            account: account.map(str::to_owned),
        })
    }
}

/// The ways in which an account can be logged in to.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn ways_in(db: &Db, actor_type: &str, actor_id: &str) -> Result<Vec<WayIn>, Error> {
    let rows = sqlx::query(WAYS_IN).bind(actor_type).bind(actor_id).fetch_all(db.reader()).await?;
    rows.iter().map(WayIn::from_row).collect()
}

/// The same as a transaction sees them.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn ways_in_of(tx: &mut Tx, actor_type: &str, actor_id: &str) -> Result<Vec<WayIn>, Error> {
    let rows = sqlx::query(WAYS_IN).bind(actor_type).bind(actor_id).fetch_all(&mut **tx).await?;
    rows.iter().map(WayIn::from_row).collect()
}

/// Whether what a provider knows somebody by is an account's way in.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn has_actor(
    tx: &mut Tx,
    (provider, entity_id): (&ProviderId, &str),
    actor_type: &str,
) -> Result<bool, Error> {
    let row = sqlx::query(
        "SELECT 1 FROM provider_identities p JOIN auth_identity_actors a ON a.auth_identity_id = p.auth_identity_id
         WHERE p.provider = $1 AND p.entity_id = $2 AND a.actor_type = $3",
    )
    .bind(provider.as_str())
    .bind(entity_id)
    .bind(actor_type)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.is_some())
}

/// Deletes a way in, and its auth identity if that has no other.
///
/// # Errors
/// [`Error::NotFound`] if it is gone already.
pub async fn unlink(tx: &mut Tx, way: &WayIn) -> Result<(), Error> {
    let done =
        sqlx::query("DELETE FROM provider_identities WHERE provider = $1 AND entity_id = $2 AND auth_identity_id = $3")
            .bind(way.provider.as_str())
            .bind(way.entity_id.as_str())
            .bind(way.auth_identity_id.as_str())
            .execute(&mut **tx)
            .await?;
    if done.rows_affected() != 1 {
        return Err(Error::NotFound);
    }
    sqlx::query(
        "DELETE FROM auth_identities WHERE id = $1
             AND NOT EXISTS (SELECT 1 FROM provider_identities p WHERE p.auth_identity_id = auth_identities.id)",
    )
    .bind(way.auth_identity_id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The auth identities of an account, as the transaction sees them.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn find_of_actor(tx: &mut Tx, actor_type: &str, actor_id: &str) -> Result<Vec<AuthIdentityId>, Error> {
    let rows = sqlx::query("SELECT auth_identity_id FROM auth_identity_actors WHERE actor_type = $1 AND actor_id = $2")
        .bind(actor_type)
        .bind(actor_id)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter()
        .map(|row| row.try_get::<String, _>(0).map(AuthIdentityId::new))
        .collect::<Result<_, _>>()
        .map_err(Error::Internal)
}

/// Deletes the auth identity that a provider knows by this entity id, if it is nobody's; which one that was.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn delete_unowned(
    tx: &mut Tx,
    provider: &ProviderId,
    entity_id: &str,
) -> Result<Option<AuthIdentityId>, Error> {
    let row = sqlx::query(
        "DELETE FROM auth_identities WHERE id IN
             (SELECT auth_identity_id FROM provider_identities WHERE provider = $1 AND entity_id = $2)
             AND NOT EXISTS (SELECT 1 FROM auth_identity_actors a WHERE a.auth_identity_id = auth_identities.id)
         RETURNING id",
    )
    .bind(provider.as_str())
    .bind(entity_id)
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| row.try_get::<String, _>(0).map(AuthIdentityId::new)).transpose().map_err(Error::Internal)
}

/// Lets a provider know an account by another entity id; nothing happens where it does not know the account.
///
/// # Errors
/// [`Error::Taken`] if the provider knows somebody by that id.
pub async fn rename_identity(
    tx: &mut Tx,
    provider: &ProviderId,
    (actor_type, actor_id): (&str, &str),
    ((from, to), now): ((&str, &str), Timestamp),
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE provider_identities SET entity_id = $1, updated_at = $2 WHERE provider = $3 AND entity_id = $4
             AND auth_identity_id IN
                 (SELECT auth_identity_id FROM auth_identity_actors WHERE actor_type = $5 AND actor_id = $6)",
    )
    .bind(to)
    .bind(now.as_micros())
    .bind(provider.as_str())
    .bind(from)
    .bind(actor_type)
    .bind(actor_id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Says whose login an auth identity is.
///
/// # Errors
/// [`Error::Taken`] if it is somebody's already.
pub async fn link_actor(tx: &mut Tx, identity: &AuthIdentityId, actor_type: &str, actor_id: &str) -> Result<(), Error> {
    sqlx::query("INSERT INTO auth_identity_actors (auth_identity_id, actor_type, actor_id) VALUES ($1, $2, $3)")
        .bind(identity.as_str())
        .bind(actor_type)
        .bind(actor_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Deletes every auth identity of an account, and with them all its ways in.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn delete_of_actor(tx: &mut Tx, actor_type: &str, actor_id: &str) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM auth_identities WHERE id IN
             (SELECT auth_identity_id FROM auth_identity_actors WHERE actor_type = $1 AND actor_id = $2)",
    )
    .bind(actor_type)
    .bind(actor_id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

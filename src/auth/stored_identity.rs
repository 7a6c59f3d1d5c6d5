//! Auth identities as they are stored: found by what a provider knows a person by, or by their id.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sqlx::{Row, any::AnyRow};

use super::{AuthIdentity, Error, ProviderIdentity};
use crate::{
    platform::{Db, Tx},
    shared::{AuthIdentityId, ProviderId},
};

/// The identity, and its provider metadata as it is stored.
pub(super) async fn find_identity(
    db: &Db,
    provider: &ProviderId,
    entity_id: &str,
) -> Result<Option<(AuthIdentity, String)>, Error> {
    let query = sqlx::query(
        "SELECT p.provider, p.entity_id, p.auth_identity_id, p.provider_metadata, p.user_metadata, a.actor_type, a.actor_id
         FROM provider_identities p LEFT JOIN auth_identity_actors a ON a.auth_identity_id = p.auth_identity_id
         WHERE p.provider = $1 AND p.entity_id = $2",
    )
    .bind(provider.as_str())
    .bind(entity_id);
    let rows = db.fetch_all_swiftly(query).await?;
    let Some(identity) = from_rows(&rows)? else { return Ok(None) };
    let stored = rows.first().ok_or(Error::NotFound)?.try_get(3).map_err(Error::Internal)?;
    Ok(Some((identity, stored)))
}

/// The identity with this id as a provider sees it; of several, the oldest.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn get_identity(
    tx: &mut Tx,
    id: &AuthIdentityId,
    provider: &ProviderId,
) -> Result<Option<AuthIdentity>, Error> {
    let rows = sqlx::query(
        "SELECT p.provider, p.entity_id, p.auth_identity_id, p.provider_metadata, p.user_metadata, a.actor_type, a.actor_id
         FROM provider_identities p LEFT JOIN auth_identity_actors a ON a.auth_identity_id = p.auth_identity_id
         WHERE p.auth_identity_id = $1 AND p.provider = $2 ORDER BY p.created_at, p.entity_id",
    )
    .bind(id.as_str())
    .bind(provider.as_str())
    .fetch_all(&mut **tx)
    .await?;
    from_rows(&rows)
}

/// The identity of the first row, with the accounts that all rows name.
fn from_rows(rows: &[AnyRow]) -> Result<Option<AuthIdentity>, Error> {
    let Some(first) = rows.first() else { return Ok(None) };
    let text = |index: usize| first.try_get::<String, _>(index).map_err(Error::Internal);
    let mut app_metadata = BTreeMap::new();
    for row in rows {
        let actor_type: Option<String> = row.try_get(5).map_err(Error::Internal)?;
        let actor_id: Option<String> = row.try_get(6).map_err(Error::Internal)?;
        if let (Some(actor_type), Some(actor_id)) = (actor_type, actor_id) {
            app_metadata.insert(format!("{actor_type}_id"), actor_id);
        }
    }
    Ok(Some(AuthIdentity {
        id: AuthIdentityId::new(text(2)?),
        app_metadata,
        provider_identity: ProviderIdentity {
            provider: ProviderId::new(text(0)?),
            entity_id: text(1)?,
            provider_metadata: json_of(&text(3)?)?,
            user_metadata: json_of(&text(4)?)?,
        },
    }))
}

fn json_of(text: &str) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(text).map_err(Error::Unreadable)
}

//! Auth identities as they are stored: found by what a provider knows a person by, or by their id.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sqlx::{Row, any::AnyRow};

use super::{AuthIdentity, Error, ProviderIdentity};
use crate::{
    platform::{Db, Tx},
    shared::{AuthIdentityId, ProviderId},
};

/// Where nobody is known, a decoy is read in their place: a row that is made up takes as long to look for, to send and to
/// read as one that is stored, or an unknown address would be answered sooner than a known one.
const OR_DECOY: &str = "SELECT p.provider, p.entity_id, p.auth_identity_id, p.provider_metadata, p.user_metadata,
        a.actor_type, a.actor_id
    FROM (SELECT provider, entity_id, auth_identity_id, provider_metadata, user_metadata FROM provider_identities
          WHERE provider = $1 AND entity_id = $2
          UNION ALL
          SELECT '', $2, $3, $4, '{}'
          WHERE NOT EXISTS (SELECT 1 FROM provider_identities WHERE provider = $1 AND entity_id = $2)) p
    LEFT JOIN auth_identity_actors a ON a.auth_identity_id = p.auth_identity_id";
/// The identity of a decoy; no other has the nil UUID (RFC 9562 §5.9).
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
/// As long as a password hash.
const DECOY_METADATA: &str = r#"{"password":"$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;

/// The identity, and its provider metadata as it is stored.
pub(super) async fn find_identity(
    db: &Db,
    provider: &ProviderId,
    entity_id: &str,
) -> Result<Option<(AuthIdentity, String)>, Error> {
    let query = sqlx::query(OR_DECOY).bind(provider.as_str()).bind(entity_id).bind(NOBODY).bind(DECOY_METADATA);
    let rows = db.fetch_all_swiftly(query).await?;
    let identity = from_rows(&rows)?.ok_or(Error::NotFound)?;
    let stored = rows.first().ok_or(Error::NotFound)?.try_get(3).map_err(Error::Internal)?;
    Ok((identity.id.as_str() != NOBODY).then_some((identity, stored)))
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

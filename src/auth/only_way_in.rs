//! Leaving an account one way in: what was linked before somebody proved the address may be a stranger's, and goes.

use super::{AuthIdentity, Error};
use crate::platform::Tx;

/// Deletes every way in of an account but this one, which may be the account's already or not yet.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn leave_only(tx: &mut Tx, (actor_type, actor_id): (&str, &str), kept: &AuthIdentity) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM auth_identities WHERE id <> $1 AND id IN
             (SELECT auth_identity_id FROM auth_identity_actors WHERE actor_type = $2 AND actor_id = $3)",
    )
    .bind(kept.id.as_str())
    .bind(actor_type)
    .bind(actor_id)
    .execute(&mut **tx)
    .await?;
    let known = &kept.provider_identity;
    sqlx::query(
        "DELETE FROM provider_identities WHERE auth_identity_id = $1 AND NOT (provider = $2 AND entity_id = $3)",
    )
    .bind(kept.id.as_str())
    .bind(known.provider.as_str())
    .bind(known.entity_id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

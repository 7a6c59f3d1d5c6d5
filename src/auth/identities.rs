//! Auth identities, and the service through which one provider sees its own.
//!
//! What a provider writes is kept aside until the flow commits it, in the transaction in which a user is created or a
//! session opened: a provider may hash and call other servers without holding a transaction, and a person who is
//! refused leaves no row. Committing refuses where an identity is no more as it was read: what was proved by a password
//! that has been changed meanwhile is not proved. Uniqueness of (provider, entity id) is the schema's.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value};
use sqlx::{Row, any::AnyRow};

use super::{
    BrowserKey, Error,
    state::{self, StateKey},
    stored_identity::find_identity,
};
use crate::{
    platform::{Db, Entropy, Timestamp, Tx},
    shared::{AuthIdentityId, ProviderId},
};

/// One person as the Auth module knows them, seen by one provider.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthIdentity {
    /// The id.
    pub id: AuthIdentityId,
    /// Whose login it is: `<actor type>_id` → id.
    pub app_metadata: BTreeMap<String, String>,
    /// What the provider knows of the person.
    pub provider_identity: ProviderIdentity,
}

impl AuthIdentity {
    /// The account of this actor type, if there is one.
    pub fn actor_id(&self, actor_type: &str) -> Option<&str> {
        self.app_metadata.get(&format!("{actor_type}_id")).map(String::as_str)
    }
}

/// What one provider knows of a person.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderIdentity {
    /// The configured id of the provider.
    pub provider: ProviderId,
    /// What the provider knows the person by: an e-mail address, a subject.
    pub entity_id: String,
    /// The provider's secrets, such as a password hash; they never leave the server.
    pub provider_metadata: Map<String, Value>,
    /// Name, picture and the like.
    pub user_metadata: Map<String, Value>,
}

/// What is to be written, and what was read before.
#[derive(Default)]
struct Work {
    created: Vec<AuthIdentity>,
    /// By entity id: the stored provider metadata as it was read, and as it is to be.
    read: BTreeMap<String, Metadata>,
}

struct Metadata {
    stored: String,
    wanted: Option<Map<String, Value>>,
}

/// The identities of one provider, for the length of one request.
pub struct AuthIdentityProviderService {
    db: Db,
    entropy: Entropy,
    provider: ProviderId,
    browser: Option<BrowserKey>,
    now: Timestamp,
    is_blind: bool,
    work: Mutex<Work>,
}

impl AuthIdentityProviderService {
    /// The identities of this provider as one browser may see them.
    pub fn new(
        db: Db,
        entropy: Entropy,
        provider: ProviderId,
        (browser, now): (Option<BrowserKey>, Timestamp),
    ) -> Self {
        Self { db, entropy, provider, browser, now, is_blind: false, work: Mutex::default() }
    }

    /// The same without a look at what is stored: a provider goes on as if it knew nobody, in the same time for everybody.
    #[must_use]
    pub fn blind(self) -> Self {
        Self { is_blind: true, ..self }
    }

    /// The identity with this entity id; nobody is known by one with a NUL, which PostgreSQL can't hold.
    ///
    /// # Errors
    /// [`Error::Internal`] if the database fails.
    pub async fn retrieve(&self, entity_id: &str) -> Result<Option<AuthIdentity>, Error> {
        if let Some(created) = self.created(entity_id) {
            return Ok(Some(created));
        }
        if self.is_blind || entity_id.contains('\0') {
            return Ok(None);
        }
        let Some((identity, stored)) = find_identity(&self.db, &self.provider, entity_id).await? else {
            return Ok(None);
        };
        // What was read first is what the proof stands on.
        self.work().read.entry(entity_id.to_owned()).or_insert(Metadata { stored, wanted: None });
        Ok(Some(identity))
    }

    /// Creates an identity; it is stored when the flow commits.
    ///
    /// # Errors
    /// [`Error::Taken`] if this request has created it already; if another has, committing says so.
    pub fn create(
        &self,
        entity_id: &str,
        provider_metadata: Map<String, Value>,
        user_metadata: Map<String, Value>,
    ) -> Result<AuthIdentity, Error> {
        if self.created(entity_id).is_some() {
            return Err(Error::Taken);
        }
        let identity = AuthIdentity {
            id: AuthIdentityId::new(self.entropy.uuid_v7(self.now)),
            app_metadata: BTreeMap::new(),
            provider_identity: ProviderIdentity {
                provider: self.provider.clone(),
                entity_id: entity_id.to_owned(),
                provider_metadata,
                user_metadata,
            },
        };
        self.work().created.push(identity.clone());
        Ok(identity)
    }

    /// Takes over an identity that an earlier request has created; it is stored when the flow commits.
    pub fn adopt(&self, identity: AuthIdentity) {
        self.work().created.push(identity);
    }

    /// Replaces the provider metadata of an identity; it is stored when the flow commits.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such identity.
    pub async fn update(&self, entity_id: &str, provider_metadata: Map<String, Value>) -> Result<AuthIdentity, Error> {
        let mut identity = self.retrieve(entity_id).await?.ok_or(Error::NotFound)?;
        identity.provider_identity.provider_metadata.clone_from(&provider_metadata);
        if let Some(read) = self.work().read.get_mut(entity_id) {
            read.wanted = Some(provider_metadata);
        }
        Ok(identity)
    }

    /// Remembers something for the second half of a redirect.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no browser to remember it for.
    pub async fn set_state(&self, key: &str, value: &str) -> Result<(), Error> {
        let browser = self.browser.as_ref().ok_or(Error::NotFound)?;
        state::set(&self.db, &StateKey { provider: &self.provider, browser, key }, value, self.now).await
    }

    /// What was remembered for this browser; the first call consumes it.
    ///
    /// # Errors
    /// [`Error::Internal`] if the database fails.
    pub async fn get_state(&self, key: &str) -> Result<Option<String>, Error> {
        let Some(browser) = self.browser.as_ref() else { return Ok(None) };
        state::take(&self.db, &StateKey { provider: &self.provider, browser, key }, self.now).await
    }

    /// Whether the provider wrote anything that is to be stored.
    pub fn has_written(&self) -> bool {
        let work = self.work();
        !work.created.is_empty() || work.read.values().any(|metadata| metadata.wanted.is_some())
    }

    /// Stores what the provider wrote, in the transaction of the flow, and holds what it read as it was until that ends.
    ///
    /// # Errors
    /// [`Error::Taken`] if another request has created the identity meanwhile, [`Error::Changed`] if another has changed
    /// or deleted one that this request has read.
    pub async fn commit(&self, tx: &mut Tx) -> Result<(), Error> {
        let Work { created, read } = std::mem::take(&mut *self.work());
        for identity in &created {
            insert_identity(tx, identity, self.now).await?;
        }
        for (entity_id, metadata) in &read {
            match &metadata.wanted {
                Some(wanted) => self.replace(tx, entity_id, (&metadata.stored, wanted)).await?,
                None => self.hold(tx, entity_id, &metadata.stored).await?,
            }
        }
        Ok(())
    }

    /// One statement compares and locks: whoever changes the same identity waits, or is waited for.
    async fn hold(&self, tx: &mut Tx, entity_id: &str, stored: &str) -> Result<(), Error> {
        let sql = format!(
            "SELECT 1 FROM provider_identities WHERE provider = $1 AND entity_id = $2 AND provider_metadata = $3{}",
            self.db.dialect().hold_rows()
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(self.provider.as_str())
            .bind(entity_id)
            .bind(stored)
            .fetch_optional(&mut **tx)
            .await?;
        if row.is_some() { Ok(()) } else { Err(Error::Changed) }
    }

    /// One statement compares, writes and locks.
    async fn replace(
        &self,
        tx: &mut Tx,
        entity_id: &str,
        (stored, wanted): (&str, &Map<String, Value>),
    ) -> Result<(), Error> {
        let done = sqlx::query(
            "UPDATE provider_identities SET provider_metadata = $1, updated_at = $2
             WHERE provider = $3 AND entity_id = $4 AND provider_metadata = $5",
        )
        .bind(Value::Object(wanted.clone()).to_string())
        .bind(self.now.as_micros())
        .bind(self.provider.as_str())
        .bind(entity_id)
        .bind(stored)
        .execute(&mut **tx)
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::Changed) }
    }

    fn created(&self, entity_id: &str) -> Option<AuthIdentity> {
        self.work().created.iter().find(|identity| identity.provider_identity.entity_id == entity_id).cloned()
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One way in which a person can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayIn {
    /// The configured id of the provider.
    pub provider: ProviderId,
    /// What the provider knows the person by.
    pub entity_id: String,
    /// The auth identity that it belongs to.
    pub auth_identity_id: AuthIdentityId,
}

/// The ways in which an account can be logged in to.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn ways_in(db: &Db, actor_type: &str, actor_id: &str) -> Result<Vec<WayIn>, Error> {
    let rows = sqlx::query(
        "SELECT p.provider, p.entity_id, p.auth_identity_id FROM auth_identity_actors a
         JOIN provider_identities p ON p.auth_identity_id = a.auth_identity_id
         WHERE a.actor_type = $1 AND a.actor_id = $2 ORDER BY p.created_at, p.provider",
    )
    .bind(actor_type)
    .bind(actor_id)
    .fetch_all(db.reader())
    .await?;
    let way_in = |row: &AnyRow| {
        Ok(WayIn {
            provider: ProviderId::new(row.try_get::<String, _>(0)?),
            entity_id: row.try_get(1)?,
            auth_identity_id: AuthIdentityId::new(row.try_get::<String, _>(2)?),
        })
    };
    rows.iter().map(way_in).collect::<Result<_, _>>().map_err(Error::Internal)
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

async fn insert_identity(tx: &mut Tx, identity: &AuthIdentity, now: Timestamp) -> Result<(), Error> {
    sqlx::query("INSERT INTO auth_identities (id, created_at) VALUES ($1, $2)")
        .bind(identity.id.as_str())
        .bind(now.as_micros())
        .execute(&mut **tx)
        .await?;
    let known = &identity.provider_identity;
    sqlx::query(
        "INSERT INTO provider_identities
             (provider, entity_id, auth_identity_id, provider_metadata, user_metadata, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(known.provider.as_str())
    .bind(known.entity_id.as_str())
    .bind(identity.id.as_str())
    .bind(Value::Object(known.provider_metadata.clone()).to_string())
    .bind(Value::Object(known.user_metadata.clone()).to_string())
    .bind(now.as_micros())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

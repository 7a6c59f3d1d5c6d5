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

use serde_json::{Map, Value, json};

use super::{BrowserKey, Error, state::Away, stored_identity::find_identity};
use crate::{
    platform::{Db, Entropy, Platform, Timestamp, Tx},
    shared::{AuthIdentityId, ProviderId},
};

/// What sealed secrets of providers are for.
const SEALED_AS: &str = "provider secret";

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
    /// By entity id: who was found by it last, and by which nobody was.
    met: BTreeMap<String, Option<AuthIdentity>>,
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
    away: Away,
    now: Timestamp,
    is_blind: bool,
    is_closed: bool,
    work: Mutex<Work>,
}

impl AuthIdentityProviderService {
    /// The identities of this provider.
    pub fn new(Platform { db, entropy, seal, .. }: &Platform, provider: ProviderId, now: Timestamp) -> Self {
        let (db, entropy, away, work) = (db.clone(), entropy.clone(), Away::new(seal.clone()), Mutex::default());
        Self { db, entropy, provider, away, now, is_blind: false, is_closed: false, work }
    }

    /// The same for a browser that is sent elsewhere, and what for, or comes back. State is kept for it alone.
    #[must_use]
    pub fn seen_by(self, browser: BrowserKey, errand: Option<String>) -> Self {
        Self { away: self.away.of(browser, errand), ..self }
    }

    /// The same without a look at what is stored: a provider goes on as if it knew nobody, in the same time for everybody.
    #[must_use]
    pub fn blind(self) -> Self {
        Self { is_blind: true, ..self }
    }

    /// The same where nobody new comes in: no identity is created.
    #[must_use]
    pub fn closed(self) -> Self {
        Self { is_closed: true, ..self }
    }

    /// Whether an identity can be created. A provider that creates one of whoever asks, unproved, asks here first and goes
    /// on as for a wrong password, or its answer would tell who is known.
    pub fn may_create(&self) -> bool {
        !self.is_closed
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
        let (identity, stored) = find_identity(&self.db, &self.provider, entity_id).await?.unzip();
        let mut work = self.work();
        if let Some(stored) = stored {
            // What was read first is what the proof stands on.
            work.read.entry(entity_id.to_owned()).or_insert(Metadata { stored, wanted: None });
        }
        work.met.insert(entity_id.to_owned(), identity.clone());
        Ok(identity)
    }

    /// The same, as this request has found it last: for what is only to be noted of it.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub(crate) async fn recall(&self, entity_id: &str) -> Result<Option<AuthIdentity>, Error> {
        let met = self.work().met.get(entity_id).cloned();
        match met {
            Some(identity) => Ok(identity),
            None => self.retrieve(entity_id).await,
        }
    }

    /// Creates an identity; it is stored when the flow commits.
    ///
    /// # Errors
    /// [`Error::Closed`] where [`Self::may_create`] says no, [`Error::Unusable`] for an entity id with a NUL,
    /// [`Error::Taken`] if this request has created it already; if another has, committing says so.
    pub fn create(
        &self,
        entity_id: &str,
        provider_metadata: Map<String, Value>,
        user_metadata: Map<String, Value>,
    ) -> Result<AuthIdentity, Error> {
        if self.is_closed {
            return Err(Error::Closed);
        }
        if entity_id.contains('\0') {
            return Err(Error::Unusable);
        }
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
        self.away.set(&self.db, (&self.provider, key), (value, self.now)).await
    }

    /// What was remembered for this browser; the first call consumes it.
    ///
    /// # Errors
    /// [`Error::Internal`] if the database fails.
    pub async fn get_state(&self, key: &str) -> Result<Option<String>, Error> {
        self.away.take(&self.db, (&self.provider, key), self.now).await
    }

    /// What the browser was sent elsewhere for; known once the provider has read the state that it set.
    pub fn errand(&self) -> Option<String> {
        self.away.errand()
    }

    /// Seals a secret that the provider keeps in its metadata, such as a token of another server: nobody reads it in a copy
    /// of the database, and it opens for this provider alone.
    pub fn seal(&self, secret: &str) -> String {
        self.away.seal().seal(SEALED_AS, json!([self.provider, secret]).to_string().as_bytes())
    }

    /// What this provider has sealed; `None` for anything else.
    pub fn open(&self, sealed: &str) -> Option<String> {
        let opened = self.away.seal().open(SEALED_AS, sealed)?;
        let (provider, secret): (ProviderId, String) = serde_json::from_slice(&opened).ok()?;
        (provider == self.provider).then_some(secret)
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
        let Work { created, read, .. } = std::mem::take(&mut *self.work());
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

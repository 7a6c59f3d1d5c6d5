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
    platform::{Db, Dialect, Entropy, Platform, Timestamp, Tx},
    shared::{AuthIdentityId, EmailAddress, ProviderId},
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
    /// By entity id: who was found by it first, and by which nobody was.
    read: BTreeMap<String, Option<Found>>,
}

struct Found {
    /// The provider metadata as they were read.
    stored: String,
    /// The identity as it is to be.
    wanted: AuthIdentity,
    is_changed: bool,
}

/// The identities of one provider, for the length of one request.
pub struct AuthIdentityProviderService {
    db: Db,
    entropy: Entropy,
    provider: ProviderId,
    away: Away,
    proved_address: Option<EmailAddress>,
    now: Timestamp,
    is_blind: bool,
    is_closed: bool,
    work: Mutex<Work>,
}

impl AuthIdentityProviderService {
    /// The identities of this provider.
    pub fn new(Platform { db, entropy, seal, .. }: &Platform, provider: ProviderId, now: Timestamp) -> Self {
        let (db, entropy, away, work) = (db.clone(), entropy.clone(), Away::new(seal.clone()), Mutex::default());
        Self { db, entropy, provider, away, proved_address: None, now, is_blind: false, is_closed: false, work }
    }

    /// The same for a browser that is sent elsewhere, and what for, or comes back. State is kept for it alone.
    #[must_use]
    pub fn seen_by(self, browser: BrowserKey, errand: Option<String>) -> Self {
        Self { away: self.away.of(browser, errand), ..self }
    }

    /// The same for somebody who has shown that they read the mail of an address.
    #[must_use]
    pub fn proved_by_mail(self, address: EmailAddress) -> Self {
        Self { proved_address: Some(address), ..self }
    }

    /// The address whose mail the person reads, where they have shown it by what the provider asked to be mailed.
    pub fn proved_address(&self) -> Option<&EmailAddress> {
        self.proved_address.as_ref()
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
        let found = find_identity(&self.db, &self.provider, entity_id).await?;
        let identity = found.as_ref().map(|(identity, _)| identity.clone());
        let found = found.map(|(wanted, stored)| Found { stored, wanted, is_changed: false });
        let mut work = self.work();
        let first = work.read.entry(entity_id.to_owned()).or_default();
        // Who was found first is who the proof stands on.
        if first.is_none() {
            *first = found;
        }
        Ok(identity)
    }

    /// The same, as this request has found it: for what is only to be noted of it.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub(crate) async fn recall(&self, entity_id: &str) -> Result<Option<AuthIdentity>, Error> {
        let met = self.work().read.get(entity_id).map(|found| found.as_ref().map(|found| found.wanted.clone()));
        match met {
            Some(identity) => Ok(identity),
            None => self.retrieve(entity_id).await,
        }
    }

    /// Whom the provider has looked up in this request, where it was one: whoever failed to prove to be them is noted so.
    pub fn looked_up(&self) -> Option<String> {
        let work = self.work();
        let mut known = work.read.keys();
        known.next().filter(|_| known.next().is_none()).cloned()
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

    /// Forgets what this request has found and was going to store: what is stored by now counts.
    pub(crate) fn look_again(&self) {
        *self.work() = Work::default();
    }

    /// Takes over an identity that an earlier request has created; it is stored when the flow commits.
    pub fn adopt(&self, identity: AuthIdentity) {
        self.work().created.push(identity);
    }

    /// Makes an identity anew of what was known when it was proved, and is not any more; it is stored when the flow commits.
    /// It is nobody's: whosever it was, that ended with it.
    pub fn create_anew(&self, known: ProviderIdentity) -> AuthIdentity {
        let id = AuthIdentityId::new(self.entropy.uuid_v7(self.now));
        let identity = AuthIdentity { id, app_metadata: BTreeMap::new(), provider_identity: known };
        self.adopt(identity.clone());
        identity
    }

    /// Replaces the provider metadata of an identity; it is stored when the flow commits.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such identity.
    pub async fn update(&self, entity_id: &str, provider_metadata: Map<String, Value>) -> Result<AuthIdentity, Error> {
        self.change(entity_id, |known| known.provider_metadata = provider_metadata).await
    }

    /// Replaces what the provider tells of a person; it is stored when the flow commits.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such identity.
    pub async fn describe(&self, entity_id: &str, user_metadata: Map<String, Value>) -> Result<AuthIdentity, Error> {
        self.change(entity_id, |known| known.user_metadata = user_metadata).await
    }

    async fn change(&self, entity_id: &str, change: impl FnOnce(&mut ProviderIdentity)) -> Result<AuthIdentity, Error> {
        if !matches!(self.work().read.get(entity_id), Some(Some(_))) {
            self.retrieve(entity_id).await?;
        }
        let mut work = self.work();
        let found = work.read.get_mut(entity_id).and_then(Option::as_mut).ok_or(Error::NotFound)?;
        let before = found.wanted.provider_identity.clone();
        change(&mut found.wanted.provider_identity);
        found.is_changed |= found.wanted.provider_identity != before;
        Ok(found.wanted.clone())
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
        !work.created.is_empty() || work.read.values().flatten().any(|found| found.is_changed)
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
        for found in read.values().flatten() {
            let is_as_read = if found.is_changed { found.replace(tx, self.now).await? } else { found.hold(tx).await? };
            if !is_as_read {
                return Err(Error::Changed);
            }
        }
        Ok(())
    }

    fn created(&self, entity_id: &str) -> Option<AuthIdentity> {
        self.work().created.iter().find(|identity| identity.provider_identity.entity_id == entity_id).cloned()
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    /// Whether it is as it was read; one statement compares and locks: whoever changes the same identity waits, or is
    /// waited for. One that was deleted and made anew may look alike, and is another.
    async fn hold(&self, tx: &mut Tx) -> Result<bool, Error> {
        let sql = format!(
            "SELECT 1 FROM provider_identities
             WHERE provider = $1 AND entity_id = $2 AND auth_identity_id = $3 AND provider_metadata = $4{}",
            Dialect::of(tx).hold_rows()
        );
        let known = &self.wanted.provider_identity;
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(known.provider.as_str())
            .bind(known.entity_id.as_str())
            .bind(self.wanted.id.as_str())
            .bind(self.stored.as_str())
            .fetch_optional(&mut **tx)
            .await?;
        Ok(row.is_some())
    }

    /// The same where it is changed; one statement compares, writes and locks.
    async fn replace(&self, tx: &mut Tx, now: Timestamp) -> Result<bool, Error> {
        let known = &self.wanted.provider_identity;
        let done = sqlx::query(
            "UPDATE provider_identities SET provider_metadata = $1, user_metadata = $2, updated_at = $3
             WHERE provider = $4 AND entity_id = $5 AND auth_identity_id = $6 AND provider_metadata = $7",
        )
        .bind(Value::Object(known.provider_metadata.clone()).to_string())
        .bind(Value::Object(known.user_metadata.clone()).to_string())
        .bind(now.as_micros())
        .bind(known.provider.as_str())
        .bind(known.entity_id.as_str())
        .bind(self.wanted.id.as_str())
        .bind(self.stored.as_str())
        .execute(&mut **tx)
        .await?;
        Ok(done.rows_affected() == 1)
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

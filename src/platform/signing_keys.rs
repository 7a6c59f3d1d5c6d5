//! The keys that sign tokens for others to verify: Ed25519 (RFC 8037), sealed in the database, so that all processes
//! sign with the same one. Rotating makes a new key and retires the one before, which is published as long as a token
//! that it signed may live. Nothing is verified here: who holds a token of ours is found by its hash, so that a key that
//! leaks opens nothing at this door.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;
use sqlx::Row;
use zeroize::Zeroizing;

use super::{Db, Entropy, Seal, Timestamp, Tx, lock};

/// What the seal is bound to.
const SEAL_PURPOSE: &str = "signing_key";
/// The lock under which a key is made.
const MAKING: &str = "signing_keys";
/// How long a process goes on with the key that it knows before it asks for a newer one.
const KNOWN_FOR: Duration = Duration::from_secs(30);
/// How long a retired key is published: longer than any token lives that it has signed.
const PUBLISHED_FOR: Duration = Duration::from_hours(26);
const SEED_BYTES: usize = 32;

/// A key as others may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The id, `kid` in what it signs.
    pub id: String,
    /// The 32 bytes of the key as base64url.
    pub x: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When another took its place, if one did.
    pub retired_at: Option<Timestamp>,
}

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The database failed.
    #[error("the signing keys can't be read: {0}")]
    Database(#[from] sqlx::Error),
    /// The key is no key.
    #[error("the signing key can't be used")]
    Unusable,
}

/// Signs; clones share what they know.
#[derive(Clone)]
pub struct SigningKeys {
    db: Db,
    seal: Seal,
    entropy: Entropy,
    known: Arc<Mutex<Option<Signer>>>,
}

/// The key that signs now.
#[derive(Clone)]
pub struct Signer {
    id: String,
    pair: Arc<Ed25519KeyPair>,
    read_at: Timestamp,
}

impl Signer {
    /// Signs claims as a compact JWS (RFC 7515 §7.1).
    pub fn sign(&self, claims: &[u8]) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.id }).to_string();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKeys")
    }
}

impl SigningKeys {
    /// The keys in this database, sealed with the instance key.
    pub fn new(db: Db, seal: Seal, entropy: Entropy) -> Self {
        Self { db, seal, entropy, known: Arc::default() }
    }

    /// The newest key, which is made where there is none; to be asked for outside of any transaction.
    ///
    /// # Errors
    /// [`SigningError`] if there is no key to sign with.
    pub async fn signer(&self, now: Timestamp) -> Result<Signer, SigningError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| now.since(known.read_at) < KNOWN_FOR) {
            return Ok(known);
        }
        let found = match self.newest(self.db.reader(), now).await? {
            Some(found) => found,
            None => self.make_first(now).await?,
        };
        self.remember(found.clone());
        Ok(found)
    }

    /// Every key whose tokens may still live, the newest first.
    ///
    /// # Errors
    /// [`SigningError::Database`].
    pub async fn published(&self, now: Timestamp) -> Result<Vec<PublicKey>, SigningError> {
        self.signer(now).await?;
        let rows = sqlx::query(
            "SELECT id, public_key, created_at, retired_at FROM signing_keys
             WHERE retired_at IS NULL OR retired_at > $1 ORDER BY id DESC",
        )
        .bind(now.minus(PUBLISHED_FOR).as_micros())
        .fetch_all(self.db.reader())
        .await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(PublicKey {
                id: row.try_get(0)?,
                x: row.try_get(1)?,
                created_at: Timestamp::from_micros(row.try_get(2)?),
                retired_at: row.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_micros),
            })
        };
        Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Makes a new key, which signs from now on, and retires the others; answers its id. Other processes follow within
    /// half a minute.
    ///
    /// # Errors
    /// [`SigningError`] if it can't be stored.
    pub async fn rotate(&self, now: Timestamp) -> Result<String, SigningError> {
        let mut tx = self.db.begin().await?;
        lock(&mut tx, self.db.dialect(), MAKING).await?;
        let made = self.make(&mut tx, now).await?;
        tx.commit().await?;
        let id = made.id.clone();
        self.remember(made);
        Ok(id)
    }

    /// Deletes retired keys whose tokens have ended; how many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, sqlx::Error> {
        let mut tx = self.db.begin_relaxed().await?;
        let done = sqlx::query("DELETE FROM signing_keys WHERE retired_at <= $1")
            .bind(now.minus(PUBLISHED_FOR).as_micros())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }

    fn remember(&self, found: Signer) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }

    /// `None` also where the instance key is another one by now: then nobody can sign with the old key any more.
    async fn newest<'e, E>(&self, executor: E, now: Timestamp) -> Result<Option<Signer>, SigningError>
    where
        E: sqlx::Executor<'e, Database = sqlx::Any>,
    {
        let row = sqlx::query("SELECT id, sealed FROM signing_keys WHERE retired_at IS NULL ORDER BY id DESC LIMIT 1")
            .fetch_optional(executor)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(seed) = self.seal.open(SEAL_PURPOSE, row.try_get(1)?).map(Zeroizing::new) else { return Ok(None) };
        Ok(Some(Signer { id: row.try_get(0)?, pair: pair_of(&seed)?, read_at: now }))
    }

    /// Of many processes that start at once, one makes it.
    async fn make_first(&self, now: Timestamp) -> Result<Signer, SigningError> {
        let mut tx = self.db.begin().await?;
        lock(&mut tx, self.db.dialect(), MAKING).await?;
        if let Some(found) = self.newest(&mut *tx, now).await? {
            return Ok(found);
        }
        let made = self.make(&mut tx, now).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Retires every key before it, one that another instance key has sealed included: nobody can sign with that any more.
    async fn make(&self, tx: &mut Tx, now: Timestamp) -> Result<Signer, SigningError> {
        sqlx::query("UPDATE signing_keys SET retired_at = $1 WHERE retired_at IS NULL")
            .bind(now.as_micros())
            .execute(&mut **tx)
            .await?;
        let seed = Zeroizing::new(self.entropy.bytes::<SEED_BYTES>());
        let pair = pair_of(seed.as_slice())?;
        let id = self.entropy.uuid_v7(now);
        sqlx::query("INSERT INTO signing_keys (id, sealed, public_key, created_at) VALUES ($1, $2, $3, $4)")
            .bind(&id)
            .bind(self.seal.seal(SEAL_PURPOSE, seed.as_slice()))
            .bind(URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()))
            .bind(now.as_micros())
            .execute(&mut **tx)
            .await?;
        Ok(Signer { id, pair, read_at: now })
    }
}

fn pair_of(seed: &[u8]) -> Result<Arc<Ed25519KeyPair>, SigningError> {
    Ed25519KeyPair::from_seed_unchecked(seed).map(Arc::new).map_err(|_| SigningError::Unusable)
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;
    use crate::platform::{
        Clock,
        testing::{TempDir, TestDb, on_both_databases},
    };

    on_both_databases!(
        what_was_signed_is_verified_by_the_published_key,
        a_retired_key_is_published_until_its_tokens_have_ended,
        processes_that_start_at_once_sign_with_one_key,
    );

    fn keys(db: &Db, seal: &Seal) -> SigningKeys {
        SigningKeys::new(db.clone(), seal.clone(), Entropy::from_os().unwrap())
    }

    fn seal() -> Seal {
        let folder = TempDir::new();
        Seal::load_or_create(&folder.path().join("key"), &Entropy::from_os().unwrap()).unwrap()
    }

    fn is_signed_by(token: &str, key: &PublicKey) -> bool {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let header: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap()).unwrap();
        let public = UnparsedPublicKey::new(&ED25519, URL_SAFE_NO_PAD.decode(&key.x).unwrap());
        header["kid"] == key.id.as_str()
            && header["alg"] == "EdDSA"
            && public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).is_ok()
    }

    async fn what_was_signed_is_verified_by_the_published_key(test: &TestDb) {
        test.db.migrate().await.unwrap();
        let (keys, now) = (keys(&test.db, &seal()), Clock::system().now());
        let token = keys.signer(now).await.unwrap().sign(b"{\"a\":1}");
        let published = keys.published(now).await.unwrap();
        assert_eq!(published.len(), 1);
        assert!(is_signed_by(&token, &published[0]));
        assert!(!is_signed_by(&token.replacen("eyJhIjoxfQ", "eyJhIjoyfQ", 1), &published[0]));
    }

    async fn a_retired_key_is_published_until_its_tokens_have_ended(test: &TestDb) {
        test.db.migrate().await.unwrap();
        let (keys, now) = (keys(&test.db, &seal()), Clock::system().now());
        let old = keys.signer(now).await.unwrap().sign(b"{}");
        keys.rotate(now).await.unwrap();
        let new = keys.signer(now).await.unwrap().sign(b"{}");
        let published = keys.published(now).await.unwrap();
        assert_eq!(published.iter().map(|key| key.retired_at.is_some()).collect::<Vec<_>>(), [false, true]);
        assert!(is_signed_by(&new, &published[0]) && is_signed_by(&old, &published[1]));

        let later = now.plus(PUBLISHED_FOR);
        assert_eq!(keys.published(later).await.unwrap().len(), 1);
        assert_eq!(keys.sweep(later).await.unwrap(), 1);
    }

    async fn processes_that_start_at_once_sign_with_one_key(test: &TestDb) {
        test.db.migrate().await.unwrap();
        let (seal, now) = (seal(), Clock::system().now());
        let processes: Vec<SigningKeys> = (0..8).map(|_| keys(&test.db, &seal)).collect();
        let mut signing = tokio::task::JoinSet::new();
        for keys in processes.clone() {
            signing.spawn(async move { keys.signer(now).await.unwrap().sign(b"{}") });
        }
        let signed = signing.join_all().await;
        let published = processes[0].published(now).await.unwrap();
        assert_eq!(published.len(), 1);
        assert!(signed.iter().all(|token| is_signed_by(token, &published[0])));
    }
}

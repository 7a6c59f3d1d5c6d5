//! Password hashing: argon2id (RFC 9106) on its own threads, behind a bounded queue.
//! Refuses to queue more than it can finish soon ([`HashError::Busy`]). A password for nobody is hashed like any other,
//! so that an unknown address takes as long as a wrong password. Called by the `emailpass` provider and nobody else.

mod engine;
mod password;
mod phc;
mod pool;
mod settings;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use engine::StartError;
pub use password::Password;
pub use settings::PasswordSettings;

use engine::EngineKind;
use phc::{Recipe, SALT_BYTES, StoredHash, TAG_BYTES};
use pool::{Order, Pool};

use super::Entropy;

/// The longest password that is worth hashing, in bytes; callers refuse longer ones first, by their own rules.
const MAX_PASSWORD_BYTES: usize = 4096;

/// What a stored hash says about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password, or nobody's.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, hashed with other parameters than the configured ones: hash it again.
    RightButOutdated,
}

/// A password was not hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The queue is full.
    #[error("too many passwords are waiting to be hashed")]
    Busy {
        /// When there will be room again, in seconds.
        retry_after_secs: u32,
    },
    /// A hash failed, for want of memory or by a defect.
    #[error("a password could not be hashed: {0}")]
    Internal(String),
}

/// Hashes and verifies passwords; clones share the threads, which end with the last clone.
#[derive(Clone)]
pub struct PasswordHasher(Arc<Inner>);

/// Room in the queue for somebody whose password will be hashed, until it is dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held, never read")] OwnedSemaphorePermit);

struct Inner {
    recipe: Recipe,
    /// As many as can be hashed and wait at once.
    places: Arc<Semaphore>,
    entropy: Entropy,
    pool: Pool,
    /// Stands in for the hash of an unknown address. Its password is random and thrown away.
    dummy: StoredHash,
}

impl PasswordHasher {
    /// Checks the engine against known answers and starts the threads.
    ///
    /// # Errors
    /// [`StartError`] if the parameters are outside of RFC 9106, no engine gives the known answers, there is no memory
    /// for one hash, or a thread can't be started.
    pub fn start(settings: &PasswordSettings, entropy: Entropy) -> Result<Self, StartError> {
        let recipe = Recipe::argon2id(settings.memory_kib, settings.iterations, settings.parallelism);
        recipe.check()?;
        let kind = EngineKind::choose()?;
        let dummy = StoredHash {
            recipe,
            salt: entropy.bytes::<SALT_BYTES>().to_vec(),
            tag: entropy.bytes::<TAG_BYTES>().to_vec(),
        };
        let places = Arc::new(Semaphore::new(settings.max_parallel_hashes.get() as usize + settings.queue_len()));
        let pool = Pool::start(kind, recipe, settings)?;
        Ok(Self(Arc::new(Inner { recipe, places, entropy, pool, dummy })))
    }

    /// Keeps room in the queue for one. Whoever asks for it before anything else is put off at once where there is none,
    /// and costs nothing but the asking.
    ///
    /// # Errors
    /// [`HashError::Busy`] if there is no room.
    pub fn reserve(&self) -> Result<Place, HashError> {
        let place = Arc::clone(&self.0.places).try_acquire_owned();
        place.map(Place).map_err(|_| HashError::Busy { retry_after_secs: self.0.pool.secs_until_empty() })
    }

    /// Hashes `password` with a new salt, as a PHC string.
    ///
    /// # Errors
    /// [`HashError`] if the queue is full or the hash failed.
    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        let salt = self.0.entropy.bytes::<SALT_BYTES>().to_vec();
        let recipe = self.0.recipe;
        if password.expose().len() > MAX_PASSWORD_BYTES {
            return Err(HashError::Internal(format!("it is longer than {MAX_PASSWORD_BYTES} bytes")));
        }
        let tag = self.0.pool.run(Order { recipe, password, salt: salt.clone(), tag_bytes: TAG_BYTES }).await?;
        Ok(StoredHash { recipe, salt, tag: tag.to_vec() }.to_string())
    }

    /// Compares `password` with what is stored: (1) nothing is stored, or nothing usable → the work of a real hash and
    /// [`Verdict::Wrong`]; (2) another password → `Wrong`; (3) the password, with the configured parameters → `Right`;
    /// (4) the password, with others → `RightButOutdated`.
    ///
    /// # Errors
    /// [`HashError`] if the queue is full or the hash failed.
    pub async fn verify(&self, password: Password, stored: Option<&str>) -> Result<Verdict, HashError> {
        let known = stored.and_then(|text| self.usable(text));
        let expected = known.as_ref().unwrap_or(&self.0.dummy);
        let is_overlong = password.expose().len() > MAX_PASSWORD_BYTES;
        let order = Order {
            recipe: expected.recipe,
            password: password.capped(MAX_PASSWORD_BYTES),
            salt: expected.salt.clone(),
            tag_bytes: expected.tag.len(),
        };
        let tag = self.0.pool.run(order).await?;
        if known.is_none() || is_overlong || !expected.has_tag(&tag) {
            return Ok(Verdict::Wrong);
        }
        Ok(if expected.is_current(self.0.recipe) { Verdict::Right } else { Verdict::RightButOutdated })
    }

    /// Reads a stored hash; one that can't be worked with is logged and counts as none.
    fn usable(&self, stored: &str) -> Option<StoredHash> {
        match StoredHash::parse(stored, self.0.recipe) {
            Ok(hash) => Some(hash),
            Err(error) => {
                tracing::error!(%error, "a stored password hash can't be used; its owner has to set a new password");
                None
            }
        }
    }
}

impl std::fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordHasher").field("recipe", &self.0.recipe).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

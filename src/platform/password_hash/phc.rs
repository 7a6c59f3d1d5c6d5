//! Stored password hashes in the PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`.
//! Reads all argon2 variants of RFC 9106 and the older version 16; refuses costs that no operator would choose, so that
//! a planted hash can't take the machine down. Writes argon2id, version 19.

use std::fmt;

use argon2::{Algorithm, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use super::engine::StartError;

/// The length of a new salt, in bytes (RFC 9106 §3.1 recommends 16).
pub(super) const SALT_BYTES: usize = 16;
/// The length of a new tag, in bytes.
pub(super) const TAG_BYTES: usize = 32;
/// The most memory that a stored hash may ask for beyond the configured, in KiB.
const MAX_STORED_MEMORY_KIB: u32 = 256 * 1024;
/// The most passes that a stored hash may ask for beyond the configured.
const MAX_STORED_ITERATIONS: u32 = 32;
/// The most lanes that a stored hash may ask for beyond the configured.
const MAX_STORED_PARALLELISM: u32 = 16;
/// The longest salt or tag of a stored hash, in bytes.
const MAX_FIELD_BYTES: usize = 64;

/// How a hash is made: the variant of argon2 and its cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    pub algorithm: Algorithm,
    pub version: Version,
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
}

impl Recipe {
    /// argon2id, version 19, with the given cost.
    pub(super) const fn argon2id(memory_kib: u32, iterations: u32, parallelism: u32) -> Self {
        Self { algorithm: Algorithm::Argon2id, version: Version::V0x13, memory_kib, iterations, parallelism }
    }

    /// Refuses what RFC 9106 §3.1 does not allow.
    pub(super) fn check(self) -> Result<(), StartError> {
        argon2::Params::new(self.memory_kib, self.iterations, self.parallelism, Some(TAG_BYTES))
            .map(drop)
            .map_err(|error| StartError::Parameters(error.to_string()))
    }

    fn is_within(self, configured: Self) -> bool {
        self.memory_kib <= MAX_STORED_MEMORY_KIB.max(configured.memory_kib)
            && self.iterations <= MAX_STORED_ITERATIONS.max(configured.iterations)
            && self.parallelism <= MAX_STORED_PARALLELISM.max(configured.parallelism)
    }
}

/// A password hash as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct StoredHash {
    pub recipe: Recipe,
    pub salt: Vec<u8>,
    pub tag: Vec<u8>,
}

/// Why a stored hash can't be used. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is no argon2 hash in the PHC string format")]
    Format,
    #[error("its parameters are outside of what is accepted")]
    Cost,
}

impl StoredHash {
    /// Reads a stored hash whose cost is at most the `configured` one or the fixed ceiling.
    pub(super) fn parse(text: &str, configured: Recipe) -> Result<Self, Unusable> {
        let hash = Self::read(text).ok_or(Unusable::Format)?;
        let recipe = hash.recipe;
        let is_allowed = recipe.check().is_ok() && recipe.is_within(configured);
        if !is_allowed
            || !(8..=MAX_FIELD_BYTES).contains(&hash.salt.len())
            || !(16..=MAX_FIELD_BYTES).contains(&hash.tag.len())
        {
            return Err(Unusable::Cost);
        }
        Ok(hash)
    }

    fn read(text: &str) -> Option<Self> {
        let mut fields = text.strip_prefix('$')?.split('$').peekable();
        let algorithm = fields.next()?.parse().ok()?;
        let version = match fields.next_if(|field| field.starts_with("v=")) {
            Some(field) => Version::try_from(number(field, "v=")?).ok()?,
            None => Version::V0x10,
        };
        let (memory_kib, iterations, parallelism) = cost(fields.next()?)?;
        let [salt, tag] = [decode(fields.next()?)?, decode(fields.next()?)?];
        let recipe = Recipe { algorithm, version, memory_kib, iterations, parallelism };
        fields.next().is_none().then_some(Self { recipe, salt, tag })
    }

    /// Whether a new hash would be made in the same way.
    pub(super) fn is_current(&self, configured: Recipe) -> bool {
        self.recipe == configured && self.salt.len() >= SALT_BYTES && self.tag.len() == TAG_BYTES
    }

    /// Compares tags in constant time.
    pub(super) fn has_tag(&self, tag: &[u8]) -> bool {
        argon2_rust::constant_time_eq(&self.tag, tag)
    }
}

/// Reads `m=…,t=…,p=…`.
fn cost(field: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = field.split(',');
    let cost = (number(numbers.next()?, "m=")?, number(numbers.next()?, "t=")?, number(numbers.next()?, "p=")?);
    numbers.next().is_none().then_some(cost)
}

/// Reads a decimal number without sign or leading zeros behind `prefix`.
fn number(field: &str, prefix: &str) -> Option<u32> {
    let digits = field.strip_prefix(prefix)?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|_| is_plain)
}

fn decode(field: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(field).ok()
}

impl fmt::Display for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recipe { algorithm, version, memory_kib, iterations, parallelism } = self.recipe;
        let [salt, tag] = [&self.salt, &self.tag].map(|bytes| STANDARD_NO_PAD.encode(bytes));
        let version = u32::from(version);
        write!(f, "${algorithm}$v={version}$m={memory_kib},t={iterations},p={parallelism}${salt}${tag}")
    }
}

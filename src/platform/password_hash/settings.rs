//! `[password]`: what one hash costs, and how many run and wait at once.

use std::{num::NonZeroU32, thread};

use serde::{Deserialize, Serialize};

use super::phc::Recipe;

/// The least memory that needs no warning, in KiB (OWASP password storage, argon2id).
pub const DEFAULT_MEMORY_KIB: u32 = 19_456;
/// The least passes over the memory that need no warning.
pub const DEFAULT_ITERATIONS: u32 = 2;
/// How many hashes may wait for each thread, unless configured: about a quarter of a second of work.
const QUEUED_PER_THREAD: u32 = 32;

/// `[password]`: the cost of a hash (RFC 9106 §3.1) and the bounds of the pool that makes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordSettings {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes of a hash; they are worked off one after another, by one thread.
    pub parallelism: u32,
    /// Threads that hash, and so the memory that hashing may take; by default one a core.
    pub max_parallel_hashes: NonZeroU32,
    /// How many may wait; more are told to come back later. By default 32 for each thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_queued_hashes: Option<u32>,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self {
            memory_kib: DEFAULT_MEMORY_KIB,
            iterations: DEFAULT_ITERATIONS,
            parallelism: 1,
            max_parallel_hashes: cores(),
            max_queued_hashes: None,
        }
    }
}

impl PasswordSettings {
    /// How many hashes may wait.
    pub fn queue_len(&self) -> usize {
        let per_thread = self.max_parallel_hashes.get().saturating_mul(QUEUED_PER_THREAD);
        self.max_queued_hashes.unwrap_or(per_thread) as usize
    }

    /// What RFC 9106 §3.1 does not allow about these parameters, if anything.
    pub fn problem(&self) -> Option<String> {
        let recipe = Recipe::argon2id(self.memory_kib, self.iterations, self.parallelism);
        recipe.check().err().map(|error| error.to_string())
    }

    /// Whether a hash costs less than the default: fit for tests, too cheap for people.
    pub fn is_below_default_cost(&self) -> bool {
        self.memory_kib < DEFAULT_MEMORY_KIB || self.iterations < DEFAULT_ITERATIONS
    }
}

fn cores() -> NonZeroU32 {
    let cores = thread::available_parallelism().ok().and_then(|cores| u32::try_from(cores.get()).ok());
    cores.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
}

//! Randomness for secrets and ids: `ChaCha12` (`rand::rngs::StdRng`), seeded once from the operating system.
//! Only the start can fail, for want of a seed; from then on nobody has to answer for missing randomness in the middle
//! of a request. Sessions, tokens, salts, nonces and ids all come from here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::{RngCore, SeedableRng, rngs::StdRng};
use uuid::Builder;

use super::Timestamp;

/// The operating system gave no randomness to start from.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no randomness: {0}")]
pub struct EntropyError(String);

/// A source of random bytes; clones share one generator.
#[derive(Clone)]
pub struct Entropy(Arc<Mutex<Source>>);

struct Source {
    rng: StdRng,
    /// The last UUID: its time in microseconds, and its random bits.
    last_uuid: Option<(u64, u64)>,
}

impl Entropy {
    /// Seeds a generator from the operating system.
    ///
    /// # Errors
    /// [`EntropyError`] if the operating system refuses.
    pub fn from_os() -> Result<Self, EntropyError> {
        let rng = StdRng::try_from_os_rng().map_err(|error| EntropyError(error.to_string()))?;
        Ok(Self(Arc::new(Mutex::new(Source { rng, last_uuid: None }))))
    }

    /// Fills `bytes` with random bytes.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.source().rng.fill_bytes(bytes);
    }

    /// Makes `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Makes a UUID of version 7 (RFC 9562 §5.7), so that later ids sort behind earlier ones.
    ///
    /// The 12 bits behind the milliseconds carry the microseconds (method 3 of §6.2); the other 62 bits are random for the
    /// first one of a microsecond, and grow by something random for those that follow in this process (method 2).
    pub fn uuid_v7(&self, now: Timestamp) -> String {
        let micros = u64::try_from(now.as_micros()).unwrap_or(0);
        let random = self.next_random_of(micros);
        let fraction = u16::try_from((micros % 1000) * 4096 / 1000).unwrap_or(0);
        let mut tail = [0; 10];
        tail[..2].copy_from_slice(&fraction.to_be_bytes());
        tail[2..].copy_from_slice(&random.to_be_bytes());
        Builder::from_unix_timestamp_millis(micros / 1000, &tail).into_uuid().to_string()
    }

    /// Makes a UUID of version 4 (RFC 9562 §5.4), where ids must sort in no order.
    pub fn uuid_v4(&self) -> String {
        Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }

    /// What every UUID of version 7 of this moment and later sorts behind: its first 48 bits are milliseconds.
    pub fn first_uuid_v7(at: Timestamp) -> String {
        let hex = format!("{:012x}", at.as_micros().max(0) / 1000);
        let (high, low) = hex.split_at(8);
        format!("{high}-{low}")
    }

    fn next_random_of(&self, micros: u64) -> u64 {
        let mut source = self.source();
        let fresh = source.rng.next_u64();
        let random = match source.last_uuid {
            Some((last, random)) if last == micros => random + (fresh >> 32) + 1,
            // The first half of the numbers, so that there is room to grow; the two bits above are the variant's.
            _ => fresh >> 3,
        };
        // A look back in time is no reason to forget where the present stands.
        if source.last_uuid.is_none_or(|(last, _)| last <= micros) {
            source.last_uuid = Some((micros, random));
        }
        random
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::*;

    #[test]
    fn two_starts_give_different_bytes() {
        let (a, b) = (Entropy::from_os().unwrap(), Entropy::from_os().unwrap());
        assert_ne!(a.bytes::<32>(), b.bytes::<32>());
        assert_ne!(a.bytes::<32>(), a.clone().bytes::<32>());
    }

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let entropy = Entropy::from_os().unwrap();
        let start = Timestamp::from_micros(1_795_270_200_123_000);
        let ids: Vec<String> = (0..2000).map(|i| entropy.uuid_v7(start.plus(Duration::from_micros(i)))).collect();
        assert!(ids.is_sorted());
        for id in &ids {
            let id = uuid::Uuid::parse_str(id).unwrap();
            assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        }
    }

    #[test]
    fn ids_of_one_instant_differ() {
        let entropy = Entropy::from_os().unwrap();
        let ids: HashSet<String> = (0..10_000).map(|_| entropy.uuid_v7(Timestamp::from_micros(0))).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn a_moment_sorts_before_its_uuids() {
        let entropy = Entropy::from_os().unwrap();
        let (before, at) =
            (Timestamp::from_micros(1_795_269_600_000_999), Timestamp::from_micros(1_795_269_600_001_000));
        let first = Entropy::first_uuid_v7(at);
        assert!(entropy.uuid_v7(before) < first && first < entropy.uuid_v7(at));
    }

    #[test]
    fn later_uuids_of_one_instant_sort_behind_earlier_ones() {
        let entropy = Entropy::from_os().unwrap();
        let now = Timestamp::from_micros(1_795_269_600_000_123);
        let uuid = |_| {
            entropy.uuid_v7(now.minus(Duration::from_hours(1)));
            entropy.uuid_v7(now)
        };
        let uuids: Vec<String> = (0..1000).map(uuid).collect();
        assert!(uuids.is_sorted());
        assert_eq!(uuids.iter().collect::<HashSet<_>>().len(), 1000);
        assert!(uuids.iter().all(|uuid| uuid.as_bytes()[14] == b'7' && b"89ab".contains(&uuid.as_bytes()[19])));
    }
}

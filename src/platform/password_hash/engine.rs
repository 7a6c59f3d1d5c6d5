//! The two argon2 engines: `argon2-rust`, which picks its SIMD code at run time, and `argon2`, slower but audited.
//! At m = 19456 KiB, t = 2, p = 1 on one core the first made 117 hashes a second and the second 65 (99 and 58 without
//! keeping their memory), so the first is taken as long as it gives the known answers at every start; if not, the second
//! takes over and the log says so. Both keep their memory from hash to hash and wipe it after each.

use argon2::{Algorithm, Block, Version};
use argon2_rust::params::{Memory, TagLen};
use zeroize::Zeroize;

use super::phc::Recipe;

/// Password hashing can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The parameters are outside of RFC 9106.
    #[error("the cost of a password hash is not allowed: {0}")]
    Parameters(String),
    /// No engine gave the known answers.
    #[error("no argon2 engine gives the known answers on this machine")]
    WrongAnswers,
    /// There is not enough memory for one hash.
    #[error("a first hash failed: {0}")]
    FirstHash(String),
    /// A thread could not be started.
    #[error("a thread for hashing could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// A hash failed; the text says nothing of the password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct EngineError(pub String);

/// One tag to compute.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub recipe: Recipe,
    pub password: &'a [u8],
    pub salt: &'a [u8],
}

/// Which engine is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EngineKind {
    Fast,
    Audited,
}

/// A tag that is known from the reference implementation.
struct KnownAnswer {
    recipe: Recipe,
    tag: [u8; 32],
}

const KNOWN_PASSWORD: &[u8] = b"password";
const KNOWN_SALT: &[u8] = b"somesalt";
/// Checked at every start, in about 9 ms: one lane and two, and the default cost. The first two stand in the tests of
/// the reference implementation.
const KNOWN_ANSWERS: [KnownAnswer; 3] = [
    KnownAnswer {
        recipe: Recipe::argon2id(256, 2, 1),
        tag: [
            0x9d, 0xfe, 0xb9, 0x10, 0xe8, 0x0b, 0xad, 0x03, 0x11, 0xfe, 0xe2, 0x0f, 0x9c, 0x0e, 0x2b, 0x12, 0xc1, 0x79,
            0x87, 0xb4, 0xca, 0xc9, 0x0c, 0x2e, 0xf5, 0x4d, 0x5b, 0x30, 0x21, 0xc6, 0x8b, 0xfe,
        ],
    },
    KnownAnswer {
        recipe: Recipe::argon2id(256, 2, 2),
        tag: [
            0x6d, 0x09, 0x3c, 0x50, 0x1f, 0xd5, 0x99, 0x96, 0x45, 0xe0, 0xea, 0x3b, 0xf6, 0x20, 0xd7, 0xb8, 0xbe, 0x7f,
            0xd2, 0xdb, 0x59, 0xc2, 0x0d, 0x9f, 0xff, 0x95, 0x39, 0xda, 0x2b, 0xf5, 0x70, 0x37,
        ],
    },
    KnownAnswer {
        recipe: Recipe::argon2id(19_456, 2, 1),
        tag: [
            0x3c, 0xbd, 0x35, 0x6a, 0x63, 0xf2, 0x79, 0x4b, 0xb1, 0x1b, 0xb1, 0xf4, 0xbc, 0x8a, 0xf9, 0x5f, 0xea, 0x87,
            0x91, 0x9b, 0xd6, 0x9c, 0x79, 0x86, 0x04, 0x65, 0xc5, 0x62, 0xf8, 0x7c, 0xcf, 0x61,
        ],
    },
];

impl EngineKind {
    /// Picks the fast engine if it gives the known answers, else the audited one.
    pub(super) fn choose() -> Result<Self, StartError> {
        Self::choose_by(|kind| Engine::new(kind).gives_known_answers())
    }

    pub(super) fn choose_by(is_right: impl Fn(Self) -> bool) -> Result<Self, StartError> {
        if is_right(Self::Fast) {
            return Ok(Self::Fast);
        }
        tracing::error!("the fast argon2 engine gives wrong answers on this machine; the slower one takes over");
        is_right(Self::Audited).then_some(Self::Audited).ok_or(StartError::WrongAnswers)
    }
}

/// What a hasher starts from; each tag brings its own parameters.
const FAST: argon2_rust::Argon2 = argon2_rust::Argon2::new(
    argon2_rust::Algorithm::Argon2id,
    argon2_rust::Version::V0x13,
    argon2_rust::Params::DEFAULT,
);

/// Computes tags in memory of its own.
pub(super) enum Engine {
    Fast(Box<argon2_rust::Hasher>),
    Audited(Vec<Block>),
}

impl Engine {
    pub(super) fn new(kind: EngineKind) -> Self {
        match kind {
            EngineKind::Fast => Self::Fast(Box::new(FAST.hasher())),
            EngineKind::Audited => Self::Audited(Vec::new()),
        }
    }

    /// Fills `tag`, whose length is part of what is hashed (RFC 9106 §3.2).
    pub(super) fn tag(&mut self, work: Work<'_>, tag: &mut [u8]) -> Result<(), EngineError> {
        match self {
            Self::Fast(hasher) => fast_tag(hasher, work, tag),
            Self::Audited(memory) => audited_tag(memory, work, tag),
        }
    }

    /// Gives the memory back to the operating system.
    pub(super) fn release(&mut self) {
        match self {
            Self::Fast(hasher) => hasher.clear(),
            Self::Audited(memory) => *memory = Vec::new(),
        }
    }

    pub(super) fn gives_known_answers(&mut self) -> bool {
        KNOWN_ANSWERS.iter().all(|known| {
            let mut tag = [0; 32];
            let work = Work { recipe: known.recipe, password: KNOWN_PASSWORD, salt: KNOWN_SALT };
            self.tag(work, &mut tag).is_ok() && tag == known.tag
        })
    }
}

fn fast_tag(hasher: &mut argon2_rust::Hasher, work: Work<'_>, tag: &mut [u8]) -> Result<(), EngineError> {
    let engine_error = |error: argon2_rust::Error| EngineError(error.to_string());
    let params = argon2_rust::Params::builder()
        .memory(Memory::kib(u64::from(work.recipe.memory_kib)))
        .passes(work.recipe.iterations)
        .lanes(work.recipe.parallelism)
        // Lanes don't get threads of their own, or the pool would not bound what hashing takes of the machine.
        .threads(1)
        .tag_len(TagLen::bytes(tag.len() as u64))
        .build()
        .map_err(engine_error)?;
    let (algorithm, version) = (fast_algorithm(work.recipe), fast_version(work.recipe));
    hasher.set_argon2(argon2_rust::Argon2::new(algorithm, version, params));
    hasher.hash_into(work.password, work.salt, tag).map_err(engine_error)
}

fn fast_algorithm(recipe: Recipe) -> argon2_rust::Algorithm {
    match recipe.algorithm {
        Algorithm::Argon2d => argon2_rust::Algorithm::Argon2d,
        Algorithm::Argon2i => argon2_rust::Algorithm::Argon2i,
        Algorithm::Argon2id => argon2_rust::Algorithm::Argon2id,
    }
}

fn fast_version(recipe: Recipe) -> argon2_rust::Version {
    match recipe.version {
        Version::V0x10 => argon2_rust::Version::V0x10,
        Version::V0x13 => argon2_rust::Version::V0x13,
    }
}

fn audited_tag(memory: &mut Vec<Block>, work: Work<'_>, tag: &mut [u8]) -> Result<(), EngineError> {
    let Recipe { algorithm, version, memory_kib, iterations, parallelism } = work.recipe;
    let engine_error = |error: argon2::Error| EngineError(error.to_string());
    let params = argon2::Params::new(memory_kib, iterations, parallelism, Some(tag.len())).map_err(engine_error)?;
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.try_reserve_exact(blocks - memory.len()).map_err(|error| EngineError(error.to_string()))?;
        memory.resize(blocks, Block::new());
    }
    let argon2 = argon2::Argon2::new(algorithm, version, params);
    let outcome = argon2.hash_password_into_with_memory(work.password, work.salt, tag, &mut memory[..blocks]);
    // The blocks one by one: the vector as a whole would be cut to nothing.
    memory.iter_mut().zeroize();
    outcome.map_err(engine_error)
}

//! The engine against the standard and against the audited crate; the pool when it is full.

use std::{num::NonZeroU32, time::Duration};

use argon2::{Algorithm, Version};
use argon2_rust::params::Memory;

use super::{
    engine::{Engine, Work},
    *,
};

fn settings() -> PasswordSettings {
    PasswordSettings {
        memory_kib: 64,
        iterations: 1,
        max_parallel_hashes: NonZeroU32::MIN,
        ..PasswordSettings::default()
    }
}

fn start(settings: &PasswordSettings) -> PasswordHasher {
    PasswordHasher::start(settings, Entropy::from_os().unwrap()).unwrap()
}

fn password(text: &str) -> Password {
    Password::from(text.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(nibble.into(), 16))
        .collect()
}

#[tokio::test]
async fn nobodys_password_and_a_wrong_one_get_the_same_verdict() {
    let hasher = start(&settings());
    let stored = hasher.hash(password("correct horse")).await.unwrap();
    assert_eq!(hasher.verify(password("wrong horse"), Some(&stored)).await.unwrap(), Verdict::Wrong);
    assert_eq!(hasher.verify(password("correct horse"), None).await.unwrap(), Verdict::Wrong);
    assert_eq!(hasher.verify(password(""), None).await.unwrap(), Verdict::Wrong);
}

#[tokio::test]
async fn a_password_is_right_and_its_hash_has_the_configured_form() {
    let hasher = start(&settings());
    let stored = hasher.hash(password("correct horse")).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{stored}");
    assert_ne!(stored, hasher.hash(password("correct horse")).await.unwrap());
    assert_eq!(hasher.verify(password("correct horse"), Some(&stored)).await.unwrap(), Verdict::Right);
}

#[tokio::test]
async fn a_hash_with_other_parameters_is_right_but_outdated() {
    let hasher = start(&settings());
    for other in [
        PasswordSettings { memory_kib: 128, ..settings() },
        PasswordSettings { memory_kib: 32, ..settings() },
        PasswordSettings { iterations: 3, ..settings() },
        PasswordSettings { parallelism: 4, ..settings() },
    ] {
        let stored = start(&other).hash(password("correct horse")).await.unwrap();
        let verdict = hasher.verify(password("correct horse"), Some(&stored)).await.unwrap();
        assert_eq!(verdict, Verdict::RightButOutdated, "{stored}");
        assert_eq!(hasher.verify(password("wrong"), Some(&stored)).await.unwrap(), Verdict::Wrong, "{stored}");
    }
}

#[tokio::test]
async fn hashes_of_other_argon2_variants_can_be_used() {
    let hasher = start(&settings());
    for algorithm in [Algorithm::Argon2i, Algorithm::Argon2d, Algorithm::Argon2id] {
        for version in [Version::V0x10, Version::V0x13] {
            let recipe = Recipe { algorithm, version, ..Recipe::argon2id(96, 2, 2) };
            let salt = b"somesaltsomesalt".to_vec();
            let mut tag = vec![0; 24];
            let work = Work { recipe, password: b"correct horse", salt: &salt };
            Engine::new(EngineKind::Audited).tag(work, &mut tag).unwrap();
            let stored = StoredHash { recipe, salt, tag }.to_string();
            let verdict = hasher.verify(password("correct horse"), Some(&stored)).await.unwrap();
            assert_eq!(verdict, Verdict::RightButOutdated, "{stored}");
        }
    }
    // Version 16 has no version field (the reference implementation before 2016).
    let stored = "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY";
    assert_eq!(hasher.verify(password("password"), Some(stored)).await.unwrap(), Verdict::RightButOutdated);
}

#[tokio::test]
async fn a_stored_text_that_is_no_usable_hash_fits_no_password() {
    let hasher = start(&settings());
    let good = hasher.hash(password("p")).await.unwrap();
    let absurd = |cost: &str| good.replace("m=64,t=1,p=1", cost);
    for stored in [
        String::new(),
        "p".to_owned(),
        "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
        absurd("m=4294967295,t=1,p=1"),
        absurd("m=262145,t=1,p=1"),
        absurd("m=64,t=33,p=1"),
        absurd("m=64,t=4294967295,p=1"),
        absurd("m=256,t=1,p=17"),
        absurd("m=7,t=1,p=1"),
        absurd("m=64,t=0,p=1"),
        absurd("m=64,t=1,p=0"),
        absurd("m=064,t=1,p=1"),
        absurd("m=+64,t=1,p=1"),
        absurd("t=1,m=64,p=1"),
        absurd("m=64,t=1,p=1,data=AAAA"),
        absurd("m=99999999999999999999,t=1,p=1"),
        good.replace("v=19", "v=20"),
        good.replace("argon2id", "argon2x"),
        format!("{good}$"),
        format!("{good} "),
        good.rsplit_once('$').unwrap().0.to_owned(),
        "$argon2id$v=19$m=64,t=1,p=1$$".to_owned(),
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$AAAA".to_owned(),
    ] {
        assert_eq!(hasher.verify(password("p"), Some(&stored)).await.unwrap(), Verdict::Wrong, "{stored}");
    }
}

#[tokio::test]
async fn an_overlong_password_is_wrong_even_if_its_beginning_is_right() {
    let hasher = start(&settings());
    let longest = "ü".repeat(MAX_PASSWORD_BYTES / 2);
    let stored = hasher.hash(password(&longest)).await.unwrap();
    assert_eq!(hasher.verify(password(&longest), Some(&stored)).await.unwrap(), Verdict::Right);
    let longer = format!("{longest}x");
    assert_eq!(hasher.verify(password(&longer), Some(&stored)).await.unwrap(), Verdict::Wrong);
    assert!(matches!(hasher.hash(password(&longer)).await, Err(HashError::Internal(_))));
}

#[tokio::test]
async fn parameters_outside_of_the_standard_are_refused_at_the_start() {
    for wrong in [
        PasswordSettings { memory_kib: 7, ..settings() },
        PasswordSettings { iterations: 0, ..settings() },
        PasswordSettings { parallelism: 0, ..settings() },
        PasswordSettings { parallelism: 9, ..settings() },
    ] {
        let refused = PasswordHasher::start(&wrong, Entropy::from_os().unwrap()).unwrap_err();
        assert!(matches!(refused, StartError::Parameters(_)), "{refused}");
        assert!(wrong.problem().is_some());
    }
    assert_eq!(settings().problem(), None);
}

#[tokio::test]
async fn what_does_not_fit_into_the_queue_is_told_to_come_back() {
    let slow = PasswordSettings { memory_kib: 4096, iterations: 2, max_queued_hashes: Some(3), ..settings() };
    let hasher = start(&slow);
    let tries = (0..40).map(|_| {
        let hasher = hasher.clone();
        tokio::spawn(async move { hasher.hash(password("p")).await })
    });
    let (mut done, mut busy) = (0, 0);
    for outcome in tries.collect::<Vec<_>>() {
        match outcome.await.unwrap() {
            Ok(_) => done += 1,
            Err(HashError::Busy { retry_after_secs }) => {
                assert!((1..60).contains(&retry_after_secs));
                busy += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(done >= 4, "one that runs and three that wait: {done}");
    assert!(busy > 0, "{busy}");
    assert!(hasher.hash(password("p")).await.is_ok(), "there is room again");
}

#[tokio::test]
async fn a_queue_without_places_still_hashes() {
    let hasher = start(&PasswordSettings { max_queued_hashes: Some(0), ..settings() });
    for _ in 0..200 {
        hasher.hash(password("p")).await.unwrap();
    }
}

#[tokio::test]
async fn callers_that_went_away_leave_their_places_to_others() {
    let slow = PasswordSettings { memory_kib: 65_536, iterations: 4, max_queued_hashes: Some(4), ..settings() };
    let hasher = start(&slow);
    for _ in 0..50 {
        let gone = tokio::time::timeout(Duration::from_millis(1), hasher.hash(password("p"))).await;
        assert!(!matches!(gone, Ok(Err(HashError::Busy { .. }))), "a place of somebody who is gone was kept");
    }
    assert!(hasher.hash(password("p")).await.is_ok());
}

#[tokio::test]
async fn who_is_answered_together_with_others_is_answered_for_themselves() {
    let hasher = start(&PasswordSettings { memory_kib: 1024, max_queued_hashes: Some(40), ..settings() });
    let stored = hasher.hash(password("correct horse")).await.unwrap();
    let tries = (0..40).map(|nth| {
        let (hasher, stored) = (hasher.clone(), stored.clone());
        let (typed, verdict) = if nth % 3 == 0 { ("wrong", Verdict::Wrong) } else { ("correct horse", Verdict::Right) };
        (verdict, tokio::spawn(async move { hasher.verify(password(typed), Some(&stored)).await }))
    });
    for (verdict, task) in tries.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap().unwrap(), verdict);
    }
}

#[tokio::test]
async fn who_waits_to_be_answered_with_others_is_answered_when_those_go_away() {
    let slow = PasswordSettings { memory_kib: 4096, iterations: 4, max_queued_hashes: Some(40), ..settings() };
    let hasher = start(&slow);
    let ask = |_| {
        let hasher = hasher.clone();
        tokio::spawn(async move { hasher.hash(password("p")).await })
    };
    let (first, behind): (Vec<_>, Vec<_>) = ((0..3).map(ask).collect(), (0..20).map(ask).collect());
    tokio::task::yield_now().await;
    behind.iter().for_each(tokio::task::JoinHandle::abort);
    for task in first {
        let answer = tokio::time::timeout(Duration::from_mins(1), task).await.expect("nobody is forgotten");
        assert!(answer.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_password_is_not_shown_in_logs() {
    assert_eq!(format!("{:?}", password("secret")), "Password(redacted)");
    assert!(!format!("{:?}", start(&settings())).contains("tag"));
}

#[test]
fn both_engines_give_the_known_answers() {
    assert!(Engine::new(EngineKind::Fast).gives_known_answers());
    assert!(Engine::new(EngineKind::Audited).gives_known_answers());
    assert_eq!(EngineKind::choose().unwrap(), EngineKind::Fast);
}

#[test]
fn the_audited_engine_takes_over_from_a_wrong_one() {
    let audited_only = |kind| kind == EngineKind::Audited;
    assert_eq!(EngineKind::choose_by(audited_only).unwrap(), EngineKind::Audited);
    assert!(matches!(EngineKind::choose_by(|_| false), Err(StartError::WrongAnswers)));
}

#[test]
fn the_audited_engine_wipes_its_memory() {
    let mut engine = Engine::new(EngineKind::Audited);
    let work = Work { recipe: Recipe::argon2id(256, 1, 1), password: b"p", salt: b"somesalt" };
    engine.tag(work, &mut [0; 32]).unwrap();
    let Engine::Audited(memory) = &engine else { panic!("another engine") };
    assert_eq!(memory.len(), 256);
    assert!(memory.iter().all(|block| AsRef::<[u64]>::as_ref(block).iter().all(|word| *word == 0)));
}

#[test]
fn the_fast_engine_keeps_its_memory_until_it_is_released() {
    let mut engine = Engine::new(EngineKind::Fast);
    for memory_kib in [512, 64, 256] {
        let work = Work { recipe: Recipe::argon2id(memory_kib, 1, 1), password: b"p", salt: b"somesalt" };
        engine.tag(work, &mut [0; 32]).unwrap();
    }
    let reserved = |engine: &Engine| match engine {
        Engine::Fast(hasher) => hasher.reserved_blocks(),
        Engine::Audited(_) => panic!("another engine"),
    };
    assert_eq!(reserved(&engine), 512);
    engine.release();
    assert_eq!(reserved(&engine), 0);
}

/// RFC 9106 §5: the three vectors, with secret and associated data, which only the crates themselves take.
#[test]
fn both_crates_give_the_vectors_of_rfc_9106() {
    let (password, salt, secret, data) = ([1; 32], [2; 16], [3; 8], [4; 12]);
    for (algorithm, fast, expected) in [
        (
            Algorithm::Argon2d,
            argon2_rust::Algorithm::Argon2d,
            "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb",
        ),
        (
            Algorithm::Argon2i,
            argon2_rust::Algorithm::Argon2i,
            "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8",
        ),
        (
            Algorithm::Argon2id,
            argon2_rust::Algorithm::Argon2id,
            "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
        ),
    ] {
        let params =
            argon2_rust::Params::builder().memory(Memory::kib(32)).passes(3).lanes(4).threads(1).build().unwrap();
        let mut hasher = argon2_rust::Argon2::new(fast, argon2_rust::Version::V0x13, params).hasher();
        let mut tag = [0; 32];
        hasher.hash_into_with_ad(&password, &salt, &secret, &data, &mut tag).unwrap();
        assert_eq!(hex(&tag), expected, "{algorithm}");

        let mut builder = argon2::ParamsBuilder::new();
        builder.m_cost(32).t_cost(3).p_cost(4).data(argon2::AssociatedData::new(&data).unwrap());
        let params = builder.build().unwrap();
        let argon2 = argon2::Argon2::new_with_secret(&secret, algorithm, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon2.hash_password_into(&password, &salt, &mut tag).unwrap();
        assert_eq!(hex(&tag), expected, "{algorithm}");
    }
}

/// Both engines, each with one memory for all, so that a remainder of one hash in the next would show.
#[test]
fn both_engines_agree_over_many_parameters_and_lengths() {
    let entropy = Entropy::from_os().unwrap();
    let (mut fast, mut audited) = (Engine::new(EngineKind::Fast), Engine::new(EngineKind::Audited));
    let mut compared = 0;
    for algorithm in [Algorithm::Argon2id, Algorithm::Argon2i, Algorithm::Argon2d] {
        for version in [Version::V0x13, Version::V0x10] {
            for (memory_kib, iterations, parallelism) in costs() {
                let recipe = Recipe { algorithm, version, ..Recipe::argon2id(memory_kib, iterations, parallelism) };
                for (password_len, salt_len, tag_len) in lengths(compared) {
                    let (mut password, mut salt) = (vec![0; password_len], vec![0; salt_len]);
                    entropy.fill(&mut password);
                    entropy.fill(&mut salt);
                    let work = Work { recipe, password: &password, salt: &salt };
                    let (mut a, mut b) = (vec![0; tag_len], vec![0; tag_len]);
                    fast.tag(work, &mut a).unwrap();
                    audited.tag(work, &mut b).unwrap();
                    assert_eq!(a, b, "{recipe:?}, password {password:?}, salt {salt:?}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 1000, "{compared}");
}

fn costs() -> Vec<(u32, u32, u32)> {
    let mut costs = Vec::new();
    for parallelism in [1, 2, 3, 4, 7] {
        for memory_kib in [8 * parallelism, 8 * parallelism + 3, 97, 128, 515] {
            for iterations in [1, 2, 3] {
                costs.push((memory_kib.max(8 * parallelism), iterations, parallelism));
            }
        }
    }
    costs.push((19_456, 2, 1));
    costs
}

/// Lengths around the block sizes of `BLAKE2b`, a few of them for each cost in turn.
fn lengths(seed: usize) -> [(usize, usize, usize); 3] {
    let passwords = [0, 1, 7, 31, 63, 64, 65, 127, 128, 129, 255, 256, 1024, 4096];
    let salts = [8, 9, 15, 16, 17, 31, 32, 48, 64];
    let tags = [16, 24, 31, 32, 33, 63, 64];
    [0, 1, 2].map(|i| {
        let at = seed + i * 5;
        (passwords[at % passwords.len()], salts[at % salts.len()], tags[at % tags.len()])
    })
}

#[test]
fn the_queue_has_its_default_length_per_thread() {
    let two = PasswordSettings { max_parallel_hashes: NonZeroU32::new(2).unwrap(), ..PasswordSettings::default() };
    assert_eq!(two.queue_len(), 64);
    assert_eq!(PasswordSettings { max_queued_hashes: Some(5), ..two }.queue_len(), 5);
}

#[test]
fn a_tag_length_is_part_of_what_is_hashed() {
    let work = Work { recipe: Recipe::argon2id(64, 1, 1), password: b"p", salt: b"somesalt" };
    let (mut short, mut long) = ([0; 16], [0; 32]);
    Engine::new(EngineKind::Fast).tag(work, &mut short).unwrap();
    Engine::new(EngineKind::Fast).tag(work, &mut long).unwrap();
    assert_ne!(short, long[..16]);
}

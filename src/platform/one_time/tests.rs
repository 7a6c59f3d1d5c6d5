//! What holds for one-time tokens on both databases.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::platform::testing::{TestDb, on_both_databases};

on_both_databases!(
    a_token_is_used_once,
    of_many_uses_at_once_one_wins,
    a_new_token_replaces_the_old_one_of_its_purpose,
    a_token_ends_by_time,
    a_revoked_token_says_so,
    a_code_has_fifty_tries,
    a_code_for_that_is_none_for_this,
    what_is_about_an_address_becomes_about_its_user,
    what_ended_long_ago_is_swept_away,
);

const RESET: Purpose = Purpose { name: "reset", lifetime: Duration::from_mins(15), replaces: true };
const ANY: CodeFor = CodeFor::AllBut(&[INVITE]);
const INVITE: Purpose = Purpose { name: "invite", lifetime: Duration::from_hours(24), replaces: false };

fn at(secs: u64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000).plus(Duration::from_secs(secs))
}

fn email() -> EmailAddress {
    EmailAddress::parse("ada@example.org").unwrap()
}

async fn issued(test: &TestDb, purpose: Purpose, now: Timestamp) -> Issued {
    let entropy = Entropy::from_os().unwrap();
    let mut tx = test.db.begin().await.unwrap();
    let new = NewOneTime {
        purpose,
        subject: "u1",
        email: &email(),
        data: json!({ "provider": "emailpass" }),
        expires_at: now.plus(purpose.lifetime),
    };
    let issued = issue(&mut tx, &entropy, now, new).await.unwrap();
    tx.commit().await.unwrap();
    issued
}

async fn state(test: &TestDb, issued: &Issued, now: Timestamp) -> OneTimeState {
    find(&test.db, &issued.token, now).await.unwrap().unwrap().state
}

async fn used(test: &TestDb, issued: &Issued, now: Timestamp) -> bool {
    let mut tx = test.db.begin().await.unwrap();
    let is_used = use_up(&mut tx, &issued.id, now).await.unwrap();
    tx.commit().await.unwrap();
    is_used
}

async fn a_token_is_used_once(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let token = issued(test, RESET, at(0)).await;
    let found = find(&test.db, &token.token, at(1)).await.unwrap().unwrap();
    assert_eq!((found.subject.as_str(), found.state, found.is_for(RESET)), ("u1", OneTimeState::Ready, true));
    assert_eq!((found.email, found.data), (email(), json!({ "provider": "emailpass" })));
    assert!(used(test, &token, at(1)).await);
    assert!(!used(test, &token, at(1)).await);
    assert_eq!(state(test, &token, at(2)).await, OneTimeState::Used);
    let other = SecretToken::generate(&Entropy::from_os().unwrap());
    assert_eq!(find(&test.db, &other, at(1)).await.unwrap(), None);
}

async fn of_many_uses_at_once_one_wins(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let token = issued(test, INVITE, at(0)).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (db, id) = (test.db.clone(), token.id.clone());
        tries.spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let is_used = use_up(&mut tx, &id, at(1)).await.unwrap();
            tx.commit().await.unwrap();
            is_used
        });
    }
    let won = tries.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
}

async fn a_new_token_replaces_the_old_one_of_its_purpose(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (invite, old) = (issued(test, INVITE, at(0)).await, issued(test, RESET, at(0)).await);
    let (another, new) = (issued(test, INVITE, at(1)).await, issued(test, RESET, at(1)).await);
    assert_eq!(state(test, &old, at(2)).await, OneTimeState::Replaced);
    assert!(!used(test, &old, at(2)).await);
    for ready in [&invite, &another, &new] {
        assert_eq!(state(test, ready, at(2)).await, OneTimeState::Ready);
    }
}

async fn a_token_ends_by_time(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let token = issued(test, RESET, at(0)).await;
    assert_eq!(state(test, &token, at(899)).await, OneTimeState::Ready);
    assert_eq!(state(test, &token, at(900)).await, OneTimeState::Expired);
    assert!(!used(test, &token, at(900)).await);
    let mut tx = test.db.begin().await.unwrap();
    prolong(&mut tx, (RESET, "u1"), at(1_000)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state(test, &token, at(999)).await, OneTimeState::Ready);
}

async fn a_revoked_token_says_so(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (one, other) = (issued(test, INVITE, at(0)).await, issued(test, INVITE, at(0)).await);
    let mut tx = test.db.begin().await.unwrap();
    assert!(revoke(&mut tx, &one.id, at(1)).await.unwrap());
    assert_eq!(revoke_all(&mut tx, "u1", at(1)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(state(test, &one, at(2)).await, OneTimeState::Revoked);
    assert_eq!(state(test, &other, at(2)).await, OneTimeState::Revoked);
    assert!(!used(test, &other, at(2)).await);
}

async fn a_code_has_fifty_tries(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let token = issued(test, RESET, at(0)).await;
    let mut tx = test.db.begin().await.unwrap();
    assert_eq!(take_code_try(&mut tx, (&email(), ANY), at(1)).await.unwrap(), None, "it has no code yet");
    set_code(&mut tx, &token.id, "hash").await.unwrap();
    for _ in 0..50 {
        let hash = take_code_try(&mut tx, (&email(), ANY), at(1)).await.unwrap();
        assert_eq!(hash, Some((token.id.clone(), "hash".to_owned())));
    }
    assert_eq!(take_code_try(&mut tx, (&email(), ANY), at(1)).await.unwrap(), None);
    tx.commit().await.unwrap();
    assert_eq!(state(test, &token, at(2)).await, OneTimeState::Ready, "the link still works");
}

async fn a_code_for_that_is_none_for_this(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (reset, invite) = (issued(test, RESET, at(0)).await, issued(test, INVITE, at(0)).await);
    let mut tx = test.db.begin().await.unwrap();
    set_code(&mut tx, &reset.id, "reset").await.unwrap();
    set_code(&mut tx, &invite.id, "invite").await.unwrap();
    for (wanted, hash) in [(CodeFor::This(INVITE), "invite"), (CodeFor::This(RESET), "reset"), (ANY, "reset")] {
        let found = take_code_try(&mut tx, (&email(), wanted), at(1)).await.unwrap();
        assert_eq!(found.unwrap().1, hash, "{wanted:?}");
    }
    tx.commit().await.unwrap();
}

async fn what_is_about_an_address_becomes_about_its_user(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let token = issued(test, RESET, at(0)).await;
    let mut tx = test.db.begin().await.unwrap();
    pass_on(&mut tx, ("u1", "u2")).await.unwrap();
    assert_eq!(revoke_all(&mut tx, "u1", at(1)).await.unwrap(), 0);
    assert_eq!(revoke_all(&mut tx, "u2", at(1)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(state(test, &token, at(2)).await, OneTimeState::Revoked);
}

async fn what_ended_long_ago_is_swept_away(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let token = issued(test, RESET, at(0)).await;
    let end = at(900).plus(KEPT);
    assert_eq!(sweep(&test.db, end).await.unwrap(), 0);
    assert_eq!(state(test, &token, end).await, OneTimeState::Expired);
    assert_eq!(sweep(&test.db, end.plus(Duration::from_secs(1))).await.unwrap(), 1);
    assert_eq!(find(&test.db, &token.token, end).await.unwrap(), None);
}

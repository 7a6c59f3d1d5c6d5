//! Rate limits on both databases: tries are shared, refused ones take nothing, time gives them back.

use std::time::Duration;

use sqlx::Row;

use super::*;
use crate::platform::testing::{TestDb, on_both_databases};

on_both_databases!(
    all_tries_may_be_made_at_once_and_the_next_is_refused,
    tries_come_back_evenly_and_never_more_than_all,
    a_refusal_takes_from_no_bucket,
    buckets_of_other_names_and_subjects_are_untouched,
    a_limit_that_is_off_counts_nothing,
    processes_share_their_buckets,
    takes_in_any_order_of_buckets_do_not_block_each_other,
    only_full_buckets_are_swept,
    no_subject_is_stored_in_the_clear,
    what_can_not_be_counted_is_refused,
);

const START: Timestamp = Timestamp::from_micros(1_795_270_200_000_000);
const SECOND: Duration = Duration::from_secs(1);

async fn limiter(test: &TestDb) -> RateLimiter {
    test.db.migrate().await.unwrap();
    RateLimiter::new(test.db.clone())
}

fn bucket(subject: &str, tries: u32, per: Duration) -> Bucket<'_> {
    Bucket { name: "log_in_per_ip", subject, limit: Limit::new(tries, per) }
}

/// The seconds to wait; 0 if the try was granted.
async fn wait_of(limiter: &RateLimiter, now: Timestamp, buckets: &[Bucket<'_>]) -> u32 {
    match limiter.take(now, buckets).await {
        Ok(()) => 0,
        Err(Refused::TooMany { retry_after_secs }) => {
            assert!(retry_after_secs > 0);
            retry_after_secs
        }
        Err(error) => panic!("{error}"),
    }
}

async fn all_tries_may_be_made_at_once_and_the_next_is_refused(test: &TestDb) {
    let limiter = limiter(test).await;
    let ip = [bucket("192.0.2.1", 5, SECOND * 60)];
    for _ in 0..5 {
        assert_eq!(wait_of(&limiter, START, &ip).await, 0);
    }
    assert_eq!(wait_of(&limiter, START, &ip).await, 12);
    assert_eq!(wait_of(&limiter, START.plus(SECOND * 7), &ip).await, 5);
    assert_eq!(wait_of(&limiter, START.plus(SECOND * 12), &ip).await, 0);
    assert_eq!(wait_of(&limiter, START.plus(SECOND * 12), &ip).await, 12);
}

async fn tries_come_back_evenly_and_never_more_than_all(test: &TestDb) {
    let limiter = limiter(test).await;
    let ip = [bucket("192.0.2.1", 6, SECOND * 60)];
    let mut granted = 0;
    for second in 0..120 {
        granted += u32::from(wait_of(&limiter, START.plus(SECOND * second), &ip).await == 0);
    }
    assert_eq!(granted, 6 + 11, "six at once, then one in ten seconds");
    let later = START.plus(SECOND * 86_400);
    for _ in 0..6 {
        assert_eq!(wait_of(&limiter, later, &ip).await, 0);
    }
    assert_eq!(wait_of(&limiter, later, &ip).await, 10, "a day of rest earns no more than the six");
}

async fn a_refusal_takes_from_no_bucket(test: &TestDb) {
    let limiter = limiter(test).await;
    for (free, empty) in [("a", "b"), ("b2", "a2")] {
        let [free, empty] = [bucket(free, 2, SECOND * 60), bucket(empty, 1, SECOND * 60)];
        assert_eq!(wait_of(&limiter, START, &[empty]).await, 0);
        for _ in 0..10 {
            assert_ne!(wait_of(&limiter, START, &[free, empty]).await, 0);
        }
        assert_eq!(wait_of(&limiter, START, &[free]).await, 0);
        assert_eq!(wait_of(&limiter, START, &[free]).await, 0);
        assert_ne!(wait_of(&limiter, START, &[free]).await, 0);
    }
}

async fn buckets_of_other_names_and_subjects_are_untouched(test: &TestDb) {
    let limiter = limiter(test).await;
    let taken = bucket("192.0.2.1", 1, SECOND * 60);
    assert_eq!(wait_of(&limiter, START, &[taken]).await, 0);
    assert_ne!(wait_of(&limiter, START, &[taken]).await, 0);
    assert_eq!(wait_of(&limiter, START, &[bucket("192.0.2.10", 1, SECOND * 60)]).await, 0);
    assert_eq!(wait_of(&limiter, START, &[Bucket { name: "log_in_per_i", subject: "p192.0.2.1", ..taken }]).await, 0);
    assert_eq!(wait_of(&limiter, START, &[Bucket { name: "register_per_ip", ..taken }]).await, 0);
}

async fn a_limit_that_is_off_counts_nothing(test: &TestDb) {
    let limiter = limiter(test).await;
    let off = Bucket { name: "log_in_per_ip", subject: "192.0.2.1", limit: Limit::OFF };
    for _ in 0..100 {
        assert_eq!(wait_of(&limiter, START, &[off]).await, 0);
    }
    assert_eq!(wait_of(&limiter, START, &[]).await, 0);
    assert_eq!(rows(test).await.len(), 0);
}

async fn processes_share_their_buckets(test: &TestDb) {
    let one = limiter(test).await;
    let other_db = test.open_again().await;
    let two = RateLimiter::new(other_db.clone());
    let tasks: Vec<_> = (0..60)
        .map(|i| {
            let limiter = if i % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move { wait_of(&limiter, START, &[bucket("192.0.2.1", 10, SECOND * 60)]).await })
        })
        .collect();
    let mut granted = 0;
    for task in tasks {
        granted += u32::from(task.await.unwrap() == 0);
    }
    assert_eq!(granted, 10);
    other_db.close().await;
}

async fn takes_in_any_order_of_buckets_do_not_block_each_other(test: &TestDb) {
    let limiter = limiter(test).await;
    let tasks: Vec<_> = (0..60)
        .map(|i| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                let mut buckets = ["a", "b", "c", "d"].map(|subject| bucket(subject, 1000, SECOND * 60));
                buckets.rotate_left(i % 4);
                wait_of(&limiter, START, &buckets).await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 0);
    }
}

async fn only_full_buckets_are_swept(test: &TestDb) {
    let limiter = limiter(test).await;
    for subject in 0..30 {
        let per = if subject < 20 { SECOND * 10 } else { SECOND * 1000 };
        assert_eq!(wait_of(&limiter, START, &[bucket(&subject.to_string(), 1, per)]).await, 0);
    }
    assert_eq!(limiter.sweep(START).await.unwrap(), 0);
    assert_eq!(limiter.sweep(START.plus(SECOND * 10)).await.unwrap(), 20);
    assert_eq!(rows(test).await.len(), 10);
    assert_ne!(wait_of(&limiter, START.plus(SECOND * 10), &[bucket("25", 1, SECOND * 1000)]).await, 0);

    let mut tx = test.db.begin().await.unwrap();
    for key in 0..2500 {
        let insert = sqlx::query("INSERT INTO rate_limits (key, full_at) VALUES ($1, $2)");
        insert.bind(format!("old{key}")).bind(START.as_micros()).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(limiter.sweep(START.plus(SECOND * 10)).await.unwrap(), 2500, "more than a batch");
}

async fn no_subject_is_stored_in_the_clear(test: &TestDb) {
    let limiter = limiter(test).await;
    assert_eq!(wait_of(&limiter, START, &[bucket("ada@example.org", 1, SECOND * 60)]).await, 0);
    for (key, full_at) in rows(test).await {
        assert_eq!((key.len(), full_at), (64, START.plus(SECOND * 60).as_micros()));
        assert!(key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    }
}

async fn what_can_not_be_counted_is_refused(test: &TestDb) {
    let limiter = RateLimiter::new(test.db.clone());
    let without_table = limiter.take(START, &[bucket("192.0.2.1", 1, SECOND)]).await;
    assert!(matches!(without_table, Err(Refused::Internal(_))), "{without_table:?}");
}

async fn rows(test: &TestDb) -> Vec<(String, i64)> {
    let rows = sqlx::query("SELECT key, full_at FROM rate_limits").fetch_all(test.db.reader()).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn a_customer_is_one_ipv4_address_or_one_ipv6_network() {
    for (ip, subject) in [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
    ] {
        assert_eq!(ip_subject(ip.parse().unwrap()), subject);
    }
}

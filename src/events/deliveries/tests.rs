//! From events to deliveries on both databases: for what happened and no more, each once, whoever looks when; and claims
//! that only one gets.

use std::{collections::BTreeSet, time::Duration};

use sqlx::{AssertSqlSafe, Row};

use super::*;
use crate::{
    events::{
        Actor, Client, Event, EventKind, Scope, record,
        webhooks::{Endpoint, mark_gone, settle, standings},
    },
    platform::{
        Db, Dialect, Entropy, Reach, Timestamp,
        testing::{TestDb, on_both_databases},
    },
    shared::{DeliveryId, UserId},
};

on_both_databases!(
    each_endpoint_is_told_of_what_it_wants,
    what_happened_before_is_nobodys,
    without_endpoints_an_event_bears_no_mark,
    what_is_taken_back_is_told_to_nobody,
    an_event_that_is_written_late_is_not_passed_over,
    of_many_who_tell_at_once_each_event_is_told_once,
    of_many_who_claim_at_once_one_gets_a_delivery,
    an_endpoint_that_is_gone_or_removed_waits_for_nothing,
    what_has_long_arrived_is_swept_away,
    what_is_asked_again_and_again_has_an_index,
);

const START: Timestamp = Timestamp::from_micros(1_795_269_600_000_000);
const LEASE: Duration = Duration::from_secs(30);

fn endpoint(id: &str, events: &[&str]) -> Endpoint {
    let events = events.iter().map(|&pattern| pattern.to_owned()).collect();
    let url = "https://app.example.org/hooks".parse().unwrap();
    Endpoint { id: id.to_owned(), url, secrets: Vec::new(), events, reach: Reach::Public }
}

fn entropy() -> Entropy {
    Entropy::from_os().unwrap()
}

async fn with_endpoints(test: &TestDb, endpoints: &[Endpoint]) {
    test.db.migrate().await.unwrap();
    settle(&test.db, endpoints, START).await.unwrap();
}

/// Writes an event of this kind and time.
async fn happen(db: &Db, kind: EventKind, now: Timestamp) {
    let scope = Scope { actor: Actor::Operator, client: Client::default(), now };
    let mut tx = db.begin().await.unwrap();
    record(&mut tx, &entropy(), &scope, Event::about_user(kind, &UserId::new("ada"))).await.unwrap();
    tx.commit().await.unwrap();
}

/// Endpoint and kind of all deliveries.
async fn made(db: &Db) -> Vec<(String, String)> {
    let list = list(db, (&DeliveryFilter::default(), &DeliveryPage::First), 1_000).await.unwrap();
    let mut made: Vec<_> = list.deliveries.into_iter().map(|one| (one.endpoint, one.kind)).collect();
    made.sort();
    made
}

async fn number(db: &Db, statement: &str) -> i64 {
    sqlx::query(AssertSqlSafe(statement.to_owned())).fetch_one(db.reader()).await.unwrap().get(0)
}

async fn each_endpoint_is_told_of_what_it_wants(test: &TestDb) {
    let endpoints = [endpoint("all", &["*"]), endpoint("log", &["session.*", "user.deleted"])];
    with_endpoints(test, &endpoints).await;
    for kind in [EventKind::UserCreated, EventKind::SessionCreated, EventKind::UserDeleted] {
        happen(&test.db, kind, START).await;
    }
    assert_eq!(tell(&test.db, &entropy(), START).await.unwrap(), 3);
    assert_eq!(tell(&test.db, &entropy(), START).await.unwrap(), 0);
    let pair = |endpoint: &str, kind: &str| (endpoint.to_owned(), kind.to_owned());
    let wanted = [
        pair("all", "session.created"),
        pair("all", "user.created"),
        pair("all", "user.deleted"),
        pair("log", "session.created"),
        pair("log", "user.deleted"),
    ];
    assert_eq!(made(&test.db).await, wanted);
}

async fn what_happened_before_is_nobodys(test: &TestDb) {
    with_endpoints(test, &[endpoint("first", &["*"])]).await;
    happen(&test.db, EventKind::UserCreated, START).await;
    let later = START.plus(Duration::from_secs(1));
    settle(&test.db, &[endpoint("first", &["*"]), endpoint("second", &["*"])], later).await.unwrap();
    tell(&test.db, &entropy(), later).await.unwrap();
    assert_eq!(made(&test.db).await, [("first".to_owned(), "user.created".to_owned())]);
}

async fn without_endpoints_an_event_bears_no_mark(test: &TestDb) {
    with_endpoints(test, &[]).await;
    let marked = "SELECT count(*) FROM events WHERE to_tell IS NOT NULL";
    happen(&test.db, EventKind::UserCreated, START).await;
    assert_eq!(number(&test.db, marked).await, 0);
    settle(&test.db, &[endpoint("one", &["*"])], START).await.unwrap();
    happen(&test.db, EventKind::UserCreated, START).await;
    assert_eq!(number(&test.db, marked).await, 1);
    mark_gone(&test.db, "one", START).await.unwrap();
    happen(&test.db, EventKind::UserCreated, START).await;
    assert_eq!(number(&test.db, marked).await, 1);
}

async fn what_is_taken_back_is_told_to_nobody(test: &TestDb) {
    with_endpoints(test, &[endpoint("one", &["*"])]).await;
    let scope = Scope { actor: Actor::Operator, client: Client::default(), now: START };
    let mut tx = test.db.begin().await.unwrap();
    record(&mut tx, &entropy(), &scope, Event::about_user(EventKind::UserCreated, &UserId::new("ada"))).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(tell(&test.db, &entropy(), START).await.unwrap(), 0);
    assert_eq!(made(&test.db).await, []);
}

/// On PostgreSQL the transaction is really open meanwhile; on SQLite, where one writes at a time, only its id is older.
async fn an_event_that_is_written_late_is_not_passed_over(test: &TestDb) {
    with_endpoints(test, &[endpoint("one", &["*"])]).await;
    let scope = Scope { actor: Actor::Operator, client: Client::default(), now: START };
    let late = Event::about_user(EventKind::UserUpdated, &UserId::new("ada"));
    let mut open = None;
    if test.db.dialect() == Dialect::Postgres {
        let mut tx = test.db.begin().await.unwrap();
        record(&mut tx, &entropy(), &scope, late.clone()).await.unwrap();
        open = Some(tx);
    }
    happen(&test.db, EventKind::UserCreated, START.plus(Duration::from_mins(1))).await;
    assert_eq!(tell(&test.db, &entropy(), START).await.unwrap(), 1);
    match open {
        Some(tx) => tx.commit().await.unwrap(),
        None => happen(&test.db, EventKind::UserUpdated, START).await,
    }
    assert_eq!(tell(&test.db, &entropy(), START).await.unwrap(), 1);
    let kinds: Vec<String> = made(&test.db).await.into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["user.created", "user.updated"]);
}

async fn of_many_who_tell_at_once_each_event_is_told_once(test: &TestDb) {
    with_endpoints(test, &[endpoint("one", &["*"]), endpoint("two", &["*"])]).await;
    for _ in 0..150 {
        happen(&test.db, EventKind::UserCreated, START).await;
    }
    let mut telling = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let db = test.open_again().await;
        telling.spawn(async move {
            let told = tell(&db, &entropy(), START).await.unwrap();
            db.close().await;
            told
        });
    }
    assert_eq!(telling.join_all().await.into_iter().sum::<usize>(), 150);
    assert_eq!(number(&test.db, "SELECT count(*) FROM webhook_deliveries").await, 300);
    assert_eq!(number(&test.db, "SELECT count(DISTINCT event_id) FROM webhook_deliveries").await, 150);
}

async fn of_many_who_claim_at_once_one_gets_a_delivery(test: &TestDb) {
    with_endpoints(test, &[endpoint("one", &["*"])]).await;
    for _ in 0..30 {
        happen(&test.db, EventKind::UserCreated, START).await;
    }
    tell(&test.db, &entropy(), START).await.unwrap();
    let mut claiming = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let db = test.open_again().await;
        claiming.spawn(async move {
            let mut claimed = Vec::new();
            while let Some(due) = claim((&db, &entropy()), "one", (START, LEASE)).await.unwrap() {
                claimed.push(due.id.to_string());
            }
            db.close().await;
            claimed
        });
    }
    let claimed: Vec<String> = claiming.join_all().await.concat();
    assert_eq!((claimed.len(), claimed.iter().collect::<BTreeSet<_>>().len()), (30, 30));
    let after = START.plus(LEASE);
    assert!(claim((&test.db, &entropy()), "one", (after, LEASE)).await.unwrap().is_some(), "a claim ends");
}

async fn an_endpoint_that_is_gone_or_removed_waits_for_nothing(test: &TestDb) {
    let both = [endpoint("gone", &["*"]), endpoint("removed", &["*"])];
    with_endpoints(test, &both).await;
    happen(&test.db, EventKind::UserCreated, START).await;
    tell(&test.db, &entropy(), START).await.unwrap();
    mark_gone(&test.db, "gone", START).await.unwrap();
    settle(&test.db, &both[..1], START).await.unwrap();
    let failed = list(
        &test.db,
        (&DeliveryFilter { state: Some(DeliveryState::Failed), endpoint: None }, &DeliveryPage::First),
        10,
    );
    let failed = failed.await.unwrap().deliveries;
    let answer = |endpoint: &str| {
        let one = failed.iter().find(|one| one.endpoint == endpoint).unwrap();
        (one.id.clone(), one.answer.clone().unwrap())
    };
    assert!(answer("gone").1.starts_with("410 Gone"), "{failed:?}");
    assert_eq!(answer("removed").1, "the endpoint is not configured any more");
    let standings = standings(&test.db).await.unwrap();
    assert_eq!(standings.len(), 1);
    assert_eq!((standings[0].id.as_str(), standings[0].gone_at), ("gone", None), "it gets another chance at the start");
    for (id, is_there) in [(answer("gone").0, true), (answer("removed").0, false)] {
        let mut tx = test.db.begin().await.unwrap();
        assert_eq!(retry(&mut tx, &id, START).await.unwrap(), is_there);
        tx.commit().await.unwrap();
    }
    let mut tx = test.db.begin().await.unwrap();
    assert!(!retry(&mut tx, &DeliveryId::new("nobody"), START).await.unwrap());
}

async fn what_has_long_arrived_is_swept_away(test: &TestDb) {
    with_endpoints(test, &[endpoint("one", &["*"])]).await;
    for _ in 0..3 {
        happen(&test.db, EventKind::UserCreated, START).await;
    }
    tell(&test.db, &entropy(), START).await.unwrap();
    let next = async || claim((&test.db, &entropy()), "one", (START, LEASE)).await.unwrap().unwrap();
    mark_delivered(&test.db, &next().await, (START, "200 OK")).await.unwrap();
    give_up(&test.db, &next().await, (START, "500 no")).await.unwrap();
    let days = |days: u64| START.plus(Duration::from_hours(24 * days));
    assert_eq!(sweep(&test.db, days(29)).await.unwrap(), 0);
    assert_eq!(sweep(&test.db, days(31)).await.unwrap(), 2);
    assert_eq!(made(&test.db).await.len(), 1, "what waits stays");
}

async fn what_is_asked_again_and_again_has_an_index(test: &TestDb) {
    with_endpoints(test, &[endpoint("one", &["*"])]).await;
    let sqlite = test.db.dialect() == Dialect::Sqlite;
    for (statement, index) in [
        ("SELECT 1 FROM events WHERE to_tell IS NOT NULL LIMIT 1", "events_to_tell"),
        (
            "SELECT id FROM webhook_deliveries WHERE endpoint = 'one' AND delivered_at IS NULL AND failed_at IS NULL
                 AND due_at <= 1 AND claimed_until <= 1 ORDER BY due_at, id LIMIT 8",
            "webhook_deliveries_due",
        ),
    ] {
        let (explain, column) = if sqlite { ("EXPLAIN QUERY PLAN", 3) } else { ("EXPLAIN", 0) };
        let mut tx = test.db.begin().await.unwrap();
        if !sqlite {
            // A small table is read as a whole unless that is forbidden.
            sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *tx).await.unwrap();
        }
        let rows = sqlx::query(AssertSqlSafe(format!("{explain} {statement}"))).fetch_all(&mut *tx).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(column)).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{plan:?}");
    }
}

//! The audit log on both databases: what a filter leaves, pages that follow each other, and the indexes that serve them.

use std::time::Duration;

use super::*;
use crate::{
    events::{Actor, Client, Event, Scope, record},
    platform::{
        Dialect, Entropy,
        testing::{TestDb, on_both_databases},
    },
    shared::UserId,
};

on_both_databases!(pages_follow_each_other, a_filter_leaves_what_it_names, statements_use_indexes,);

const START: Timestamp = Timestamp::from_micros(1_795_269_600_000_000);

/// 120 events, one a minute: log-ins of two people in turn, and now and then something rare.
async fn filled(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let entropy = Entropy::from_os().unwrap();
    let mut tx = test.db.begin().await.unwrap();
    for minute in 0..120 {
        let now = START.plus(Duration::from_mins(minute));
        let scope = Scope { actor: Actor::Operator, client: Client::default(), now };
        let user = UserId::new(if minute % 2 == 0 { "ada" } else { "bob" });
        let kind = if minute % 40 == 0 { EventKind::UserDisabled } else { EventKind::SessionCreated };
        record(&mut tx, &entropy, &scope, Event::about_user(kind, &user)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn all(test: &TestDb, filter: &AuditFilter) -> Vec<AuditEntry> {
    let (mut page, mut seen) = (AuditPage::First, Vec::new());
    loop {
        let log = list_events(&test.db, (filter, &page), 7).await.unwrap();
        seen.extend(log.entries.clone());
        match log.entries.last() {
            Some(last) if log.has_next => page = AuditPage::After(last.id.clone()),
            _ => return seen,
        }
    }
}

async fn pages_follow_each_other(test: &TestDb) {
    filled(test).await;
    let seen = all(test, &AuditFilter::default()).await;
    assert_eq!(seen.len(), 120);
    assert!(seen.is_sorted_by(|a, b| a.id > b.id));
    let before = AuditPage::Before(seen[20].id.clone());
    let log = list_events(&test.db, (&AuditFilter::default(), &before), 7).await.unwrap();
    assert_eq!(log.entries, seen[13..20]);
    assert!(log.has_previous && log.has_next);
}

async fn a_filter_leaves_what_it_names(test: &TestDb) {
    filled(test).await;
    let rare = AuditFilter { kind: Some(EventKind::UserDisabled), ..AuditFilter::default() };
    assert_eq!(all(test, &rare).await.len(), 3);
    let ada = AuditFilter { concerning: Some("ada".to_owned()), ..AuditFilter::default() };
    let seen = all(test, &ada).await;
    assert_eq!(seen.len(), 60);
    assert!(seen.iter().all(|entry| entry.target_id.as_deref() == Some("ada")));
    let (from, to) = (Some(START.plus(Duration::from_mins(10))), Some(START.plus(Duration::from_mins(20))));
    assert_eq!(all(test, &AuditFilter { from, to, ..AuditFilter::default() }).await.len(), 10);
    let both = AuditFilter { kind: Some(EventKind::UserDisabled), concerning: Some("bob".to_owned()), from, to };
    assert_eq!(all(test, &both).await, []);
}

async fn statements_use_indexes(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let rare = AuditFilter { kind: Some(EventKind::UserDisabled), ..AuditFilter::default() };
    let ada = AuditFilter { concerning: Some("ada".to_owned()), ..AuditFilter::default() };
    let after = AuditPage::After(EventId::new("x"));
    for (filter, indexes) in [(&rare, vec!["events_rare_kind"]), (&ada, vec!["events_actor", "events_target"])] {
        for page in [&AuditPage::First, &after] {
            let plan = plan(&test.db, statement(filter, page, 51)).await;
            assert!(indexes.iter().all(|index| plan.contains(index)), "{plan}");
        }
    }
}

async fn plan(db: &Db, (sql, texts): (String, Vec<String>)) -> String {
    let mut tx = db.begin().await.unwrap();
    let explain = match db.dialect() {
        Dialect::Sqlite => "EXPLAIN QUERY PLAN ",
        Dialect::Postgres => {
            sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *tx).await.unwrap();
            "EXPLAIN "
        }
    };
    let mut query = sqlx::query(sqlx::AssertSqlSafe(format!("{explain}{sql}")));
    for text in texts {
        query = query.bind(text);
    }
    let rows = query.fetch_all(&mut *tx).await.unwrap();
    let column = usize::from(db.dialect() == Dialect::Sqlite) * 3;
    rows.iter().map(|row| row.get::<String, _>(column)).collect::<Vec<_>>().join("\n")
}

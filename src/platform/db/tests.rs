//! The facts about both databases that all statements rely on, and what happens to those who open one at once.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::Duration};

use sqlx::Row;

use super::*;
use crate::platform::testing::{TempDir, TestDb, on_both_databases};

on_both_databases!(
    a_null_of_each_type_and_a_missed_row_are_told_apart,
    a_duplicate_is_a_unique_violation_and_nothing_else_is,
    an_upsert_that_does_not_apply_returns_no_row,
    a_transaction_that_is_dropped_changes_nothing,
    a_begin_that_is_given_up_leaves_the_database_usable,
    a_swift_read_that_fails_or_is_given_up_leaves_the_database_usable,
    a_lock_lets_one_transaction_pass_at_a_time,
    processes_that_migrate_at_once_apply_each_migration_once,
    a_database_of_a_newer_version_is_refused,
    a_changed_migration_is_refused,
    a_closed_database_is_unavailable,
    a_row_is_joined_by_its_key_wherever_statistics_end,
    writes_that_go_together_all_count_or_none_does,
    the_last_of_writes_that_go_together_answers_with_its_row,
    a_walk_passes_each_row_once,
);

async fn run(db: &Db, statement: &'static str) -> u64 {
    let mut tx = db.begin().await.unwrap();
    let affected = sqlx::query(statement).execute(&mut *tx).await.unwrap().rows_affected();
    tx.commit().await.unwrap();
    affected
}

async fn count(db: &Db, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(db.reader()).await.unwrap()
}

async fn a_null_of_each_type_and_a_missed_row_are_told_apart(test: &TestDb) {
    run(&test.db, "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, text TEXT, number BIGINT)").await;
    let mut tx = test.db.begin().await.unwrap();
    let insert = "INSERT INTO t (id, text, number) VALUES ($1, $2, $3)";
    sqlx::query(insert).bind("a").bind(None::<String>).bind(None::<i64>).execute(&mut *tx).await.unwrap();
    sqlx::query(insert).bind("b").bind(Some("ü\u{1F511}")).bind(Some(i64::MAX)).execute(&mut *tx).await.unwrap();
    let update = "UPDATE t SET number = $2 WHERE id = $1 AND number IS NOT NULL";
    let missed = sqlx::query(update).bind("a").bind(1_i64).execute(&mut *tx).await.unwrap();
    let hit = sqlx::query(update).bind("b").bind(i64::MIN).execute(&mut *tx).await.unwrap();
    assert_eq!((missed.rows_affected(), hit.rows_affected()), (0, 1));
    tx.commit().await.unwrap();

    let rows = sqlx::query("SELECT text, number FROM t ORDER BY id").fetch_all(test.db.reader()).await.unwrap();
    let rows: Vec<(Option<String>, Option<i64>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(rows, [(None, None), (Some("ü\u{1F511}".to_owned()), Some(i64::MIN))]);
    let none = sqlx::query("SELECT text FROM t WHERE id = $1").bind("c").fetch_optional(test.db.reader()).await;
    assert!(none.unwrap().is_none());
}

async fn a_duplicate_is_a_unique_violation_and_nothing_else_is(test: &TestDb) {
    run(
        &test.db,
        "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL UNIQUE, parent TEXT REFERENCES t)",
    )
    .await;
    run(&test.db, "INSERT INTO t VALUES ('a', 'ada@example.org', NULL)").await;
    for (statement, is_duplicate) in [
        ("INSERT INTO t VALUES ('a', 'eve@example.org', NULL)", true),
        ("INSERT INTO t VALUES ('b', 'ada@example.org', NULL)", true),
        ("INSERT INTO t VALUES ('b', NULL, NULL)", false),
        ("INSERT INTO t VALUES ('b', 'eve@example.org', 'nobody')", false),
        ("INSERT INTO nowhere VALUES (1)", false),
    ] {
        let mut tx = test.db.begin().await.unwrap();
        let error = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
        assert_eq!(is_unique_violation(&error), is_duplicate, "{statement}: {error}");
        assert!(!is_unavailable(&error), "{statement}: {error}");
    }
}

async fn a_swift_read_that_fails_or_is_given_up_leaves_the_database_usable(test: &TestDb) {
    let one = |db: Db| async move {
        let row = db.fetch_swiftly(
            sqlx::query("SELECT count(*) FROM (SELECT 1 AS x UNION SELECT 2) t WHERE x <> $1").bind(1_i64),
        );
        row.await.unwrap().unwrap().get::<i64, _>(0)
    };
    for round in 0..30 {
        let given_up = tokio::time::timeout(Duration::from_micros(round * 20), one(test.db.clone())).await;
        assert!(given_up.is_err() || given_up == Ok(1));
        assert!(test.db.fetch_swiftly(sqlx::query("SELECT 1 FROM nowhere")).await.is_err());
    }
    let many: Vec<_> = (0..50).map(|_| tokio::spawn(one(test.db.clone()))).collect();
    for read in many {
        assert_eq!(read.await.unwrap(), 1);
    }
    let none = test.db.fetch_swiftly(sqlx::query("SELECT 1 WHERE 1 = 2")).await.unwrap();
    assert!(none.is_none());
}

async fn an_upsert_that_does_not_apply_returns_no_row(test: &TestDb) {
    run(&test.db, "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, number BIGINT NOT NULL)").await;
    let upsert = "INSERT INTO t (id, number) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET number = t.number + $2
                  WHERE t.number < $3 RETURNING number";
    let mut tx = test.db.begin().await.unwrap();
    for expected in [Some(2_i64), Some(4), Some(6), None, None] {
        let query = sqlx::query(upsert).bind("a").bind(2_i64).bind(5_i64);
        let row = query.fetch_optional(&mut *tx).await.unwrap();
        assert_eq!(row.map(|row| row.get::<i64, _>(0)), expected);
    }
    tx.commit().await.unwrap();
    assert_eq!(count(&test.db, "SELECT number FROM t").await, 6);
}

async fn a_transaction_that_is_dropped_changes_nothing(test: &TestDb) {
    run(&test.db, "CREATE TABLE t (id BIGINT NOT NULL)").await;
    for _ in 0..5 {
        let mut tx = test.db.begin().await.unwrap();
        sqlx::query("INSERT INTO t VALUES (1)").execute(&mut *tx).await.unwrap();
        drop(tx);
    }
    run(&test.db, "INSERT INTO t VALUES (2)").await;
    assert_eq!(count(&test.db, "SELECT count(*) FROM t").await, 1);
}

/// Requests are given up at any moment: by time limits, and by clients that close their connection.
async fn a_begin_that_is_given_up_leaves_the_database_usable(test: &TestDb) {
    run(&test.db, "CREATE TABLE t (id BIGINT NOT NULL)").await;
    let mut tasks = Vec::new();
    for i in 0..300_u64 {
        let db = test.db.clone();
        let write = async move {
            let mut tx = db.begin().await.unwrap();
            sqlx::query("INSERT INTO t VALUES (1)").execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
        };
        tasks.push(tokio::spawn(tokio::time::timeout(Duration::from_micros(i * 20), write)));
    }
    let mut kept = 0;
    for task in tasks {
        kept += i64::from(task.await.unwrap().is_ok());
    }
    run(&test.db, "INSERT INTO t VALUES (2)").await;
    let found = count(&test.db, "SELECT count(*) FROM t WHERE id = 1").await;
    assert!(found >= kept, "what was answered is there: {found} of {kept}");
}

async fn a_lock_lets_one_transaction_pass_at_a_time(test: &TestDb) {
    run(&test.db, "CREATE TABLE t (number BIGINT NOT NULL)").await;
    run(&test.db, "INSERT INTO t VALUES (0)").await;
    let (one, two) = (test.db.clone(), test.open_again().await);
    let add = |db: Db| async move {
        for _ in 0..25 {
            let mut tx = db.begin().await.unwrap();
            lock(&mut tx, db.dialect(), "test").await.unwrap();
            // Reads first and writes later, which only a lock makes safe.
            let number: i64 = sqlx::query_scalar("SELECT number FROM t").fetch_one(&mut *tx).await.unwrap();
            tokio::task::yield_now().await;
            sqlx::query("UPDATE t SET number = $1").bind(number + 1).execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
        }
    };
    let tasks = [one.clone(), two.clone(), one, two.clone()].map(|db| tokio::spawn(add(db)));
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count(&test.db, "SELECT number FROM t").await, 100);
    two.close().await;
}

async fn processes_that_migrate_at_once_apply_each_migration_once(test: &TestDb) {
    let all = test.db.dialect().migrator().iter().count();
    assert!(all > 0);
    assert_eq!(test.db.pending_migrations().await.unwrap(), all);
    let settings = test.settings.clone();
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let settings = settings.clone();
            tokio::spawn(async move {
                let db = Db::open(&settings).await.unwrap();
                let applied = db.migrate().await.unwrap();
                db.close().await;
                applied
            })
        })
        .collect();
    let mut applied = 0;
    for task in tasks {
        applied += task.await.unwrap();
    }
    assert_eq!(applied, all);
    assert_eq!(test.db.pending_migrations().await.unwrap(), 0);
    assert_eq!(test.db.migrate().await.unwrap(), 0);
}

async fn a_database_of_a_newer_version_is_refused(test: &TestDb) {
    test.db.migrate().await.unwrap();
    run(&test.db, "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 2").await;
    assert!(matches!(test.db.pending_migrations().await, Err(DbError::Foreign { version: 9999 })));
    assert!(matches!(test.db.migrate().await, Err(DbError::Foreign { version: 9999 })));
}

async fn a_changed_migration_is_refused(test: &TestDb) {
    test.db.migrate().await.unwrap();
    run(&test.db, "UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations WHERE version = 1)")
        .await;
    assert!(matches!(test.db.pending_migrations().await, Err(DbError::Foreign { version: 2 })));
    assert!(matches!(test.db.migrate().await, Err(DbError::Foreign { version: 2 })));
}

async fn a_row_is_joined_by_its_key_wherever_statistics_end(test: &TestDb) {
    let numbers = match test.db.dialect() {
        Dialect::Sqlite => {
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i FROM n"
        }
        Dialect::Postgres => "SELECT i FROM generate_series(1, 60000) n(i)",
    };
    run(&test.db, "CREATE TABLE people (id BIGINT NOT NULL PRIMARY KEY, name TEXT)").await;
    run(&test.db, "CREATE TABLE visits (key_hash TEXT NOT NULL PRIMARY KEY, person BIGINT NOT NULL)").await;
    let mut tx = test.db.begin().await.unwrap();
    for filling in [
        format!("INSERT INTO people (id) {numbers}"),
        "INSERT INTO visits SELECT 'key ' || id, id % 10 FROM people WHERE id <= 2000".to_owned(),
        "ANALYZE".to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(filling)).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let explain = if test.db.dialect() == Dialect::Sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    let join = "SELECT p.name FROM visits v JOIN people p ON p.id = v.person WHERE v.key_hash = 'key 7'";
    let plan = sqlx::query(sqlx::AssertSqlSafe(format!("{explain} {join}"))).fetch_all(test.db.reader()).await.unwrap();
    let line = |row: &sqlx::any::AnyRow| row.try_get::<String, _>(0).unwrap_or_else(|_| row.get(3));
    let plan = plan.iter().map(line).collect::<Vec<_>>().join("\n");
    assert!(plan.contains("people_pkey on people p") || plan.contains("SEARCH p USING"), "{plan}");
    assert!(!plan.contains("Merge Join"), "{plan}");
}

async fn a_closed_database_is_unavailable(test: &TestDb) {
    test.db.ping().await.unwrap();
    test.db.close().await;
    assert!(is_unavailable(&test.db.ping().await.unwrap_err()));
    assert!(is_unavailable(&test.db.begin().await.unwrap_err()));
}

#[tokio::test]
async fn a_reader_of_sqlite_can_not_write() {
    let test = TestDb::sqlite().await.unwrap();
    run(&test.db, "CREATE TABLE t (id BIGINT NOT NULL)").await;
    let error = sqlx::query("INSERT INTO t VALUES (1)").execute(test.db.reader()).await.unwrap_err();
    assert!(error.to_string().contains("readonly"), "{error}");
}

#[tokio::test]
async fn sqlite_keeps_what_is_committed_and_readers_see_it_at_once() {
    let test = TestDb::sqlite().await.unwrap();
    let writer = &test.db.0.writer;
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(writer).await.unwrap();
    assert_eq!(journal, "wal");
    for (pragma, expected) in [("PRAGMA synchronous", 2_i64), ("PRAGMA foreign_keys", 1), ("PRAGMA busy_timeout", 5000)]
    {
        let value: i64 = sqlx::query_scalar(pragma).fetch_one(writer).await.unwrap();
        assert_eq!(value, expected, "{pragma}");
    }
    run(&test.db, "CREATE TABLE t (id BIGINT NOT NULL)").await;
    for expected in 1..50 {
        run(&test.db, "INSERT INTO t VALUES (1)").await;
        assert_eq!(count(&test.db, "SELECT count(*) FROM t").await, expected);
    }
}

#[tokio::test]
async fn only_what_may_be_forgotten_does_not_wait_for_the_disk() {
    const NORMAL: i64 = 1;
    const FULL: i64 = 2;
    let test = TestDb::sqlite().await.unwrap();
    let durability = async |mut tx: Tx| {
        let row = sqlx::query("PRAGMA synchronous").fetch_one(&mut *tx).await.unwrap();
        tx.rollback().await.unwrap();
        row.get::<i64, _>(0)
    };
    assert_eq!(durability(test.db.begin().await.unwrap()).await, FULL);
    assert_eq!(durability(test.db.begin_relaxed().await.unwrap()).await, NORMAL);
    assert_eq!(durability(test.db.begin().await.unwrap()).await, FULL);
}

#[tokio::test]
async fn a_sqlite_file_that_another_process_holds_is_unavailable() {
    let test = TestDb::sqlite().await.unwrap();
    let other = test.open_again().await;
    sqlx::query("PRAGMA busy_timeout = 0").execute(&other.0.writer).await.unwrap();
    let held = test.db.begin().await.unwrap();
    let error = other.begin().await.unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    drop(held);
}

#[tokio::test]
async fn a_sqlite_file_and_its_directory_belong_to_their_owner() {
    let directory = TempDir::new();
    let file = directory.path().join("a b/ü%41?#&'/latchkey.db");
    let url = format!("sqlite://{}", file.display());
    // A question mark would begin parameters that nobody documents, so it is refused in a path.
    assert!(DatabaseUrl::parse(&url).is_err());
    let file = directory.path().join("a b/ü%41#&'/latchkey.db");
    let settings = DatabaseSettings::for_url(&format!("sqlite://{}", file.display())).unwrap();
    let db = Db::open(&settings).await.unwrap();
    run(&db, "CREATE TABLE t (id BIGINT NOT NULL)").await;
    for (path, mode) in [(file.parent().unwrap(), 0o700), (&file, 0o600), (&side_file(&file), 0o600)] {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, mode, "{}", path.display());
    }
    db.close().await;
}

fn side_file(file: &Path) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_open_a_new_sqlite_file_at_once_all_succeed() {
    let directory = TempDir::new();
    let url = format!("sqlite://{}", directory.path().join("data/latchkey.db").display());
    let settings = DatabaseSettings::for_url(&url).unwrap();
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let settings = settings.clone();
            tokio::spawn(async move {
                let db = Db::open(&settings).await.unwrap();
                db.ping().await.unwrap();
                db.close().await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn what_can_not_be_opened_is_named_without_its_password() {
    let directory = TempDir::new();
    let is_a_directory = format!("sqlite://{}", directory.path().display());
    let below_a_file = format!("sqlite://{}", directory.path().join("file/latchkey.db").display());
    fs::write(directory.path().join("file"), "").unwrap();
    let no_database = format!("sqlite://{}", directory.path().join("text").display());
    fs::write(directory.path().join("text"), "this is a text and no database".repeat(100)).unwrap();
    let nobody = "postgres://ada:s3cret@127.0.0.1:1/latchkey?password=s3cret".to_owned();
    for url in [is_a_directory, below_a_file, no_database, nobody] {
        let settings = DatabaseSettings::for_url(&url).unwrap();
        let error = Db::open(&settings).await.unwrap_err().to_string();
        assert!(error.contains("can't be"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn an_address_that_names_no_database_is_refused() {
    for url in
        ["", "mysql://localhost/x", "latchkey.db", "sqlite:", "sqlite://", "sqlite::memory:", "sqlite://a?mode=ro"]
    {
        assert!(DatabaseUrl::parse(url).is_err(), "{url}");
    }
    for url in [
        "sqlite://data/latchkey.db",
        "sqlite:latchkey.db",
        "sqlite:///var/lib/x.db",
        "postgres://h/d",
        "postgresql:///d",
    ] {
        assert!(DatabaseUrl::parse(url).is_ok(), "{url}");
    }
}

#[test]
fn an_address_is_shown_without_its_password() {
    for (url, shown) in [
        ("sqlite://data/latchkey.db", "sqlite://data/latchkey.db"),
        ("postgres://ada:s3cret@db.example.org:5432/latchkey", "postgres://ada:…@db.example.org:5432/latchkey"),
        ("postgres://ada:s3@cret@db.example.org/latchkey", "postgres://ada:…@db.example.org/latchkey"),
        ("postgres://db.example.org/latchkey?user=ada&password=s3cret", "postgres://db.example.org/latchkey"),
    ] {
        let parsed = DatabaseUrl::parse(url).unwrap();
        assert_eq!(parsed.redacted(), shown);
        assert_eq!(format!("{parsed} {parsed:?}"), format!("{shown} {shown}"));
        assert_eq!(parsed.expose(), url);
    }
}

async fn writes_that_go_together_all_count_or_none_does(test: &TestDb) {
    run(&test.db, "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, number BIGINT NOT NULL, text TEXT)").await;
    let insert = |id: &str, number| {
        Write::new("INSERT INTO t (text, id, number) VALUES ($1, $2, $3)").maybe_text(None).text(id).number(number)
    };
    let twelve =
        "INSERT INTO t (id, number, text) VALUES ($2, $10 + $11 + $12, $3 || $4 || $5 || $6 || $7 || $8 || $9 || $1)";
    let mut many = Write::new(twelve).text("$1").text("many");
    for _ in 3..=9 {
        many = many.text("x");
    }
    many = many.number(1).number(20).number(300);
    for round in [vec![], vec![insert("one", 1)], vec![insert("two", 2), many, insert("three", 3)]] {
        let mut tx = test.db.begin().await.unwrap();
        write_together(&mut tx, round).await.unwrap();
        tx.commit().await.unwrap();
    }
    let rows = sqlx::query("SELECT id, number, text FROM t ORDER BY number").fetch_all(test.db.reader()).await.unwrap();
    let rows: Vec<(String, i64, Option<String>)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let plain = |id: &str, number| (id.to_owned(), number, None);
    let many = ("many".to_owned(), 321, Some("xxxxxxx$1".to_owned()));
    assert_eq!(rows, [plain("one", 1), plain("two", 2), plain("three", 3), many]);

    for taken in [["new", "one"], ["one", "new"]] {
        let mut tx = test.db.begin().await.unwrap();
        let error = write_together(&mut tx, taken.map(|id| insert(id, 9)).into()).await.unwrap_err();
        assert!(is_unique_violation(&error), "{error}");
        drop(tx);
        assert_eq!(count(&test.db, "SELECT count(*) FROM t WHERE number = 9").await, 0);
    }
}

async fn the_last_of_writes_that_go_together_answers_with_its_row(test: &TestDb) {
    run(&test.db, "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, number BIGINT NOT NULL)").await;
    let insert = |id: &str| Write::new("INSERT INTO t (number, id) VALUES ($1, $2)").number(1).text(id);
    let raise = |id: &str| {
        Write::new("UPDATE t SET number = number + $1 WHERE id = $2 RETURNING id, number").number(41).text(id)
    };
    let mut tx = test.db.begin().await.unwrap();
    write_together(&mut tx, vec![insert("one")]).await.unwrap();
    let row = fetch_together(&mut tx, vec![insert("two"), insert("three"), raise("one")]).await.unwrap().unwrap();
    assert_eq!((row.get::<String, _>(0), row.get::<i64, _>(1)), ("one".to_owned(), 42));
    assert!(fetch_together(&mut tx, vec![raise("nobody")]).await.unwrap().is_none());
    tx.commit().await.unwrap();
    assert_eq!(count(&test.db, "SELECT count(*) FROM t WHERE number IN (1, 42)").await, 3);

    let mut tx = test.db.begin().await.unwrap();
    assert!(fetch_together(&mut tx, vec![insert("four"), raise("nobody")]).await.unwrap().is_none());
    drop(tx);
    assert_eq!(count(&test.db, "SELECT count(*) FROM t").await, 3);
}

async fn a_walk_passes_each_row_once(test: &TestDb) {
    run(&test.db, "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY)").await;
    let mut walk = Walk::through("t", "id");
    assert!(walk.step(&test.db).await.unwrap().is_none());
    let mut tx = test.db.begin().await.unwrap();
    for number in 0..2345 {
        let insert = sqlx::query("INSERT INTO t (id) VALUES ($1)");
        insert.bind(format!("{:04}", number * 11 % 2345)).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (mut walk, mut steps) = (Walk::through("t", "id"), Vec::new());
    while let Some(WalkStep { after, upto }) = walk.step(&test.db).await.unwrap() {
        let query = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM t WHERE id > $1 AND id <= $2");
        steps.push(query.bind(after).bind(upto).fetch_one(test.db.reader()).await.unwrap());
    }
    assert_eq!(steps, [1000, 1000, 345]);
}

//! Fills a database with made-up people. The indexes are taken off meanwhile and built when all rows are there, which is
//! several times as fast; what they look like is read from the database, so that it is always the schema at hand.

use sqlx::{AnyConnection, Connection, Row, postgres::PgConnection};

use crate::{
    Outcome,
    database::{Database, execute},
    people::{COLUMNS, People, Person},
    server,
};

/// How many rows travel at once.
const BATCH: usize = 5_000;

/// Makes the schema and so many users.
pub async fn fill(database: &Database, users: usize) -> Outcome<()> {
    server::run(database, &["migrate"], "")?;
    let mut connection = database.connect().await?;
    if Database::is_sqlite(&database.url) {
        fill_sqlite(&mut connection, users).await?;
    } else {
        fill_postgres(&mut connection, (database, users)).await?;
    }
    Ok(connection.close().await?)
}

async fn fill_sqlite(connection: &mut AnyConnection, users: usize) -> Outcome<()> {
    execute(connection, "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = MEMORY").await?;
    let again = texts(
        connection,
        "SELECT sql FROM sqlite_schema WHERE tbl_name = 'users' AND type IN ('index', 'trigger') AND sql IS NOT NULL",
    )
    .await?;
    let drops = texts(
        connection,
        "SELECT 'DROP ' || type || ' ' || name FROM sqlite_schema
         WHERE tbl_name = 'users' AND type IN ('index', 'trigger') AND sql IS NOT NULL",
    )
    .await?;
    execute(connection, "BEGIN").await?;
    execute(connection, &drops.join("; ")).await?;
    let columns: Vec<String> = (0..COLUMNS.split(',').count()).map(|nth| format!("value ->> {nth}")).collect();
    let insert = format!("INSERT INTO users ({COLUMNS}) SELECT {} FROM json_each($1)", columns.join(", "));
    let mut people = People::new(users).peekable();
    while people.peek().is_some() {
        let rows: Vec<[Option<String>; 13]> = people.by_ref().take(BATCH).map(|person| person.values).collect();
        let json = serde_json::to_string(&rows)?;
        sqlx::query(sqlx::AssertSqlSafe(insert.clone())).bind(json).execute(&mut *connection).await?;
    }
    execute(connection, &again.join("; ")).await?;
    execute(connection, "INSERT INTO users_search (users_search) VALUES ('rebuild')").await?;
    execute(connection, "COMMIT").await
}

async fn fill_postgres(connection: &mut AnyConnection, (database, users): (&Database, usize)) -> Outcome<()> {
    const OWN: &str = "FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'users' AND indexname NOT IN
         (SELECT conname FROM pg_constraint WHERE conrelid = 'users'::regclass)";
    let again = texts(connection, &format!("SELECT indexdef {OWN}")).await?;
    let drops = texts(connection, &format!("SELECT 'DROP INDEX ' || indexname {OWN}")).await?;
    execute(connection, &drops.join("; ")).await?;
    copy(database, users).await?;
    execute(connection, "SET maintenance_work_mem = '256MB'").await?;
    for index in again {
        execute(connection, &index).await?;
    }
    // What autovacuum would have done by the time that there are so many.
    execute(connection, "VACUUM ANALYZE users").await
}

async fn copy(database: &Database, users: usize) -> Outcome<()> {
    let mut connection = PgConnection::connect(&database.url).await?;
    let mut copy = connection.copy_in_raw(&format!("COPY users ({COLUMNS}) FROM STDIN")).await?;
    let mut people = People::new(users).peekable();
    while people.peek().is_some() {
        let lines: String = people.by_ref().take(BATCH).map(line).collect();
        copy.send(lines.into_bytes()).await?;
    }
    copy.finish().await?;
    Ok(connection.close().await?)
}

/// A line in the text format of `COPY`; nothing that is made up needs escaping.
fn line(person: Person) -> String {
    let values = person.values.map(|value| value.unwrap_or_else(|| "\\N".to_owned()));
    values.join("\t") + "\n"
}

async fn texts(connection: &mut AnyConnection, sql: &str) -> Outcome<Vec<String>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

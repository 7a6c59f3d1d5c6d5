//! Migrations: embedded in the binary, applied in order, all in one transaction that no other process enters.

use std::collections::HashMap;

use sqlx::{AnyConnection, Row, migrate::Migrator};

use super::{Db, DbError, Dialect, lock};

/// The table in which `sqlx` keeps what was applied.
const TABLE: &str = "_sqlx_migrations";

pub(super) async fn migrate(db: &Db) -> Result<usize, DbError> {
    let dialect = db.dialect();
    let migrator = dialect.migrator();
    let mut tx = db.begin().await?;
    if let Some(statement) = dialect.take_your_time() {
        sqlx::raw_sql(statement).execute(&mut *tx).await?;
    }
    lock(&mut tx, dialect, "migrate").await?;
    let pending = count_pending(dialect, &migrator, &mut tx).await?;
    if pending > 0 {
        migrator.run_direct(None, &mut *tx, false).await?;
    }
    tx.commit().await?;
    Ok(pending)
}

pub(super) async fn pending(db: &Db) -> Result<usize, DbError> {
    let dialect = db.dialect();
    let mut connection = db.reader().acquire().await?;
    count_pending(dialect, &dialect.migrator(), &mut connection).await
}

/// Counts what is to be applied; refuses a database that knows a migration which this binary does not.
async fn count_pending(
    dialect: Dialect,
    migrator: &Migrator,
    connection: &mut AnyConnection,
) -> Result<usize, DbError> {
    let mut pending: HashMap<i64, &[u8]> = migrator.iter().map(|known| (known.version, &*known.checksum)).collect();
    for (version, checksum) in list_applied(dialect, connection).await? {
        if pending.remove(&version) != Some(checksum.as_slice()) {
            return Err(DbError::Foreign { version });
        }
    }
    Ok(pending.len())
}

async fn list_applied(dialect: Dialect, connection: &mut AnyConnection) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    let tables: i64 = sqlx::query_scalar(dialect.count_tables()).bind(TABLE).fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    let rows =
        sqlx::query("SELECT version, checksum FROM _sqlx_migrations ORDER BY version").fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

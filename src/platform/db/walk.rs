//! Walks: through a whole table by its key, some rows at a time, so that what sweeps it holds nobody up. For tables that
//! each request writes to: an index of what has ended would be written with every one of them, which costs more than all
//! sweeps. Rows that are written meanwhile may be met or not.

use sqlx::{AssertSqlSafe, Row};

use super::Db;

/// How many rows one step walks over.
const ROWS_A_STEP: i64 = 1000;

/// A walk through one table.
#[derive(Debug)]
pub struct Walk {
    sql: String,
    at: String,
}

/// The keys that one step has walked over: all after the first, and up to the last.
#[derive(Debug)]
pub struct WalkStep {
    /// The last key of the step before.
    pub after: String,
    /// The last key of this one.
    pub upto: String,
}

impl Walk {
    /// A walk through a table by its key, which is text and never empty.
    pub fn through(table: &'static str, key: &'static str) -> Self {
        let rows = format!("SELECT {key} FROM {table} WHERE {key} > $1 ORDER BY {key} LIMIT {ROWS_A_STEP}");
        Self { sql: format!("SELECT max({key}) FROM ({rows}) s"), at: String::new() }
    }

    /// Goes on; `None` at the end of the table.
    ///
    /// # Errors
    /// What the database says.
    pub async fn step(&mut self, db: &Db) -> Result<Option<WalkStep>, sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(self.sql.clone())).bind(self.at.as_str());
        let Some(upto) = query.fetch_one(db.reader()).await?.try_get::<Option<String>, _>(0)? else { return Ok(None) };
        Ok(Some(WalkStep { after: std::mem::replace(&mut self.at, upto.clone()), upto }))
    }
}

//! A statement that grows with its bound values. What is typed only ever becomes a value. The lists of users and of invites
//! are built of it.

use std::fmt::Write as _;

use sqlx::{Row, any::AnyRow};

use super::{
    Error,
    user::{User, from_row},
};
use crate::platform::Db;

/// A statement with its bound values.
pub struct Sql {
    text: String,
    values: Vec<Value>,
}

/// A bound value.
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Integer(i64),
}

impl Sql {
    /// Begins with a text.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds a text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a value.
    pub fn bind(&mut self, value: Value) {
        self.values.push(value);
        // Writing to a String can't fail.
        let _ = write!(self.text, "${}", self.values.len());
    }

    /// Adds a text as a value.
    pub fn bind_text(&mut self, text: &str) {
        self.bind(Value::Text(text.to_owned()));
    }

    /// Ends after so many rows.
    pub fn push_limit(&mut self, rows: i64) {
        let _ = write!(self.text, " LIMIT {rows}");
    }

    /// Begins behind so many rows.
    pub fn push_offset(&mut self, rows: i64) {
        let _ = write!(self.text, " OFFSET {rows}");
    }

    /// The same statement behind another text.
    #[must_use]
    pub fn behind(mut self, word: &str) -> Self {
        self.text.insert_str(0, word);
        self
    }

    /// The rows that it finds.
    pub async fn rows(self, db: &Db) -> Result<Vec<AnyRow>, Error> {
        self.rows_by(db.reader()).await
    }

    /// The rows as a connection of the caller's choice finds them.
    pub async fn rows_by(self, executor: impl sqlx::Executor<'_, Database = sqlx::Any>) -> Result<Vec<AnyRow>, Error> {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(self.text));
        for value in self.values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Integer(number) => query.bind(number),
            };
        }
        query.fetch_all(executor).await.map_err(Error::Internal)
    }

    /// The users that it finds.
    pub async fn fetch(self, db: &Db) -> Result<Vec<User>, Error> {
        let rows = self.rows(db).await?;
        rows.iter().map(from_row).collect::<Result<_, _>>().map_err(Error::Internal)
    }

    /// The texts that it finds.
    pub async fn fetch_texts(self, db: &Db) -> Result<Vec<String>, Error> {
        let rows = self.rows(db).await?;
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(Error::Internal)
    }

    /// The number that it finds, or 0.
    pub async fn fetch_number(self, db: &Db) -> Result<i64, Error> {
        let rows = self.rows(db).await?;
        rows.first().map_or(Ok(0), |row| row.try_get(0)).map_err(Error::Internal)
    }
}

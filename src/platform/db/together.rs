//! Writes that go to the database together, in one round trip: each round trip of a log-in costs more than what is written
//! in it, since it wakes two threads whose caches a password hash has emptied. Each write is one statement, for both
//! databases, and none may read what another one of them writes.

use sqlx::{
    Any, AssertSqlSafe,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{Dialect, Tx};

/// One statement that writes, with its values.
#[derive(Debug)]
pub struct Write {
    sql: &'static str,
    values: Vec<Value>,
}

#[derive(Debug)]
enum Value {
    Text(Option<String>),
    Number(i64),
}

impl Write {
    /// A statement, whose values `$1`, `$2`… follow in their order.
    pub fn new(sql: &'static str) -> Self {
        Self { sql, values: Vec::new() }
    }

    /// The next value.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.maybe_text(Some(text.into()))
    }

    /// The next value, which may be none.
    #[must_use]
    pub fn maybe_text(mut self, text: Option<String>) -> Self {
        self.values.push(Value::Text(text));
        self
    }

    /// The next value.
    #[must_use]
    pub fn number(mut self, number: i64) -> Self {
        self.values.push(Value::Number(number));
        self
    }
}

/// Sends these writes.
///
/// # Errors
/// What the database says of any of them.
pub async fn write_together(tx: &mut Tx, writes: Vec<Write>) -> Result<(), sqlx::Error> {
    query(Dialect::of(tx), writes).execute(&mut **tx).await.map(drop)
}

/// Sends these writes, and answers with the row that the last of them returns, if it returns one. The others count in
/// either case: whoever needs the row drops the transaction without it.
///
/// # Errors
/// What the database says of any of them.
pub async fn fetch_together(tx: &mut Tx, writes: Vec<Write>) -> Result<Option<AnyRow>, sqlx::Error> {
    // SQLite's first answer is not the last one's.
    Ok(query(Dialect::of(tx), writes).fetch_all(&mut **tx).await?.pop())
}

fn query(dialect: Dialect, writes: Vec<Write>) -> Query<'static, Any, AnyArguments> {
    let query = sqlx::query(AssertSqlSafe(joined(dialect, &writes)));
    writes.into_iter().flat_map(|write| write.values).fold(query, bind)
}

fn bind(query: Query<'static, Any, AnyArguments>, value: Value) -> Query<'static, Any, AnyArguments> {
    match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
    }
}

/// SQLite takes one statement after the other; PostgreSQL takes one, the last, to which the others are joined (`WITH`, which
/// runs also what nobody reads from), and does them in an order of its own.
fn joined(dialect: Dialect, writes: &[Write]) -> String {
    let (mut bound, mut texts) = (0, Vec::new());
    for write in writes {
        texts.push(numbered_from(bound, write.sql));
        bound += write.values.len();
    }
    match (dialect, texts.split_last()) {
        (Dialect::Postgres, Some((last, others))) if !others.is_empty() => {
            let named = others.iter().enumerate().map(|(nth, text)| format!("w{nth} AS ({text})"));
            format!("WITH {} {last}", named.collect::<Vec<_>>().join(", "))
        }
        _ => texts.join("; "),
    }
}

/// The same text with each `$n` counted from after the values of those before it.
fn numbered_from(bound: usize, sql: &str) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        text.push('$');
        text.push_str(&number.parse().map_or_else(|_| number.to_owned(), |number: usize| (bound + number).to_string()));
        text.push_str(rest);
    }
    text
}

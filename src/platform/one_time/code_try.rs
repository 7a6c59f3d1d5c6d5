//! Trying a code: which token a typed one may be that of, and how often. What a code is for is asked with it, so that whoever
//! tries one for this spends no try of those for that.

use sqlx::{AssertSqlSafe, Row};

use super::Purpose;
use crate::{
    platform::{Timestamp, Tx},
    shared::{EmailAddress, OneTimeId},
};

/// How often a code may be tried by everybody together (NIST SP 800-63B-4 §3.2.2 allows 100): all of them have one chance in
/// 2^34. One client has fewer, so that nobody alone uses up the tries of another's code.
const MAX_CODE_TRIES: i64 = 50;

/// Gives a token the hash of the code that its mail carries.
///
/// # Errors
/// What the database says.
pub async fn set_code(tx: &mut Tx, id: &OneTimeId, hash: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE one_time_tokens SET code_hash = $1 WHERE id = $2")
        .bind(hash)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await
        .map(drop)
}

/// Which codes are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeFor {
    /// Those of one purpose.
    This(Purpose),
    /// Those of all purposes but these.
    AllBut(&'static [Purpose]),
}

impl CodeFor {
    fn as_sql(self) -> (&'static str, Vec<&'static str>) {
        match self {
            Self::This(purpose) => ("IN", vec![purpose.name]),
            Self::AllBut(purposes) => ("NOT IN", purposes.iter().map(|purpose| purpose.name).collect()),
        }
    }
}

/// The hash that a typed code is to be compared with, by the address that the mail went to: that of the newest token that
/// can be used, is for this and has one. Each call is a try; behind [`MAX_CODE_TRIES`] there is none.
///
/// # Errors
/// What the database says.
pub async fn take_code_try(
    tx: &mut Tx,
    (email, wanted): (&EmailAddress, CodeFor),
    now: Timestamp,
) -> Result<Option<(OneTimeId, String)>, sqlx::Error> {
    let (is, purposes) = wanted.as_sql();
    let places: Vec<String> = (4..4 + purposes.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "UPDATE one_time_tokens SET code_tries = code_tries + 1 WHERE code_tries < $1 AND id =
             (SELECT id FROM one_time_tokens WHERE email = $2 AND code_hash IS NOT NULL AND used_at IS NULL
              AND replaced_at IS NULL AND revoked_at IS NULL AND expires_at > $3 AND purpose {is} ({})
              ORDER BY id DESC LIMIT 1)
         RETURNING id, code_hash",
        places.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(MAX_CODE_TRIES).bind(email.as_str()).bind(now.as_micros());
    for purpose in purposes {
        query = query.bind(purpose);
    }
    let row = query.fetch_optional(&mut **tx).await?;
    row.map(|row| Ok((OneTimeId::new(row.try_get::<String, _>(0)?), row.try_get(1)?))).transpose()
}

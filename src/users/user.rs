//! Users: one account of one person each, found by id or by e-mail address.
//! Who may change what is asked by the flows that call; uniqueness of the address is the schema's.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Map, Value};
use sqlx::{Row, any::AnyRow};

use super::{Error, search};
use crate::{
    platform::{Db, Timestamp, Tx, Write, fetch_together},
    shared::{EmailAddress, PersonName, Role, UserId},
};

/// The columns of a user, in the order that [`from_row`] reads.
pub const COLUMNS: &str = "u.id, u.email, u.email_verified_at, u.first_name, u.last_name, u.avatar_url, u.role, u.metadata, \
     u.disabled_at, u.last_login_at, u.created_at, u.updated_at";
const COLUMN_COUNT: usize = 12;

/// A person's account.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The id, UUIDv7 unless an embedder's hook gave another.
    pub id: UserId,
    /// The normalised e-mail address; one address means one user.
    pub email: EmailAddress,
    /// When the address was proved, if it was.
    pub email_verified_at: Option<Timestamp>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// Where a picture of the person is.
    pub avatar_url: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// What the embedding application keeps with a user.
    pub metadata: Map<String, Value>,
    /// When the user was turned off, if they are.
    pub disabled_at: Option<Timestamp>,
    /// When the user last logged in.
    pub last_login_at: Option<Timestamp>,
    /// When the user came to exist.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// The name as written, or nothing where none was given.
    pub fn full_name(&self) -> Option<String> {
        let names: Vec<&str> = [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(" "))
    }

    /// The name, or the e-mail address where none was given.
    pub fn display_name(&self) -> String {
        self.full_name().unwrap_or_else(|| self.email.to_string())
    }
}

/// A user that is to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The id.
    pub id: UserId,
    /// The e-mail address.
    pub email: EmailAddress,
    /// When it was proved, if it was.
    pub email_verified_at: Option<Timestamp>,
    /// The names.
    pub profile: Profile,
    /// The role.
    pub role: Role,
    /// What the embedding application keeps with the user.
    pub metadata: Map<String, Value>,
}

/// What people change about themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The first name.
    pub first_name: Option<PersonName>,
    /// The last name.
    pub last_name: Option<PersonName>,
}

impl Profile {
    fn columns(&self) -> (Option<&str>, Option<&str>) {
        (self.first_name.as_ref().map(PersonName::as_str), self.last_name.as_ref().map(PersonName::as_str))
    }
}

/// The user with this id.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn find(db: &Db, id: &UserId) -> Result<Option<User>, Error> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM users u WHERE u.id = $1"));
    let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(db.reader()).await?;
    row.as_ref().map(from_row).transpose().map_err(Error::Internal)
}

/// Whether there is a user with this id.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn exists(tx: &mut Tx, id: &UserId) -> Result<bool, Error> {
    let row = sqlx::query("SELECT 1 FROM users WHERE id = $1").bind(id.as_str()).fetch_optional(&mut **tx).await?;
    Ok(row.is_some())
}

/// The user with this e-mail address.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn find_by_email(db: &Db, email: &EmailAddress) -> Result<Option<User>, Error> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM users u WHERE u.email = $1"));
    let row = sqlx::query(sql).bind(email.as_str()).fetch_optional(db.reader()).await?;
    row.as_ref().map(from_row).transpose().map_err(Error::Internal)
}

/// The addresses of these users, by id; who is gone is left out.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn emails_of(db: &Db, ids: &[UserId]) -> Result<BTreeMap<String, EmailAddress>, Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|number| format!("${number}")).collect();
    let sql = format!("SELECT id, email FROM users WHERE id IN ({})", places.join(", "));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for id in ids {
        query = query.bind(id.as_str());
    }
    let rows = query.fetch_all(db.reader()).await?;
    let pair = |row: &AnyRow| Ok((row.try_get(0)?, EmailAddress::from_stored(row.try_get(1)?)));
    rows.iter().map(pair).collect::<Result<_, _>>().map_err(Error::Internal)
}

/// The user with this e-mail address as the transaction sees it.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn find_by_email_in(tx: &mut Tx, email: &EmailAddress) -> Result<Option<User>, Error> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM users u WHERE u.email = $1"));
    let row = sqlx::query(sql).bind(email.as_str()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(from_row).transpose().map_err(Error::Internal)
}

/// The user with this id as the transaction sees it.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub async fn get_for_update(tx: &mut Tx, id: &UserId) -> Result<User, Error> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM users u WHERE u.id = $1"));
    let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(&mut **tx).await?.ok_or(Error::NotFound)?;
    from_row(&row).map_err(Error::Internal)
}

/// Creates a user.
///
/// # Errors
/// [`Error::EmailTaken`] if a user has the address.
pub async fn create(tx: &mut Tx, new: &NewUser, now: Timestamp) -> Result<(), Error> {
    let (first_name, last_name) = new.profile.columns();
    sqlx::query(
        "INSERT INTO users (id, email, email_verified_at, first_name, last_name, role, metadata, created_at, updated_at,
             name_key, search_text)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10)",
    )
    .bind(new.id.as_str())
    .bind(new.email.as_str())
    .bind(new.email_verified_at.map(Timestamp::as_micros))
    .bind(first_name)
    .bind(last_name)
    .bind(new.role.as_str())
    .bind(json_text(&new.metadata))
    .bind(now.as_micros())
    .bind(search::name_key(first_name, last_name))
    .bind(search::search_text(&new.email, first_name, last_name))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Changes the names of a user.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub async fn set_profile(tx: &mut Tx, user: &User, profile: &Profile, now: Timestamp) -> Result<(), Error> {
    let (first_name, last_name) = profile.columns();
    let done = sqlx::query(
        "UPDATE users SET first_name = $1, last_name = $2, updated_at = $3, name_key = $4, search_text = $5 WHERE id = $6",
    )
    .bind(first_name)
    .bind(last_name)
    .bind(now.as_micros())
    .bind(search::name_key(first_name, last_name))
    .bind(search::search_text(&user.email, first_name, last_name))
    .bind(user.id.as_str())
    .execute(&mut **tx)
    .await?;
    hit_one(done.rows_affected())
}

/// Writes names, picture and metadata as this user has them.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub async fn set_details(tx: &mut Tx, user: &User, now: Timestamp) -> Result<(), Error> {
    let (first_name, last_name) = (user.first_name.as_deref(), user.last_name.as_deref());
    let done = sqlx::query(
        "UPDATE users SET first_name = $1, last_name = $2, avatar_url = $3, metadata = $4, updated_at = $5, name_key = $6,
             search_text = $7 WHERE id = $8",
    )
    .bind(first_name)
    .bind(last_name)
    .bind(user.avatar_url.as_deref())
    .bind(json_text(&user.metadata))
    .bind(now.as_micros())
    .bind(search::name_key(first_name, last_name))
    .bind(search::search_text(&user.email, first_name, last_name))
    .bind(user.id.as_str())
    .execute(&mut **tx)
    .await?;
    hit_one(done.rows_affected())
}

/// Gives a user another address, which was proved.
///
/// # Errors
/// [`Error::EmailTaken`] if another user has it, [`Error::NotFound`] if there is no such user.
pub async fn set_email(tx: &mut Tx, user: &User, email: &EmailAddress, now: Timestamp) -> Result<(), Error> {
    let (first_name, last_name) = (user.first_name.as_deref(), user.last_name.as_deref());
    let done = sqlx::query(
        "UPDATE users SET email = $1, email_verified_at = $2, updated_at = $2, search_text = $3 WHERE id = $4",
    )
    .bind(email.as_str())
    .bind(now.as_micros())
    .bind(search::search_text(email, first_name, last_name))
    .bind(user.id.as_str())
    .execute(&mut **tx)
    .await?;
    hit_one(done.rows_affected())
}

/// Notes that the address of a user was proved; only the one that they have.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user, or they have another address by now.
pub async fn set_email_verified(tx: &mut Tx, user: &User, now: Timestamp) -> Result<(), Error> {
    let done = sqlx::query("UPDATE users SET email_verified_at = $1, updated_at = $1 WHERE id = $2 AND email = $3")
        .bind(now.as_micros())
        .bind(user.id.as_str())
        .bind(user.email.as_str())
        .execute(&mut **tx)
        .await?;
    hit_one(done.rows_affected())
}

/// Gives a user another role.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub async fn set_role(tx: &mut Tx, id: &UserId, role: Role, now: Timestamp) -> Result<(), Error> {
    let done = sqlx::query("UPDATE users SET role = $1, updated_at = $2 WHERE id = $3")
        .bind(role.as_str())
        .bind(now.as_micros())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    hit_one(done.rows_affected())
}

/// Turns a user off (at a time) or on again (`None`).
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub async fn set_disabled(tx: &mut Tx, id: &UserId, at: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
    let done = sqlx::query("UPDATE users SET disabled_at = $1, updated_at = $2 WHERE id = $3")
        .bind(at.map(Timestamp::as_micros))
        .bind(now.as_micros())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    hit_one(done.rows_affected())
}

/// Notes that a user logs in, together with what else is written of it, and answers with the user; `None` if there is no
/// such user, or one that is turned off, of whom nothing may be kept that was written with it.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn note_login(
    tx: &mut Tx,
    id: &UserId,
    now: Timestamp,
    mut writes: Vec<Write>,
) -> Result<Option<User>, Error> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let columns = COLUMNS.replace("u.", "");
        format!("UPDATE users SET last_login_at = $1 WHERE id = $2 AND disabled_at IS NULL RETURNING {columns}")
    });
    writes.push(Write::new(SQL.as_str()).number(now.as_micros()).text(id.as_str()));
    let row = fetch_together(tx, writes).await.map_err(Error::Internal)?;
    row.as_ref().map(from_row).transpose().map_err(Error::Internal)
}

/// Deletes a user.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub async fn delete(tx: &mut Tx, id: &UserId) -> Result<(), Error> {
    let done = sqlx::query("DELETE FROM users WHERE id = $1").bind(id.as_str()).execute(&mut **tx).await?;
    hit_one(done.rows_affected())
}

/// Whether another admin than this user could log in. What is said twice about the role makes the index of those who are
/// no members usable.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn admins_besides(tx: &mut Tx, id: &UserId) -> Result<bool, Error> {
    let row = sqlx::query(
        "SELECT 1 FROM users WHERE role = $1 AND role <> 'member' AND disabled_at IS NULL AND id <> $2 LIMIT 1",
    )
    .bind(Role::Admin.as_str())
    .bind(id.as_str())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.is_some())
}

/// Whether there is an admin at all, asked without waiting for who writes.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn has_admin(db: &Db) -> Result<bool, Error> {
    let row = sqlx::query("SELECT 1 FROM users WHERE role = $1 LIMIT 1")
        .bind(Role::Admin.as_str())
        .fetch_optional(db.reader())
        .await?;
    Ok(row.is_some())
}

/// Whether there is an admin at all, as the transaction sees it.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn any_admin(tx: &mut Tx) -> Result<bool, Error> {
    let row = sqlx::query("SELECT 1 FROM users WHERE role = $1 AND role <> 'member' LIMIT 1")
        .bind(Role::Admin.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.is_some())
}

fn json_text(object: &Map<String, Value>) -> String {
    Value::Object(object.clone()).to_string()
}

fn hit_one(rows: u64) -> Result<(), Error> {
    if rows == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Reads a user from a row whose columns are [`COLUMNS`], followed by others or not.
pub fn from_row(row: &AnyRow) -> Result<User, sqlx::Error> {
    user_at(row, 0)
}

fn user_at(row: &AnyRow, at: usize) -> Result<User, sqlx::Error> {
    debug_assert!(row.len() >= at + COLUMN_COUNT, "a row of users has all of COLUMNS");
    let time = |index: usize| row.try_get::<Option<i64>, _>(at + index).map(|t| t.map(Timestamp::from_micros));
    let role: String = row.try_get(at + 6)?;
    let metadata: String = row.try_get(at + 7)?;
    Ok(User {
        id: UserId::new(row.try_get::<String, _>(at)?),
        email: EmailAddress::from_stored(row.try_get(at + 1)?),
        email_verified_at: time(2)?,
        first_name: row.try_get(at + 3)?,
        last_name: row.try_get(at + 4)?,
        avatar_url: row.try_get(at + 5)?,
        role: role.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        metadata: serde_json::from_str(&metadata).map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        disabled_at: time(8)?,
        last_login_at: time(9)?,
        created_at: Timestamp::from_micros(row.try_get(at + 10)?),
        updated_at: Timestamp::from_micros(row.try_get(at + 11)?),
    })
}

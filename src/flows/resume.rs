//! Resume: who is behind the session of a request. One statement joins the session with its user, because every page
//! pays for it; a session whose user is turned off or gone is none, whomever a hook has named for it. A session of a
//! user of whom nothing is kept has all that there is of them.

use std::{sync::OnceLock, time::Duration};

use sqlx::Row;

use super::{Error, Guest, Services, USER};
use crate::{
    platform::Timestamp,
    sessions::{self, Session, SessionKey},
    users::{self, User},
};

/// How exact "last seen" is: a session is written at most this often.
const SEEN_EVERY: Duration = Duration::from_mins(5);
/// Where the columns of the session begin, behind those of the user.
const SESSION_AT: usize = 12;

/// A session and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Resumed {
    /// The user.
    pub user: User,
    /// The session.
    pub session: Session,
}

/// Who is behind a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Visit {
    /// A user.
    User(Box<Resumed>),
    /// Somebody who has no account here.
    Guest(Box<Guest>),
}

/// Who is behind this session key, if it opens a live session.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn resume(services: &Services, key: SessionKey, now: Timestamp) -> Result<Option<Visit>, Error> {
    static SQL: OnceLock<String> = OnceLock::new();
    let sql = SQL.get_or_init(|| {
        format!(
            "SELECT {}, {} FROM sessions s LEFT JOIN users u ON u.id = s.user_id
             WHERE s.key_hash = $1 AND s.expires_at > $2 AND s.last_seen_at > $3 AND u.disabled_at IS NULL
             AND (u.id IS NOT NULL OR (s.user_id = '' AND s.external_user IS NOT NULL AND s.actor_type = '{USER}'))",
            users::USER_COLUMNS,
            sessions::session_columns()
        )
    });
    let hash = key.hash();
    let query = sqlx::query(sql.as_str())
        .bind(hash.as_str())
        .bind(now.as_micros())
        .bind(now.minus(services.rules.lifetime.idle).as_micros());
    let Some(row) = services.platform.db.fetch_swiftly(query).await? else { return Ok(None) };
    let session = sessions::session_from_row(&row, SESSION_AT)?;
    note_seen(services, &session, now).await;
    let has_user = row.try_get::<Option<String>, _>(0)?.is_some();
    Ok(Some(match session.external_user.clone().filter(|_| !has_user) {
        Some(user) => Visit::Guest(Box::new(Guest { user, session })),
        None => Visit::User(Box::new(Resumed { user: users::user_from_row(&row)?, session })),
    }))
}

/// Notes now and then that a session was seen. Being seen is worth no refusal: it is noted at the next request where the
/// database has no time now.
pub(super) async fn note_seen(services: &Services, session: &Session, now: Timestamp) {
    if now.since(session.last_seen_at) < SEEN_EVERY {
        return;
    }
    if let Err(error) = sessions::touch(&services.platform.db, &session.id, now).await {
        tracing::warn!(%error, "that a session was seen could not be noted");
    }
}

//! An invite as the database answers it, together with who invited and with the mail that carries its newest link.

use serde_json::Map;
use sqlx::{Row, any::AnyRow};

use super::{Invite, Inviter, MailState};
use crate::{
    platform::Timestamp,
    shared::{EmailAddress, InviteId, Role, UserId},
};

/// The columns of an invite in the order that [`from_row`] reads, and where they are from.
pub const SELECT: &str = "SELECT i.id, i.email, i.role, i.note, i.metadata, i.created_at, i.updated_at, i.expires_at,
     i.accepted_at, i.accepted_by, i.revoked_at, i.lapsed_at,
     i.invited_by, u.first_name, u.last_name, u.email, u.role, u.disabled_at,
     m.id, m.sent_at, m.failed_at, m.dropped_at
 FROM invites i LEFT JOIN users u ON u.id = i.invited_by LEFT JOIN mails m ON m.id = i.mail_id";

/// Reads an invite.
///
/// # Errors
/// What the database driver says of a row that is none.
pub fn from_row(row: &AnyRow) -> Result<Invite, sqlx::Error> {
    let metadata: String = row.try_get(4)?;
    Ok(Invite {
        id: InviteId::new(row.try_get::<String, _>(0)?),
        email: EmailAddress::from_stored(row.try_get(1)?),
        role: role_at(row, 2)?.ok_or(sqlx::Error::RowNotFound)?,
        note: row.try_get(3)?,
        metadata: serde_json::from_str::<Map<_, _>>(&metadata).map_err(|error| sqlx::Error::Decode(error.into()))?,
        inviter: inviter_of(row)?,
        mail: mail_of(row)?,
        created_at: Timestamp::from_micros(row.try_get(5)?),
        updated_at: Timestamp::from_micros(row.try_get(6)?),
        expires_at: Timestamp::from_micros(row.try_get(7)?),
        accepted_at: time_at(row, 8)?,
        accepted_by: row.try_get::<Option<String>, _>(9)?.map(UserId::new),
        revoked_at: time_at(row, 10)?,
        lapsed_at: time_at(row, 11)?,
    })
}

fn inviter_of(row: &AnyRow) -> Result<Option<Inviter>, sqlx::Error> {
    let Some(id) = row.try_get::<Option<String>, _>(12)? else { return Ok(None) };
    let names = [row.try_get::<Option<String>, _>(13)?, row.try_get(14)?];
    let email: Option<String> = row.try_get(15)?;
    let full_name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let may_invite = role_at(row, 16)?.is_some_and(Role::may_manage_users) && time_at(row, 17)?.is_none();
    let name = if full_name.is_empty() { email.clone() } else { Some(full_name) };
    Ok(Some(Inviter { id: UserId::new(id), name, email: email.map(EmailAddress::from_stored), may_invite }))
}

fn mail_of(row: &AnyRow) -> Result<MailState, sqlx::Error> {
    if row.try_get::<Option<String>, _>(18)?.is_none() || time_at(row, 21)?.is_some() {
        return Ok(MailState::None);
    }
    Ok(match (time_at(row, 19)?, time_at(row, 20)?) {
        (Some(_), _) => MailState::Sent,
        (None, Some(_)) => MailState::Failed,
        (None, None) => MailState::Queued,
    })
}

fn role_at(row: &AnyRow, index: usize) -> Result<Option<Role>, sqlx::Error> {
    let role: Option<String> = row.try_get(index)?;
    role.map(|role| role.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))).transpose()
}

fn time_at(row: &AnyRow, index: usize) -> Result<Option<Timestamp>, sqlx::Error> {
    row.try_get::<Option<i64>, _>(index).map(|at| at.map(Timestamp::from_micros))
}

//! Held addresses: an account was moved away from one, and its owner can still take that back by the link that was mailed
//! there. Until then nobody else gets the address, or a thief who has registered it would make the link useless. Every
//! flow that gives an address to a user asks here.

use super::{Error, link::UNDO_EMAIL_CHANGE};
use crate::{
    platform::{Timestamp, Tx, one_time},
    shared::{EmailAddress, UserId},
    users,
};

/// Refuses a user the address that they have just been given, if it is held for another. Asked behind the write: whoever
/// moves away from the address at the same time is waited for by that, and the link has been issued by now.
pub(super) async fn refuse_held(
    tx: &mut Tx,
    (user, email): (&UserId, &EmailAddress),
    now: Timestamp,
) -> Result<(), Error> {
    let holders = one_time::find_open(&mut **tx, (UNDO_EMAIL_CHANGE, std::slice::from_ref(email)), now).await?;
    let is_free = holders.iter().all(|(_, holder)| holder == user.as_str());
    if is_free { Ok(()) } else { Err(users::Error::EmailTaken.into()) }
}

/// Whether a user can't have an address: another has it, or it is held for another.
pub(super) async fn is_taken(
    tx: &mut Tx,
    (user, email): (&UserId, &EmailAddress),
    now: Timestamp,
) -> Result<bool, Error> {
    if users::find_by_email_in(tx, email).await?.is_some() {
        return Ok(true);
    }
    match refuse_held(tx, (user, email), now).await {
        Err(Error::Taken(_)) => Ok(true),
        answer => answer.map(|()| false),
    }
}

/// Which of these addresses are held.
pub(super) async fn list_held(
    executor: impl sqlx::Executor<'_, Database = sqlx::Any>,
    emails: &[EmailAddress],
    now: Timestamp,
) -> Result<Vec<EmailAddress>, Error> {
    let held = one_time::find_open(executor, (UNDO_EMAIL_CHANGE, emails), now).await?;
    Ok(held.into_iter().map(|(email, _)| email).collect())
}

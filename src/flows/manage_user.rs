//! What admins and operators do to the account of another: turn off and on, change the role, end sessions, delete.
//! There is always an admin who can log in, also when two act at once; nobody turns off, demotes or deletes oneself.

use serde_json::json;

use super::{
    Error, Services, USER, authority,
    end_sessions::{end_all, note},
    invite::forget_user,
    link::UNDO_EMAIL_CHANGE,
    recover::end_links_of_before,
    setup::ADMINS,
};
use crate::{
    auth,
    events::{self, Event, EventKind, Scope},
    platform::{self, Tx, one_time},
    shared::{Role, UserId},
    users::{self, User},
};

/// Turns a user off and ends their sessions and links, but the one that takes a change of address back; answers how many
/// sessions ended.
///
/// # Errors
/// [`Error::Yourself`], [`Error::LastAdmin`], [`Error::Forbidden`], [`Error::NotFound`].
pub async fn disable_user(services: &Services, scope: &Scope, id: &UserId) -> Result<u64, Error> {
    let mut tx = services.platform.db.begin().await?;
    let user = take_hold(services, scope, id, &mut tx).await?;
    refuse_self_and_last_admin(&mut tx, scope, &user).await?;
    if user.disabled_at.is_some() {
        return Ok(0);
    }
    users::set_disabled(&mut tx, id, Some(scope.now), scope.now).await?;
    let ended = end_all(&mut tx, id, None).await?;
    one_time::revoke_all_but(&mut tx, (UNDO_EMAIL_CHANGE, id.as_str()), scope.now).await?;
    let event = Event::about_user(EventKind::UserDisabled, id).with(json!({ "ended_sessions": ended }));
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Turns a user on again. They log in anew: a session that was opened while they were being turned off stays dead.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn enable_user(services: &Services, scope: &Scope, id: &UserId) -> Result<(), Error> {
    let mut tx = services.platform.db.begin().await?;
    let user = take_hold(services, scope, id, &mut tx).await?;
    if user.disabled_at.is_none() {
        return Ok(());
    }
    users::set_disabled(&mut tx, id, None, scope.now).await?;
    end_all(&mut tx, id, None).await?;
    let event = Event::about_user(EventKind::UserEnabled, id);
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    Ok(tx.commit().await?)
}

/// Gives a user another role; who loses rights is logged out everywhere.
///
/// # Errors
/// [`Error::Yourself`], [`Error::LastAdmin`], [`Error::Forbidden`], [`Error::NotFound`].
pub async fn change_role(services: &Services, scope: &Scope, id: &UserId, role: Role) -> Result<(), Error> {
    let mut tx = services.platform.db.begin().await?;
    let user = take_hold(services, scope, id, &mut tx).await?;
    if user.role == role {
        return Ok(());
    }
    let loses_rights = user.role.may_manage_users() && !role.may_manage_users();
    if loses_rights {
        refuse_self_and_last_admin(&mut tx, scope, &user).await?;
        end_all(&mut tx, id, None).await?;
    }
    if role.is_mightier_than(user.role) {
        end_links_of_before(&mut tx, &user, scope.now).await?;
    }
    users::set_role(&mut tx, id, role, scope.now).await?;
    let details = json!({ "from": user.role.as_str(), "to": role.as_str() });
    let event = Event::about_user(EventKind::UserRoleChanged, id).with(details);
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    Ok(tx.commit().await?)
}

/// Deletes a user with identities, sessions, links and mails that wait; the address may be registered again and is then a new person.
///
/// # Errors
/// [`Error::Yourself`], [`Error::LastAdmin`], [`Error::Forbidden`], [`Error::NotFound`].
pub async fn delete_user(services: &Services, scope: &Scope, id: &UserId) -> Result<(), Error> {
    let mut tx = services.platform.db.begin().await?;
    let user = take_hold(services, scope, id, &mut tx).await?;
    refuse_self_and_last_admin(&mut tx, scope, &user).await?;
    auth::delete_of_actor(&mut tx, USER, id.as_str()).await?;
    end_all(&mut tx, id, None).await?;
    users::delete(&mut tx, id).await?;
    forget_user(services, scope, (id, &user.email), &mut tx).await?;
    let event = Event::about_user(EventKind::UserDeleted, id).with(json!({ "email": user.email.as_str() }));
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    Ok(tx.commit().await?)
}

/// Ends all sessions of a user, but not the one that asks; answers how many ended.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn end_user_sessions(services: &Services, scope: &Scope, id: &UserId) -> Result<u64, Error> {
    let mut tx = services.platform.db.begin().await?;
    take_hold(services, scope, id, &mut tx).await?;
    let ended = end_all(&mut tx, id, scope.session_id()).await?;
    if ended > 0 {
        note(services, scope, (id, json!({ "count": ended })), &mut tx).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

/// The user as they are now, with everyone else waiting who would change who is an admin.
async fn take_hold(services: &Services, scope: &Scope, id: &UserId, tx: &mut Tx) -> Result<User, Error> {
    platform::lock(tx, services.platform.db.dialect(), ADMINS).await?;
    authority::hold_as_manager(tx, scope).await?;
    Ok(users::get_for_update(tx, id).await?)
}

async fn refuse_self_and_last_admin(tx: &mut Tx, scope: &Scope, user: &User) -> Result<(), Error> {
    if scope.is(&user.id) {
        return Err(Error::Yourself);
    }
    if user.role.may_manage_users() && user.disabled_at.is_none() && !users::admins_besides(tx, &user.id).await? {
        return Err(Error::LastAdmin);
    }
    Ok(())
}

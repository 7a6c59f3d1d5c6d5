//! What admins and operators do to the account of another: turn off and on, change the role, end sessions, delete.
//! There is always an admin who can log in, also when two act at once; nobody turns off, demotes or deletes oneself.

use serde_json::{Map, Value, json};

use super::{
    Error, Services, USER, authority,
    end_sessions::{close_ways_in, end_all, note},
    invite::forget_user,
    link::UNDO_EMAIL_CHANGE,
    recover::end_links_of_before,
    setup::ADMINS,
};
use crate::{
    auth,
    events::{self, Event, EventKind, Scope},
    platform::{self, Tx, one_time},
    shared::{Change, PersonName, Role, UserId},
    users::{self, AvatarUrl, User},
};

/// What is changed about a user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserChanges {
    /// The first name.
    pub first_name: Change<PersonName>,
    /// The last name.
    pub last_name: Change<PersonName>,
    /// Where a picture is.
    pub avatar_url: Change<AvatarUrl>,
    /// What the embedding application keeps, as a whole; there is always some, if only an empty one.
    pub metadata: Change<Map<String, Value>>,
    /// The role.
    pub role: Option<Role>,
}

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
    // They may have asked for one as another kind of account, too.
    for identity in auth::find_of_actor(&mut tx, USER, id.as_str()).await? {
        one_time::revoke_all(&mut tx, identity.as_str(), scope.now).await?;
    }
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
    give_role(services, scope, (&user, role), &mut tx).await?;
    Ok(tx.commit().await?)
}

async fn give_role(services: &Services, scope: &Scope, (user, role): (&User, Role), tx: &mut Tx) -> Result<(), Error> {
    if user.role == role {
        return Ok(());
    }
    // Before the links, as everybody holds them.
    authority::hold_user(tx, &user.id).await?;
    let (could_manage, will_manage) = (user.role.may_manage_users(), role.may_manage_users());
    if could_manage && !will_manage {
        refuse_self_and_last_admin(tx, scope, user).await?;
    }
    // No session grows with a role either: somebody else may have got hold of it before.
    if could_manage != will_manage {
        end_all(tx, &user.id, None).await?;
    }
    if role.is_mightier_than(user.role) {
        end_links_of_before(tx, user, scope.now).await?;
    }
    users::set_role(tx, &user.id, role, scope.now).await?;
    let details = json!({ "from": user.role.as_str(), "to": role.as_str() });
    let event = Event::about_user(EventKind::UserRoleChanged, &user.id).with(details);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

/// Changes what is said about a user, role included: all of it or, where one thing is refused, nothing. Answers with the
/// user as they are then.
///
/// # Errors
/// As [`change_role`].
pub async fn update_user(services: &Services, scope: &Scope, id: &UserId, changes: UserChanges) -> Result<User, Error> {
    let mut tx = services.platform.db.begin().await?;
    take_hold(services, scope, id, &mut tx).await?;
    // What a search looks through is made of address and names: neither changes meanwhile.
    authority::hold_user(&mut tx, id).await?;
    let user = users::get_for_update(&mut tx, id).await?;
    if let Some(role) = changes.role {
        give_role(services, scope, (&user, role), &mut tx).await?;
    }
    let (new, fields) = with_changes(&user, changes);
    if !fields.is_empty() {
        users::set_details(&mut tx, &new, scope.now).await?;
        let event = Event::about_user(EventKind::UserUpdated, id).with(json!({ "fields": fields }));
        events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    }
    let user = users::get_for_update(&mut tx, id).await?;
    tx.commit().await?;
    Ok(user)
}

/// The user with what is changed, and the names of what is another than before.
fn with_changes(user: &User, changes: UserChanges) -> (User, Vec<&'static str>) {
    let mut new = user.clone();
    let name = |name: PersonName| Some(name.as_str().to_owned());
    changes.first_name.and_then(name).apply(&mut new.first_name);
    changes.last_name.and_then(name).apply(&mut new.last_name);
    changes.avatar_url.and_then(|url| Some(url.as_str().to_owned())).apply(&mut new.avatar_url);
    if let Change::To(metadata) = changes.metadata {
        new.metadata = metadata.unwrap_or_default();
    }
    let fields = [
        ("first_name", new.first_name != user.first_name),
        ("last_name", new.last_name != user.last_name),
        ("avatar_url", new.avatar_url != user.avatar_url),
        ("metadata", new.metadata != user.metadata),
    ];
    let fields = fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    (new, fields)
}

/// Deletes a user with identities, sessions, links and mails that wait; the address may be registered again and is then a new person.
///
/// # Errors
/// [`Error::Yourself`], [`Error::LastAdmin`], [`Error::Forbidden`], [`Error::NotFound`].
pub async fn delete_user(services: &Services, scope: &Scope, id: &UserId) -> Result<(), Error> {
    let mut tx = services.platform.db.begin().await?;
    let user = take_hold(services, scope, id, &mut tx).await?;
    refuse_self_and_last_admin(&mut tx, scope, &user).await?;
    close_ways_in(&mut tx, id, scope.now).await?;
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

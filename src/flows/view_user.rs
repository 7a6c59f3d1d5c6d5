//! View an account with all that belongs to it: ways in and sessions. One sees one's own, admins see everyone's.

use super::{Error, Services, USER, authority::asks_as_manager};
use crate::{
    auth::{self, WayIn},
    events::Scope,
    sessions::{self, Session},
    shared::UserId,
    users::{self, User},
};

/// An account with all that belongs to it.
pub struct UserDetails {
    /// The user.
    pub user: User,
    /// How they can log in.
    pub ways_in: Vec<WayIn>,
    /// Where they are logged in, the last seen first.
    pub sessions: Vec<Session>,
}

/// The account with this id.
///
/// # Errors
/// [`Error::Forbidden`] for who may not manage users, [`Error::NotFound`] if there is none.
pub async fn user_details(services: &Services, scope: &Scope, id: &UserId) -> Result<UserDetails, Error> {
    asks_as_manager(scope)?;
    let db = &services.platform.db;
    let user = users::find(db, id).await?.ok_or(Error::NotFound)?;
    let ways_in = auth::ways_in(db, USER, id.as_str()).await?;
    let sessions = sessions::list(db, id, services.rules.lifetime, scope.now).await?;
    Ok(UserDetails { user, ways_in, sessions })
}

/// The user with this id, without what belongs to them.
///
/// # Errors
/// As [`user_details`].
pub async fn find_user(services: &Services, scope: &Scope, id: &UserId) -> Result<User, Error> {
    asks_as_manager(scope)?;
    users::find(&services.platform.db, id).await?.ok_or(Error::NotFound)
}

/// Where the one who asks is logged in, the last seen first.
///
/// # Errors
/// [`Error::Unauthorized`] if nobody is logged in.
pub async fn own_sessions(services: &Services, scope: &Scope) -> Result<Vec<Session>, Error> {
    let user = scope.user_id().ok_or(Error::Unauthorized)?;
    Ok(sessions::list(&services.platform.db, user, services.rules.lifetime, scope.now).await?)
}

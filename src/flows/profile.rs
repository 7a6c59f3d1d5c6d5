//! Update one's own profile. Nobody edits another's here.

use super::{Error, Services, authority};
use crate::{
    events::{self, Event, EventKind, Scope},
    users::{self, Profile},
};

/// Changes the names of the one who asks.
///
/// # Errors
/// [`Error::Unauthorized`] if nobody is logged in.
pub async fn update_profile(services: &Services, scope: &Scope, profile: &Profile) -> Result<(), Error> {
    let id = scope.user_id().ok_or(Error::Unauthorized)?;
    let mut tx = services.platform.db.begin().await?;
    authority::hold(&mut tx, scope).await?;
    let user = users::get_for_update(&mut tx, id).await?;
    users::set_profile(&mut tx, &user, profile, scope.now).await?;
    let event = Event::about_user(EventKind::UserUpdated, id);
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    Ok(tx.commit().await?)
}

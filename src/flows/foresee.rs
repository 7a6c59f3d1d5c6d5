//! Foresee: what will become of whoever a provider has proved, decided before anything is written. The hook of the
//! embedding application is told of it, and a rehearsal shows it; whoever is refused is told to nobody. What is written
//! afterwards is decided once more, in its transaction.

use super::{
    Error, Services, USER,
    create_user::{self, Admission},
};
use crate::{
    auth::{self, AuthIdentity},
    events::Scope,
    shared::{EmailAddress, UserId},
    users::{self, User},
};

/// What will become of an identity.
pub(super) enum Foreseen {
    /// It is this user's.
    LogIn(Box<User>),
    /// It gets an account with this address.
    Create(EmailAddress),
    /// It gets this account, whose address nobody has proved yet.
    TakeOver(Box<User>),
}

impl Foreseen {
    /// The account that is there already.
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::LogIn(user) | Self::TakeOver(user) => Some(user),
            Self::Create(_) => None,
        }
    }

    /// Whether the address must be confirmed by a mailed link before somebody is let in.
    pub fn must_confirm(&self, services: &Services, identity: &AuthIdentity) -> bool {
        let is_proved = match self {
            Self::LogIn(user) => user.email_verified_at.is_some(),
            Self::Create(_) => create_user::says_verified(identity),
            Self::TakeOver(_) => true,
        };
        services.rules.registration.requires_verified_email() && !is_proved
    }
}

/// Foresees what will become of an identity. No transaction is open afterwards.
///
/// # Errors
/// [`Error::Disabled`] where its user is turned off or gone, [`Error::Conflict`] where it has got one since it was read, and
/// what [`create_user::decide`] refuses.
pub(super) async fn foresee(services: &Services, scope: &Scope, identity: &AuthIdentity) -> Result<Foreseen, Error> {
    let db = &services.platform.db;
    if let Some(id) = identity.actor_id(USER) {
        let user = users::find(db, &UserId::new(id)).await?;
        return Ok(Foreseen::LogIn(Box::new(refuse_disabled(user.ok_or(Error::Disabled)?)?)));
    }
    let mut tx = db.begin_relaxed().await?;
    match create_user::decide(services, scope, identity, &mut tx).await {
        Ok(Admission::Create(email)) => Ok(Foreseen::Create(email)),
        Ok(Admission::Join(user)) => Ok(Foreseen::LogIn(Box::new(refuse_disabled(*user)?))),
        Ok(Admission::TakeOver(user)) => Ok(Foreseen::TakeOver(Box::new(refuse_disabled(*user)?))),
        Err(error) => {
            // Two first log-ins at once: the address is taken by this very person.
            let own = &identity.provider_identity;
            let is_linked = auth::has_actor(&mut tx, (&own.provider, &own.entity_id), USER).await?;
            Err(if is_linked { Error::Conflict } else { error })
        }
    }
}

fn refuse_disabled(user: User) -> Result<User, Error> {
    if user.disabled_at.is_some() { Err(Error::Disabled) } else { Ok(user) }
}

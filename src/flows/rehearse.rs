//! Rehearse: an admin goes to a provider and back, and sees what it tells and what would be decided. All that a log-in asks
//! is asked, the hook too, and nothing is written.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Error, Services, USER, authority,
    external_user::{self, Outsider},
    foresee::{Foreseen, foresee},
    resolve_user,
};
use crate::{
    auth::{AuthIdentity, Configured},
    events::Scope,
    shared::{ExternalUser, UserId},
    users,
};

/// What a provider has told in a rehearsal, and what would have been decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// What the provider knows the person by.
    pub entity_id: String,
    /// What it has told of the person.
    pub profile: Map<String, Value>,
    /// What would have been decided.
    pub decision: Decision,
    /// Whom the session would be for, where the application's hook names somebody.
    pub named: Option<ExternalUser>,
}

/// What would become of somebody who comes in by a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// They log in to the account with this address, which is linked.
    LogIn {
        /// The address.
        email: String,
        /// Whether they must confirm it first.
        must_confirm: bool,
    },
    /// They get an account with this address.
    Create {
        /// The address.
        email: String,
        /// Whether the provider says that it is theirs.
        is_verified: bool,
        /// Whether they must confirm it before they are let in.
        must_confirm: bool,
    },
    /// They get the account with this address, which nobody has proved.
    TakeOver(String),
    /// They come in, and nothing is stored of them.
    Guest,
    /// They are refused: the account with their address is not linked.
    NotLinked,
    /// They are refused: the provider tells no address.
    NoAddress,
    /// They are refused: nobody can register now.
    RegistrationClosed,
    /// They are refused: addresses of the domain can't register.
    DomainNotAllowed,
    /// They are refused: nothing would be stored of them, and they have no proved address of a domain that may register.
    GuestNotAllowed,
    /// They are refused: the account is turned off.
    Disabled,
    /// They are refused by the application.
    Refused,
}

impl Decision {
    fn of(services: &Services, identity: &AuthIdentity, foreseen: &Foreseen) -> Self {
        let must_confirm = foreseen.must_confirm(services, identity);
        match foreseen {
            Foreseen::LogIn(user) => Self::LogIn { email: user.email.to_string(), must_confirm },
            Foreseen::Create(email) => {
                let is_verified = super::create_user::says_verified(identity);
                Self::Create { email: email.to_string(), is_verified, must_confirm }
            }
            Foreseen::TakeOver(user) => Self::TakeOver(user.email.to_string()),
        }
    }

    /// What is a refusal, and no trouble.
    fn of_refusal(error: Error) -> Result<Self, Error> {
        match error {
            Error::NotLinked => Ok(Self::NotLinked),
            Error::NoAddress => Ok(Self::NoAddress),
            Error::RegistrationClosed => Ok(Self::RegistrationClosed),
            Error::DomainNotAllowed => Ok(Self::DomainNotAllowed),
            Error::Disabled => Ok(Self::Disabled),
            Error::Refused => Ok(Self::Refused),
            error => Err(error),
        }
    }
}

/// Asks all that a log-in asks, and writes nothing.
pub(super) async fn rehearse(
    services: &Services,
    scope: &Scope,
    (configured, identity): (&Configured, &AuthIdentity),
) -> Result<Rehearsal, Error> {
    authority::asks_as_manager(scope)?;
    let own = &identity.provider_identity;
    let (decision, named) = match decide(services, scope, (configured, identity)).await {
        Ok(decided) => decided,
        Err(error) => (Decision::of_refusal(error)?, None),
    };
    refuse_account(services, named.as_ref()).await?;
    Ok(Rehearsal { entity_id: own.entity_id.clone(), profile: own.user_metadata.clone(), decision, named })
}

async fn decide(
    services: &Services,
    scope: &Scope,
    (configured, identity): (&Configured, &AuthIdentity),
) -> Result<(Decision, Option<ExternalUser>), Error> {
    let foreseen = foresee(services, scope, identity).await?;
    let decision = Decision::of(services, identity, &foreseen);
    if matches!(decision, Decision::LogIn { must_confirm: true, .. }) {
        return Ok((decision, None));
    }
    let asked = resolve_user::ask_about(services, configured, identity, foreseen.user()).await?;
    Ok((decision, asked.named().cloned()))
}

/// The same for somebody of whom nothing would be stored.
pub(super) async fn rehearse_guest(
    services: &Services,
    scope: &Scope,
    configured: &Configured,
    outsider: Outsider,
) -> Result<Rehearsal, Error> {
    authority::asks_as_manager(scope)?;
    let (entity_id, profile, own) = (outsider.known_by().to_owned(), outsider.profile(), outsider.user.clone());
    let (decision, user) = match external_user::admit(services, configured, (USER, outsider)).await {
        Ok(user) => (Decision::Guest, Some(user)),
        Err(Error::DomainNotAllowed) => (Decision::GuestNotAllowed, None),
        Err(error) => (Decision::of_refusal(error)?, None),
    };
    refuse_account(services, user.as_ref()).await?;
    Ok(Rehearsal { entity_id, profile, decision, named: user.filter(|user| *user != own) })
}

/// Nobody's session is for an account that is kept here but by that account.
async fn refuse_account(services: &Services, named: Option<&ExternalUser>) -> Result<(), Error> {
    let Some(named) = named else { return Ok(()) };
    match users::find(&services.platform.db, &UserId::new(named.id.as_str())).await? {
        Some(_) => Err(Error::NotProved("Authentication failed".to_owned())),
        None => Ok(()),
    }
}

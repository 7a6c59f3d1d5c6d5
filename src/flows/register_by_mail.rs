//! Register where mails are sent. The request hashes the password and writes one row, the same for every address, and
//! looks nothing up; a job makes the user from it a moment later, or tells the owner of the address. So neither the
//! answer nor its time says who has an account. What the row holds of the person is sealed with the instance key.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Error, Registered, Registration, Services, USER, authority, confirm_email,
    create_user::{self, may_register},
    end_sessions::close_ways_in,
    mail_request::{self, NewRequest},
    register::prove,
};
use crate::{
    auth::{self, AuthIdentity, ProviderIdentity, providers::EMAILPASS},
    events::{self, Scope},
    platform::Tx,
    shared::{AuthIdentityId, EmailAddress, PersonName, ProviderId, Role, UserId},
    users::{self, NewUser, Profile},
};

/// What the seal is bound to.
const SEALED_FOR: &str = "registration";

/// What is kept of a registration until it is answered: who it will be, and what they can be proved by.
#[derive(Serialize, Deserialize)]
struct Kept {
    user: UserId,
    email: EmailAddress,
    first_name: Option<String>,
    last_name: Option<String>,
    identity: AuthIdentityId,
    provider: ProviderId,
    provider_metadata: Map<String, Value>,
    user_metadata: Map<String, Value>,
}

impl Kept {
    fn new(user: UserId, email: EmailAddress, profile: &Profile, identity: AuthIdentity) -> Self {
        let AuthIdentity { id, provider_identity: known, .. } = identity;
        let text = |name: &Option<PersonName>| name.as_ref().map(|name| name.as_str().to_owned());
        Self {
            user,
            email,
            first_name: text(&profile.first_name),
            last_name: text(&profile.last_name),
            identity: id,
            provider: known.provider,
            provider_metadata: known.provider_metadata,
            user_metadata: known.user_metadata,
        }
    }

    fn profile(&self) -> Profile {
        let name = |text: &Option<String>| PersonName::parse(text.as_deref().unwrap_or_default()).unwrap_or_default();
        Profile { first_name: name(&self.first_name), last_name: name(&self.last_name) }
    }

    fn identity(&self) -> AuthIdentity {
        AuthIdentity {
            id: self.identity.clone(),
            app_metadata: std::collections::BTreeMap::new(),
            provider_identity: ProviderIdentity {
                provider: self.provider.clone(),
                entity_id: self.email.to_string(),
                provider_metadata: self.provider_metadata.clone(),
                user_metadata: self.user_metadata.clone(),
            },
        }
    }
}

/// Takes a registration in, whether the address is free or not.
pub(super) async fn take_in(services: &Services, scope: &Scope, new: Registration) -> Result<Registered, Error> {
    let Registration { email, password, profile, registered_here } = new;
    let configured = services.providers.first_of(EMAILPASS).ok_or(Error::UnknownProvider)?;
    let identities = services.identities(services.provider(&configured.id)?, scope).blind();
    let identity = prove(configured, &identities, (&email, password)).await?;
    // Who presses twice is one person: both make the same user, and either mail is awaited in this browser.
    let user = registered_here.unwrap_or_else(|| UserId::new(services.platform.entropy.uuid_v7(scope.now)));
    let kept = Kept::new(user.clone(), email.clone(), &profile, identity);
    let plain = serde_json::to_vec(&kept).map_err(Error::internal)?;
    let sealed = services.platform.seal.seal(SEALED_FOR, &plain);
    let mut tx = services.platform.db.begin().await?;
    let request = NewRequest { kind: mail_request::REGISTER, email: email.as_str(), way: None, sealed: Some(&sealed) };
    mail_request::insert(services, scope, request, &mut tx).await?;
    tx.commit().await?;
    services.mail_requested.notify_one();
    Ok(Registered::MailSent { user })
}

/// Makes the user that a registration asks for, and mails them the link that confirms the address.
///
/// # Errors
/// [`Error::Taken`] if the address is another's, or held for another: its owner is to be told.
/// [`Error::RegistrationClosed`], [`Error::DomainNotAllowed`], [`Error::UnknownProvider`] if it is not allowed any more.
pub(super) async fn answer(
    services: &Services,
    scope: &Scope,
    (email, sealed): (&EmailAddress, Option<&str>),
    tx: &mut Tx,
) -> Result<(), Error> {
    may_register(services, email)?;
    let plain = sealed.and_then(|sealed| services.platform.seal.open(SEALED_FOR, sealed));
    let kept = plain.and_then(|plain| serde_json::from_slice::<Kept>(&plain).ok());
    let Some(kept) = kept.filter(|kept| kept.email == *email) else {
        tracing::error!("a registration can't be read and came to nothing; was the instance key changed?");
        return Ok(());
    };
    match users::find_by_email_in(tx, email).await? {
        Some(user) if user.id == kept.user => register_again(services, scope, &kept, tx).await,
        _ => make_user(services, scope, kept, tx).await,
    }
}

async fn make_user(services: &Services, scope: &Scope, kept: Kept, tx: &mut Tx) -> Result<(), Error> {
    // A user who was deleted meanwhile does not come back: whoever registers with the address is a new person.
    let was_there = events::has_happened_to(tx, &kept.user).await?;
    let id = if was_there { UserId::new(services.platform.entropy.uuid_v7(scope.now)) } else { kept.user.clone() };
    let identity = kept.identity();
    store(services, scope, &identity, tx).await?;
    let new = NewUser {
        id,
        profile: kept.profile(),
        email: kept.email,
        email_verified_at: None,
        role: Role::Member,
        metadata: Map::new(),
    };
    let user = create_user::insert(services, scope, (&new, &identity), tx).await?;
    confirm_email::send_link(services, scope, &user, tx).await
}

/// Who registers once more in the same browser has the user already: what was typed last holds, unless the account was
/// used by now. The link is on its way.
async fn register_again(services: &Services, scope: &Scope, kept: &Kept, tx: &mut Tx) -> Result<(), Error> {
    // Looked at behind that: whoever proves the address at this moment has the account by now.
    authority::hold_account(tx, &kept.user).await?;
    let user = users::get_for_update(tx, &kept.user).await?;
    if user.email != kept.email
        || user.email_verified_at.is_some()
        || user.last_login_at.is_some()
        || user.disabled_at.is_some()
    {
        return Err(users::Error::EmailTaken.into());
    }
    let identity = kept.identity();
    close_ways_in(tx, &user.id, scope.now).await?;
    store(services, scope, &identity, tx).await?;
    auth::link_actor(tx, &identity.id, USER, user.id.as_str()).await?;
    Ok(users::set_profile(tx, &user, &kept.profile(), scope.now).await?)
}

async fn store(services: &Services, scope: &Scope, identity: &AuthIdentity, tx: &mut Tx) -> Result<(), Error> {
    let configured = services.provider(&identity.provider_identity.provider)?;
    let identities = services.identities(configured, scope);
    identities.adopt(identity.clone());
    Ok(identities.commit(tx).await?)
}

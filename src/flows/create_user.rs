//! Create a user: the one place that answers "may this person have an account?", and writes user, identity and event
//! in one transaction. Refuses by mode and domain; the uniqueness of the address is the schema's.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Error, RegistrationMode, Services, USER, authority,
    end_sessions::{hand_over, oust_stranger},
    held_address,
    letter::{self, Letter},
    link::SET_PASSWORD,
    login::{Proof, judge},
    resolve_user::Asked,
};
use crate::{
    auth::{self, AuthIdentity, AuthInput},
    events::{self, Event, EventKind, Scope},
    platform::{NewOneTime, SecretToken, Timestamp, Tx, one_time},
    sessions,
    shared::{EmailAddress, PersonName, Role, UserId},
    users::{self, NewUser, Profile, User},
};

/// A user that an admin or the operator creates; they vouch for the address, so it counts as verified.
pub struct DirectUser {
    /// The address.
    pub email: EmailAddress,
    /// The names.
    pub profile: Profile,
    /// The role.
    pub role: Role,
    /// The password to log in with.
    pub password: String,
}

/// A user who is to choose a password by a link; an admin or the operator vouches for the address.
pub struct Vouched {
    /// The address.
    pub email: EmailAddress,
    /// The names.
    pub profile: Profile,
    /// The role.
    pub role: Role,
    /// What the embedding application keeps with the user.
    pub metadata: Map<String, Value>,
    /// Whether the link goes to the outbox also where no mail leaves, for an admin to copy it there; who gets the link
    /// as an answer needs no copy.
    pub is_kept: bool,
}

/// Creates a user directly.
///
/// # Errors
/// [`Error::Forbidden`] for who may not, [`Error::Password`], [`Error::Taken`].
pub async fn create_directly(services: &Services, scope: &Scope, new: DirectUser) -> Result<User, Error> {
    authority::asks_as_manager(scope)?;
    let prepared = prepare_direct(services, scope, &new).await?;
    let mut tx = services.platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    let (user, _) = insert_direct(services, scope, (new, prepared), &mut tx).await?;
    tx.commit().await?;
    Ok(user)
}

/// Creates a user who has no way in yet, and the link by which they set a password. Its mail is written too.
///
/// # Errors
/// [`Error::Forbidden`] for who may not, [`Error::Taken`].
pub async fn create_without_password(
    services: &Services,
    scope: &Scope,
    vouched: Vouched,
) -> Result<(User, SecretToken), Error> {
    let entropy = &services.platform.entropy;
    let mut tx = services.platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    let new = NewUser {
        id: UserId::new(entropy.uuid_v7(scope.now)),
        email: vouched.email,
        email_verified_at: Some(scope.now),
        profile: vouched.profile,
        role: vouched.role,
        metadata: vouched.metadata,
    };
    create(&mut tx, &new, scope.now).await?;
    let details = json!({ "email": new.email.as_str(), "role": new.role.as_str(), "provider": null });
    let event = Event::about_user(EventKind::UserCreated, &new.id).with(details);
    events::record(&mut tx, entropy, scope, event).await?;
    let link = NewOneTime {
        purpose: SET_PASSWORD,
        subject: new.id.as_str(),
        email: &new.email,
        data: json!({ "actor_type": USER }),
        expires_at: scope.now.plus(SET_PASSWORD.lifetime),
    };
    let issued = one_time::issue(&mut tx, entropy, scope.now, link).await?;
    // Where no mail leaves, the one who creates the user hands the link on.
    if vouched.is_kept || services.platform.outbox.is_sent() {
        letter::write(services, scope, (&new.email, Letter::SetPassword, Some(&issued)), &mut tx).await?;
    }
    tx.commit().await?;
    Ok((created(&new, scope.now), issued.token))
}

/// What is hashed and checked before a transaction begins.
pub(super) struct Prepared {
    identities: auth::AuthIdentityProviderService,
    identity: AuthIdentity,
}

/// An identity that somebody has registered with the address and that is nobody's makes way.
pub(super) async fn prepare_direct(services: &Services, scope: &Scope, new: &DirectUser) -> Result<Prepared, Error> {
    let taken = match try_to_prepare(services, scope, new).await {
        Err(Error::Taken(taken)) => taken,
        answer => return answer,
    };
    let configured = services.providers.first_of(auth::providers::EMAILPASS).ok_or(Error::UnknownProvider)?;
    let mut tx = services.platform.db.begin().await?;
    let has_made_way = oust_stranger(&mut tx, (&configured.id, &new.email), scope.now).await?;
    tx.commit().await?;
    if has_made_way { try_to_prepare(services, scope, new).await } else { Err(Error::Taken(taken)) }
}

async fn try_to_prepare(services: &Services, scope: &Scope, new: &DirectUser) -> Result<Prepared, Error> {
    let configured = services.providers.first_of(auth::providers::EMAILPASS).ok_or(Error::UnknownProvider)?;
    let identities = services.identities(configured, scope);
    let body =
        BTreeMap::from([("email".to_owned(), new.email.to_string()), ("password".to_owned(), new.password.clone())]);
    let input = AuthInput { body, ..AuthInput::default() };
    match judge(configured.provider.register(&input, &identities).await?) {
        Proof::Proved(identity) => Ok(Prepared { identities, identity }),
        Proof::Failed(reason) => Err(Error::Taken(reason)),
        Proof::Elsewhere(_) | Proof::External(_) | Proof::ByMail(_) => Err(Error::UnknownProvider),
    }
}

pub(super) async fn insert_direct(
    services: &Services,
    scope: &Scope,
    (new, prepared): (DirectUser, Prepared),
    tx: &mut Tx,
) -> Result<(User, AuthIdentity), Error> {
    let Prepared { identities, identity } = prepared;
    identities.commit(tx).await?;
    let user = NewUser {
        id: UserId::new(services.platform.entropy.uuid_v7(scope.now)),
        email: new.email,
        email_verified_at: Some(scope.now),
        profile: new.profile,
        role: new.role,
        metadata: Map::new(),
    };
    let user = insert(services, scope, (&user, &identity), tx).await?;
    Ok((user, identity))
}

/// What becomes of an identity that has no user yet.
pub(super) enum Admission {
    /// Nobody has its address: it gets an account.
    Create(EmailAddress),
    /// A user has its address and has never proved it; the provider has, so the account becomes this person's.
    TakeOver(Box<User>),
    /// A user has its address, and so has whoever reads its mail: it is one more way in to the account.
    Join(Box<User>),
}

/// Decides what becomes of an identity that has no user yet; changes nothing.
///
/// 1. The provider tells no address: refused.
/// 2. Nobody has the address, and it is held for nobody: an account, where anybody may register with it.
/// 3. A user has it, has not proved it, and the provider says that this person has: the account is theirs.
/// 4. A user has it and has proved it, and this person proves by its mail to be the same: a way in to the account, as a link
///    to set a new password were one.
/// 5. A user has it otherwise, or can take it back: refused. They log in first, and link it then; a form of our own can't be
///    linked.
///
/// # Errors
/// [`Error::NoAddress`], [`Error::RegistrationClosed`], [`Error::DomainNotAllowed`], [`Error::NotLinked`],
/// [`Error::Taken`].
pub(super) async fn decide(
    services: &Services,
    scope: &Scope,
    identity: &AuthIdentity,
    tx: &mut Tx,
) -> Result<Admission, Error> {
    let email = email_of(services, identity).ok_or(Error::NoAddress)?;
    match users::find_by_email_in(tx, &email).await? {
        None => {
            may_register(services, &email)?;
            let held = held_address::list_held(&mut **tx, std::slice::from_ref(&email), scope.now).await?;
            if held.is_empty() { Ok(Admission::Create(email)) } else { Err(taken(services, identity)) }
        }
        Some(user) if user.email_verified_at.is_none() && says_verified(identity) => {
            Ok(Admission::TakeOver(Box::new(user)))
        }
        Some(user) if services.is_by_mail(&identity.provider_identity.provider) && says_verified(identity) => {
            Ok(Admission::Join(Box::new(user)))
        }
        Some(_) => Err(taken(services, identity)),
    }
}

fn taken(services: &Services, identity: &AuthIdentity) -> Error {
    if services.is_redirect(&identity.provider_identity.provider) {
        return Error::NotLinked;
    }
    users::Error::EmailTaken.into()
}

/// Gives an identity that has no user yet its account, as [`decide`] says.
///
/// # Errors
/// As [`decide`], and [`Error::Conflict`] where the hook was told otherwise.
pub(super) async fn for_identity(
    services: &Services,
    scope: &Scope,
    (identity, asked): (&AuthIdentity, &Asked),
    tx: &mut Tx,
) -> Result<User, Error> {
    let admission = decide(services, scope, identity, tx).await?;
    if !asked.fits(&admission) {
        return Err(Error::Conflict);
    }
    let email = match admission {
        Admission::Create(email) => email,
        Admission::TakeOver(user) => {
            hand_over(services, scope, (&user, identity), tx).await?;
            note_link(services, scope, (&user.id, identity), tx).await?;
            return Ok(users::get_for_update(tx, &user.id).await?);
        }
        Admission::Join(user) => return join(services, scope, (*user, identity), tx).await,
    };
    let user = NewUser {
        id: UserId::new(services.platform.entropy.uuid_v7(scope.now)),
        email,
        email_verified_at: says_verified(identity).then_some(scope.now),
        profile: profile_of(identity),
        role: Role::Member,
        metadata: Map::new(),
    };
    let user = insert(services, scope, (&user, identity), tx).await?;
    // Who comes by mail has linked nothing: the account was made of it.
    if services.is_redirect(&identity.provider_identity.provider) {
        note_link(services, scope, (&user.id, identity), tx).await?;
    }
    Ok(user)
}

/// Makes an identity a way in of the user who has its address.
async fn join(
    services: &Services,
    scope: &Scope,
    (user, identity): (User, &AuthIdentity),
    tx: &mut Tx,
) -> Result<User, Error> {
    // What was opened by it before it was anybody's may be of who had the address before.
    sessions::end_all_of_identity(tx, &identity.id, None).await?;
    auth::link_actor(tx, &identity.id, USER, user.id.as_str()).await?;
    note_link(services, scope, (&user.id, identity), tx).await?;
    Ok(user)
}

/// Writes that an account has one more way in; a form with a password is none.
pub(super) async fn note_link(
    services: &Services,
    scope: &Scope,
    (user, identity): (&UserId, &AuthIdentity),
    tx: &mut Tx,
) -> Result<(), Error> {
    let provider = &identity.provider_identity.provider;
    if !services.is_linked(provider) && !services.is_by_mail(provider) {
        return Ok(());
    }
    let details = json!({ "provider": provider.as_str() });
    let event = Event::about_user(EventKind::IdentityLinked, user).with(details);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

/// Whether the provider says that it has verified the address: `true`, and nothing that only looks like it.
pub(super) fn says_verified(identity: &AuthIdentity) -> bool {
    identity.provider_identity.user_metadata.get("email_verified") == Some(&Value::Bool(true))
}

/// The names that the provider knows, by the claims of OpenID Connect Core §5.1; one that is no name is left out.
pub(super) fn profile_of(identity: &AuthIdentity) -> Profile {
    let claim = |name: &str| identity.provider_identity.user_metadata.get(name).and_then(Value::as_str);
    let name = |text: Option<&str>| text.and_then(|text| PersonName::parse(text).ok().flatten());
    Profile { first_name: name(claim("given_name").or(claim("name"))), last_name: name(claim("family_name")) }
}

/// The address of whoever an identity is: what its provider tells, else what a provider of credentials knows it by. The
/// subject of another server and the id of a passkey are no address, whatever they look like. Where a mail has proved an
/// address, nothing else counts.
pub(super) fn email_of(services: &Services, identity: &AuthIdentity) -> Option<EmailAddress> {
    let known = &identity.provider_identity;
    let is_by_mail = services.is_by_mail(&known.provider);
    let told = known.user_metadata.get("email").and_then(Value::as_str).filter(|_| !is_by_mail);
    let typed = Some(known.entity_id.as_str()).filter(|_| !services.is_linked(&known.provider));
    EmailAddress::parse(told.or(typed)?).ok()
}

/// Whether a person may make an account with this address.
pub(super) fn may_register(services: &Services, email: &EmailAddress) -> Result<(), Error> {
    let registration = &services.rules.registration;
    if registration.mode != RegistrationMode::Open {
        return Err(Error::RegistrationClosed);
    }
    if registration.allows(email) { Ok(()) } else { Err(Error::DomainNotAllowed) }
}

/// Whether somebody may come in of whom nothing is kept: as who registers, and where only some domains may, by a proved
/// address. What is not proved is no reason to let anybody in.
pub(super) fn may_visit(services: &Services, proved: Option<&AuthIdentity>) -> Result<(), Error> {
    let registration = &services.rules.registration;
    if registration.mode != RegistrationMode::Open {
        return Err(Error::RegistrationClosed);
    }
    let email = proved.filter(|identity| says_verified(identity)).and_then(|identity| email_of(services, identity));
    let is_allowed = registration.allowed_domains.is_empty() || email.is_some_and(|email| registration.allows(&email));
    if is_allowed { Ok(()) } else { Err(Error::DomainNotAllowed) }
}

/// Inserts the user of a person who registered.
pub(super) async fn insert_registered(
    services: &Services,
    scope: &Scope,
    (email, profile, identity): (EmailAddress, Profile, &AuthIdentity),
    tx: &mut Tx,
) -> Result<User, Error> {
    let user = NewUser {
        id: UserId::new(services.platform.entropy.uuid_v7(scope.now)),
        email,
        email_verified_at: None,
        profile,
        role: Role::Member,
        metadata: Map::new(),
    };
    insert(services, scope, (&user, identity), tx).await
}

/// Inserts a user with their identity.
pub(super) async fn insert(
    services: &Services,
    scope: &Scope,
    (new, identity): (&NewUser, &AuthIdentity),
    tx: &mut Tx,
) -> Result<User, Error> {
    create(tx, new, scope.now).await?;
    auth::link_actor(tx, &identity.id, USER, new.id.as_str()).await?;
    let provider = identity.provider_identity.provider.as_str();
    let event = Event::about_user(EventKind::UserCreated, &new.id)
        .with(json!({ "email": new.email.as_str(), "role": new.role.as_str(), "provider": provider }));
    events::record(tx, &services.platform.entropy, scope, event).await?;
    Ok(created(new, scope.now))
}

async fn create(tx: &mut Tx, new: &NewUser, now: Timestamp) -> Result<(), Error> {
    users::create(tx, new, now).await?;
    // What was mailed to the address before it was anybody's is about its user from now on, and ends with what they end.
    one_time::pass_on(tx, (new.email.as_str(), new.id.as_str())).await?;
    held_address::refuse_held(tx, (&new.id, &new.email), now).await
}

fn created(new: &NewUser, now: Timestamp) -> User {
    User {
        id: new.id.clone(),
        email: new.email.clone(),
        email_verified_at: new.email_verified_at,
        first_name: new.profile.first_name.as_ref().map(|name| name.as_str().to_owned()),
        last_name: new.profile.last_name.as_ref().map(|name| name.as_str().to_owned()),
        avatar_url: None,
        role: new.role,
        metadata: new.metadata.clone(),
        disabled_at: None,
        last_login_at: None,
        created_at: now,
        updated_at: now,
    }
}

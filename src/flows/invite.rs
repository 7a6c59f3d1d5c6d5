//! Invite people: one, or many in one transaction; send again, show another link, take back, delete. Each invite has its
//! letter in the outbox, also where no mail leaves: admins copy its link. Refuses where registration is closed, who has
//! an account, and who is invited already.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    Error, InviteSettings, RegistrationMode, Services, authority, held_address,
    letter::{self, Letter},
    link::INVITE,
};
use crate::{
    events::{self, Event, EventKind, Scope},
    platform::{NewOneTime, SecretToken, Timestamp, Tx, one_time, withdrawn_mail},
    shared::{EmailAddress, InviteId, Role, UserId},
    users::{self, Invite, InviteNote, InviteState, NewInvite},
};

/// How many may be invited in one go.
pub const MAX_INVITES_AT_ONCE: usize = 500;

/// What is promised, to whomever.
#[derive(Clone, Debug)]
pub struct InviteTerms {
    /// The role.
    pub role: Role,
    /// What the inviter adds.
    pub note: Option<InviteNote>,
    /// How long it lasts; as configured where nobody says.
    pub expires_in: Option<Duration>,
    /// What the embedding application keeps with it.
    pub metadata: Map<String, Value>,
}

impl Default for InviteTerms {
    fn default() -> Self {
        Self { role: Role::Member, note: None, expires_in: None, metadata: Map::new() }
    }
}

/// An invite that is to be made.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// To whom.
    pub email: EmailAddress,
    /// What is promised.
    pub terms: InviteTerms,
}

/// An invite with a new link: the one time that its secret is known.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The id.
    pub id: InviteId,
    /// To whom.
    pub email: EmailAddress,
    /// The secret for the link.
    pub token: SecretToken,
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// Whether an address can be invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It can.
    Ready,
    /// A user has it.
    HasAccount,
    /// It is invited already.
    AlreadyInvited,
}

/// Whether each of these addresses can be invited now.
///
/// # Errors
/// [`Error::Forbidden`] for who may not.
pub async fn availability(
    services: &Services,
    scope: &Scope,
    emails: &[EmailAddress],
) -> Result<Vec<Availability>, Error> {
    authority::asks_as_manager(scope)?;
    let db = &services.platform.db;
    let mut users: BTreeSet<_> = users::owned_addresses(db.reader(), emails).await?.into_iter().collect();
    users.extend(held_address::list_held(db.reader(), emails, scope.now).await?);
    let invited: BTreeSet<_> = users::invited_addresses(db, emails, scope.now).await?.into_iter().collect();
    let judge = |email| match (users.contains(email), invited.contains(email)) {
        (true, _) => Availability::HasAccount,
        (false, true) => Availability::AlreadyInvited,
        (false, false) => Availability::Ready,
    };
    Ok(emails.iter().map(judge).collect())
}

/// The invite with this id.
///
/// # Errors
/// [`Error::Forbidden`] for who may not manage users, [`Error::NotFound`] if there is none.
pub async fn find_invite(services: &Services, scope: &Scope, id: &InviteId) -> Result<Invite, Error> {
    authority::asks_as_manager(scope)?;
    users::find_invite(&services.platform.db, id).await?.ok_or(Error::NotFound)
}

/// Invites one person.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::RegistrationClosed`], [`Error::HasAccount`], [`Error::AlreadyInvited`].
pub async fn invite(services: &Services, scope: &Scope, new: Invitation) -> Result<Invited, Error> {
    let Invitation { email, terms } = new;
    let mut answers = invite_many(services, scope, (&[email], &terms)).await?;
    match answers.pop() {
        Some(Ok(invited)) => Ok(invited),
        Some(Err(Availability::AlreadyInvited)) => Err(Error::AlreadyInvited),
        Some(Err(_)) | None => Err(Error::HasAccount),
    }
}

/// Invites many in one transaction and answers for each address in turn; who can't be invited is left out.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::RegistrationClosed`], [`Error::InvalidData`] for a life that is too short or too long,
/// or too many at once.
pub async fn invite_many(
    services: &Services,
    scope: &Scope,
    (emails, terms): (&[EmailAddress], &InviteTerms),
) -> Result<Vec<Result<Invited, Availability>>, Error> {
    authority::asks_as_manager(scope)?;
    refuse_where_closed(services)?;
    let expires_in = terms.expires_in.unwrap_or(services.rules.invites.expires_in);
    if !InviteSettings::BOUNDS.contains(&expires_in) {
        return Err(Error::InvalidData("An invite lasts from 1 hour to 30 days.".to_owned()));
    }
    if emails.len() > MAX_INVITES_AT_ONCE {
        return Err(Error::InvalidData("At most 500 can be invited at once.".to_owned()));
    }
    let mut tx = services.platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    let inviter = name_of_asking(scope, &mut tx).await?;
    let mut users: BTreeSet<_> = users::owned_addresses(&mut *tx, emails).await?.into_iter().collect();
    users.extend(held_address::list_held(&mut *tx, emails, scope.now).await?);
    // In one order, whatever the order in which they were typed: who invites the same people waits, and never in a circle.
    let mut sorted: Vec<(usize, &EmailAddress)> = emails.iter().enumerate().collect();
    sorted.sort_by_key(|(_, email)| *email);
    let mut answers = Vec::with_capacity(emails.len());
    for (place, email) in sorted {
        if users.contains(email) {
            answers.push((place, Err(Availability::HasAccount)));
            continue;
        }
        let new = NewInvite {
            id: InviteId::new(services.platform.entropy.uuid_v7(scope.now)),
            email,
            role: terms.role,
            note: terms.note.as_ref(),
            metadata: &terms.metadata,
            invited_by: scope.user_id(),
            expires_in,
        };
        answers.push((place, create(services, scope, (&new, inviter.as_deref()), &mut tx).await?));
    }
    tx.commit().await?;
    answers.sort_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

async fn create(
    services: &Services,
    scope: &Scope,
    (new, inviter): (&NewInvite<'_>, Option<&str>),
    tx: &mut Tx,
) -> Result<Result<Invited, Availability>, Error> {
    match users::create_invite(tx, new, scope.now).await {
        Err(users::Error::AlreadyInvited) => return Ok(Err(Availability::AlreadyInvited)),
        other => other?,
    }
    let promise = Promise {
        id: new.id.clone(),
        email: new.email.clone(),
        role: new.role,
        note: new.note.map(|note| note.as_str().to_owned()),
        inviter: inviter.map(str::to_owned),
        expires_at: scope.now.plus(new.expires_in),
    };
    let done = write_letter(services, scope, promise, tx).await?;
    let details = json!({ "email": new.email.as_str(), "role": new.role.as_str() });
    let event = Event::about_invite(EventKind::InviteCreated, &new.id).with(details);
    events::record(tx, &services.platform.entropy, scope, event).await?;
    Ok(Ok(done))
}

/// Makes a new link and a new end, and sends it; the links before go on to work until one is used. Where who invited may
/// not any more, whoever sends it again answers for it from now on.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::RegistrationClosed`], [`Error::NotFound`], [`Error::InviteEnded`] for one that was
/// accepted or revoked, or has made way for another.
pub async fn resend_invite(services: &Services, scope: &Scope, id: &InviteId) -> Result<Invited, Error> {
    refuse_where_closed(services)?;
    let mut tx = services.platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    let invite = users::get_invite_for_update(&mut tx, id).await?;
    let known = invite.inviter.as_ref();
    let asking = name_of_asking(scope, &mut tx).await?;
    let (invited_by, inviter) = if invite.is_by_who_may() {
        (known.map(|inviter| inviter.id.clone()), known.and_then(|inviter| inviter.name.clone()))
    } else {
        (scope.user_id().cloned(), asking)
    };
    let expires_at = scope.now.plus(services.rules.invites.expires_in);
    if !users::renew_invite(&mut tx, id, (invited_by.as_ref(), expires_at), scope.now).await? {
        return Err(Error::InviteEnded);
    }
    one_time::prolong(&mut tx, (INVITE, id.as_str()), expires_at).await?;
    // The new mail says all that one says which still waits.
    withdrawn_mail::drop_about(&mut tx, id.as_str(), scope.now).await?;
    let Invite { id, email, role, note, .. } = invite;
    let event = Event::about_invite(EventKind::InviteResent, &id).with(json!({ "email": email.as_str() }));
    let promise = Promise { id, email, role, note, inviter, expires_at };
    let done = write_letter(services, scope, promise, &mut tx).await?;
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    tx.commit().await?;
    Ok(done)
}

/// Makes another link for an invite, to be handed on by the one who asks; no mail is written.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::InviteEnded`] for one that can't be accepted.
pub async fn new_invite_link(services: &Services, scope: &Scope, id: &InviteId) -> Result<Invited, Error> {
    refuse_where_closed(services)?;
    let mut tx = services.platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    let invite = users::get_invite_for_update(&mut tx, id).await?;
    if !invite.is_valid(scope.now) {
        return Err(Error::InviteEnded);
    }
    let new = NewOneTime {
        purpose: INVITE,
        subject: id.as_str(),
        email: &invite.email,
        data: json!({}),
        expires_at: invite.expires_at,
    };
    let issued = one_time::issue(&mut tx, &services.platform.entropy, scope.now, new).await?;
    let details = json!({ "email": invite.email.as_str(), "is_mailed": false });
    let event = Event::about_invite(EventKind::InviteResent, id).with(details);
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    tx.commit().await?;
    Ok(Invited { id: invite.id, email: invite.email, token: issued.token, expires_at: issued.expires_at })
}

/// Takes an invite back: its links end, and its mail is not sent if it still waits.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::InviteEnded`] for one that was accepted.
pub async fn revoke_invite(services: &Services, scope: &Scope, id: &InviteId) -> Result<(), Error> {
    let mut tx = services.platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    let invite = users::get_invite_for_update(&mut tx, id).await?;
    if invite.state(scope.now) == InviteState::Revoked {
        return Ok(());
    }
    take_back(services, scope, &invite, &mut tx).await?;
    Ok(tx.commit().await?)
}

/// Takes an open invite back in the transaction of why.
pub(super) async fn take_back(services: &Services, scope: &Scope, invite: &Invite, tx: &mut Tx) -> Result<(), Error> {
    if !users::revoke_invite(tx, &invite.id, scope.now).await? {
        return Err(Error::InviteEnded);
    }
    withdrawn_mail::drop_about(tx, invite.id.as_str(), scope.now).await?;
    one_time::revoke_all(tx, invite.id.as_str(), scope.now).await?;
    let details = json!({ "email": invite.email.as_str() });
    let event = Event::about_invite(EventKind::InviteRevoked, &invite.id).with(details);
    Ok(events::record(tx, &services.platform.entropy, scope, event).await?)
}

/// Deletes an invite with its links, and with its mail if that still waits.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn delete_invite(services: &Services, scope: &Scope, id: &InviteId) -> Result<(), Error> {
    let mut tx = services.platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    let invite = users::get_invite_for_update(&mut tx, id).await?;
    withdrawn_mail::delete_about(&mut tx, id.as_str()).await?;
    one_time::delete_all(&mut tx, id.as_str()).await?;
    users::delete_invite(&mut tx, id).await?;
    let event = Event::about_invite(EventKind::InviteDeleted, id).with(json!({ "email": invite.email.as_str() }));
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    Ok(tx.commit().await?)
}

/// What a letter says of an invite.
struct Promise {
    id: InviteId,
    email: EmailAddress,
    role: Role,
    note: Option<String>,
    inviter: Option<String>,
    expires_at: Timestamp,
}

async fn write_letter(services: &Services, scope: &Scope, promise: Promise, tx: &mut Tx) -> Result<Invited, Error> {
    let Promise { id, email, role, note, inviter, expires_at } = promise;
    let new = NewOneTime { purpose: INVITE, subject: id.as_str(), email: &email, data: json!({}), expires_at };
    let issued = one_time::issue(tx, &services.platform.entropy, scope.now, new).await?;
    let letter = Letter::Invitation { inviter, role, note };
    let mail = letter::write(services, scope, (&email, letter, Some(&issued)), tx).await?;
    users::set_invite_mail(tx, &id, &mail).await?;
    Ok(Invited { id, email, token: issued.token, expires_at })
}

fn refuse_where_closed(services: &Services) -> Result<(), Error> {
    if services.rules.registration.mode == RegistrationMode::Closed { Err(Error::RegistrationClosed) } else { Ok(()) }
}

async fn name_of_asking(scope: &Scope, tx: &mut Tx) -> Result<Option<String>, Error> {
    let Some(id) = scope.user_id() else { return Ok(None) };
    Ok(Some(users::get_for_update(tx, id).await?.display_name()))
}

/// What goes with a user who is deleted: links about them, mails to them that wait, and the invite for their address,
/// which would let the one who has its link come right back.
pub(super) async fn forget_user(
    services: &Services,
    scope: &Scope,
    (id, email): (&UserId, &EmailAddress),
    tx: &mut Tx,
) -> Result<(), Error> {
    withdrawn_mail::delete_about(tx, id.as_str()).await?;
    one_time::delete_all(tx, id.as_str()).await?;
    if let Some(invite) = users::pending_invite_of(tx, email).await? {
        take_back(services, scope, &invite, tx).await?;
    }
    Ok(crate::platform::delete_waiting_mails(tx, email).await?)
}
